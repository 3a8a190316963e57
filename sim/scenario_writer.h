// A scenario on its way into its canonical JSON: the parts of scenario_write.h, a file for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "sim/decimal.h"
#include "sim/json_write.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Writes everything, defaults included: equal scenarios give equal texts.
class ScenarioWriter {
 public:
  ScenarioWriter(const Scenario& scenario, const TextSink& sink) : scenario_(scenario), out_(sink) {}

  void write() {
    out_.object();
    text("name", scenario_.name);
    text("description", scenario_.description);
    raw("seed", std::to_string(scenario_.seed));
    if (scenario_.horizon) instant("horizon_s", *scenario_.horizon);
    cluster();
    policies();
    workload();
    events();
    faults();
    network();
    array("assertions");
    for (const Assertion& assertion : scenario_.assertions)
      out_.string(assertion.metric + ' ' + assertion.relation + ' ' + number_text(assertion.bound));
    out_.close();
    out_.close();
    out_.finish();
  }

 private:
  static std::string decimal(std::int64_t units, int decimals) {
    std::string text;
    append_decimal(text, units, decimals);
    return text;
  }
  void raw(std::string_view key, std::string_view json) {
    out_.key(key);
    out_.raw(json);
  }
  void text(std::string_view key, std::string_view value) {
    out_.key(key);
    out_.string(value);
  }
  void integer(std::string_view key, std::int64_t value) { raw(key, std::to_string(value)); }
  void number(std::string_view key, double value) { raw(key, number_text(value)); }
  void numbers(std::string_view key, const std::vector<double>& values) {
    array(key);
    for (const double value : values) out_.number(value);
    out_.close();
  }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void seconds(std::string_view key, Duration value) { raw(key, decimal(to_ns(value), 9)); }
  void instant(std::string_view key, Instant value) { raw(key, decimal(to_ns(value), 9)); }
  void object(std::string_view key, bool one_line = false) {
    out_.key(key);
    out_.object(one_line);
  }
  void array(std::string_view key, bool one_line = false) {
    out_.key(key);
    out_.array(one_line);
  }
  void memory(std::int64_t bytes) {
    DUET_CHECK(bytes % kMiB == 0);
    integer("memory_mib", bytes / kMiB);
  }
  void counts(const Resources& resources) {
    object("count", true);
    for (std::size_t i = 0; i < scenario_.countable.size(); ++i)
      if (resources.count[i] != 0) integer(scenario_.countable[i], resources.count[i]);
    out_.close();
  }

  void cluster();
  void power(const PowerModel& power);
  void nodes();
  void policies();
  void choice(std::string_view kind, const PolicyChoice& choice);
  void workload();
  void jobs(const std::vector<Arrival>& arrivals);
  void need(const TaskSpec& spec);
  void group(const TaskGroup& group, std::string_view count);
  void workers(const PoolSpec& pool);
  void table(const JobTable& table);
  void generate(const PoissonWorkload& workload);
  void generate(const LublinWorkload& workload);
  void events();
  void faults();
  void lasting(const Fault& fault);
  void messages(const MessageFaults& messages);
  void network();

  const Scenario& scenario_;
  JsonWriter out_;
};

}  // namespace duet::sim
