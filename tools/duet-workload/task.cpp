#include "tools/duet-workload/task.h"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>
#include <time.h>

namespace duet::workload {
namespace {

struct Task {
  std::optional<double> sleep_s;
  std::optional<double> burn_s;
  int exit_code = 1;
  int fail_attempts = 0;
};

template <class N>
bool read(std::string_view text, N& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// DUET_TASK is "17.0#2" in the second attempt.
int attempt_number() {
  const char* task = std::getenv("DUET_TASK");
  const std::string_view id = task == nullptr ? "" : task;
  const std::size_t hash = id.find('#');
  int number = 1;
  if (hash != std::string_view::npos) read(id.substr(hash + 1), number);
  return number;
}

/// Of this thread, in seconds.
double thread_time() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

void burn(double seconds) {
  volatile std::uint64_t state = 1;
  while (thread_time() < seconds)
    for (int i = 0; i < 20'000; ++i) state = state * 6364136223846793005U + 1442695040888963407U;
}

void burn_everywhere(double seconds) {
  cpu_set_t own;
  CPU_ZERO(&own);
  const bool known = ::sched_getaffinity(0, sizeof own, &own) == 0;
  const int width = known ? CPU_COUNT(&own) : 1;
  std::vector<std::thread> others;
  for (int i = 1; i < width; ++i) others.emplace_back([seconds] { burn(seconds); });
  burn(seconds);
  for (std::thread& other : others) other.join();
}

}  // namespace

std::optional<int> run_as_task(int argc, const char* const* argv) {
  Task task;
  std::string mistaken;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&](std::string_view name) { return word.substr(name.size()); };
    bool good = true;
    if (word.starts_with("--sleep="))
      good = read(value("--sleep="), task.sleep_s.emplace());
    else if (word.starts_with("--burn="))
      good = read(value("--burn="), task.burn_s.emplace());
    else if (word.starts_with("--exit-code="))
      good = read(value("--exit-code="), task.exit_code);
    else if (word.starts_with("--fail-attempts="))
      good = read(value("--fail-attempts="), task.fail_attempts);
    if (!good) mistaken = word;
  }
  if (!task.sleep_s && !task.burn_s) return std::nullopt;
  if (!mistaken.empty()) {
    std::fprintf(stderr, "duet-workload: %s: a number is missing\n", mistaken.c_str());
    return 2;
  }
  if (task.sleep_s) std::this_thread::sleep_for(std::chrono::duration<double>(*task.sleep_s));
  if (task.burn_s) burn_everywhere(*task.burn_s);
  if (attempt_number() > task.fail_attempts) return 0;
  if (task.exit_code < 0) {
    std::signal(-task.exit_code, SIG_DFL);
    std::raise(-task.exit_code);
  }
  return task.exit_code;
}

}  // namespace duet::workload
