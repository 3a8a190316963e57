// Replays recorded executions on plain SimGrid, without any orchestrator, and checks their end dates.
//   raw_simgrid_replay actor|shell|heap MACHINES TRACE
// A trace is an array of Rec. A machine has 6 slots: 3 cores with 2 threads, slot s on core s % 3; SMT and
// turbo as on an i5-1135G7. Prints the largest difference to a recorded end, and how many are equal.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <queue>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u.hpp>
#include <sys/resource.h>
#include <xbt/log.h>

namespace sg = simgrid::s4u;
using simgrid::kernel::timer::Timer;

struct Rec {
  double start, flops, end;
  uint32_t task, slot;
};

struct Machine {
  std::array<sg::Host*, 3> core;
  std::array<int, 3> busy{};
  int active = 0;
};

static std::vector<Rec> rec;
static std::vector<double> got;
static std::vector<Machine> mach;

static sg::Host* hostOf(uint32_t s) { return mach[s / 6].core[s % 3]; }
static void tune(Machine& m) {
  unsigned long p = m.active ? m.active - 1 : 0;
  for (auto* c : m.core)
    if (c->get_pstate() != p) c->set_pstate(p);
}

static void up(uint32_t s) {
  auto& m = mach[s / 6];
  if (m.busy[s % 3]++ == 0) {
    ++m.active;
    tune(m);
  }
}

static void down(uint32_t s) {
  auto& m = mach[s / 6];
  if (--m.busy[s % 3] == 0) {
    --m.active;
    tune(m);
  }
}

static double cpu() {
  rusage r;
  getrusage(RUSAGE_SELF, &r);
  return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::string mode = argv[1];
  const auto M = static_cast<uint32_t>(std::stoul(argv[2]));
  {
    std::ifstream f(argv[3], std::ios::binary);
    Rec r;
    while (f.read(reinterpret_cast<char*>(&r), sizeof r)) rec.push_back(r);
  }
  for (auto& r : rec)
    if (r.slot >= 6 * M) return std::puts("trace does not fit this platform"), 3;
  std::stable_sort(rec.begin(), rec.end(), [](Rec const& a, Rec const& b) { return a.start < b.start; });
  got.resize(rec.size());
  xbt_log_control_set("root.thresh:warning");
  int n = 1;
  char name[] = "raw";
  char* av[] = {name, nullptr};
  sg::Engine e(&n, av);
  sg::Engine::set_config("contexts/stack-size:64");
  auto* root = sg::create_star_zone("lan");
  auto* ctl = root->create_host("ctl", 1e9);
  mach.resize(M);
  for (uint32_t m = 0; m < M; ++m)
    for (int c = 0; c < 3; ++c)
      (mach[m].core[c] = root->create_host("m" + std::to_string(m) + "c" + std::to_string(c + 1),
                                           std::vector<double>{4.2e9, 4.0e9, 3.8e9})
                             ->set_core_count(2))
          ->set_sharing_policy(sg::Host::SharingPolicy::NONLINEAR,
                               [](double b, int k) { return k <= 1 ? b : b * 0.625; });
  root->seal();
  double t0 = cpu();
  std::vector<uint32_t> job(6 * M);
  if (mode == "actor") {  // the textbook way: one actor per hardware thread
    static std::vector<std::vector<uint32_t>> per(6 * M);
    for (uint32_t i = 0; i < rec.size(); ++i) per[rec[i].slot].push_back(i);
    for (uint32_t s = 0; s < 6 * M; ++s)
      sg::Actor::create("slot", ctl, [s] {
        for (auto i : per[s]) {
          sg::this_actor::sleep_until(rec[i].start);
          up(s);
          sg::Exec::init()->set_flops_amount(rec[i].flops)->set_host(hostOf(s))->wait();
          down(s);
          got[i] = sg::Engine::get_clock();
        }
      });
    e.run();
  } else if (mode == "shell") {
    // the fast way: two reusable Execs per thread, no actors, completions read at each time step
    std::vector<sg::ExecPtr> sh(12 * M);
    std::thread([&] {
      for (auto& x : sh) x = sg::Exec::init();
    }).join();
    std::unordered_map<const void*, uint32_t> slotOf;
    for (uint32_t i = 0; i < sh.size(); ++i) slotOf[sh[i]->get_impl()] = i / 2;
    std::vector<uint8_t> flip(6 * M);
    std::vector<uint32_t> fin;
    uint32_t k = 0;
    simgrid::kernel::resource::Model* model = nullptr;
    for (auto* m : e.get_all_models())
      if (m->get_name() == "Cpu_Cas01") model = m;
    sg::Engine::on_time_advance_cb([&](double) {
      fin.clear();
      for (auto& a : *model->get_finished_action_set())
        if (auto it = slotOf.find(a.get_activity()); it != slotOf.end()) fin.push_back(it->second);
      for (auto s : fin) {
        down(s);
        got[job[s]] = sg::Engine::get_clock();
      }
    });
    std::function<void()> next = [&] {
      for (; k < rec.size() && rec[k].start <= sg::Engine::get_clock(); ++k) {
        uint32_t s = rec[k].slot;
        job[s] = k;
        up(s);
        auto& x = sh[2 * s + (flip[s] ^= 1)];
        x->set_state(sg::Activity::State::INITED);
        x->set_flops_amount(rec[k].flops)->set_host(hostOf(s));
        x->start();
      }
      if (k < rec.size()) Timer::set(rec[k].start, [&] { next(); });
    };
    next();
    e.run();
  } else {  // physical limit: a binary heap, end dates taken from the record
    using Ev = std::pair<double, uint32_t>;
    std::priority_queue<Ev, std::vector<Ev>, std::greater<>> q;
    uint32_t k = 0;
    while (k < rec.size() || !q.empty())
      if (k < rec.size() && (q.empty() || rec[k].start <= q.top().first)) {
        q.push({rec[k].end, k});
        ++k;
      } else {
        got[q.top().second] = q.top().first;
        q.pop();
      }
  }
  double t1 = cpu(), err = 0;
  size_t same = 0;
  for (size_t i = 0; i < rec.size(); ++i) {
    err = std::max(err, std::fabs(got[i] - rec[i].end));
    same += got[i] == rec[i].end;
  }
  rusage ru;
  getrusage(RUSAGE_SELF, &ru);
  std::printf(
      "%-6s %zu tasks on %u machines: %.3f cpu-s, %.0f tasks/s, RSS %ld MB, max |dt| %.3g s, bit-identical "
      "%zu\n",
      mode.c_str(), rec.size(), M, t1 - t0, static_cast<double>(rec.size()) / (t1 - t0), ru.ru_maxrss / 1024,
      err, same);
  std::fflush(stdout);
  _exit(0);
}
