#include "sim/simgrid/process.h"

#include <array>
#include <csignal>
#include <cstddef>

#include <simgrid/s4u/Engine.hpp>
#include <xbt/log.h>

namespace duet::sim {

namespace {

/// SimGrid takes over Ctrl-C and crash reports (SIGINT, SIGSEGV, SIGBUS); this puts back what was there
/// before.
class SignalKeeper {
 public:
  SignalKeeper() {
    for (std::size_t i = 0; i < taken.size(); ++i) sigaction(taken[i], nullptr, &before_[i]);
  }
  ~SignalKeeper() {
    for (std::size_t i = 0; i < taken.size(); ++i) sigaction(taken[i], &before_[i], nullptr);
  }
  SignalKeeper(const SignalKeeper&) = delete;
  SignalKeeper& operator=(const SignalKeeper&) = delete;

 private:
  static constexpr std::array taken = {SIGINT, SIGSEGV, SIGBUS};
  std::array<struct sigaction, taken.size()> before_{};
};

}  // namespace

bool start_simgrid() {
  static bool started = false;
  if (started || simgrid::s4u::Engine::is_initialized()) return false;
  started = true;

  // Before the engine exists, or its own start is logged.
  xbt_log_control_set("root.thresh:warning");

  // Arguments of our own making: SimGrid eats --cfg and --log, and ends the process on --help or --version.
  // Without clean-atexit:no it would tear itself down at exit, and abort if that comes before a run.
  std::array<char, 10> name{"duet-sim"};
  std::array<char, 32> no_cleanup{"--cfg=debug/clean-atexit:no"};
  std::array<char, 32> stack_size{"--cfg=contexts/stack-size:64"};
  std::array<char*, 4> arguments{name.data(), no_cleanup.data(), stack_size.data(), nullptr};
  int count = 3;

  const SignalKeeper keep_signals;
  // Never deleted, on purpose: nothing in SimGrid may be used after it, and the process ends soon.
  static const auto* const engine = new simgrid::s4u::Engine(&count, arguments.data());
  return engine != nullptr;
}

}  // namespace duet::sim
