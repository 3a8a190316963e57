#include "sim/json_doc.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kMark = "\xef\xbb\xbf";  // UTF-8's byte order mark

JsonType type_at(char first) {
  switch (first) {
    case '"':
      return JsonType::kString;
    case '[':
      return JsonType::kArray;
    case '{':
      return JsonType::kObject;
    case 'n':
      return JsonType::kNull;
    case 't':
    case 'f':
      return JsonType::kBoolean;
    default:
      return JsonType::kNumber;
  }
}

std::uint32_t hex4(std::string_view digits) {
  std::uint32_t code = 0;
  for (const char c : digits.substr(0, 4)) {
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    code = code * 16 + static_cast<std::uint32_t>(value);
  }
  return code;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | (code >> 6));
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3f));
    byte(0x80 | ((code >> 6) & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

}  // namespace

std::string_view name_of(JsonType type) {
  constexpr std::string_view names[] = {"null",     "true or false", "a number",
                                        "a string", "an array",      "an object"};
  return names[static_cast<std::size_t>(type)];
}

JsonDoc::JsonDoc(std::string source, std::string text, Mistakes& mistakes) : source_(std::move(source)) {
  if (text.size() > kMaxBytes) {
    mistakes.add({}, "the file is larger than 4 GiB");
    return;
  }
  if (const std::string_view what = foreign_encoding(text); !what.empty()) {
    mistakes.add({}, std::string(what), "right: the same saved as UTF-8");
    return;
  }
  text_ = std::move(text);
  file_end_ = static_cast<std::uint32_t>(text_.size());
  const auto begin = text_.starts_with(kMark) ? static_cast<std::uint32_t>(kMark.size()) : 0;
  if (const std::size_t nul = text_.find('\0'); nul != text_.npos) {
    const auto at = static_cast<std::uint32_t>(nul);
    mistakes.add({at, at + 1}, "there is a NUL byte here: this is not a text file", "right: JSON in UTF-8");
    return;
  }
  parse(begin, file_end_, mistakes);
}

JsonValue JsonDoc::root() const { return root_ == kNone ? JsonValue{} : value(root_); }

std::uint32_t JsonDoc::skip(std::uint32_t from, std::string_view what) const {
  while (from < text_.size() && what.find(text_[from]) != std::string_view::npos) ++from;
  return from;
}

std::uint32_t JsonDoc::string_end(std::uint32_t quote) const {
  std::size_t at = quote + 1;
  while (text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
  return static_cast<std::uint32_t>(at + 1);
}

std::uint32_t JsonDoc::scalar_end(std::uint32_t begin) const {
  if (text_[begin] == '"') return string_end(begin);
  std::size_t at = begin;
  const auto stops = [](char c) { return c == ',' || c == ']' || c == '}' || kBlank.find(c) != kBlank.npos; };
  while (at < text_.size() && !stops(text_[at])) ++at;
  return static_cast<std::uint32_t>(at);
}

JsonValue JsonDoc::value(std::uint32_t node) const {
  JsonValue v;
  v.doc_ = this;
  v.node_ = node;
  v.begin_ = nodes_[node].begin;
  v.end_ = nodes_[node].end;
  v.type_ = nodes_[node].type;
  return v;
}

JsonValue JsonDoc::element(std::uint32_t node, std::uint32_t index, std::uint32_t from) const {
  from = skip(from, " \t\r\n,");
  if (text_[from] == ']') return {};
  JsonValue v;
  v.doc_ = this;
  v.node_ = node;
  v.element_ = index;
  v.begin_ = from;
  v.end_ = scalar_end(from);
  v.type_ = type_at(text_[from]);
  return v;
}

/// Makes nodes of the packed array's elements that end by `until`.
void JsonDoc::unpack(std::uint32_t node, std::uint32_t until) {
  std::uint32_t last = kNone;
  std::uint32_t at = skip(nodes_[node].begin + 1, " \t\r\n,");
  for (; at < until && text_[at] != ']'; at = skip(nodes_.back().end, " \t\r\n,")) {
    const auto made = static_cast<std::uint32_t>(nodes_.size());
    Node& child = nodes_.emplace_back();
    child.begin = at;
    child.end = scalar_end(at);
    child.type = type_at(text_[at]);
    child.parent = node;
    (last == kNone ? nodes_[node].first : nodes_[last].next) = made;
    last = made;
  }
  nodes_[node].packed = false;
}

JsonDoc::Spot JsonDoc::locate(const JsonPlace& place) const {
  Spot spot;
  const std::string_view text = text_;
  std::size_t begin = place.begin;
  std::size_t end = place.end;
  std::size_t line_begin = 0;
  std::size_t line_end = 0;
  if (begin > file_end_ || (!edits_.empty() && begin >= edits_.front().begin)) {
    const auto after = std::upper_bound(edits_.begin(), edits_.end(), place.begin,
                                        [](std::uint32_t at, const Edit& edit) { return at < edit.begin; });
    const Edit& edit = *std::prev(after);
    if (begin > edit.end) {  // made from the option's value
      begin = edit.value;
      end = edit.end;
    }
    line_begin = edit.begin;
    line_end = edit.end;
    spot.source = "--set";
  } else {
    begin = std::min<std::size_t>(begin, file_end_);
    const std::string_view file = text.substr(0, file_end_);
    const std::size_t newline = begin == 0 ? file.npos : file.rfind('\n', begin - 1);
    line_begin = newline == file.npos ? (file.starts_with(kMark) ? kMark.size() : 0) : newline + 1;
    begin = std::max(begin, line_begin);
    line_end = std::min(file.find('\n', begin), file.size());
    if (line_end > begin && file[line_end - 1] == '\r') --line_end;
    spot.source = source_;
    spot.line = 1 + static_cast<std::uint32_t>(
                        std::count(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
  }
  spot.line_text = text.substr(line_begin, line_end - line_begin);
  spot.column = 1 + static_cast<std::uint32_t>(width(text.substr(line_begin, begin - line_begin)));
  end = std::clamp(end, begin, std::max(begin, line_end));
  spot.marked = text.substr(begin, end - begin);
  return spot;
}

std::string JsonDoc::pointer(const JsonPlace& place) const {
  std::string path;
  if (place.element != JsonPlace::kNone) path = '/' + std::to_string(place.element);
  for (std::uint32_t at = place.node; at != kNone && nodes_[at].parent != kNone; at = nodes_[at].parent) {
    const Node& parent = nodes_[nodes_[at].parent];
    std::string step;
    if (parent.type == JsonType::kObject) {
      for (const char c : value(at).key()) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    } else {
      std::size_t index = 0;
      for (std::uint32_t other = parent.first; other != at; other = nodes_[other].next) ++index;
      step = std::to_string(index);
    }
    path.insert(0, '/' + step);
  }
  return path;
}

std::string_view JsonValue::raw() const {
  DUET_CHECK(doc_ != nullptr);
  return std::string_view(doc_->text_).substr(begin_, end_ - begin_);
}

double JsonValue::number() const {
  double value = 0;
  const std::string_view digits = raw();
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string JsonValue::string() const {
  DUET_CHECK(is(JsonType::kString));
  const std::string_view text = raw();
  return json_unescape(text.substr(1, text.size() - 2));
}

JsonValue JsonValue::first_child() const {
  if (doc_ == nullptr || element_ != JsonPlace::kNone) return {};
  const JsonDoc::Node& node = doc_->nodes_[node_];
  if (node.packed) return doc_->element(node_, 0, begin_ + 1);
  return node.first == JsonPlace::kNone ? JsonValue{} : doc_->value(node.first);
}

JsonValue JsonValue::next_sibling() const {
  DUET_CHECK(doc_ != nullptr);
  if (element_ != JsonPlace::kNone) return doc_->element(node_, element_ + 1, end_);
  const std::uint32_t next = doc_->nodes_[node_].next;
  return next == JsonPlace::kNone ? JsonValue{} : doc_->value(next);
}

JsonValue JsonValue::member(std::string_view name) const {
  if (!is(JsonType::kObject)) return {};
  for (JsonValue v = first_child(); v; v = v.next_sibling())
    if (v.key() == name) return v;
  return {};
}

std::string JsonValue::key() const {
  const JsonPlace place = key_place();
  const std::string_view text = std::string_view(doc_->text_).substr(place.begin, place.end - place.begin);
  return json_unescape(text.substr(1, text.size() - 2));
}

JsonPlace JsonValue::key_place() const {
  if (element_ != JsonPlace::kNone) return place();
  const std::uint32_t key = doc_->nodes_[node_].key;
  if (key == JsonPlace::kNone) return place();
  return {key, doc_->string_end(key), node_, element_};
}

JsonPlace JsonValue::part(std::size_t from, std::size_t length) const {
  if (!is(JsonType::kString) || raw().find('\\') != std::string_view::npos) return place();
  JsonPlace result = place();
  result.begin = static_cast<std::uint32_t>(std::min<std::size_t>(begin_ + 1 + from, end_ - 1));
  result.end = static_cast<std::uint32_t>(std::min<std::size_t>(result.begin + length, end_ - 1));
  return result;
}

std::string json_unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out += raw[i];
      continue;
    }
    const char c = raw[++i];
    if (c != 'u') {
      constexpr std::string_view from = "bfnrt";
      const std::size_t at = from.find(c);
      out += at == from.npos ? c : "\b\f\n\r\t"[at];
      continue;
    }
    std::uint32_t code = hex4(raw.substr(i + 1));
    i += 4;
    if (code >= 0xd800 &&
        code < 0xdc00) {  // a pair stands for one character; the parser saw to it that it is whole
      code = 0x10000 + ((code - 0xd800) << 10) + (hex4(raw.substr(i + 3)) - 0xdc00);
      i += 6;
    }
    append_utf8(out, code);
  }
  return out;
}

std::string json_string(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += std::string("\\u00") + hex[byte >> 4] + hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace duet::sim
