// Writes JSON piece by piece, laid out for people: objects on many lines, rows on one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace duet::sim {

/// Receives text in pieces, in order.
using TextSink = std::function<void(std::string_view)>;

class JsonWriter {
 public:
  explicit JsonWriter(TextSink sink) : sink_(std::move(sink)) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;
  ~JsonWriter() { flush(); }

  /// Opens an object or array as the next value. On one line: with all that is in it.
  void object(bool one_line = false) { open('{', one_line); }
  void array(bool one_line = false) { open('[', one_line); }
  void close();
  /// The name of the next value of an object.
  void key(std::string_view name);
  /// A value written as it is: digits, true, null.
  void raw(std::string_view json);
  void string(std::string_view text);
  void integer(std::int64_t value) { raw(std::to_string(value)); }
  /// The shortest decimal that reads back as the same double, which must be finite.
  void number(double value);
  /// Ends the text with a newline. To be called once, when everything is closed.
  void finish();

 private:
  struct Level {
    char close = '}';
    bool one_line = false;
    bool empty = true;
  };
  void open(char bracket, bool one_line);
  void separate();
  void flush();

  TextSink sink_;
  std::string buffer_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

/// The shortest decimal that reads back as `value`: 1e9, 0.25, 4096.
std::string number_text(double value);

}  // namespace duet::sim
