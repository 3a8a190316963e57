// Which runs an experiment has, and whether each of them can be made.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/codec/hash.h"
#include "sim/compare/runs.h"
#include "sim/diagnostics.h"
#include "sim/engine.h"
#include "sim/run.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"
#include "sim/terminal.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> overrides_of(const Variant& variant) {
  std::vector<std::string> words;
  for (const Setting& setting : variant.settings) words.push_back(setting.pointer + '=' + setting.value);
  return words;
}

/// Identity of all but the seed.
codec::Sha256Digest hash_without_seed(Scenario& scenario) {
  scenario.seed = 0;
  codec::Sha256 sha;
  canonical_json(scenario, [&](std::string_view text) { sha.update(codec::as_bytes(text)); });
  return sha.finish();
}

std::string run_key(const codec::Sha256Digest& scenario, std::uint64_t seed, const std::string& engine,
                    const std::string& build) {
  codec::Sha256 sha;
  const std::string text = codec::hex(scenario) + " seed " + std::to_string(seed) + ' ' + engine +
                           " duet " DUET_VERSION " " + build;
  sha.update(codec::as_bytes(text));
  return codec::hex(sha.finish()).substr(0, 32);
}

/// Two builds of one version may decide differently: the program's bytes tell them apart.
std::string build_of(const std::string& program) {
  codec::Sha256 sha;
  std::FILE* file = std::fopen(program.c_str(), "rb");
  if (file == nullptr) return "unknown";
  std::string buffer(1 << 16, '\0');
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;)
    sha.update(codec::as_bytes(std::string_view(buffer).substr(0, n)));
  std::fclose(file);
  return codec::hex(sha.finish());
}

/// What is wrong, and with which variants: said once.
class Wrong {
 public:
  void add(const std::string& variant, const std::string& text) {
    const auto [at, fresh] = variants_.try_emplace(text);
    at->second.push_back(variant);
    if (fresh) order_.push_back(text);
  }
  std::string text(std::size_t variants) const {
    std::string out;
    for (const std::string& what : order_) {
      const auto& names = variants_.at(what);
      if (names.size() < variants || variants > 1) {
        out += names.size() == 1 ? "variant" : "variants";
        for (const std::string& name : names) out += ' ' + backquoted(name);
        out += ":\n";
      }
      out += what;
    }
    return out;
  }

 private:
  std::map<std::string, std::vector<std::string>> variants_;
  std::vector<std::string> order_;
};

/// The scenario's own name, or its file's; another scenario of that name has the path beside it.
std::string unique_name(const std::string& given, const std::string& path,
                        const std::vector<std::string>& taken) {
  std::string name = given.empty() ? fs::path(path).stem().string() : given;
  if (std::find(taken.begin(), taken.end(), name) != taken.end()) name += " (" + path + ')';
  return name;
}

/// The loop engine says at once what it cannot run.
std::string engine_objection(const Scenario& scenario, const std::string& path, const std::string& engine) {
  if (engine != "loop") return {};
  const auto made = make_loop_engine(scenario, needs_cpu_model(scenario));
  return made ? std::string() : printable(path) + ":\n" + to_text(made.problems());
}

}  // namespace

ParsedPlan plan_runs(const Experiment& experiment, const std::string& engine_program) {
  const auto variants = variants_of(experiment.axes);
  if (!variants) return {std::nullopt, to_text(variants.problems())};
  RunPlan plan{experiment, {}, *variants, 0, {}};
  if (plan.experiment.engine.empty()) plan.experiment.engine = "simgrid";
  const std::string& engine = plan.experiment.engine;
  if (!experiment.baseline.empty()) {
    const auto found = std::find_if(plan.variants.begin(), plan.variants.end(),
                                    [&](const Variant& v) { return v.name == experiment.baseline; });
    if (found == plan.variants.end()) {
      std::vector<std::string_view> names;
      std::string all = "one of";
      for (const Variant& variant : plan.variants) {
        names.push_back(variant.name);
        all += ' ' + backquoted(variant.name);
      }
      return {std::nullopt,
              to_text(Problems{{"baseline", "there is no variant " + backquoted(experiment.baseline),
                                did_you_mean(experiment.baseline, names, all)}})};
    }
    plan.baseline = static_cast<std::size_t>(found - plan.variants.begin());
  }
  const std::size_t seeds = std::max<std::size_t>(1, experiment.seeds.size());
  if (experiment.scenarios.size() * plan.variants.size() * seeds > kMostRuns)
    return {std::nullopt, "these are more than a million runs\n"};
  const std::string build = build_of(engine_program);
  Wrong wrong;
  for (std::size_t s = 0; s < experiment.scenarios.size(); ++s)
    for (std::size_t v = 0; v < plan.variants.size(); ++v) {
      const std::string& path = experiment.scenarios[s];
      ParsedScenario parsed = load_scenario(path, overrides_of(plan.variants[v]));
      if (!parsed) {
        wrong.add(plan.variants[v].name, parsed.rendered);
        continue;
      }
      Scenario& scenario = *parsed.scenario;
      if (const std::string why = engine_objection(scenario, path, engine); !why.empty())
        wrong.add(plan.variants[v].name, why);
      if (plan.names.size() == s) plan.names.push_back(unique_name(scenario.name, path, plan.names));
      const std::vector<std::uint64_t> own = {scenario.seed};
      const codec::Sha256Digest identity = hash_without_seed(scenario);
      for (const std::uint64_t seed : experiment.seeds.empty() ? own : experiment.seeds)
        plan.runs.push_back({s, v, seed, run_key(identity, seed, engine, build)});
    }
  if (std::string text = wrong.text(plan.variants.size()); !text.empty())
    return {std::nullopt, std::move(text)};
  return {std::move(plan), {}};
}

}  // namespace duet::sim
