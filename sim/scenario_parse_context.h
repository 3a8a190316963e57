// What the parts of the scenario parser share: the section reader, and what is known of the cluster so far.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/policy.h"
#include "sim/json_doc.h"
#include "sim/scenario.h"
#include "sim/scenario_fields.h"

namespace duet::sim::parsing {

/// A service, or a job whose tasks are operations, as it is submitted: for warnings.
struct Submission {
  JobSpecPtr spec;
  Instant at;
  std::uint64_t count = 1;  ///< Times, each `every` after the one before.
  Duration every{0};
  JsonPlace place;  ///< The job,
  JsonPlace tasks;  ///< how many tasks or replicas it has,
  JsonPlace most;   ///< and the most workers.
};

/// A node crashes or is to restart.
struct PowerSwitch {
  Instant at;
  std::uint32_t node = 0;
  bool on = false;
  JsonPlace place;
};

/// The latest instant that the file speaks of, so far.
struct LatestTime {
  Instant at;
  JsonPlace place;
};

struct Context {
  const JsonDoc& doc;
  Mistakes& mistakes;
  Scenario& out;
  std::map<std::string, std::uint32_t, std::less<>> nodes;  ///< Index in out.nodes by name.
  std::vector<std::uint64_t> used;                          ///< Nodes of each of out.node_types.
  bool nodes_known = false;    ///< All of them: a name that is not there is wrong.
  bool cluster_known = false;  ///< Without mistakes: jobs can be held against it.
  bool jobs_known = false;     ///< All ids of jobs: one that is not there is wrong.
  bool identical_nodes = true;
  std::unique_ptr<Queue> queue = nullptr;                           ///< Null if its choice is mistaken.
  std::uint64_t tasks = 0;                                          ///< Of all jobs so far.
  std::map<std::string, Instant, std::less<>> pools = {};           ///< That have workers, and since when.
  std::vector<std::pair<std::string, JsonPlace>> pools_named = {};  ///< By operations, and where.
  Mistakes warnings = {};                                           ///< What is allowed and hardly meant.
  std::vector<Submission> submissions = {};
  std::vector<PowerSwitch> switches = {};
  LatestTime latest = {};
  JsonPlace horizon_place = {};
  JsonPlace heartbeat_place = {};

  void note_time(Instant at, const JsonPlace& place) {
    if (at > latest.at) latest = {at, place};
  }
};

/// The first byte of a value: for mistakes that concern the whole of a long object.
JsonPlace opening(const JsonValue& value);

/// Reads an object against the table of fields. The constructor reports fields that are unknown, missing, of
/// the wrong type or out of range; the getters then give the value, or the table's default if it is absent or
/// wrong.
class Reader {
 public:
  Reader(Context& context, JsonValue object, Section section);

  bool given(std::string_view name) const { return static_cast<bool>(value(name)); }
  /// Given, and as the table wants it.
  bool valid(std::string_view name) const;
  /// The value as given; none if it is absent.
  JsonValue value(std::string_view name) const;
  /// Where it stands; where its object begins if it is absent.
  JsonPlace place(std::string_view name) const;
  JsonPlace key_place(std::string_view name) const;
  JsonPlace place() const { return opening(object_); }

  std::int64_t integer(std::string_view name) const;
  std::uint64_t seed(std::string_view name) const;
  double number(std::string_view name) const;
  Duration seconds(std::string_view name) const;
  Instant instant(std::string_view name) const { return Instant(seconds(name)); }
  std::uint32_t ppm(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::string text(std::string_view name) const;

  /// Reports every given field of `names` but the first: they exclude each other. True if at most one is
  /// given.
  bool at_most_one(std::initializer_list<std::string_view> names) const;

 private:
  std::size_t index(std::string_view name) const;
  std::string raw(std::string_view name) const;

  Context& context_;
  JsonValue object_;
  Section section_;
  std::array<JsonValue, 32> values_;
  std::uint32_t valid_ = 0;  ///< Bit i: values_[i] is as the table wants it.
};

/// Checks one value against a field; reports what is wrong.
bool check_value(Context& context, const Field& field, const JsonValue& value);
/// The value of a number in the field's unit (ns for seconds, millionths for ratios), or nothing if out of
/// range.
std::optional<std::int64_t> exact_number(const Field& field, std::string_view raw);
/// {"gpus": 2} by the names in out.countable; reports unknown ones.
void read_counts(Context& context, const JsonValue& object, Resources& resources);
/// The index of the node that `value` names; reports an unknown one if all are known.
std::optional<std::uint32_t> find_node(Context& context, const JsonValue& value);

/// The places of what a job asks for, to say which of it is too much.
struct NeedPlaces {
  JsonPlace job;
  JsonPlace cpu;
  JsonPlace memory;
  JsonPlace count;
  JsonPlace tasks;
};
/// How many such tasks the empty cluster holds: from 1 to a million.
std::uint64_t room_for(const Context& context, const TaskSpec& spec);
/// Reports a job whose tasks the empty cluster cannot hold, or that the queue refuses. True if all is well.
bool check_fits(Context& context, const TaskSpec& spec, std::uint32_t tasks, bool together,
                const NeedPlaces& places);
/// Adds to the tasks of the scenario; reports when they get too many.
void count_tasks(Context& context, std::uint64_t tasks, const JsonPlace& place);

void read_node_type(Context& context, const JsonValue& value);
void read_cluster(Context& context, const JsonValue& cluster);
void read_policies(Context& context, const JsonValue& policies);
void read_workload(Context& context, const JsonValue& workload);
void read_table(Context& context, const JsonValue& table);
void read_generator(Context& context, const JsonValue& generator);
/// What a task asks for: cores or cpu_m, memory_mib, count, exclusive.
void read_need(Context& context, const Reader& reader, TaskSpec& spec);
NeedPlaces need_places(const Reader& reader);
/// The replicas that a service is to have from now on.
TaskGroup read_replicas(Context& context, const Reader& reader, bool pull);
void read_events(Context& context, const JsonValue& events);
void read_faults(Context& context, const JsonValue& faults);
void read_network(Context& context, const JsonValue& network);
void read_assertions(Context& context, const JsonValue& assertions);
/// "12.5 s"
std::string seconds_words(Instant at);
/// Keeps what warnings need to know of a job that `reader` read.
void note_submission(Context& context, const Reader& reader, const JobSpec& spec, Instant at,
                     std::uint64_t count, Duration every);
/// Fills Context::warnings; to be called when all has been read without a mistake.
void warn(Context& context);

}  // namespace duet::sim::parsing
