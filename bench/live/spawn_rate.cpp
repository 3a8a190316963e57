// How fast a runner runs processes for its agent: N times EXE, at most K at once, from launch to the end
// told.
//   spawn_rate RUNNER EXE N K [CGROUPS [BALLAST_MB]]
// On every processor of this machine, as what it is compared with.
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

int measure(const std::string& folder, char** v, int argc) {
  const std::uint64_t all = std::strtoull(v[3], nullptr, 10);
  const std::uint64_t at_once = std::strtoull(v[4], nullptr, 10);
  const auto payload = std::make_shared<const std::string>(live::to_payload({.argv = {v[2]}}));
  live::ProcessOptions options;
  options.runner_program = v[1];
  options.runner.folder = folder;
  options.runner.node = "bench";
  if (argc > 5) options.runner.cgroups = v[5];
  auto topology = live::detect_topology("all");
  if (!topology) return 1;
  options.topology = *topology;
  const std::uint32_t threads = topology->offer.threads();
  live::asio::io_context io(1);
  const live::asio::executor_work_guard<live::asio::io_context::executor_type> busy(io.get_executor());
  std::unique_ptr<live::ProcessRuntime> runtime;
  std::uint64_t launched = 0;
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  Clock::time_point begin;
  const auto launch = [&] {
    agent::Launch order;
    order.attempt = {{JobId{++launched}, 0}, 1};
    order.work.payload = payload;
    order.threads.insert(static_cast<std::uint32_t>(launched % threads));
    order.cpu_m = kThread;
    runtime->launch(order);
  };
  live::Runtime::Hooks hooks;
  hooks.fact = [](const live::AttemptFacts&) {};
  hooks.lost = [&](const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    io.stop();
  };
  hooks.event = [&](const agent::Event& event) {
    const auto* exited = std::get_if<agent::Exited>(&event);
    if (exited == nullptr) return;
    failed += exited->exit_code == 0 ? 0U : 1U;
    runtime->forget(exited->attempt);
    if (launched < all) launch();
    if (++ended < all) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("runner    exe=%s N=%llu K=%llu: %.0f/s, %llu failed\n", v[2],
                static_cast<unsigned long long>(all), static_cast<unsigned long long>(at_once),
                static_cast<double>(all) / seconds, static_cast<unsigned long long>(failed));
    runtime->shut_down(Duration{0}, [&] { io.stop(); });
  };
  runtime = live::make_process_runtime(io, options, hooks);
  runtime->open([&](const auto& opened) {
    if (!opened) return io.stop();
    begin = Clock::now();
    while (launched < all && launched < at_once) launch();
  });
  io.run();
  return ended == all && failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "spawn_rate RUNNER EXE N K [CGROUPS [BALLAST_MB]]\n");
    return 2;
  }
  const std::vector<char> ballast(argc > 6 ? std::strtoull(argv[6], nullptr, 10) << 20 : 0, 1);
  std::string folder = (std::filesystem::temp_directory_path() / "duet-spawn-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const int code = measure(folder, argv, argc);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
