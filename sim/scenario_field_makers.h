// How fields of a scenario file are written down: one short call for each kind, and the fields that several
// objects share.
#pragma once

#include "sim/scenario_fields.h"

namespace duet::sim::fields {

using enum FieldType;
using S = Section;

// 64 bits of nanoseconds end at 9.2e9 s: a job that starts as late as it may, and runs as long as it may,
// still leaves room for some messages.
inline constexpr double kMaxSeconds = 4e9;   // 127 years
inline constexpr double kMaxInterval = 1e7;  // 115 days: of messages
inline constexpr double kMaxCount = 9e18;    // fits 64 bits, and is a double exactly
inline constexpr double kMaxCores = 1e8;     // of one node: a whole cluster can be one pool
inline constexpr double kMillion = 1e6;
inline constexpr double kMaxMemory = 1e9;  // MiB: a pebibyte

constexpr Field seconds(S section, std::string_view name, std::string_view fallback, std::string_view doc,
                        bool above_zero = false) {
  return {.section = section,
          .name = name,
          .type = kSeconds,
          .above_min = above_zero,
          .max = kMaxSeconds,
          .fallback = fallback,
          .doc = doc};
}
/// Of the protocol, and of the network below it.
constexpr Field interval(S section, std::string_view name, std::string_view fallback, std::string_view doc,
                         bool above_zero = false) {
  Field field = seconds(section, name, fallback, doc, above_zero);
  field.max = kMaxInterval;
  return field;
}
constexpr Field integer(S section, std::string_view name, std::string_view unit, double min, double max,
                        std::string_view fallback, std::string_view doc) {
  return {.section = section,
          .name = name,
          .type = kInteger,
          .unit = unit,
          .min = min,
          .max = max,
          .fallback = fallback,
          .doc = doc};
}
constexpr Field number(S section, std::string_view name, std::string_view unit, double max,
                       std::string_view fallback, std::string_view doc, bool above_zero = true) {
  return {.section = section,
          .name = name,
          .type = kNumber,
          .unit = unit,
          .above_min = above_zero,
          .max = max,
          .fallback = fallback,
          .doc = doc};
}
constexpr Field plain(S section, std::string_view name, FieldType type, std::string_view fallback,
                      std::string_view doc) {
  return {.section = section, .name = name, .type = type, .max = 1, .fallback = fallback, .doc = doc};
}
constexpr Field choice(S section, std::string_view name, std::string_view choices, std::string_view fallback,
                       std::string_view doc) {
  return {.section = section,
          .name = name,
          .type = kChoice,
          .fallback = fallback,
          .choices = choices,
          .doc = doc};
}
constexpr Field nested(S section, std::string_view name, FieldType type, S child, std::string_view doc) {
  return {.section = section, .name = name, .type = type, .child = child, .doc = doc};
}
constexpr Field required(Field field) {
  field.required = true;
  return field;
}

// What one task asks for and does stands in jobs, in groups of a bag, and (without times) in generated jobs.
constexpr Field cores(S s) {
  return integer(s, "cores", "hardware threads", 1, kMaxCores, "1",
                 "Hardware threads of each task. Not with `cpu_m` or `exclusive`.");
}
constexpr Field cpu_m(S s) {
  return integer(s, "cpu_m", "millicores", 0, 1000 * kMaxCores, "",
                 "Instead of `cores`: shares of threads, 1000 = one hardware thread.");
}
constexpr Field memory(S s) {
  return integer(s, "memory_mib", "MiB", 0, kMaxMemory, "0", "Memory of each task.");
}
constexpr Field counts(S s) {
  return plain(s, "count", kCounts, "{}", "Countable things that each task takes, such as `{\"gpus\": 1}`.");
}
constexpr Field exclusive(S s) {
  return plain(s, "exclusive", kFlag, "false",
               "Each task takes one whole core with all its hardware threads.");
}
constexpr Field duration(S s) {
  return seconds(s, "duration_s", "", "How long a task runs, whatever the node. This or `operations`.", true);
}
constexpr Field operations(S s) {
  return integer(s, "operations", "operations", 1, kMaxCount, "",
                 "Instead of `duration_s`: work that each thread of a task does at the speed of its node.");
}
constexpr Field weight(S s) {
  return integer(s, "cpu_weight", "", 1, 10'000, "1",
                 "Where several operations want a core at once, each gets a share by its weight.");
}
constexpr Field estimate(S s) {
  return seconds(s, "estimate_s", "0",
                 "What the user thinks a task takes; for scheduling only. 0 = no estimate.");
}
constexpr Field timeout(S s) {
  return seconds(s, "timeout_s", "0", "A task is ended and has failed this long after its start. 0 = never.");
}
constexpr Field operation(S s) {
  return plain(s, "operation", kText, "\"\"",
               "What kind of work it is, for estimators that learn: tasks of one `operation` cost alike.");
}
constexpr Field iterations(S s) {
  return integer(s, "iterations", "iterations", 0, kMaxCount, "0",
                 "How much of its `operation` each task does; for estimators only. 0 = not given.");
}
constexpr Field pool(S s) {
  return plain(s, "pool", kName, "",
               "Each task is an operation that a worker of this pool executes; it needs nothing of its own.");
}
constexpr Field fail_attempts(S s) {
  return integer(s, "fail_attempts", "attempts", 0, 1e9, "0",
                 "The first so many attempts of each task fail at their end.");
}
constexpr Field exit_code(S s) {
  return integer(s, "exit_code", "", -64, 255, "1",
                 "What these attempts exit with: 1 to 255, or minus the signal.");
}
constexpr Field health(S s) {
  return nested(s, "health", kObject, S::kHealth,
                "Each attempt is asked whether it works, and ended if it does not.");
}
constexpr Field tasks(S s) {
  return integer(s, "tasks", "tasks", 1, kMillion, "1",
                 "Tasks of the job: a gang if the job is rigid, independent ones if it is a bag.");
}
constexpr Field retries(S s) {
  return integer(s, "retries", "attempts", 0, kMillion, "0",
                 "Further attempts of a task (of a rigid job: of the whole job) after failures of its own.");
}
constexpr Field generated_jobs(S s) {
  return required(integer(s, "jobs", "jobs", 1, 1e8, "", "How many jobs."));
}
constexpr Field at_s(S s) {
  return required(seconds(s, "at_s", "", "When; at one instant in the order of the file."));
}
// Of faults that last.
constexpr Field until(S s) { return seconds(s, "until_s", "", "It ends then. This or `for_s`.", true); }
constexpr Field lasts(S s) { return seconds(s, "for_s", "", "It lasts so long. This or `until_s`.", true); }
constexpr Field node(S s) { return required(plain(s, "node", kName, "", "The node.")); }
// What may happen to messages.
constexpr Field loss(S s) { return plain(s, "loss", kRatio, "0", "Of messages that never arrive."); }
constexpr Field duplicate(S s) {
  return plain(s, "duplicate", kRatio, "0", "Of messages that arrive twice.");
}
constexpr Field delay(S s) {
  return plain(s, "delay", kRatio, "0", "Of messages that take up to `max_delay_s` longer.");
}
constexpr Field max_delay(S s) {
  return seconds(s, "max_delay_s", "0", "The most that a delayed message takes longer.");
}
constexpr Field estimate_factor(S s) {
  return number(s, "estimate_factor", "", 1e6, "1", "Estimate = this times the run time. 0 = no estimates.",
                false);
}

/// Of one part of the file each, in the order of their sections.
std::span<const Field> cluster_fields();
std::span<const Field> job_fields();
std::span<const Field> event_fields();

}  // namespace duet::sim::fields
