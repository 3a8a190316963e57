// Different ways to the same schedule: shells and actors, SimGrid and the bare loop, and a program that does
// nothing but replay what was executed.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u.hpp>

#include "sim/simgrid/process.h"
#include "sim/simgrid/simgrid_engine.h"
#include "tests/simgrid/child.h"
#include "tests/simgrid/fake_world.h"

namespace duet::sim {
namespace {

namespace sg = simgrid::s4u;

/// Every id leads a life of its own: it starts, ends or is cancelled, pauses or not, and starts again. What
/// it does next depends on (seed, id, how often it started) only, so a nanosecond's difference elsewhere
/// changes nothing.
class RandomLives {
 public:
  /// Where an id executes.
  struct Seat {
    std::uint32_t node;
    std::vector<std::uint32_t> threads;
  };

  RandomLives(FakeWorld& world, std::uint64_t seed, std::vector<Seat> seats, int starts)
      : world_(world), seed_(seed), seats_(std::move(seats)), starts_(seats_.size()), limit_(starts) {
    world_.on_ended = [this](ExecId id) { go_on(id); };
    for (ExecId id = 0; id < seats_.size(); ++id)
      world_.at(static_cast<std::int64_t>(draws(id).below(3)) * 500'000'000, [this, id] { begin(id); });
  }

 private:
  Draws draws(ExecId id) const {
    return Draws(seed_ * 1'000'003 + id * 10'007 + static_cast<unsigned>(starts_[id]));
  }

  void begin(ExecId id) {
    Draws draw = draws(id);
    const int number = ++starts_[id];
    // A few sizes are round, so that ends coincide with each other and with what the script has due.
    const auto operations =
        draw.below(4) == 0 ? 2'100'000'000 * (1 + draw.below(3)) : draw.below(9'000'000'000);
    ExecSpec spec{.id = id, .node = seats_[id].node, .operations = static_cast<std::int64_t>(operations)};
    for (const std::uint32_t thread : seats_[id].threads) spec.threads.insert(thread);
    spec.width = spec.threads.size();
    if (draw.below(4) == 0) spec.quota_m = static_cast<std::uint32_t>(1 + draw.below(999));
    if (draw.below(4) == 0) spec.priority = static_cast<std::uint32_t>(1 + draw.below(5));
    world_.start(spec);
    if (draw.below(5) != 0) return;
    const auto patience = draw.below(3) == 0 ? 0 : static_cast<std::int64_t>(draw.below(1'500'000'000));
    world_.at(to_ns(world_.now()) + patience, [this, id, number] {
      if (!world_.is_running(id) || starts_[id] != number) return;
      world_.cancel(id);
      go_on(id);
    });
  }

  void go_on(ExecId id) {
    if (starts_[id] == limit_) return;
    Draws draw = draws(id);
    if (draw.below(2) == 0) return begin(id);
    const auto pause = draw.below(3) == 0 ? 500'000'000 : draw.below(2'000'000'000);
    world_.at(to_ns(world_.now()) + static_cast<std::int64_t>(pause), [this, id] { begin(id); });
  }

  FakeWorld& world_;
  std::uint64_t seed_;
  std::vector<Seat> seats_;
  std::vector<int> starts_;
  int limit_;
};

/// Laptops, big cores with four threads each, and plain nodes; seats overlap on threads.
Scenario mixed_cluster() {
  Scenario scenario;
  scenario.node_types = {laptop_type(), node_type(3, 4, {2e9}, 1.7), node_type(8, 1, {1e9}, 1.0),
                         node_type(2, 1, {3e9, 2e9}, 1.0)};
  for (std::uint32_t i = 0; i < 8; ++i) scenario.nodes.push_back({"n", i % 4});
  return scenario;
}

std::vector<RandomLives::Seat> random_seats(const Scenario& scenario, std::uint64_t seed) {
  Draws draw(seed);
  std::vector<RandomLives::Seat> seats;
  for (int i = 0; i < 40; ++i) {
    const auto node = static_cast<std::uint32_t>(draw.below(scenario.nodes.size()));
    const std::uint32_t threads = scenario.node_types[scenario.nodes[node].type].offer.threads();
    ThreadSet set;
    for (auto n = 1 + draw.below(3); n > 0; --n) set.insert(static_cast<std::uint32_t>(draw.below(threads)));
    auto& seat = seats.emplace_back(RandomLives::Seat{node, {}});
    set.for_each([&](std::uint32_t thread) { seat.threads.push_back(thread); });
  }
  return seats;
}

class Executors : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Executors, AgreeToTheLastBit) {
  const auto run = [&](Executor executor) {
    return output_of_child([&] {
      const Scenario scenario = mixed_cluster();
      auto engine = make_simgrid_engine(scenario, true, executor);
      FakeWorld world(**engine);
      const RandomLives lives(world, GetParam(), random_seats(scenario, GetParam()), 100);
      std::ostringstream clock;
      clock << std::hexfloat;
      world.on_played = [&] { clock << sg::Engine::get_clock() << '\n'; };
      (*engine)->run(world);
      EXPECT_TRUE(world.over());
      EXPECT_EQ(late_ends(**engine), 0U);
      return world.log + clock.str();
    });
  };
  const std::string shell = run(Executor::kShell);
  EXPECT_GT(std::count(shell.begin(), shell.end(), '\n'), 4000);
  EXPECT_TRUE(shell ==
              run(Executor::kActor));  // not EXPECT_EQ: it would compute a difference of 10,000 lines
}

INSTANTIATE_TEST_SUITE_P(Seeds, Executors, testing::Range<std::uint64_t>(1, 9));

/// Plain nodes of several speeds; every seat has its threads to itself.
Scenario plain_cluster() {
  Scenario scenario;
  scenario.node_types = {node_type(4, 2, {4.2e9}, 2.0), node_type(16, 1, {1e9}, 1.0),
                         node_type(7, 1, {2.7e9}, 1.0)};
  for (std::uint32_t i = 0; i < 6; ++i) scenario.nodes.push_back({"n", i % 3});
  // A pool, of whose threads nobody is told.
  scenario.node_types.push_back(node_type(300, 1, {1.3e9}, 1.0));
  scenario.nodes.push_back({"n", 3});
  return scenario;
}

std::vector<RandomLives::Seat> separate_seats(const Scenario& scenario, std::uint64_t seed) {
  Draws draw(seed);
  std::vector<RandomLives::Seat> seats;
  for (std::uint32_t node = 0; node < scenario.nodes.size(); ++node) {
    const std::uint32_t threads =
        std::min(scenario.node_types[scenario.nodes[node].type].offer.threads(), ThreadSet::kMaxThreads);
    for (std::uint32_t first = 0; first < threads;) {
      const auto width = std::min(threads - first, static_cast<std::uint32_t>(1 + draw.below(5)));
      auto& seat = seats.emplace_back(RandomLives::Seat{node, {}});
      for (std::uint32_t i = 0; i < width; ++i) seat.threads.push_back(first++);
    }
  }
  return seats;
}

/// All ends, in the order of ids and starts.
std::string ends_of(const FakeWorld& world) {
  std::string text;
  for (const auto& [id, ends] : world.ends)
    for (const auto end : ends) text += std::to_string(end) + " ";
  return text;
}

class Engines : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Engines, AgreeWithinANanosecondOnPlainNodes) {
  const auto run = [&](auto make) {
    return output_of_child([&] {
      const Scenario scenario = plain_cluster();
      auto engine = make(scenario);
      FakeWorld world(**engine);
      const RandomLives lives(world, GetParam(), separate_seats(scenario, GetParam()), 200);
      (*engine)->run(world);
      EXPECT_TRUE(world.over());
      return ends_of(world);
    });
  };
  std::istringstream simgrid(run([](const Scenario& s) { return make_simgrid_engine(s, true); }));
  std::istringstream loop(run([](const Scenario& s) { return make_loop_engine(s, true); }));
  int compared = 0;
  std::int64_t simgrid_end = 0;
  std::int64_t loop_end = 0;
  while (simgrid >> simgrid_end) {
    ASSERT_TRUE(loop >> loop_end);
    ASSERT_LE(std::abs(simgrid_end - loop_end), 1);
    ++compared;
  }
  EXPECT_FALSE(loop >> loop_end);
  EXPECT_GT(compared, 2000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Engines, testing::Range<std::uint64_t>(1, 9));

TEST(Pools, TakeMoreExecutionsThanTheyHaveThreads) {
  constexpr ExecId kShares = 900;
  const auto run = [&](auto make) {
    return output_of_child([&] {
      Scenario scenario;
      scenario.node_types = {node_type(300, 1, {1e9}, 1.0)};
      scenario.nodes.push_back({"pool", 0});
      auto engine = make(scenario);
      FakeWorld world(**engine);
      world.at(0, [&] {
        for (ExecId id = 0; id < kShares; ++id)
          world.start({.id = id, .operations = 1'000'000 * (id + 1), .quota_m = 250});
      });
      world.on_ended = [&](ExecId id) {
        if (world.ends[id].size() == 1) world.start({.id = id, .operations = 7'000'000, .quota_m = 500});
      };
      (*engine)->run(world);
      EXPECT_TRUE(world.over());
      return ends_of(world);
    });
  };
  const std::string simgrid = run([](const Scenario& s) { return make_simgrid_engine(s, true); });
  EXPECT_EQ(simgrid, run([](const Scenario& s) { return make_loop_engine(s, true); }));
  EXPECT_EQ(std::count(simgrid.begin(), simgrid.end(), ' '), 2 * kShares);
}

struct Executed {
  double start;
  double operations;
  double end;
  std::uint32_t slot;
};

/// First come, first served, on the lowest free of `slots` slots; notes SimGrid's own dates.
std::vector<Executed> run_queue(Engine& engine, std::uint32_t slots, std::uint64_t jobs) {
  FakeWorld world(engine);
  std::vector<Executed> done;
  std::vector<std::size_t> job_of(slots);
  std::uint64_t waiting = 0;
  Draws draw(3);
  world.on_ended = [&](ExecId id) { done[job_of[id]].end = sg::Engine::get_clock(); };
  world.on_played = [&] {
    for (std::uint32_t slot = 0; slot < slots && waiting > 0; ++slot) {
      if (world.is_running(slot)) continue;
      const auto operations = static_cast<std::int64_t>(draw.below(8'000'000'000));
      job_of[slot] = done.size();
      done.push_back({sg::Engine::get_clock(), static_cast<double>(operations), 0, slot});
      world.start(slot, slot / 6, {slot % 6}, operations);
      --waiting;
    }
  };
  std::int64_t at = 0;
  for (std::uint64_t i = 0; i < jobs; ++i)
    world.at(at += static_cast<std::int64_t>(draw.below(2'500'000'000 / slots)), [&] { ++waiting; });
  engine.run(world);
  return done;
}

/// Executes the same operations at the same dates on SimGrid alone: no engine, no world, no instants. As the
/// fast mode of bench/raw/raw_simgrid_replay: two executions per thread, used in turn, and kernel timers.
class Replay {
 public:
  Replay(const std::vector<Executed>& load, std::uint32_t nodes)
      : load_(load), ends_(load.size()), nodes_(nodes) {
    start_simgrid();
    auto* const zone = sg::create_star_zone("lan");
    for (std::uint32_t i = 0; i < nodes; ++i)
      for (int c = 0; c < 3; ++c) {
        auto* const host = zone->create_host(std::to_string(i) + "." + std::to_string(c),
                                             std::vector<double>{4.2e9, 4.0e9, 3.8e9});
        host->set_core_count(2)->set_sharing_policy(
            sg::Host::SharingPolicy::NONLINEAR,
            [](double bound, int n) { return n <= 1 ? bound : bound * 0.625; });
        nodes_[i].core[c] = host;
      }
    zone->seal();
    execs_.resize(2 * 6 * nodes);
    std::thread([this] {
      for (auto& exec : execs_) exec = sg::Exec::init();
    }).join();
    for (std::uint32_t i = 0; i < execs_.size(); ++i) slot_of_[execs_[i]->get_impl()] = i / 2;
    job_.resize(6 * nodes);
    turn_.resize(6 * nodes);
  }

  std::vector<double> ends() {
    for (auto* const model : sg::Engine::get_instance()->get_all_models())
      if (model->get_name() == "Cpu_Cas01") cpu_ = model;
    sg::Engine::on_time_advance_cb([this](double) { end_executions(); });
    start_executions();
    sg::Engine::get_instance()->run();
    return ends_;
  }

 private:
  struct Node {
    sg::Host* core[3];
    int busy[3] = {};
    int active = 0;
    void change(std::uint32_t c, int by) {
      const bool was_busy = busy[c] > 0;
      busy[c] += by;
      active += static_cast<int>(busy[c] > 0) - static_cast<int>(was_busy);
      const auto pstate = static_cast<unsigned long>(std::max(active, 1) - 1);
      for (auto* host : core)
        if (host->get_pstate() != pstate) host->set_pstate(pstate);
    }
  };

  void start_executions() {
    for (; next_ < load_.size() && load_[next_].start <= sg::Engine::get_clock(); ++next_) {
      const auto slot = load_[next_].slot;
      job_[slot] = next_;
      nodes_[slot / 6].change(slot % 3, 1);
      sg::Exec& exec = *execs_[2 * slot + (turn_[slot] ^= 1)];
      exec.set_state(sg::Activity::State::INITED);
      exec.set_flops_amount(load_[next_].operations)->set_host(nodes_[slot / 6].core[slot % 3]);
      exec.start();
    }
    if (next_ < load_.size())
      simgrid::kernel::timer::Timer::set(load_[next_].start, [this] { start_executions(); });
  }

  void end_executions() {
    for (const auto& action : *cpu_->get_finished_action_set()) {
      const auto slot = slot_of_.at(action.get_activity());
      nodes_[slot / 6].change(slot % 3, -1);
      ends_[job_[slot]] = sg::Engine::get_clock();
    }
  }

  const std::vector<Executed>& load_;
  std::vector<double> ends_;
  std::vector<Node> nodes_;
  std::vector<sg::ExecPtr> execs_;
  std::map<const void*, std::uint32_t> slot_of_;
  std::vector<std::size_t> job_;  // by slot
  std::vector<std::uint32_t> turn_;
  std::size_t next_ = 0;
  simgrid::kernel::resource::Model* cpu_ = nullptr;
};

TEST(BareSimgrid, EndsTheSameLoadAtTheSameDates) {
  constexpr std::uint32_t nodes = 7;
  const std::string bytes = output_of_child([] {
    const Scenario scenario = scenario_of(laptop_type(3), nodes);
    auto engine = make_simgrid_engine(scenario, true);
    const auto load = run_queue(**engine, nodes * 6, 5000);
    EXPECT_EQ(late_ends(**engine), 0U);
    return std::string(reinterpret_cast<const char*>(load.data()), load.size() * sizeof(Executed));
  });
  std::vector<Executed> load(bytes.size() / sizeof(Executed));
  ASSERT_EQ(load.size(), 5000U);
  std::memcpy(load.data(), bytes.data(), bytes.size());
  run_in_child([&] {
    Replay replay(load, nodes);
    const auto ends = replay.ends();
    for (std::size_t i = 0; i < load.size(); ++i) ASSERT_EQ(ends[i], load[i].end) << i;
  });
}

}  // namespace
}  // namespace duet::sim
