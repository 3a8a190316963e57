// Any bytes are an experiment, a comparison, a benchmark's file, or mistakes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/check.h"
#include "sim/compare/bench_results.h"
#include "sim/compare/comparison_json.h"
#include "sim/compare/experiment.h"
#include "sim/compare/regression.h"

namespace {

std::string written(const duet::sim::Comparison& comparison) {
  std::string text;
  duet::sim::write_comparison(comparison, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace duet::sim;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto experiment = parse_experiment(text, "fuzz.json");
  DUET_CHECK(experiment.experiment.has_value() == experiment.rendered.empty());
  if (experiment) DUET_CHECK(variants_of(experiment.experiment->axes));
  if (const auto comparison = parse_comparison(text, "fuzz.json")) {
    const std::string once = written(*comparison);
    const auto again = parse_comparison(once, "again.json");
    DUET_CHECK(again && written(*again) == once);
    if (const auto held = hold_against(*comparison, *again, 0)) DUET_CHECK(held->moved.empty());
  }
  if (const auto bench = parse_bench(text, "fuzz.json")) {
    decision_costs(*bench);
    const auto movements = compare_bench(*bench, *bench);
    to_text(bench_table(movements, Format::kJson), Format::kJson);
    to_text(bench_table(*bench), Format::kTable);
  }
  std::vector<std::string> notices;
  parse_axis(text, notices);
  parse_seeds(text);
  parse_tolerance(text);
  return 0;
}
