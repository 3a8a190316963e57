// --set /pointer=value: edits of a document before it is interpreted.
#include <algorithm>
#include <charconv>
#include <utility>

#include "sim/decimal.h"
#include "sim/json_doc.h"

namespace duet::sim {
namespace {

/// The steps of an RFC 6901 pointer that starts with '/'.
std::vector<std::string> steps_of(std::string_view pointer) {
  std::vector<std::string> steps;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      steps.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size() &&
               (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      steps.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      steps.back() += pointer[i];
    }
  }
  return steps;
}

/// A number that no double can hold, such as 1e400.
bool beyond_doubles(std::string_view text) {
  if (text.empty() || (text.front() != '-' && !is_digit(text.front()))) return false;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc::result_out_of_range && end == text.data() + text.size();
}

}  // namespace

std::uint32_t JsonDoc::append_text(std::string_view text) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  text_ += text;
  return at;
}

std::uint32_t JsonDoc::append_child(std::uint32_t node, std::uint32_t key) {
  const auto made = static_cast<std::uint32_t>(nodes_.size());
  Node& child = nodes_.emplace_back();
  child.begin = child.end = edits_.back().value;
  child.parent = node;
  child.key = key;
  std::uint32_t* link = &nodes_[node].first;
  while (*link != kNone) link = &nodes_[*link].next;
  *link = made;
  return made;
}

std::uint32_t JsonDoc::array_child(std::uint32_t node, const std::string& name, const JsonPlace& place,
                                   Mistakes& mistakes) {
  if (nodes_[node].packed) unpack(node, nodes_[node].end);
  std::uint32_t size = 0;
  std::uint32_t index = kNone;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool number = parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size();
  for (std::uint32_t child = nodes_[node].first; child != kNone; child = nodes_[child].next)
    if (size++ == index && number) return child;
  if (name == "-" || (number && index == size)) return append_child(node, kNone);
  mistakes.add(place, backquoted(name) + " names no element: the array has " + std::to_string(size),
               "right: an index from 0, or - to append");
  return kNone;
}

std::uint32_t JsonDoc::child_for(std::uint32_t node, const std::string& name, bool last,
                                 const JsonPlace& place, Mistakes& mistakes) {
  std::uint32_t child = kNone;
  if (nodes_[node].type == JsonType::kArray) {
    child = array_child(node, name, place, mistakes);
  } else if (nodes_[node].type == JsonType::kObject) {
    const JsonValue found = value(node).member(name);
    child = found ? found.place().node : append_child(node, append_text(json_string(name)));
  } else {
    mistakes.add(place, backquoted(pointer({0, 0, node})) + " is " + std::string(name_of(nodes_[node].type)) +
                            ": it has no member " + backquoted(name));
  }
  // What was made on the way is an object.
  if (child != kNone && !last && nodes_[child].end == nodes_[child].begin)
    nodes_[child].type = JsonType::kObject;
  return child;
}

/// `node` keeps its place and name, and takes over the value of `other`.
void JsonDoc::become(std::uint32_t node, std::uint32_t other) {
  Node& to = nodes_[node];
  const Node& from = nodes_[other];
  to.begin = from.begin;
  to.end = from.end;
  to.first = from.first;
  to.type = from.type;
  to.packed = from.packed;
  for (std::uint32_t child = to.first; child != kNone; child = nodes_[child].next)
    nodes_[child].parent = node;
}

bool JsonDoc::assign(std::uint32_t node, const Edit& edit, Mistakes& mistakes) {
  const std::uint32_t kept = root_;
  std::uint32_t begin = edit.value;
  std::uint32_t end = edit.end;
  Mistakes found;
  bool read = parse(begin, end, found);
  const bool meant_as_json =
      begin < end && std::string_view("{[\"").find(text_[begin]) != std::string_view::npos;
  if (read || meant_as_json) {
    for (const Mistake& m : found.sorted()) mistakes.add({m.place.begin, m.place.end}, m.what, m.hint);
  } else if (beyond_doubles(std::string_view(text_).substr(begin, end - begin))) {
    // Whatever reads it knows its range, and says so.
    Node& number = nodes_[node];
    number = {begin, end, number.key, number.parent, kNone, number.next, JsonType::kNumber, false};
    return true;
  } else {
    begin = append_text(json_string(text_.substr(begin, end - begin)));
    end = static_cast<std::uint32_t>(text_.size());
    read = parse(begin, end, mistakes);
  }
  if (read) become(node, std::exchange(root_, kept));
  return read;
}

bool JsonDoc::set(std::string_view option, Mistakes& mistakes) {
  if (root_ == kNone) return false;
  if (text_.size() + 8 * option.size() > kMaxBytes) {
    mistakes.add({}, "the file with its --set options is larger than 4 GiB");
    return false;
  }
  const std::uint32_t begin = append_text("\n") + 1;
  append_text(option);
  const auto end = static_cast<std::uint32_t>(text_.size());
  append_text("\n");
  const std::size_t equals = option.find('=');
  edits_.push_back(
      {begin, equals == option.npos ? begin : begin + static_cast<std::uint32_t>(equals) + 1, end});
  const Edit edit = edits_.back();
  const JsonPlace pointer_place{begin, equals == option.npos ? end : edit.value - 1};
  if (equals == option.npos || (equals > 0 && !option.starts_with('/'))) {
    mistakes.add(pointer_place, "this does not say what to set", "right: --set /policies/queue=easy");
    return false;
  }
  std::uint32_t node = root_;
  const std::vector<std::string> steps = steps_of(option.substr(0, equals));
  if (steps.size() > kMaxDepth) {
    mistakes.add(pointer_place, "deeper than " + std::to_string(kMaxDepth) + " levels");
    return false;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    node = child_for(node, steps[i], i + 1 == steps.size(), pointer_place, mistakes);
    if (node == kNone) return false;
  }
  return assign(node, edit, mistakes);
}

}  // namespace duet::sim
