#include "sim/json_write.h"

#include <charconv>
#include <cmath>

#include "core/check.h"
#include "sim/json_doc.h"

namespace duet::sim {

std::string number_text(double value) {
  DUET_CHECK(std::isfinite(value));
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string text(digits, end);
  // to_chars writes exponents as C does: 1e+09.
  const std::size_t e = text.find('e');
  if (e == text.npos) return text;
  if (text[e + 1] == '+') text.erase(e + 1, 1);
  const std::size_t first = e + 1 + (text[e + 1] == '-');
  while (text.size() > first + 1 && text[first] == '0') text.erase(first, 1);
  return text;
}

void JsonWriter::flush() {
  if (!buffer_.empty()) sink_(buffer_);
  buffer_.clear();
}

void JsonWriter::separate() {
  if (after_key_ || levels_.empty()) {
    after_key_ = false;
    return;
  }
  Level& level = levels_.back();
  if (!level.empty) buffer_ += ',';
  if (!level.one_line)
    buffer_.append(1, '\n').append(2 * levels_.size(), ' ');
  else if (!level.empty)
    buffer_ += ' ';
  level.empty = false;
  if (buffer_.size() > 60'000) flush();
}

void JsonWriter::open(char bracket, bool one_line) {
  separate();
  buffer_ += bracket;
  const bool inside = !levels_.empty() && levels_.back().one_line;
  levels_.push_back({bracket == '{' ? '}' : ']', one_line || inside});
}

void JsonWriter::close() {
  DUET_CHECK(!levels_.empty() && !after_key_);
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.one_line && !level.empty) buffer_.append(1, '\n').append(2 * levels_.size(), ' ');
  buffer_ += level.close;
}

void JsonWriter::key(std::string_view name) {
  separate();
  buffer_ += json_string(name);
  buffer_ += ": ";
  after_key_ = true;
}

void JsonWriter::raw(std::string_view json) {
  separate();
  buffer_ += json;
}

void JsonWriter::string(std::string_view text) { raw(json_string(text)); }
void JsonWriter::number(double value) { raw(number_text(value)); }

void JsonWriter::finish() {
  DUET_CHECK(levels_.empty());
  buffer_ += '\n';
  flush();
}

}  // namespace duet::sim
