// /events, /faults, /network and /assertions of a scenario: what happens during a run, and what must hold
// after it.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "sim/assertions.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

/// The one of `names` that is given; reports if there is none or are several.
std::string_view exactly_one(Context& context, const Reader& reader,
                             std::initializer_list<std::string_view> names) {
  std::string_view found;
  std::string all;
  for (const std::string_view name : names) {
    if (reader.given(name) && found.empty()) found = name;
    all += (all.empty() ? "right: one of " : ", ") + backquoted(name);
  }
  if (found.empty()) context.mistakes.add(reader.place(), "nothing happens here", all);
  return reader.at_most_one(names) && reader.valid("at_s") && !found.empty() && reader.valid(found) ? found
                                                                                                    : "";
}

/// Ids of the jobs that can be cancelled; collected when first asked for.
class JobIds {
 public:
  struct Known {
    const JobSpec* spec = nullptr;  ///< Null for jobs of a table: each is rigid.
    Instant at;                     ///< Of the first submission.
  };

  /// What is known of the job; null, and reported if it is a mistake, if nothing is.
  const Known* find(Context& context, const JsonValue& value) {
    if (!context.jobs_known) return nullptr;
    if (ids_.empty()) collect(context.out.workload);
    const std::string id = value.string();
    if (const auto found = ids_.find(id); found != ids_.end()) return &found->second;
    std::vector<std::string_view> some;  // enough to find a slip
    for (const auto& [candidate, known] : ids_) {
      if (some.size() == 1000) break;
      some.push_back(candidate);
    }
    context.mistakes.add(value.place(), "there is no job " + backquoted(id),
                         did_you_mean(id, some, "right: a job's `id`"));
    return nullptr;
  }

 private:
  void collect(const Workload& workload) {
    if (const auto* arrivals = std::get_if<std::vector<Arrival>>(&workload))
      for (const Arrival& arrival : *arrivals) {
        const auto [found, first] = ids_.emplace(arrival.spec->key, Known{arrival.spec.get(), arrival.at});
        if (!first) found->second.at = std::min(found->second.at, arrival.at);
      }
    if (const auto* table = std::get_if<JobTable>(&workload))
      for (const TableJob& job : table->jobs)
        ids_.emplace(job.id, Known{nullptr, Instant(Duration(job.submit_ns))});
  }

  std::map<std::string, Known> ids_;
};

constexpr std::uint64_t kAllReplicas = 1'000'000;

/// What `scale` and `update` say beside the service that they change.
void read_service_event(Context& context, const Reader& reader, const JobSpec* job, OperatorEvent& event) {
  using Kind = OperatorEvent::Kind;
  const auto only_with = [&](std::string_view field, Kind kind, std::string_view word) {
    if (event.kind == kind && !reader.given(field))
      context.mistakes.add(reader.key_place(word), backquoted(word) + " to what?",
                           "right: " + backquoted(field) + ", too");
    if (event.kind != kind && reader.given(field))
      context.mistakes.add(reader.key_place(field), backquoted(field) + " says nothing here",
                           "right: with " + backquoted(word));
  };
  only_with("replicas", Kind::kScale, "scale");
  only_with("to", Kind::kUpdate, "update");
  event.replicas = reader.valid("replicas") ? static_cast<std::uint32_t>(reader.integer("replicas")) : 0;
  if ((event.kind != Kind::kScale && event.kind != Kind::kUpdate) || !context.jobs_known) return;
  if (job == nullptr || job->kind != JobKind::kService) {
    if (reader.valid(event.kind == Kind::kScale ? "scale" : "update"))
      context.mistakes.add(reader.place(event.kind == Kind::kScale ? "scale" : "update"),
                           backquoted(event.job) + " is not a service",
                           R"(right: a job of "kind": "service")");
    return;
  }
  const auto check_workers = [&](std::string_view field, std::uint32_t count) {
    if (job->pool && (count < job->pool->minimum || count > job->pool->maximum))
      context.mistakes.add(
          reader.place(field), "the pool cannot have " + std::to_string(count) + " workers",
          "right: from " + std::to_string(job->pool->minimum) + " to " + std::to_string(job->pool->maximum));
  };
  if (event.kind == Kind::kScale && reader.valid("replicas")) check_workers("replicas", event.replicas);
  const std::uint64_t room =
      context.cluster_known ? room_for(context, job->groups.front().spec) : kAllReplicas;
  if (event.kind == Kind::kScale && event.replicas > room)
    context.warnings.add(reader.place("replicas"), "the cluster has room for " + std::to_string(room) +
                                                       " of these replicas: the others wait for nodes");
  if (event.kind != Kind::kUpdate || !reader.valid("to")) return;
  JobSpec spec = *job;
  spec.groups = {read_replicas(context, Reader(context, reader.value("to"), Section::kGroup),
                               spec.pool && spec.pool->pull)};
  check_workers("to", spec.groups.front().count);
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
}

/// What `submit_again` says beside the job that it repeats.
void read_repetition(Context& context, const Reader& reader, const JobIds::Known* known,
                     OperatorEvent& event) {
  const bool repeats = event.kind == OperatorEvent::Kind::kSubmitAgain;
  if (!repeats && reader.given("changed"))
    context.mistakes.add(reader.key_place("changed"), "`changed` says nothing here",
                         "right: with `submit_again`");
  if (!repeats || !context.jobs_known || !reader.valid("submit_again")) return;
  event.changed = reader.flag("changed");
  if (known != nullptr && event.at < known->at)
    context.warnings.add(reader.place("at_s"),
                         "this is not again: " + backquoted(event.job) +
                             " is submitted here, and not at its own `at_s`, " + seconds_words(known->at) +
                             (event.changed ? ", where it is refused" : ", where nothing happens"),
                         "right: a later `at_s`");
  const JobSpec* job = known == nullptr ? nullptr : known->spec;
  if (job == nullptr) {
    if (std::holds_alternative<JobTable>(context.out.workload))
      context.mistakes.add(reader.place("submit_again"), "a job of a table cannot be submitted again",
                           "right: a job listed in `workload`");
    return;
  }
  JobSpec spec = *job;
  if (event.changed) ++spec.retries;
  event.spec = std::make_shared<const JobSpec>(std::move(spec));
}

template <class T>
void sort_by_time(std::vector<T>& things) {
  std::stable_sort(things.begin(), things.end(), [](const T& a, const T& b) { return a.at < b.at; });
}

void read_messages(Context& context, const Reader& reader, MessageFaults& out) {
  out.loss_ppm = reader.ppm("loss");
  out.duplicate_ppm = reader.ppm("duplicate");
  out.delay_ppm = reader.ppm("delay");
  out.max_delay = reader.seconds("max_delay_s");
  if (out.delay_ppm > 0 && out.max_delay == Duration{0})
    context.mistakes.add(reader.place("delay"), "delayed by how much?", "right: `max_delay_s`, too");
  if (out.delay_ppm == 0 && out.max_delay > Duration{0})
    context.mistakes.add(reader.key_place("max_delay_s"), "no message is delayed, so this says nothing",
                         "right: `delay`, too");
}

/// The nodes that `names` names, in the order of their ids.
std::vector<std::uint32_t> read_node_names(Context& context, const JsonValue& names) {
  std::vector<std::uint32_t> nodes;
  for (JsonValue v = names.first_child(); v; v = v.next_sibling())
    if (const auto node = find_node(context, v)) nodes.push_back(*node);
  if (!names.first_child())
    context.mistakes.add(names.place(), "`nodes` is empty", "right: at least one name");
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

/// The instant at which a fault that begins at `at` is over.
Instant read_end(Context& context, const Reader& reader, Instant at, bool must_end) {
  constexpr std::int64_t kLast = 4'000'000'000'000'000'000;  // as for all seconds
  if (!reader.given("until_s") && !reader.given("for_s")) {
    if (must_end) context.mistakes.add(reader.place(), "until when?", "right: `until_s`, or `for_s`");
    return kNever;
  }
  if (!reader.at_most_one({"until_s", "for_s"})) return kNever;
  if (reader.given("for_s")) {
    const Instant end = saturating_add(at, reader.seconds("for_s"));
    if (to_ns(end) > kLast)
      context.mistakes.add(reader.place("for_s"), "this ends after the end of time", "right: at most at 4e9");
    return end;
  }
  const Instant end = reader.instant("until_s");
  if (reader.valid("until_s") && end <= at)
    context.mistakes.add(reader.place("until_s"), "it ends before it begins", "right: a time after `at_s`");
  return end;
}

/// Whose attempts fail their checks.
void read_unhealthy(Context& context, const Reader& reader, JobIds& jobs, Fault& fault) {
  if (!reader.valid("job")) return;
  fault.job = reader.text("job");
  if (reader.valid("task")) fault.task = static_cast<std::uint32_t>(reader.integer("task"));
  fault.new_attempts = reader.flag("new_attempts");
  const JobIds::Known* known = jobs.find(context, reader.value("job"));
  if (known == nullptr) return;
  const auto checked = [](const TaskGroup& group) { return group.spec.work.health.has_value(); };
  if (known->spec == nullptr || std::none_of(known->spec->groups.begin(), known->spec->groups.end(), checked))
    context.mistakes.add(reader.place("job"), backquoted(fault.job) + " has no health check to fail",
                         "right: a job with `health`");
}

/// A fault that lasts: its object under the name of its kind.
void read_lasting(Context& context, const JsonValue& object, std::string_view name, JobIds& jobs,
                  Fault& fault) {
  using Kind = Fault::Kind;
  const auto begin = [&](Section section, Kind kind) {
    fault.kind = kind;
    Reader reader(context, object, section);
    const bool dies = kind == Kind::kControllerRestart || kind == Kind::kStoreFailure;
    fault.until = read_end(context, reader, fault.at, dies || kind == Kind::kAgentRestart);
    if (dies && context.cluster_known && context.out.agent.heartbeat == Duration{0})
      context.mistakes.add(reader.place(), "without heartbeats no agent learns of the new controller",
                           "right: `heartbeat_s` above 0 in the cluster");
    return reader;
  };
  const auto node_of = [&](const Reader& reader) {
    return reader.valid("node") ? find_node(context, reader.value("node")).value_or(0) : 0;
  };
  if (name == "slow_node") {
    const Reader reader = begin(Section::kSlowNode, Kind::kSlowNode);
    fault.node = node_of(reader);
    fault.factor = reader.number("factor");
  } else if (name == "partition") {
    const Reader reader = begin(Section::kPartition, Kind::kPartition);
    if (reader.valid("nodes")) fault.nodes = read_node_names(context, reader.value("nodes"));
    const std::string direction = reader.text("direction");
    fault.direction = direction == "to_agent"        ? Fault::Direction::kToAgent
                      : direction == "to_controller" ? Fault::Direction::kToController
                                                     : Fault::Direction::kBoth;
  } else if (name == "network") {
    const Reader reader = begin(Section::kNetworkFault, Kind::kNetwork);
    read_messages(context, reader, fault.messages);
    if (reader.valid("nodes")) {
      fault.nodes = read_node_names(context, reader.value("nodes"));
    } else {
      fault.nodes.resize(context.out.nodes.size());
      std::iota(fault.nodes.begin(), fault.nodes.end(), 0U);
    }
  } else if (name == "clock_skew") {
    const Reader reader = begin(Section::kClockSkew, Kind::kClockSkew);
    fault.node = node_of(reader);
    fault.rate_ppm = reader.ppm("rate");
    fault.delay = reader.seconds("offset_s");
  } else if (name == "agent_restart") {
    fault.node = node_of(begin(Section::kAgentRestart, Kind::kAgentRestart));
  } else if (name == "stuck_node") {
    fault.node = node_of(begin(Section::kStuckNode, Kind::kStuckNode));
  } else if (name == "unhealthy") {
    read_unhealthy(context, begin(Section::kUnhealthy, Kind::kUnhealthy), jobs, fault);
  } else if (name == "controller_restart") {
    begin(Section::kControllerRestart, Kind::kControllerRestart);
  } else if (name == "store_delay") {
    fault.delay = begin(Section::kStoreDelay, Kind::kStoreDelay).seconds("delay_s");
  } else {
    begin(Section::kStoreFailure, Kind::kStoreFailure);
  }
}

}  // namespace

void read_events(Context& context, const JsonValue& events) {
  using Kind = OperatorEvent::Kind;
  constexpr std::pair<std::string_view, Kind> kinds[] = {
      {"cancel", Kind::kCancel},  {"scale", Kind::kScale},
      {"update", Kind::kUpdate},  {"submit_again", Kind::kSubmitAgain},
      {"drain", Kind::kDrain},    {"evict", Kind::kEvict},
      {"undrain", Kind::kUndrain}};
  JobIds jobs;
  for (JsonValue v = events.first_child(); v; v = v.next_sibling()) {
    const Reader reader(context, v, Section::kEvent);
    const std::string_view what = exactly_one(
        context, reader, {"cancel", "scale", "update", "submit_again", "drain", "evict", "undrain"});
    if (what.empty()) continue;
    OperatorEvent event;
    event.at = reader.instant("at_s");
    context.note_time(event.at, reader.place("at_s"));
    for (const auto& [word, kind] : kinds)
      if (word == what) event.kind = kind;
    if (!event.of_job()) {
      event.node = find_node(context, reader.value(what)).value_or(0);
    } else {
      event.job = reader.text(what);
      const JobIds::Known* known = jobs.find(context, reader.value(what));
      read_service_event(context, reader, known == nullptr ? nullptr : known->spec, event);
      read_repetition(context, reader, known, event);
    }
    context.out.events.push_back(std::move(event));
  }
  sort_by_time(context.out.events);
}

void read_faults(Context& context, const JsonValue& faults) {
  JobIds jobs;
  for (JsonValue v = faults.first_child(); v; v = v.next_sibling()) {
    const Reader reader(context, v, Section::kFault);
    const std::string_view what = exactly_one(
        context, reader,
        {"crash", "restart", "slow_node", "partition", "network", "clock_skew", "controller_restart",
         "store_delay", "store_failure", "agent_restart", "stuck_node", "unhealthy"});
    if (what.empty()) continue;
    Fault fault;
    fault.at = reader.instant("at_s");
    context.note_time(fault.at, reader.place("at_s"));
    if (what == "crash" || what == "restart") {
      fault.kind = what == "crash" ? Fault::Kind::kCrash : Fault::Kind::kRestart;
      fault.node = find_node(context, reader.value(what)).value_or(0);
      context.switches.push_back({fault.at, fault.node, what == "restart", reader.place(what)});
    } else {
      read_lasting(context, reader.value(what), what, jobs, fault);
    }
    context.out.faults.push_back(std::move(fault));
  }
  sort_by_time(context.out.faults);
}

void read_network(Context& context, const JsonValue& network) {
  const Reader reader(context, network, Section::kNetwork);
  NetworkFaults& out = context.out.network;
  read_messages(context, reader, out);
  out.until = reader.valid("until_s") ? reader.instant("until_s") : out.any() ? kNever : Instant{};
}

void read_assertions(Context& context, const JsonValue& assertions) {
  for (JsonValue v = assertions.first_child(); v; v = v.next_sibling()) {
    auto parsed = parse_assertion(v.string());
    if (auto* assertion = std::get_if<Assertion>(&parsed)) {
      context.out.assertions.push_back(std::move(*assertion));
      continue;
    }
    const auto& mistake = std::get<AssertionMistake>(parsed);
    context.mistakes.add(v.part(mistake.begin, mistake.length), mistake.what, mistake.hint);
  }
}

}  // namespace duet::sim::parsing
