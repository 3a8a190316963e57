// /cluster and /policies of a scenario.
#include <algorithm>

#include "sim/node_models.h"
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

/// Those that are described, and the models that nodes name without a description.
void read_node_types(Context& context, const Reader& reader) {
  std::map<std::string, JsonValue> described;  // so that the order of the file's keys means nothing
  if (reader.valid("node_types"))
    for (JsonValue v = reader.value("node_types").first_child(); v; v = v.next_sibling())
      described.emplace(v.key(), v);
  for (const auto& [name, v] : described) read_node_type(context, v);
  std::vector<NodeType>& types = context.out.node_types;
  const auto known = [&](const std::string& name) {
    return std::any_of(types.begin(), types.end(), [&](const NodeType& t) { return t.name == name; });
  };
  if (reader.valid("nodes"))
    for (JsonValue node = reader.value("nodes").first_child(); node; node = node.next_sibling())
      for (JsonValue v = node.first_child(); v; v = v.next_sibling()) {
        if (v.key() != "type" || !v.is(JsonType::kString) || known(v.string())) continue;
        if (const NodeType* const model = find_node_model(v.string())) types.push_back(*model);
      }
  std::sort(types.begin(), types.end(), [](const NodeType& a, const NodeType& b) { return a.name < b.name; });
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
  read_node_types(context, reader);
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
  context.heartbeat_place = reader.place("heartbeat_s");
  out.agent.resend_after = out.controller.resend_after = reader.seconds("resend_after_s");
  out.agent.kill_grace = reader.seconds("kill_grace_s");
  out.controller.max_losses = static_cast<std::uint32_t>(reader.integer("max_losses"));
  out.controller.stuck_after = static_cast<std::uint32_t>(reader.integer("stuck_after"));
  out.controller.keys_kept = reader.seconds("keys_kept_s");
  if (reader.valid("mass_loss")) {
    const Reader loss(context, reader.value("mass_loss"), Section::kMassLoss);
    out.controller.mass_loss = {
        loss.valid("percent") ? static_cast<std::uint32_t>(loss.integer("percent")) : 0,
        loss.seconds("window_s"), loss.seconds("interval_s")};
  }
  for (const Node& node : out.nodes) out.controller.inventory.push_back(node.name);
  context.cluster_known = context.mistakes.count() == before;
}

}  // namespace duet::sim::parsing
