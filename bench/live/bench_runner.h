// A runner in a folder of its own, for measurements: on every processor of this machine.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "live/process/process_runtime.h"
#include "live/runtime/task_command.h"

namespace duet::bench {

class BenchRunner {
 public:
  /// Each attempt runs `argv`; `event` hears of it. `cgroups` as runners take it; empty: what they choose.
  BenchRunner(std::string program, std::string cgroups, std::vector<std::string> argv,
              std::function<void(const agent::Event&)> event)
      : payload_(std::make_shared<const std::string>(live::to_payload({.argv = std::move(argv)}))) {
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    live::ProcessOptions options;
    options.runner_program = std::move(program);
    options.runner.folder = folder_;
    options.runner.node = "bench";
    if (!cgroups.empty()) options.runner.cgroups = std::move(cgroups);
    auto topology = live::detect_topology("all");
    if (!topology) std::abort();
    threads_ = topology->offer.threads();
    options.topology = std::move(*topology);
    live::Runtime::Hooks hooks;
    hooks.fact = [](const live::AttemptFacts&) {};
    hooks.lost = [this](const std::string& why) {
      std::fprintf(stderr, "%s\n", why.c_str());
      io_.stop();
    };
    hooks.event = std::move(event);
    runtime_ = live::make_process_runtime(io_, std::move(options), std::move(hooks));
  }
  ~BenchRunner() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  BenchRunner(const BenchRunner&) = delete;
  BenchRunner& operator=(const BenchRunner&) = delete;

  /// Calls `ready` when attempts may be launched; returns after end(), or if there is no runner.
  void run(const std::function<void()>& ready) {
    runtime_->open([&](const auto& opened) { opened ? ready() : io_.stop(); });
    io_.run();
  }
  void end() {
    runtime_->shut_down(Duration{0}, [this] { io_.stop(); });
  }
  /// Starts one more attempt, on the processors in turn.
  void launch() {
    agent::Launch order;
    order.attempt = {{JobId{++launched_}, 0}, 1};
    order.work.payload = payload_;
    order.threads.insert(static_cast<std::uint32_t>(launched_ % threads_));
    order.cpu_m = kThread;
    runtime_->launch(order);
  }
  std::uint64_t launched() const { return launched_; }
  live::ProcessRuntime& runtime() { return *runtime_; }

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "duet-bench-XXXXXX").string();
  const std::shared_ptr<const std::string> payload_;
  std::uint32_t threads_ = 1;
  std::uint64_t launched_ = 0;
  live::asio::io_context io_{1};
  const live::asio::executor_work_guard<live::asio::io_context::executor_type> busy_{io_.get_executor()};
  std::unique_ptr<live::ProcessRuntime> runtime_;
};

}  // namespace duet::bench
