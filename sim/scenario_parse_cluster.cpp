// /cluster and /policies of a scenario.
#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

/// Of a whole cluster in each dimension: sums of it stay far from the end of 64 bits.
constexpr std::int64_t kMaxTotal = 9'000'000'000'000'000'000;
constexpr std::uint64_t kMaxNodes = 1'000'000;
constexpr std::int64_t kMaxCountable = 1'000'000'000;

void read_countable(Context& context, const Reader& reader) {
  if (!reader.valid("countable")) return;
  for (JsonValue v = reader.value("countable").first_child(); v; v = v.next_sibling()) {
    const std::string name = v.string();
    auto& kinds = context.out.countable;
    if (std::find(kinds.begin(), kinds.end(), name) != kinds.end())
      context.mistakes.add(v.place(), backquoted(name) + " is given twice");
    else if (kinds.size() == kCountableKinds)
      context.mistakes.add(v.place(), "more than " + std::to_string(kCountableKinds) + " countable kinds");
    else
      kinds.push_back(name);
  }
}

void read_speed(Context& context, const Reader& reader, NodeType& type) {
  reader.at_most_one({"speed_hz", "turbo_hz"});
  type.speed = {reader.number("speed_hz")};
  if (reader.valid("turbo_hz")) {
    type.speed.clear();
    for (JsonValue v = reader.value("turbo_hz").first_child(); v; v = v.next_sibling()) {
      double hz = 0;
      const std::string_view raw = v.raw();
      std::from_chars(raw.data(), raw.data() + raw.size(), hz);
      type.speed.push_back(hz);
    }
    if (type.speed.size() > type.offer.cores && reader.valid("cores"))
      context.mistakes.add(reader.place("turbo_hz"), "more speeds (" + std::to_string(type.speed.size()) +
                                                         ") than cores (" + std::to_string(type.offer.cores) +
                                                         ')');
  }
  const auto threads = static_cast<double>(type.offer.threads_per_core);
  type.smt_yield = reader.valid("smt_yield") ? reader.number("smt_yield") : threads;
  if (type.smt_yield > threads)
    context.mistakes.add(reader.place("smt_yield"),
                         "a core cannot do more than its hardware threads together",
                         "right: at most threads_per_core, " + std::to_string(type.offer.threads_per_core));
  if (type.offer.threads_per_core == 1 && type.smt_yield < threads)
    context.mistakes.add(reader.place("smt_yield"), "smt_yield needs threads_per_core of 2 or more");
}

void read_node_type(Context& context, const JsonValue& value) {
  NodeType type;
  type.name = value.key();
  const Field* const name_field = find_field(Section::kNodes, "name");
  if (type.name.empty() || type.name.size() > 200)
    context.mistakes.add(value.key_place(), "this is no name", "right: " + describe(*name_field));
  const Reader reader(context, value, Section::kNodeType);
  type.offer.cores = static_cast<std::uint32_t>(reader.integer("cores"));
  type.offer.threads_per_core = static_cast<std::uint32_t>(reader.integer("threads_per_core"));
  const std::uint64_t threads = std::uint64_t{type.offer.cores} * type.offer.threads_per_core;
  if (threads > std::numeric_limits<std::uint32_t>::max())
    context.mistakes.add(reader.place("cores"), "more hardware threads than 4294967295 on one node");
  type.offer.capacity.cpu_m = kThread * static_cast<std::int64_t>(threads);
  type.offer.capacity.memory_bytes = kMiB * reader.integer("memory_mib");
  if (reader.valid("count")) read_counts(context, reader.value("count"), type.offer.capacity);
  read_speed(context, reader, type);
  context.out.node_types.push_back(std::move(type));
}

void add_node(Context& context, std::string name, std::uint32_t type, const JsonPlace& place) {
  Scenario& out = context.out;
  const auto index = static_cast<std::uint32_t>(out.nodes.size());
  if (!context.nodes.emplace(name, index).second) {
    context.mistakes.add(place, "there are two nodes " + backquoted(name));
    return;
  }
  out.nodes.push_back({std::move(name), type});
}

std::optional<std::uint32_t> find_type(Context& context, const Reader& reader) {
  if (!reader.valid("type")) return {};
  const std::string wanted = reader.text("type");
  std::vector<std::string_view> names;
  for (const NodeType& type : context.out.node_types) {
    if (type.name == wanted) return static_cast<std::uint32_t>(names.size());
    names.push_back(type.name);
  }
  context.mistakes.add(reader.place("type"), "there is no node type " + backquoted(wanted),
                       did_you_mean(wanted, names, "right: one of `node_types`"));
  return {};
}

void read_nodes(Context& context, const JsonValue& value) {
  const Reader reader(context, value, Section::kNodes);
  const auto type = find_type(context, reader);
  const auto count = static_cast<std::uint64_t>(reader.integer("count"));
  if (!type) return;
  if (context.out.nodes.size() + count > kMaxNodes) {
    context.mistakes.add(reader.place("count"), "more than " + std::to_string(kMaxNodes) + " nodes in all");
    return;
  }
  context.used[*type] += count;
  const bool named = reader.valid("name");
  const std::string base = named ? reader.text("name") : context.out.node_types[*type].name;
  const JsonPlace place = reader.place(named ? "name" : "type");
  if (!reader.given("count")) return add_node(context, base, *type, place);
  for (std::uint64_t i = 0; i < count; ++i) add_node(context, base + std::to_string(i), *type, place);
}

bool too_large(std::int64_t each, std::uint64_t nodes) {
  return nodes > 0 && each > kMaxTotal / static_cast<std::int64_t>(nodes);
}

void check_totals(Context& context, const JsonPlace& place) {
  Resources total;
  bool over = false;
  const Resources* first = nullptr;
  for (std::size_t i = 0; i < context.out.node_types.size(); ++i) {
    const NodeType& type = context.out.node_types[i];
    const std::uint64_t nodes = context.used[i];
    if (nodes == 0) continue;
    const auto add = [&](std::int64_t& sum, std::int64_t each) {
      over = over || too_large(each, nodes) || sum > kMaxTotal - each * static_cast<std::int64_t>(nodes);
      if (!over) sum += each * static_cast<std::int64_t>(nodes);
    };
    add(total.cpu_m, type.offer.capacity.cpu_m);
    add(total.memory_bytes, type.offer.capacity.memory_bytes);
    if (first != nullptr && *first != type.offer.capacity) context.identical_nodes = false;
    first = &type.offer.capacity;
  }
  if (over) context.mistakes.add(place, "the cluster has more of something than 64 bits can count");
}

}  // namespace

void read_counts(Context& context, const JsonValue& object, Resources& resources) {
  const auto& kinds = context.out.countable;
  for (JsonValue v = object.first_child(); v; v = v.next_sibling()) {
    const std::string name = v.key();
    const auto found = std::find(kinds.begin(), kinds.end(), name);
    if (found == kinds.end()) {
      context.mistakes.add(
          v.key_place(), "there is no countable kind " + backquoted(name),
          did_you_mean(name, {kinds.begin(), kinds.end()}, "right: a name in /cluster/countable"));
      continue;
    }
    const Field field{.name = name, .type = FieldType::kInteger, .max = static_cast<double>(kMaxCountable)};
    if (check_value(context, field, v))
      resources.count[static_cast<std::size_t>(found - kinds.begin())] =
          static_cast<std::int32_t>(exact_number(field, v.raw()).value());
  }
}

std::optional<std::uint32_t> find_node(Context& context, const JsonValue& value) {
  const std::string name = value.string();
  if (const auto found = context.nodes.find(name); found != context.nodes.end()) return found->second;
  if (!context.nodes_known) return {};
  std::vector<std::string_view>
      names;  // enough to find a slip; a large cluster's names differ by their numbers
  for (const Node& node : context.out.nodes) {
    if (names.size() == 1000) break;
    names.push_back(node.name);
  }
  context.mistakes.add(
      value.place(), "there is no node " + backquoted(name),
      did_you_mean(name, names, "right: a node's name, such as " + backquoted(names.front())));
  return {};
}

void read_cluster(Context& context, const JsonValue& cluster) {
  const std::size_t before = context.mistakes.count();
  Scenario& out = context.out;
  const Reader reader(context, cluster, Section::kCluster);
  read_countable(context, reader);
  if (reader.valid("node_types")) {
    std::map<std::string, JsonValue> by_name;  // so that the order of the file's keys means nothing
    for (JsonValue v = reader.value("node_types").first_child(); v; v = v.next_sibling())
      by_name.emplace(v.key(), v);
    for (const auto& [name, v] : by_name) read_node_type(context, v);
  }
  context.used.resize(out.node_types.size());
  if (reader.valid("nodes")) {
    const std::size_t before_nodes = context.mistakes.count();
    for (JsonValue v = reader.value("nodes").first_child(); v; v = v.next_sibling()) read_nodes(context, v);
    context.nodes_known = context.mistakes.count() == before_nodes && !out.nodes.empty();
    if (!reader.value("nodes").first_child())
      context.mistakes.add(reader.value("nodes").place(), "the cluster has no nodes", "right: at least one");
    else
      check_totals(context, reader.place("nodes"));
  }
  out.latency = reader.seconds("latency_s");
  out.commit_delay = reader.seconds("commit_delay_s");
  out.agent.heartbeat = reader.seconds("heartbeat_s");
  out.agent.resend_after = out.controller.resend_after = reader.seconds("resend_after_s");
  out.agent.kill_grace = reader.seconds("kill_grace_s");
  out.controller.max_losses = static_cast<std::uint32_t>(reader.integer("max_losses"));
  for (const Node& node : out.nodes) out.controller.inventory.push_back(node.name);
  context.cluster_known = context.mistakes.count() == before;
}

}  // namespace duet::sim::parsing
