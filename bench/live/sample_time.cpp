// How long a runner takes to measure N attempts that sleep, asked by its agent: the best and the median
// of 50.
//   sample_time RUNNER N [CGROUPS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "live/process/process_runtime.h"
#include "live/runtime/task_command.h"

namespace {

using namespace duet;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSamples = 50;

int measure(const std::string& folder, char** v, int argc) {
  const std::uint64_t all = std::strtoull(v[2], nullptr, 10);
  const auto payload =
      std::make_shared<const std::string>(live::to_payload({.argv = {"/bin/sleep", "1000"}}));
  live::ProcessOptions options;
  options.runner_program = v[1];
  options.runner.folder = folder;
  options.runner.node = "bench";
  if (argc > 3) options.runner.cgroups = v[3];
  auto topology = live::detect_topology("all");
  if (!topology) return 1;
  options.topology = *topology;
  live::asio::io_context io(1);
  const live::asio::executor_work_guard<live::asio::io_context::executor_type> busy(io.get_executor());
  std::unique_ptr<live::ProcessRuntime> runtime;
  std::uint64_t started = 0;
  std::vector<double> times;
  std::function<void()> sample = [&] {
    runtime->sample([&, begin = Clock::now()](const std::vector<live::AttemptFacts>& facts) {
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
      if (facts.size() == all && times.size() < kSamples) return sample();
      runtime->shut_down(Duration{0}, [&] { io.stop(); });
    });
  };
  live::Runtime::Hooks hooks;
  hooks.fact = [](const live::AttemptFacts&) {};
  hooks.lost = [&](const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    io.stop();
  };
  hooks.event = [&](const agent::Event& event) {
    if (std::holds_alternative<agent::Started>(event) && ++started == all) sample();
  };
  runtime = live::make_process_runtime(io, options, hooks);
  runtime->open([&](const auto& opened) {
    if (!opened) return io.stop();
    for (std::uint64_t i = 0; i < all; ++i) {
      agent::Launch order;
      order.attempt = {{JobId{i + 1}, 0}, 1};
      order.work.payload = payload;
      order.threads.insert(static_cast<std::uint32_t>(i % topology->offer.threads()));
      order.cpu_m = kThread;
      runtime->launch(order);
    }
  });
  io.run();
  if (times.size() < kSamples) return 1;
  std::ranges::sort(times);
  std::printf("sample    N=%llu: best %.2f ms, median %.2f ms\n", static_cast<unsigned long long>(all),
              times.front(), times[times.size() / 2]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "sample_time RUNNER N [CGROUPS]\n");
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "duet-sample-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const int code = measure(folder, argv, argc);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
