#include "sim/table.h"

#include <algorithm>

#include "sim/diagnostics.h"
#include "sim/json_write.h"

namespace duet::sim {
namespace {

std::string aligned(const Table& table) {
  std::vector<std::size_t> widths;
  std::vector<bool> numbers;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t widest = width(table.columns[c]);
    bool plain = !table.rows.empty();
    for (const auto& row : table.rows) {
      widest = std::max(widest, width(row[c].text));
      plain &= row[c].kind != Cell::Kind::kText;
    }
    widths.push_back(widest);
    numbers.push_back(plain);
  }
  std::string out;
  const auto add = [&](std::size_t c, std::string_view text) {
    const bool last = c + 1 == table.columns.size();
    const std::string pad(widths[c] - width(text), ' ');
    if (numbers[c]) out += pad;
    out += printable(text);
    if (!numbers[c] && !last) out += pad;
    out += last ? "\n" : "  ";
  };
  for (std::size_t c = 0; c < table.columns.size(); ++c) add(c, table.columns[c]);
  for (const auto& row : table.rows)
    for (std::size_t c = 0; c < row.size(); ++c) add(c, row[c].text);
  return out;
}

std::string json(const Table& table) {
  std::string out;
  JsonWriter writer([&](std::string_view text) { out += text; });
  writer.array();
  for (const auto& row : table.rows) {
    writer.object(true);
    for (std::size_t c = 0; c < row.size(); ++c) {
      writer.key(table.columns[c]);
      if (row[c].kind == Cell::Kind::kText) {
        writer.string(row[c].text);
      } else {
        writer.raw(row[c].kind == Cell::Kind::kNone ? "null" : row[c].text);
      }
    }
    writer.close();
  }
  writer.close();
  writer.finish();
  return out;
}

std::string csv(const Table& table) {
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) out += ',';
    append_csv(out, table.columns[c]);
  }
  out += '\n';
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c > 0) out += ',';
      append_csv(out, row[c].text);
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::optional<Format> format_of(std::string_view name) {
  for (const Format format : {Format::kTable, Format::kJson, Format::kCsv})
    if (name == name_of(format)) return format;
  return std::nullopt;
}

std::string_view name_of(Format format) {
  switch (format) {
    case Format::kJson:
      return "json";
    case Format::kCsv:
      return "csv";
    case Format::kTable:
      break;
  }
  return "table";
}

std::string to_text(const Table& table, Format format) {
  if (format == Format::kJson) return json(table);
  return format == Format::kCsv ? csv(table) : aligned(table);
}

void append_csv(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace duet::sim
