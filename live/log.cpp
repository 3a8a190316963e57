#include "live/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

#include <poll.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include "core/codec/json_text.h"

namespace duet::live::log {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormatNames = {"logfmt", "json"};

spdlog::level::level_enum of_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return kLevelNames[0];
    case spdlog::level::info:
      return kLevelNames[1];
    case spdlog::level::warn:
      return kLevelNames[2];
    default:
      return kLevelNames[3];
  }
}

// ---- A line: what spdlog knows (time, level) and behind it what write() has rendered

void append_padded(std::string& out, long number, std::size_t digits) {
  const std::size_t start = out.size();
  codec::append_number(out, number);
  if (const std::size_t have = out.size() - start; have < digits) out.insert(start, digits - have, '0');
}

/// RFC 3339 in UTC, milliseconds.
void append_time(std::string& out, spdlog::log_clock::time_point when) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const std::time_t seconds = since / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  const std::pair<long, char> fields[] = {{parts.tm_year + 1900, '-'}, {parts.tm_mon + 1, '-'},
                                          {parts.tm_mday, 'T'},        {parts.tm_hour, ':'},
                                          {parts.tm_min, ':'},         {parts.tm_sec, '.'}};
  for (const auto& [number, behind] : fields) {
    append_padded(out, number, 2);
    out += behind;
  }
  append_padded(out, since % 1000, 3);
  out += 'Z';
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(const Options& options) : options_(options) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const bool json = options_.format == Format::kJson;
    line_.clear();
    line_ += json ? "{\"ts\":\"" : "ts=";
    append_time(line_, message.time);
    line_ += json ? "\",\"level\":\"" : " level=";
    line_ += level_name(message.level);
    if (json) line_ += '"';
    if (!options_.program.empty()) {
      line_ += json ? ",\"program\":" : " program=";
      json ? codec::append_string(line_, options_.program) : void(line_ += options_.program);
    }
    line_.append(message.payload.data(), message.payload.size());
    line_ += json ? "}\n" : "\n";
    to.append(line_.data(), line_.data() + line_.size());
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<LineFormatter>(options_); }

 private:
  Options options_;
  std::string line_;  ///< The sink's lock guards it.
};

/// Writes each line with one call, so that programs that share a pipe do not mix theirs.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit DescriptorSink(int fd) : fd_(fd) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view left(line.data(), line.size());
    while (!left.empty()) {
      const ssize_t n = ::write(fd_, left.data(), left.size());
      if (n >= 0) {
        left.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        // Somebody made it non-blocking and does not read: a log must not hold the program up for long.
        pollfd wait{fd_, POLLOUT, 0};
        if (::poll(&wait, 1, 100) <= 0) return;
      } else if (errno != EINTR) {
        return;  // There is nobody to tell.
      }
    }
  }
  void flush_() override {}

  int fd_;
};

std::unique_ptr<spdlog::logger> made(const Options& options) {
  auto sink = std::make_shared<DescriptorSink>(options.fd);
  auto logger = std::make_unique<spdlog::logger>("duet", std::move(sink));
  logger->set_formatter(std::make_unique<LineFormatter>(options));
  logger->set_level(of_spdlog(options.level));
  return logger;
}

struct State {
  std::unique_ptr<spdlog::logger> logger = made({});
  Format format = Format::kLogfmt;
};

State& state() {
  static State* const only = new State;  // Never destroyed: the end of a program may log.
  return *only;
}

// ---- Values

void append_seconds(std::string& out, Duration span) {
  codec::append_number(out, static_cast<double>(to_ns(span)) * 1e-9);
}

void append_task(std::string& out, TaskId task) {
  codec::append_number(out, task.job.value);
  out += '.';
  codec::append_number(out, task.index);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

/// A quoted text is escaped as in JSON, in logfmt too.
void append_text(std::string& out, std::string_view text, Format format) {
  if (format == Format::kLogfmt && is_plain(text)) {
    out += text;
  } else {
    codec::append_string(out, text);
  }
}

struct AppendValue {
  std::string& out;
  Format format;

  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(std::int64_t number) const { codec::append_number(out, number); }
  void operator()(std::uint64_t number) const { codec::append_number(out, number); }
  void operator()(double number) const { codec::append_number(out, number); }
  void operator()(Duration span) const { append_seconds(out, span); }
  void operator()(std::string_view text) const { append_text(out, text, format); }
  void operator()(TaskId task) const {
    quote();
    append_task(out, task);
    quote();
  }
  void operator()(AttemptId attempt) const {
    quote();
    append_task(out, attempt.task);
    out += '#';
    codec::append_number(out, attempt.number);
    quote();
  }
  void quote() const {
    if (format == Format::kJson) out += '"';
  }
};

void append_field(std::string& out, Format format, const Field& field) {
  out += format == Format::kJson ? ",\"" : " ";
  out += field.name;
  out += format == Format::kJson ? "\":" : "=";
  std::visit(AppendValue{out, format}, field.value.held());
}

// ---- The environment

/// Index of the variable's value in `names`; `standard` if it is not set.
template <std::size_t N>
std::size_t chosen(const char* variable, const std::array<std::string_view, N>& names, std::size_t standard,
                   Problems& problems) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return standard;
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto found = std::ranges::find(names, lower);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string right = "one of ";
  for (const std::string_view& name : names)
    right += (&name == &names.front() ? "" : ", ") + std::string(name);
  problems.push_back({variable, "\"" + std::string(text) + "\" is not known", right});
  return standard;
}

}  // namespace

Result<Options> options_from_environment() {
  Problems problems;
  Options options;
  options.level =
      static_cast<Level>(chosen("LOG_LEVEL", kLevelNames, static_cast<std::size_t>(options.level), problems));
  options.format = static_cast<Format>(
      chosen("LOG_FORMAT", kFormatNames, static_cast<std::size_t>(options.format), problems));
  if (!problems.empty()) return problems;
  return options;
}

void set_up(const Options& options) {
  state().logger = made(options);
  state().format = options.format;
}

bool enabled(Level level) { return state().logger->should_log(of_spdlog(level)); }

void write(Level level, std::string_view message, Fields fields) {
  State& at = state();
  if (!at.logger->should_log(of_spdlog(level))) return;
  static thread_local std::string text;  // Grows once, and then lines cost no allocation.
  text.clear();
  text += at.format == Format::kJson ? ",\"msg\":" : " msg=";
  append_text(text, message, at.format);
  for (const Field& field : fields) append_field(text, at.format, field);
  at.logger->log(of_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

void write(Level level, std::string_view message, const Problems& problems) {
  for (const Problem& problem : problems)
    write(level, message, {{"where", problem.where}, {"what", problem.what}, {"right", problem.right}});
}

}  // namespace duet::live::log
