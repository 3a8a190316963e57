// Logs: lines that can be read back whatever is in them, and secrets that do not show.
#include "live/log.h"

#include <cstdlib>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "live/driver/job_json.h"
#include "live/program/operator_log.h"

namespace duet::test {
namespace {

namespace log = live::log;

/// What is logged while this exists. Afterwards the defaults hold again.
class LogCapture {
 public:
  explicit LogCapture(log::Format format, log::Level level = log::Level::kDebug, std::string program = {}) {
    fd_ = ::memfd_create("log", MFD_CLOEXEC);
    log::set_up({.level = level, .format = format, .program = std::move(program), .fd = fd_});
  }
  ~LogCapture() {
    log::set_up({});
    ::close(fd_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() const {
    std::string all(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fd_, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    return all;
  }
  /// With the time of each line made equal.
  std::string timeless() const {
    static const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
    return std::regex_replace(text(), time, "NOW");
  }

 private:
  int fd_;
};

TEST(Log, OperatorsReadOfNodesAndPoolsButNotOfTasks) {
  ControllerConfig config;
  config.inventory = {"n0"};
  const Controller machine(config);
  live::EventLog events;
  live::log_for_operators(events);
  const LogCapture captured(log::Format::kLogfmt);
  for (const controller::Notice& notice : std::vector<controller::Notice>{
           controller::NodeChanged{NodeId{0}, NodeState::kReady, true},
           controller::NodeChanged{NodeId{0}, NodeState::kDown, false},
           controller::TaskChanged{},
           controller::PoolScaled{JobId{3}, 1, 2, true, "too full"},
       })
    events.add(Instant{}, std::string(live::type_of(notice)), live::to_json(notice, machine));
  EXPECT_EQ(captured.timeless(),
            "ts=NOW level=info msg=\"node changed\" node=n0 state=ready draining=true\n"
            "ts=NOW level=warn msg=\"node lost\" node=n0 state=down draining=false\n"
            "ts=NOW level=info msg=\"pool scaled\" job=3 from=1 to=2 why=\"too full\"\n");
}

TEST(Log, WritesLogfmt) {
  const LogCapture captured(log::Format::kLogfmt);
  log::info("job accepted", {{"job", JobId{17}}, {"user", "ann"}, {"tasks", 3U}, {"urgent", true}});
  log::warn("late", {{"task", TaskId{JobId{17}, 2}},
                     {"attempt", AttemptId{{JobId{17}, 2}, 1}},
                     {"wait", std::chrono::milliseconds(1500)},
                     {"load", 0.25},
                     {"left", -4}});
  log::error("odd");
  EXPECT_EQ(captured.timeless(),
            "ts=NOW level=info msg=\"job accepted\" job=17 user=ann tasks=3 urgent=true\n"
            "ts=NOW level=warn msg=late task=17.2 attempt=17.2#1 wait=1.5 load=0.25 left=-4\n"
            "ts=NOW level=error msg=odd\n");
}

TEST(Log, WritesJson) {
  const LogCapture captured(log::Format::kJson, log::Level::kInfo, "duet-agent");
  log::info("job \"accepted\"", {{"job", 17}, {"user", std::string("ann\n")}, {"task", TaskId{JobId{1}, 0}}});
  const auto line = nlohmann::ordered_json::parse(captured.text());
  EXPECT_EQ(line.dump().substr(line.dump().find(",\"level\"")),
            R"(,"level":"info","program":"duet-agent","msg":"job \"accepted\"","job":17,"user":"ann\n",)"
            R"("task":"1.0"})");
}

TEST(Log, NoTextBreaksOutOfItsLine) {
  const LogCapture captured(log::Format::kLogfmt, log::Level::kInfo, "a");
  log::info(
      "x",
      {{"user", "ann\nts=0 level=error msg=forged"}, {"empty", ""}, {"eq", "a=b"}, {"bad", "\xff\x1b[2J"}});
  EXPECT_EQ(captured.timeless(),
            "ts=NOW level=info program=a msg=x user=\"ann\\nts=0 level=error msg=forged\" empty=\"\" "
            "eq=\"a=b\" bad=\"\xef\xbf\xbd\\u001b[2J\"\n");
}

TEST(Log, KeepsSecrets) {
  const live::Secret token("hunter2");
  const LogCapture captured(log::Format::kLogfmt);
  log::info("token made", {{"token", token}});
  EXPECT_EQ(captured.timeless(), "ts=NOW level=info msg=\"token made\" token=***\n");
  EXPECT_TRUE(token.same_as("hunter2"));
  EXPECT_FALSE(token.same_as("hunter3"));
  EXPECT_FALSE(token.same_as("hunter22"));
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  const LogCapture captured(log::Format::kLogfmt, log::Level::kWarn);
  log::debug("a");
  log::info("b");
  log::write(log::Level::kInfo, "c", Problems{{"there", "is wrong", ""}});
  EXPECT_FALSE(log::enabled(log::Level::kInfo));
  EXPECT_TRUE(log::enabled(log::Level::kWarn));
  log::write(log::Level::kError, "refused", Problems{{"/x", "is wrong", "y"}, {"/z", "too", ""}});
  EXPECT_EQ(captured.timeless(),
            "ts=NOW level=error msg=refused where=/x what=\"is wrong\" right=y\n"
            "ts=NOW level=error msg=refused where=/z what=too right=\"\"\n");
}

TEST(Log, LinesOfThreadsAreWhole) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  const LogCapture captured(log::Format::kLogfmt);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([t] {
      const std::string text(300, static_cast<char>('a' + t));
      for (int i = 0; i < kLines; ++i) log::info("line", {{"text", text}});
    });
  for (std::thread& thread : threads) thread.join();
  static const std::regex whole("ts=NOW level=info msg=line text=(a{300}|b{300}|c{300}|d{300})\n");
  const std::string all = captured.timeless();
  EXPECT_EQ(std::distance(std::sregex_iterator(all.begin(), all.end(), whole), std::sregex_iterator()),
            kThreads * kLines);
  EXPECT_EQ(std::ranges::count(all, '\n'), kThreads * kLines);
}

/// Sets a variable for as long as it lives.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~EnvironmentVariable() { ::unsetenv(name_); }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

 private:
  const char* name_;
};

TEST(Log, TakesItsOptionsFromTheEnvironment) {
  {
    const EnvironmentVariable level("LOG_LEVEL", "DEBUG");
    const EnvironmentVariable format("LOG_FORMAT", "json");
    const auto options = log::options_from_environment();
    ASSERT_TRUE(options);
    EXPECT_EQ(options->level, log::Level::kDebug);
    EXPECT_EQ(options->format, log::Format::kJson);
  }
  const EnvironmentVariable level("LOG_LEVEL", "loud");
  const EnvironmentVariable format("LOG_FORMAT", "xml");
  const auto options = log::options_from_environment();
  ASSERT_FALSE(options);
  EXPECT_EQ(options.problems(),
            (Problems{{"LOG_LEVEL", "\"loud\" is not known", "one of debug, info, warn, error"},
                      {"LOG_FORMAT", "\"xml\" is not known", "one of logfmt, json"}}));
}

}  // namespace
}  // namespace duet::test
