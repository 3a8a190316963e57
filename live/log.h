// Structured logs of a live program: one line an event, logfmt or JSON, on standard error.
//
//   log::info("job accepted", {{"job", 17}, {"user", "ann"}});
//   ts=2026-05-01T12:00:00.000Z level=info msg="job accepted" job=17 user=ann
//
// The message is a constant, what varies is in the fields: then lines can be counted and found again. Units
// stand last in a field's name, as everywhere. Any thread may log. A line is written at once, whole; no line
// breaks out of its own, whatever is in it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "live/secret.h"

namespace duet::live::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class Format : std::uint8_t { kLogfmt, kJson };

/// What a field may hold. Texts are not copied: they must live until the call returns.
class Value {
 public:
  Value(bool flag) : held_(flag) {}                           // NOLINT: implicit on purpose, as all of these
  Value(double number) : held_(number) {}                     // NOLINT
  Value(const char* text) : Value(std::string_view(text)) {}  // NOLINT
  Value(std::string_view text) : held_(text) {}               // NOLINT
  Value(const std::string& text) : held_(std::string_view(text)) {}  // NOLINT
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> span) : held_(Duration(span)) {}  ///< NOLINT: in seconds.
  Value(TaskId task) : held_(task) {}                                        ///< NOLINT: 17.0
  Value(AttemptId attempt) : held_(attempt) {}                               ///< NOLINT: 17.0#1
  Value(const Secret&) : held_(std::string_view("***")) {}                   // NOLINT
  template <std::signed_integral T>
  Value(T number) : held_(std::int64_t{number}) {}  // NOLINT
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Value(T number) : held_(std::uint64_t{number}) {}  // NOLINT
  template <class Tag>
  Value(Id<Tag> id) : held_(id.value) {}  // NOLINT
  /// Whatever else there is would be taken for a flag.
  Value(const void*) = delete;

  using Held =
      std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view, Duration, TaskId, AttemptId>;
  const Held& held() const { return held_; }

 private:
  Held held_;
};

struct Field {
  std::string_view name;  ///< Letters, digits and underscores; not ts, level, program or msg.
  Value value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kLogfmt;
  std::string program{};  ///< Where several write to one place: who this is; may be empty.
  int fd = 2;             ///< Where lines go; not closed.
};

/// LOG_LEVEL = debug | info | warn | error, LOG_FORMAT = logfmt | json, in any case; not set: as in Options.
/// Problems name the variable.
Result<Options> options_from_environment();

/// Until this is called, the defaults hold. To be called before other threads log.
void set_up(const Options& options);

/// False if a line of this level would not be written: worth asking before a value is made for it alone.
bool enabled(Level level);

void write(Level level, std::string_view message, Fields fields);

inline void debug(std::string_view message, Fields fields = {}) { write(Level::kDebug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::kInfo, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::kWarn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::kError, message, fields); }

/// One line for each problem: its `where`, `what` and `right` as fields.
void write(Level level, std::string_view message, const Problems& problems);

}  // namespace duet::live::log
