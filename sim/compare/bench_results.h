// Measured times: Google Benchmark's JSON, and whether two such files differ by more than noise.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "sim/compare/comparison.h"
#include "sim/table.h"

namespace duet::sim {

/// The repetitions of one benchmark.
struct BenchSamples {
  std::string name;
  std::vector<double> ns;  ///< Per item, if the benchmark counts items, else per iteration. CPU time, or real
                           ///< time if its name says so. If the file has aggregates only, the median alone.
  double spread = 0;       ///< Of these, as a share of their median; with aggregates only, as they say.
  double floor =
      0;  ///< Noise that the file itself declares: a member `noise_floor` of its entries; 0 = none.
};

/// In the order of the file. Problems: it cannot be read, is no such file, or holds benchmarks that failed.
Result<std::vector<BenchSamples>> read_bench(const std::string& path);
/// The same from text; `source` names it in problems.
Result<std::vector<BenchSamples>> parse_bench(std::string text, const std::string& source);

/// Of the benchmarks `decision/POLICY/NODES`, by policy and nodes.
std::vector<DecisionCost> decision_costs(const std::vector<BenchSamples>& samples);

/// One benchmark in two files.
struct BenchMovement {
  std::string name;
  double before = 0;  ///< Medians, ns.
  double after = 0;
  double change = 0;  ///< (after - before) / before
  double floor = 0;   ///< A change by less than this is noise.
  double probability = 1;
  double cliffs_delta = 0;  ///< From -1, all faster, to 1, all slower.
  Standing standing = Standing::kTie;
};

/// Moved is what differs by the test of Mann and Whitney at 5 %, has an effect that is called large (Cliff's
/// |delta| >= 0.474: Romano et al., 2006), and changes the median by more than the floor: the largest of 2 %,
/// twice the spread of either file, and what the file declares. Not adjusted for the number of benchmarks: of
/// five repetitions the least probability is 0.008, so that among sixty benchmarks nothing could ever be
/// found; the floor is the guard instead. With fewer than four repetitions on a side the word is unknown.
std::vector<BenchMovement> compare_bench(const std::vector<BenchSamples>& after,
                                         const std::vector<BenchSamples>& before);

Table bench_table(const std::vector<BenchMovement>& movements, Format format);
Table bench_table(const std::vector<BenchSamples>& samples);

}  // namespace duet::sim
