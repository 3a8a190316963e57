// Executions without actors. SimGrid keeps the executions of an actor in a list and searches it at each end,
// which is quadratic for an actor that has them all. An execution that was created outside any actor, here in
// a thread of its own, is in no list. It also can be started again after its end, so that a few serve for all
// ("shells"). Relies on SimGrid 3.32: guarded by the tests that compare it with the actor executor.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <thread>
#include <vector>

#include <simgrid/kernel/resource/Action.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u/Exec.hpp>

#include "core/check.h"
#include "sim/simgrid/executor.h"

namespace duet::sim {

namespace sg = simgrid::s4u;

namespace {

/// Finds a shell by the address of SimGrid's side of it: open addressing, at most half full, nothing is ever
/// removed.
class AddressTable {
 public:
  static constexpr PartId absent = ~PartId{0};

  void insert(const void* address, PartId part) {
    if (2 * ++size_ > slots_.size()) grow();
    place(address, part);
  }

  PartId find(const void* address) const {
    if (slots_.empty()) return absent;
    for (std::size_t i = home(address);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].address == address) return slots_[i].part;
      if (slots_[i].address == nullptr) return absent;
    }
  }

 private:
  struct Slot {
    const void* address = nullptr;
    PartId part = absent;
  };

  // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
  std::size_t home(const void* address) const {
    const auto bits = reinterpret_cast<std::uintptr_t>(address) >> 4;
    return static_cast<std::size_t>((bits * 0x9E3779B97F4A7C15U) >> shift_);
  }

  void place(const void* address, PartId part) {
    std::size_t i = home(address);
    while (slots_[i].address != nullptr) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {address, part};
  }

  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(256, 2 * slots_.size()));
    old.swap(slots_);
    shift_ = 64 - std::countr_zero(slots_.size());
    for (const Slot& slot : old)
      if (slot.address != nullptr) place(slot.address, slot.part);
  }

  std::vector<Slot> slots_;  // a power of two
  std::size_t size_ = 0;
  int shift_ = 64;
};

class ShellExecutor final : public PartExecutor {
 public:
  explicit ShellExecutor(PartListener& listener) : listener_(listener), cpu_(cpu_model()) {}

  PartId start(const PartSpec& spec) override {
    if (free_.empty()) grow();
    const PartId part = free_.back();
    free_.pop_back();
    Shell& shell = shells_[part];
    sg::Exec& exec = *shell.exec;
    exec.set_state(sg::Activity::State::INITED);
    exec.set_flops_amount(spec.operations);
    const PartSpec& last = shell.spec;
    if (last.host != spec.host) exec.set_host(spec.host);
    if (last.threads != spec.threads) exec.set_thread_count(static_cast<int>(spec.threads));
    if (last.top_speed != spec.top_speed) exec.set_bound(spec.top_speed);  // 0 is no bound to SimGrid, too
    if (last.priority != spec.priority) exec.set_priority(spec.priority);
    shell.spec = spec;
    shell.running = true;
    exec.start();
    return part;
  }

  void cancel(PartId part) override {
    DUET_CHECK(shells_[part].running);
    shells_[part].exec->cancel();
    retire(part);
  }

  void on_time_advance() override {
    // What was retired in an earlier step has been released by SimGrid since.
    free_.insert(free_.end(), cooling_.begin(), cooling_.end());
    cooling_.clear();
    for (const auto& action : *cpu_.get_finished_action_set()) {
      const PartId part = by_activity_.find(action.get_activity());
      if (part == AddressTable::absent || !shells_[part].running) continue;
      retire(part);
      listener_.on_part_ended(part);
    }
    if (!cooling_.empty()) listener_.on_parts_settled();
  }

  bool is_settling() const override { return false; }

  void shut_down() override {}

 private:
  struct Shell {
    sg::ExecPtr exec;
    PartSpec spec;  // of its last start
    bool running = false;
  };

  /// A shell cannot be started again before SimGrid has released its last action, at the end of this step.
  void retire(PartId part) {
    shells_[part].running = false;
    cooling_.push_back(part);
  }

  void grow() {
    const std::size_t old = shells_.size();
    shells_.resize(std::clamp<std::size_t>(2 * old, 64, old + 4096));
    std::thread([&] {
      for (std::size_t i = old; i < shells_.size(); ++i) shells_[i].exec = sg::Exec::init();
    }).join();
    for (std::size_t i = shells_.size(); i-- > old;) {
      const auto part = static_cast<PartId>(i);
      by_activity_.insert(shells_[i].exec->get_impl(), part);
      free_.push_back(part);
    }
  }

  PartListener& listener_;
  simgrid::kernel::resource::Model& cpu_;
  std::vector<Shell> shells_;
  AddressTable by_activity_;
  std::vector<PartId> free_;     // the last used first: it is still in the cache
  std::vector<PartId> cooling_;  // retired in this step
};

}  // namespace

std::unique_ptr<PartExecutor> make_shell_executor(PartListener& listener) {
  return std::make_unique<ShellExecutor>(listener);
}

}  // namespace duet::sim
