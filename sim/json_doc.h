// A JSON document that knows where everything stands: small nodes over the text, for files of a million rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/diagnostics.h"

namespace duet::sim {

enum class JsonType : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

/// "a number", "an object", ...
std::string_view name_of(JsonType type);

class JsonDoc;

/// One value of a document, or none. Cheap to copy; valid until the document is edited or ends.
class JsonValue {
 public:
  JsonValue() = default;
  explicit operator bool() const { return doc_ != nullptr; }

  JsonType type() const { return type_; }
  bool is(JsonType type) const { return doc_ != nullptr && type_ == type; }
  /// The bytes as written: a number's digits, a string with its quotes.
  std::string_view raw() const;
  /// The text a string stands for.
  std::string string() const;
  bool boolean() const { return raw() == "true"; }
  /// The nearest double to a number; 0 if it is none, or out of range.
  double number() const;

  /// Elements of an array, members of an object, in the order of the text; none for other types.
  JsonValue first_child() const;
  JsonValue next_sibling() const;
  /// The member of this name, or none. If it is there twice, the first.
  JsonValue member(std::string_view name) const;
  /// Of a member of an object.
  std::string key() const;

  JsonPlace place() const { return {begin_, end_, node_, element_}; }
  /// Where the member's name stands; the value itself if it is no member.
  JsonPlace key_place() const;
  /// Bytes `from` .. `from` + `length` of a string's text; the whole value if the string is written with
  /// escapes.
  JsonPlace part(std::size_t from, std::size_t length) const;

 private:
  friend class JsonDoc;
  const JsonDoc* doc_ = nullptr;
  std::uint32_t node_ = JsonPlace::kNone;
  std::uint32_t element_ = JsonPlace::kNone;  ///< Index in node_ if that is a packed array.
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
  JsonType type_ = JsonType::kNull;
};

/// The document. 32 bytes a value; arrays without arrays and objects in them are packed: their elements cost
/// nothing and are found again in the text when asked for.
class JsonDoc {
 public:
  static constexpr std::uint32_t kMaxDepth = 64;
  static constexpr std::uint64_t kMaxBytes = 0xffff0000U;  ///< Of text, edits included: a little under 4 GiB.

  /// Parses strict JSON (RFC 8259; a byte order mark is skipped). Mistakes: syntax, invalid UTF-8, numbers no
  /// double can hold, more than kMaxDepth levels, names given twice, text above kMaxBytes. `source` names the
  /// text in them.
  JsonDoc(std::string source, std::string text, Mistakes& mistakes);
  JsonDoc(const JsonDoc&) = delete;
  JsonDoc& operator=(const JsonDoc&) = delete;

  /// None if the text was not JSON.
  JsonValue root() const;

  /// Applies "/pointer=value" (RFC 6901). The value is read as JSON, else taken as a string. Members that are
  /// not there are made, "-" appends to an array. False if the option is mistaken.
  bool set(std::string_view option, Mistakes& mistakes);

  /// A place for people. `line` is 0 in a --set option.
  struct Spot {
    std::string source;
    std::uint32_t line = 0;
    std::uint32_t column = 1;  ///< In characters, from 1.
    std::string_view line_text;
    std::string_view marked;  ///< The part of the line that is meant; may be empty.
  };
  Spot locate(const JsonPlace& place) const;
  /// RFC 6901; empty for the whole document.
  std::string pointer(const JsonPlace& place) const;

 private:
  friend class JsonValue;
  friend class JsonBuilder;
  static constexpr std::uint32_t kNone = JsonPlace::kNone;

  struct Node {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t key = kNone;  ///< Opening quote of the member's name.
    std::uint32_t parent = kNone;
    std::uint32_t first = kNone;
    std::uint32_t next = kNone;
    JsonType type = JsonType::kNull;
    bool packed = false;
  };
  struct Edit {
    std::uint32_t begin = 0;  ///< Of the option in text_.
    std::uint32_t value = 0;
    std::uint32_t end = 0;  ///< Of the option; what follows up to the next edit was made from it.
  };

  bool parse(std::uint32_t begin, std::uint32_t end, Mistakes& mistakes);
  JsonValue value(std::uint32_t node) const;
  JsonValue element(std::uint32_t node, std::uint32_t index, std::uint32_t from) const;
  std::uint32_t string_end(std::uint32_t quote) const;
  std::uint32_t scalar_end(std::uint32_t begin) const;
  std::uint32_t skip(std::uint32_t from, std::string_view what) const;
  void unpack(std::uint32_t node, std::uint32_t until);

  // json_edit.cpp
  std::uint32_t child_for(std::uint32_t node, const std::string& name, bool last, const JsonPlace& place,
                          Mistakes& mistakes);
  std::uint32_t array_child(std::uint32_t node, const std::string& name, const JsonPlace& place,
                            Mistakes& mistakes);
  std::uint32_t append_child(std::uint32_t node, std::uint32_t key);
  std::uint32_t append_text(std::string_view text);
  void become(std::uint32_t node, std::uint32_t other);
  bool assign(std::uint32_t node, const Edit& edit, Mistakes& mistakes);

  std::string source_;
  std::string text_;  ///< The file, then the edits.
  std::uint32_t file_end_ = 0;
  std::vector<Node> nodes_;
  std::vector<Edit> edits_;
  std::uint32_t root_ = kNone;
};

/// Text as a JSON string, with its quotes: control characters, quotes and backslashes escaped.
std::string json_string(std::string_view text);

/// What a JSON string written in `raw` (without its quotes) stands for.
std::string json_unescape(std::string_view raw);

}  // namespace duet::sim
