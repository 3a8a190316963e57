// The grammar is nlohmann's SAX parser; we follow it through the text to know where each value stands.
#include <algorithm>
#include <cctype>
#include <utility>

#include <nlohmann/json.hpp>

#include "sim/json_doc.h"

namespace duet::sim {

/// Receives the parser's events. Each comes when its token has been read, so the token is the next one in the
/// text behind the last.
class JsonBuilder {
 public:
  JsonBuilder(JsonDoc& doc, std::uint32_t begin, std::uint32_t end, Mistakes& mistakes)
      : doc_(doc), begin_(begin), limit_(end), cursor_(begin), mistakes_(mistakes) {}

  bool null() { return scalar(JsonType::kNull); }
  bool boolean(bool) { return scalar(JsonType::kBoolean); }
  bool number_integer(std::int64_t) { return scalar(JsonType::kNumber); }
  bool number_unsigned(std::uint64_t) { return scalar(JsonType::kNumber); }
  bool number_float(double, const std::string&) { return scalar(JsonType::kNumber); }
  bool string(std::string&) { return scalar(JsonType::kString); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open(JsonType::kObject); }
  bool start_array(std::size_t) { return open(JsonType::kArray); }
  bool end_object() {
    check_names();
    return close();
  }
  bool end_array() { return close(); }
  bool key(std::string&) {
    key_ = next_token();
    cursor_ = doc_.string_end(key_);
    return true;
  }
  bool parse_error(std::size_t read, const std::string& token, const nlohmann::json::exception& error);

  std::uint32_t root() const { return root_; }

 private:
  struct Level {
    std::uint32_t node;
    std::uint32_t last = JsonPlace::kNone;  ///< Its latest child node.
    bool packed = false;                    ///< An array that holds no array or object so far.
  };

  std::uint32_t next_token() const { return doc_.skip(cursor_, " \t\r\n,:"); }

  bool scalar(JsonType type) {
    const std::uint32_t begin = next_token();
    cursor_ = doc_.scalar_end(begin);
    if (!levels_.empty() && levels_.back().packed) return true;
    doc_.nodes_[add(type, begin)].end = cursor_;
    return true;
  }

  bool open(JsonType type) {
    const std::uint32_t begin = next_token();
    if (levels_.size() == JsonDoc::kMaxDepth) {
      mistakes_.add({begin, begin + 1, levels_.back().node},
                    "nested deeper than " + std::to_string(JsonDoc::kMaxDepth) + " levels");
      return false;
    }
    if (!levels_.empty() && levels_.back().packed) spread(levels_.back());
    const std::uint32_t node = add(type, begin);
    cursor_ = begin + 1;
    levels_.push_back({node, JsonPlace::kNone, type == JsonType::kArray});
    return true;
  }

  bool close() {
    const Level level = levels_.back();
    levels_.pop_back();
    cursor_ = next_token() + 1;
    doc_.nodes_[level.node].end = cursor_;
    doc_.nodes_[level.node].packed = level.packed;
    return true;
  }

  /// The elements read so far become nodes, since one follows that must be.
  void spread(Level& level) {
    doc_.unpack(level.node, cursor_);
    level.packed = false;
    for (std::uint32_t child = doc_.nodes_[level.node].first; child != JsonPlace::kNone;
         child = doc_.nodes_[child].next)
      level.last = child;
  }

  std::uint32_t add(JsonType type, std::uint32_t begin) {
    const auto node = static_cast<std::uint32_t>(doc_.nodes_.size());
    JsonDoc::Node& made = doc_.nodes_.emplace_back();
    made.begin = begin;
    made.type = type;
    made.key = std::exchange(key_, JsonPlace::kNone);
    if (levels_.empty()) {
      root_ = node;
    } else {
      Level& level = levels_.back();
      made.parent = level.node;
      (level.last == JsonPlace::kNone ? doc_.nodes_[level.node].first : doc_.nodes_[level.last].next) = node;
      level.last = node;
    }
    return node;
  }

  void check_names();
  std::uint32_t place_of_error(std::size_t read, std::string_view message) const;

  JsonDoc& doc_;
  std::uint32_t begin_;
  std::uint32_t limit_;
  std::uint32_t cursor_;  ///< Behind the last token.
  std::uint32_t key_ = JsonPlace::kNone;
  std::uint32_t root_ = JsonPlace::kNone;
  std::vector<Level> levels_;
  Mistakes& mistakes_;
};

namespace {

std::string position(const JsonDoc::Spot& spot) {
  const std::string line = spot.line == 0 ? "" : "line " + std::to_string(spot.line) + ", ";
  return line + "column " + std::to_string(spot.column);
}

}  // namespace

void JsonBuilder::check_names() {
  std::vector<std::pair<std::string, std::uint32_t>> names;
  for (JsonValue v = doc_.value(levels_.back().node).first_child(); v; v = v.next_sibling())
    names.emplace_back(v.key(), v.place().node);
  std::sort(names.begin(), names.end());  // equal names: in the order of the text
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (names[i].first != names[i - 1].first) continue;
    const JsonDoc::Spot first = doc_.locate(doc_.value(names[i - 1].second).key_place());
    mistakes_.add(doc_.value(names[i].second).key_place(), backquoted(names[i].first) + " is given twice",
                  "the other one is in " + position(first));
  }
}

std::uint32_t JsonBuilder::place_of_error(std::size_t read, std::string_view message) const {
  const auto last =
      static_cast<std::uint32_t>(std::min<std::size_t>(begin_ + (read == 0 ? 0 : read - 1), limit_));
  const std::uint32_t token = std::min(next_token(), last);
  if (last == limit_) return token < limit_ && doc_.text_[token] == '"' ? token : limit_;
  const bool punctuation = std::string_view(",:[]{}").find(doc_.text_[last]) != std::string_view::npos;
  const bool bad_string = doc_.text_[token] == '"' &&
                          message.find("invalid string") != std::string_view::npos &&
                          message.find("missing closing quote") == std::string_view::npos;
  return punctuation || bad_string ? last : token;
}

namespace {

/// What people write that is not JSON, and what they meant.
std::string_view common_slip(std::string_view here) {
  const auto begins = [&](std::string_view word) { return here.starts_with(word); };
  if (begins("//") || begins("/*") || begins("#")) return "JSON has no comments";
  if (begins("NaN") || begins("nan") || begins("Inf") || begins("inf") || begins("-Inf") || begins("-inf"))
    return "numbers are finite in JSON";
  if (begins("'")) return "strings take double quotes";
  if (begins("True") || begins("False") || begins("None")) return "JSON writes true, false and null";
  if (begins("+")) return "numbers have no plus sign in JSON";
  if (begins(".")) return "numbers start with a digit in JSON, such as 0.5";
  return {};
}

/// The parser says "[json.exception...] ...: syntax error while parsing X - WHAT; last read: 'Y'; expected
/// Z".
std::string what_of(std::string_view message) {
  if (message.find("number overflow") != message.npos) return "this number is too large for any use";
  const std::size_t dash = message.find(" - ");
  if (dash != message.npos) message.remove_prefix(dash + 3);
  const std::size_t last_read = message.find("; last read");
  message = message.substr(0, last_read == message.npos ? message.find("; expected") : last_read);
  return "this is not JSON: " + printable(message);
}

std::string expected_of(std::string_view message) {
  const std::size_t at = message.rfind("; expected ");
  if (at == message.npos || message.find("last read", at) != message.npos) return {};
  const std::string_view expected = message.substr(at + 11);
  if (expected == "string literal") return "right: a name in double quotes";
  if (expected == "end of input") return "right: nothing more, the document is complete before this";
  if (expected == "'}'") return "right: `,` or `}`";
  if (expected == "']'") return "right: `,` or `]`";
  return "right: " + std::string(expected);
}

}  // namespace

bool JsonBuilder::parse_error(std::size_t read, const std::string&, const nlohmann::json::exception& error) {
  const std::uint32_t at = place_of_error(read, error.what());
  const std::string_view here = std::string_view(doc_.text_).substr(at, limit_ - at);
  const JsonPlace place{at, at, levels_.empty() ? root_ : levels_.back().node};
  std::string hint(common_slip(here));
  if (hint.empty() && at == limit_ && !levels_.empty()) {
    const JsonDoc::Spot spot = doc_.locate(doc_.value(levels_.back().node).place());
    hint = "`" + doc_.text_.substr(doc_.nodes_[levels_.back().node].begin, 1) + "` in " + position(spot) +
           " is not closed";
  }
  std::size_t before = at;
  while (before > begin_ && std::isspace(static_cast<unsigned char>(doc_.text_[before - 1]))) --before;
  const bool after_comma = before > begin_ && doc_.text_[before - 1] == ',';
  if (hint.empty() && after_comma && (here.starts_with('}') || here.starts_with(']')))
    hint = "right: no comma before the closing bracket";
  if (hint.empty() && at > begin_ && doc_.text_[at - 1] == '0' &&
      std::isdigit(static_cast<unsigned char>(here[0])))
    hint = "numbers have no leading zeros in JSON";
  if (hint.empty()) hint = expected_of(error.what());
  const bool blank = doc_.skip(begin_, " \t\r\n") >= limit_;
  mistakes_.add(place, blank ? "the file is empty" : what_of(error.what()),
                blank ? "right: a JSON object" : hint);
  return false;
}

bool JsonDoc::parse(std::uint32_t begin, std::uint32_t end, Mistakes& mistakes) {
  JsonBuilder builder(*this, begin, end, mistakes);
  const char* const text = text_.data();
  if (!nlohmann::json::sax_parse(text + begin, text + end, &builder)) return false;
  root_ = builder.root();
  return true;
}

}  // namespace duet::sim
