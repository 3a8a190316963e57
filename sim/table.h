// Rows for people and for programs: one table, printed aligned, as JSON, or as CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duet::sim {

enum class Format : std::uint8_t { kTable, kJson, kCsv };

/// "table", "json", "csv"
std::optional<Format> format_of(std::string_view name);
std::string_view name_of(Format format);

/// One value of a row.
struct Cell {
  enum class Kind : std::uint8_t { kNone, kText, kPlain };
  Kind kind = Kind::kNone;
  std::string text;  ///< kPlain: as JSON writes it: digits, true, false.

  Cell() = default;
  Cell(std::string value) : kind(Kind::kText), text(std::move(value)) {}  // NOLINT: implicit on purpose
  Cell(std::string_view value) : kind(Kind::kText), text(value) {}        // NOLINT
  Cell(const char* value) : kind(Kind::kText), text(value) {}             // NOLINT
  Cell(std::uint64_t value) : kind(Kind::kPlain), text(std::to_string(value)) {}  // NOLINT
  static Cell plain(std::string json) {
    Cell cell(std::move(json));
    cell.kind = Kind::kPlain;
    return cell;
  }
  static Cell flag(bool value) { return plain(value ? "true" : "false"); }
};

struct Table {
  std::vector<std::string> columns;  ///< As JSON and CSV name them; headings are the same words.
  std::vector<std::vector<Cell>> rows;
};

/// Aligned columns with a heading, an array of objects, or comma-separated values (RFC 4180); ends with a
/// newline.
std::string to_text(const Table& table, Format format);

/// A field of a CSV file, quoted if it must be.
void append_csv(std::string& out, std::string_view field);

}  // namespace duet::sim
