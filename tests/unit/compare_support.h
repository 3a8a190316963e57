// Comparisons made by hand, for tests.
#pragma once

#include <string>
#include <vector>

#include "sim/compare/compare.h"

namespace duet::sim::compare_test {

/// One metric of some variants of one scenario, by seed from 1: values[variant][seed - 1].
inline Comparison made(const std::vector<std::string>& variants, const std::string& metric,
                       const std::vector<std::vector<double>>& values) {
  Comparison comparison;
  comparison.title = comparison.version = "test";
  comparison.engine = "loop";
  comparison.scenarios = {"day"};
  comparison.scenario_files = {"day.json"};
  comparison.objective = metric;
  for (std::size_t v = 0; v < variants.size(); ++v) {
    comparison.variants.push_back({variants[v], {{"/policies/queue", variants[v]}}});
    for (std::size_t i = 0; i < values[v].size(); ++i) {
      ComparedRun& run = comparison.runs.emplace_back();
      run.variant = v;
      run.seed = i + 1;
      run.metrics = {{metric, values[v][i]}};
      run.digest = "sha256:" + std::to_string(values[v][i]);
      run.ended = "done";
      run.folder = "runs/x";
    }
  }
  for (std::size_t i = 0; i < values.front().size(); ++i) comparison.seeds.push_back(i + 1);
  conclude(comparison);
  return comparison;
}

}  // namespace duet::sim::compare_test
