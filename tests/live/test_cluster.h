// A live cluster in one process: real connections, real time, a store and runtimes that a test commands.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/record_store.h"
#include "live/driver/agent_driver.h"
#include "live/driver/controller_driver.h"
#include "live/metrics/controller_metrics.h"
#include "live/wire/agent_port.h"
#include "live/wire/controller_link.h"

namespace duet::test {

/// Durable as long as the test's process lives; can be slow, and can fail.
class CommandedStore final : public live::Store {
 public:
  explicit CommandedStore(live::asio::io_context& io) : io_(io) {}
  std::string_view name() const override { return "commanded"; }
  Result<live::Loaded> load() override {
    if (failing) return Problem{"store", "fails", {}};
    return live::Loaded{records_.records(), history_, {}};
  }
  void commit(live::Batch batch, std::function<void(Problems)> done) override {
    ++commits;
    held_.push_back({std::move(batch), std::move(done)});
    if (!holding) release();
  }
  Result<std::vector<live::HistoryRow>> history(JobId before, std::size_t count) override {
    std::vector<live::HistoryRow> rows;
    for (auto row = history_.rbegin(); row != history_.rend() && rows.size() < count; ++row)
      if (row->job < before) rows.push_back(*row);
    return rows;
  }
  /// Lets all commits that wait be durable, or fail.
  void release() {
    for (Held& held : std::exchange(held_, {})) {
      Problems problems;
      if (failing) {
        problems.push_back({"store", "fails", {}});
      } else {
        for (const Record& record : held.batch.records) records_.put(record);
        for (const live::HistoryRow& row : held.batch.history) history_.push_back(row);
      }
      live::asio::post(io_, [done = std::move(held.done), problems] { done(problems); });
    }
  }

  bool holding = false;
  bool failing = false;
  std::size_t commits = 0;

 private:
  struct Held {
    live::Batch batch;
    std::function<void(Problems)> done;
  };
  live::asio::io_context& io_;
  RecordStore records_;
  std::vector<live::HistoryRow> history_;
  std::vector<Held> held_;
};

/// Attempts are entries of a map, which outlive the agent as a runner's would.
struct CommandedProcesses {
  struct Process {
    agent::Launch order;
    bool running = true;
    Outcome outcome = Outcome::kSucceeded;
    std::int32_t exit_code = 0;
    std::vector<msg::Keep> kept{};  ///< One at most.
  };
  std::map<AttemptId, Process> all;
  std::size_t launched = 0;
  std::size_t probes = 0;
  std::set<AttemptId> sick{};  ///< These fail their health checks.
};

class CommandedRuntime final : public live::Runtime {
 public:
  CommandedRuntime(live::asio::io_context& io, CommandedProcesses& processes, Hooks hooks)
      : io_(io), processes_(processes), hooks_(std::move(hooks)) {}

  void open(Opened done) override {
    std::vector<agent::Adopted> outlived;
    for (const auto& [attempt, process] : processes_.all) {
      agent::Adopted adopted;
      adopted.attempt = attempt;
      adopted.running = process.running;
      adopted.outcome = process.outcome;
      adopted.exit_code = process.exit_code;
      adopted.health = process.order.work.health;
      adopted.kept = process.kept;
      outlived.push_back(adopted);
    }
    live::asio::post(io_, [done = std::move(done), outlived] { done(outlived); });
  }
  void launch(const agent::Launch& order) override {
    ++processes_.launched;
    processes_.all[order.attempt] = {order};
    hooks_.event(agent::Started{order.attempt});
    if (order.work.payload == nullptr) end(order.attempt, 0);
  }
  void terminate(const agent::Terminate& order) override { end(order.attempt, -15); }
  void probe(const agent::Probe& order) override {
    ++processes_.probes;
    hooks_.event(agent::Probed{order.attempt, order.number, !processes_.sick.contains(order.attempt)});
  }
  void keep(const msg::Keep& order) override {
    const auto at = processes_.all.find({order.task.task, order.task.attempt});
    if (at != processes_.all.end()) at->second.kept = {order};
  }
  void forget(AttemptId attempt) override { processes_.all.erase(attempt); }
  void sample(std::function<void(std::vector<live::AttemptFacts>)> done) override { done({}); }
  void shut_down(Duration, std::function<void()> done) override { done(); }

  void end(AttemptId attempt, std::int32_t code) {
    const auto at = processes_.all.find(attempt);
    if (at == processes_.all.end() || !at->second.running) return;
    at->second.running = false;
    at->second.exit_code = code;
    at->second.outcome = code == 0 ? Outcome::kSucceeded : Outcome::kFailed;
    hooks_.event(agent::Exited{attempt, at->second.outcome, code});
  }

 private:
  live::asio::io_context& io_;
  CommandedProcesses& processes_;
  Hooks hooks_;
};

struct TestAgent {
  TestAgent(live::asio::io_context& io, CommandedProcesses& processes, const AgentConfig& config,
            std::uint16_t port, const std::string& token, StepSink<Agent>* recorder = nullptr);

  live::AgentDriver driver;
  CommandedRuntime runtime;
  std::optional<live::wire::ControllerLink> link;
  bool registered = false;
  std::string refused;
};

struct TestController {
  TestController(live::asio::io_context& io, live::Store& store, const ControllerConfig& config,
                 std::uint16_t port = 0, StepSink<Controller>* recorder = nullptr);

  live::ControllerMetrics metrics{"test"};
  live::ControllerDriver driver;
  live::wire::AgentPort agents;
  std::vector<std::string> warnings;
  std::vector<std::string> left;  ///< Why agents left.
};

inline constexpr auto kPatience = std::chrono::seconds(20);

/// Runs the loop until `condition` holds. False after a deadline that no healthy machine reaches.
bool run_until(live::asio::io_context& io, const std::function<bool()>& condition);

/// Short times: a node is dead after 300 ms.
ControllerConfig quick_controller();
AgentConfig quick_agent(const std::string& name);

/// One task; with a payload it runs until it is ended, without it ends at once.
JobSpecPtr one_task(bool lasting);

}  // namespace duet::test
