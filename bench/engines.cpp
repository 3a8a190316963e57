// engines/ENGINE/NODES: the same scenario on either engine, each run a process of its own, as one process can
// hold one SimGrid run only. One iteration is one task; time is the CPU time of the run as it counted itself.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <stdlib.h>
#include <unistd.h>

#include "bench/suite.h"

namespace duet::bench {
namespace {

/// `nodes` machines of three cores with two threads, 70 % loaded by tasks of a minute.
std::string scenario(std::uint32_t nodes, std::uint64_t jobs) {
  std::ostringstream text;
  text << R"({"name": "bench", "seed": 1, "cluster": {"heartbeat_s": 0, "node_types": {"m": {"cores": 3, )"
       << R"("threads_per_core": 2, "smt_yield": 2}}, "nodes": [{"type": "m", "count": )" << nodes
       << R"(}]}, "policies": {"detector": {"name": "timeout", "suspect_after_s": 0, "dead_after_s": 0}}, )"
       << R"("workload": {"generate": {"model": "poisson", "jobs": )" << jobs << R"(, "mean_gap_s": )"
       << 60.0 / (nodes * 6 * 0.7) << R"(, "mean_operations": 60000000000}}})" << '\n';
  return text.str();
}

std::string front() {
  char path[4096] = {};
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
  const std::string own(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return own.substr(0, own.rfind('/') + 1) + "duet";
}

/// CPU seconds of one run; below zero if it failed.
double run_cpu_s(const std::string& engine, const std::string& folder) {
  const std::string command = '\'' + front() + "' sim '" + folder + "/s.json' --no-trace --engine " + engine +
                              " --out '" + folder + "/out' > /dev/null 2>&1";
  if (std::system(command.c_str()) != 0) return -1;
  std::ifstream file(folder + "/out/run_info.json");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto at = text.find("\"run_cpu_s\":");
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + 12, nullptr);
}

void engine(benchmark::State& state, const std::string& name, std::uint32_t nodes) {
  const std::uint64_t jobs = nodes < 10'000 ? 20'000 : 2 * std::uint64_t{nodes};
  char folder[] = "/tmp/duet-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return state.SkipWithError("no folder for files");
  std::ofstream(std::string(folder) + "/s.json") << scenario(nodes, jobs);
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(jobs))) {
    const double took = run_cpu_s(name, folder);
    if (took < 0) {
      state.SkipWithError("duet sim failed: is it built, with this engine?");
      break;
    }
    state.SetIterationTime(took);
  }
  if (std::system(("rm -rf '" + std::string(folder) + '\'').c_str()) != 0)
    std::fprintf(stderr, "%s is left behind\n", folder);
}

}  // namespace

void add_engines() {
  for (const char* name : {"loop", "simgrid"})
    for (const std::uint32_t nodes : kSizes)
      benchmark::RegisterBenchmark(
          ("engines/" + std::string(name) + '/' + std::to_string(nodes)).c_str(),
          [name = std::string(name), nodes](benchmark::State& state) { engine(state, name, nodes); })
          ->UseManualTime()
          ->Iterations(1);
}

}  // namespace duet::bench
