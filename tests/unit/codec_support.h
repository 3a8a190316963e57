// What the codec's tests share: randomly filled records, and a small cluster that really runs and is traced.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/agent.h"
#include "core/codec/reflect.h"
#include "core/codec/trace_file.h"
#include "core/controller.h"
#include "core/rng.h"
#include "core/trace.h"

namespace duet::test {

/// Of tests that alter bytes at random; twice, on what takes ten times as long.
#ifdef DUET_SANITIZED
inline constexpr int kPasses = 2;
#else
inline constexpr int kPasses = 10;
#endif

/// Fills any record with anything its types can hold.
class RandomFill {
 public:
  explicit RandomFill(std::uint64_t seed) : rng_(seed) {}

  template <class T>
  T make() {
    T value{};
    fill(value);
    return value;
  }

 private:
  struct Fields {
    RandomFill& by;
    template <class T>
    void operator()(const char*, T& member) const {
      by.fill(member);
    }
  };

  /// Small numbers as often as big ones.
  std::uint64_t number() {
    const std::uint64_t bits = rng_.next();
    const std::uint64_t shift = rng_.below(64);
    return bits >> shift;
  }

  template <class T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = rng_.chance(1, 2);
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(rng_.below(codec::enum_count<T>));
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(number());
      if (std::is_signed_v<T> && rng_.chance(1, 2)) value = static_cast<T>(~value);
    } else if constexpr (std::is_same_v<T, double>) {
      value = rng_.unit();
    } else if constexpr (std::is_same_v<T, Duration>) {
      std::int64_t ns = 0;
      fill(ns);
      value = Duration(ns);
    } else if constexpr (std::is_same_v<T, Instant>) {
      std::int64_t ns = 0;
      fill(ns);
      value = rng_.chance(1, 8) ? kNever : instant_ns(ns);
    } else if constexpr (std::is_same_v<T, ThreadSet>) {
      fill_threads(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value.resize(rng_.below(rng_.chance(1, 20) ? 3000 : 12));
      for (char& c : value) c = static_cast<char>(rng_.below(256));
    } else if constexpr (codec::is_vector<T>) {
      value.resize(rng_.below(4));
      for (auto& element : value) fill(element);
    } else if constexpr (codec::is_array<T>) {
      for (auto& element : value)
        if (rng_.chance(1, 3)) fill(element);
    } else if constexpr (codec::is_shared<T>) {
      fill_shared(value);
    } else if constexpr (codec::is_optional<T>) {
      if (rng_.chance(1, 2))
        fill(value.emplace());
      else
        value.reset();
    } else if constexpr (codec::is_variant<T>) {
      codec::with_index<std::variant_size_v<T>>(rng_.below(std::variant_size_v<T>), [&](auto i) {
        fill(value.template emplace<decltype(i)::value>());
      });
    } else {
      T::fields(value, Fields{*this});
    }
  }

  void fill_threads(ThreadSet& set) {
    set = ThreadSet{};
    const auto low = static_cast<std::uint32_t>(rng_.below(256));
    const auto high = static_cast<std::uint32_t>(low + rng_.below(256 - low));
    switch (rng_.below(5)) {
      case 0:
        break;
      case 1:
        set.insert(low);
        break;
      case 2:
        set.insert(low), set.insert(high);
        break;
      case 3:
        for (std::uint32_t t = low; t <= high; ++t) set.insert(t);
        break;
      default:
        for (std::uint32_t t = low; t <= high; ++t)
          if (rng_.chance(1, 3)) set.insert(t);
    }
  }

  /// Null, new, or one that was given out before: what repeats is written once.
  template <class E>
  void fill_shared(std::shared_ptr<const E>& value) {
    auto& kept = std::get<std::shared_ptr<const E>>(kept_);
    value = nullptr;
    if (rng_.chance(1, 4)) return;
    if (kept == nullptr || rng_.chance(1, 2)) {
      auto made = std::make_shared<E>();
      fill(*made);
      kept = std::move(made);
    }
    value = rng_.chance(1, 2) ? kept : std::make_shared<const E>(*kept);
  }

  Rng rng_;
  std::tuple<std::shared_ptr<const JobSpec>, std::shared_ptr<const std::string>> kept_;
};

inline codec::TraceHeader two_agents() {
  codec::TraceHeader header;
  header.duet_version = "0.0.0-test";
  header.engine = "test";
  header.driver = "unit";
  header.scenario = "tiny";
  header.seed = 7;
  for (const char* name : {"a", "b"}) {
    AgentConfig agent;
    agent.name = name;
    agent.offer.cores = 2;
    agent.offer.threads_per_core = 2;
    agent.offer.capacity.cpu_m = 4 * kThread;
    agent.offer.capacity.memory_bytes = std::int64_t{8} << 30;
    header.controller.inventory.push_back(agent.name);
    header.agents.push_back(agent);
  }
  return header;
}

inline JobSpecPtr some_job(const std::string& key, std::uint32_t tasks, std::int64_t seconds,
                           bool exclusive) {
  auto spec = std::make_shared<JobSpec>();
  spec->key = key;
  spec->user = "ann";
  spec->kind = tasks > 1 ? JobKind::kBag : JobKind::kRigid;
  spec->retries = 1;
  TaskGroup group;
  group.count = tasks;
  group.spec.need.cpu_m = kThread;
  group.spec.exclusive = exclusive;
  group.spec.work.duration = std::chrono::seconds(seconds);
  spec->groups.push_back(group);
  return spec;
}

/// A driver of the simplest kind: messages take 1 ms, attempts their duration. The first attempt of each
/// job's task 0 fails, so that there are retries.
class TracedCluster {
 public:
  TracedCluster(const codec::TraceHeader& header, StepSink<Controller>* controller_sink,
                StepSink<Agent>* agent_sink)
      : controller_(Controller(header.controller), 0, controller_sink) {
    for (const AgentConfig& config : header.agents) {
      const auto index = static_cast<MachineIndex>(agents_.size());
      agents_.emplace_back(Agent(config), index + 1, agent_sink);
      at(Duration(0), [this, index] { step(index, agent::Boot{BootNonce{mix64(index)}}); });
    }
  }

  void submit(Duration when, JobSpecPtr spec) {
    at(when, [this, spec] { step(controller::Submit{RequestId{++requests_}, spec}); });
  }
  void drain(Duration when, std::uint64_t node) {
    at(when, [this, node] { step(controller::Drain{RequestId{++requests_}, NodeId{node}, true}); });
  }
  void run(Duration until) {
    while (!events_.empty() && events_.begin()->first <= Instant(until)) {
      now_ = events_.begin()->first;
      while (!events_.empty() && events_.begin()->first == now_) {
        const auto perform = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        perform();
      }
      wake(controller_, [this](const Event<Controller>& e) { step(e); });
      for (MachineIndex i = 0; i < agents_.size(); ++i)
        wake(agents_[i], [this, i](const Event<Agent>& e) { step(i, e); });
    }
  }

 private:
  template <class M>
  using Event = typename M::Event;

  void at(Duration when, std::function<void()> perform) {
    events_.emplace(Instant(when), std::move(perform));
  }
  void after(Duration delay, std::function<void()> perform) {
    events_.emplace(now_ + delay, std::move(perform));
  }

  template <class M, class F>
  void wake(const Traced<M>& machine, F&& deliver) {
    deliver(Wake{});
    if (const auto due = machine.next_deadline()) events_.emplace(std::max(*due, now_ + Duration(1)), [] {});
  }
  void step(const controller::Event& event) {
    controller::Commands commands;
    controller_.step(now_, event, commands);
    for (const auto& command : commands)
      if (const auto* send = std::get_if<controller::Send>(&command))
        after(std::chrono::milliseconds(1), [this, to = send->link.value, message = send->message] {
          step(static_cast<MachineIndex>(to), agent::Delivered{message});
        });
  }
  void step(MachineIndex i, const agent::Event& event) {
    agent::Commands commands;
    agents_[i].step(now_, event, commands);
    for (const auto& command : commands) {
      if (const auto* report = std::get_if<agent::Report>(&command))
        after(std::chrono::milliseconds(1), [this, i, message = report->message] {
          step(controller::Received{LinkId{i}, message});
        });
      if (const auto* launch = std::get_if<agent::Launch>(&command)) start(i, *launch);
      if (const auto* stop = std::get_if<agent::Terminate>(&command))
        after(Duration(0), [this, i, a = stop->attempt] { exit(i, a, Outcome::kKilled); });
    }
  }
  void start(MachineIndex i, const agent::Launch& launch) {
    const AttemptId attempt = launch.attempt;
    running_.insert(attempt);
    const bool fails = attempt.number == 1 && attempt.task.index == 0;
    after(Duration(0), [this, i, attempt] { step(i, agent::Started{attempt}); });
    after(launch.work.duration,
          [this, i, attempt, fails] { exit(i, attempt, fails ? Outcome::kFailed : Outcome::kSucceeded); });
  }
  void exit(MachineIndex i, AttemptId attempt, Outcome outcome) {
    if (running_.erase(attempt) != 0)
      step(i, agent::Exited{attempt, outcome, outcome == Outcome::kFailed ? 1 : 0});
  }

  Traced<Controller> controller_;
  std::vector<Traced<Agent>> agents_;
  std::multimap<Instant, std::function<void()>> events_;
  std::set<AttemptId> running_;
  std::uint64_t requests_ = 0;
  Instant now_{};
};

/// A run of a minute, with retries, a drain, shared and exclusive tasks, into the given output.
inline Result<codec::TraceSummary> traced_run(const codec::TraceOutput& output,
                                              codec::TraceHeader header = two_agents(),
                                              std::int64_t last_job_seconds = 5) {
  auto writer = codec::TraceWriter::create(header, output);
  if (!writer) return writer.problems();
  TracedCluster cluster(header, writer->get(), writer->get());
  cluster.submit(std::chrono::seconds(1), some_job("first", 1, 3, false));
  cluster.submit(std::chrono::seconds(1), some_job("bag", 5, 4, true));
  cluster.drain(std::chrono::seconds(6), 1);
  cluster.submit(std::chrono::seconds(8), some_job("last", 1, last_job_seconds, false));
  cluster.run(std::chrono::seconds(60));
  return (*writer)->finish();
}

inline std::string run_trace(std::int64_t last_job_seconds = 5) {
  std::string bytes;
  DUET_CHECK(traced_run(codec::TraceOutput::memory(bytes), two_agents(), last_job_seconds));
  return bytes;
}

inline codec::TraceReader reader_of(const std::string& bytes) {
  auto reader = codec::TraceReader::from_memory(bytes);
  DUET_CHECK(reader);
  return std::move(*reader);
}

/// The trace again, each controller step changed by `change(number, event, commands)`.
template <class F>
std::string altered(const std::string& bytes, F&& change) {
  codec::TraceReader reader = reader_of(bytes);
  std::string out;
  auto writer = codec::TraceWriter::create(reader.header(), codec::TraceOutput::memory(out));
  codec::Frame frame;
  codec::Step<Controller> c;
  controller::Commands c_out;
  codec::Step<Agent> a;
  agent::Commands a_out;
  while (*reader.next(frame)) {
    if (frame.of_controller()) {
      DUET_CHECK(decode(frame, c) && decode_commands(c, c_out));
      change(frame.number, c.event, c_out);
      (*writer)->record(0, frame.now, c.event, c_out, 0);
    } else {
      DUET_CHECK(decode(frame, a) && decode_commands(a, a_out));
      (*writer)->record(frame.machine, frame.now, a.event, a_out, 0);
    }
  }
  DUET_CHECK((*writer)->finish());
  return out;
}

}  // namespace duet::test
