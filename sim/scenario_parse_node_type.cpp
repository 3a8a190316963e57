// One entry of /cluster/node_types: what its model says, unless the entry says otherwise.
#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "sim/node_models.h"
#include "sim/scenario_parse_context.h"

namespace duet::sim::parsing {
namespace {

std::vector<double> read_numbers(const Reader& reader, std::string_view name) {
  std::vector<double> numbers;
  for (JsonValue v = reader.value(name).first_child(); v; v = v.next_sibling()) {
    const std::string_view raw = v.raw();
    std::from_chars(raw.data(), raw.data() + raw.size(), numbers.emplace_back());
  }
  return numbers;
}

/// Whether a list by number of cores or threads has entries that never hold.
bool too_long(Context& context, const Reader& reader, std::string_view name, std::size_t size,
              std::size_t most, std::string_view of, std::string_view what) {
  if (size <= most) return false;
  context.mistakes.add(reader.place(name), "more " + std::string(of) + " (" + std::to_string(size) +
                                               ") than " + std::string(what) + " (" + std::to_string(most) +
                                               ')');
  return true;
}

void read_size(Context& context, const Reader& reader, NodeType& type) {
  const auto number = [&](std::string_view name, std::uint32_t otherwise) {
    return reader.valid(name) ? static_cast<std::uint32_t>(reader.integer(name)) : otherwise;
  };
  const std::uint32_t cores = number("cores", type.cores());
  type.reserved_cores = number("reserved_cores", type.reserved_cores);
  if (type.reserved_cores >= cores) {
    context.mistakes.add(reader.place("reserved_cores"), "no core is left for tasks",
                         "right: less than cores, " + std::to_string(cores));
    type.reserved_cores = 0;
  }
  type.offer.cores = cores - type.reserved_cores;
  type.offer.threads_per_core = number("threads_per_core", type.offer.threads_per_core);
  if (std::uint64_t{cores} * type.offer.threads_per_core > std::numeric_limits<std::uint32_t>::max())
    context.mistakes.add(reader.place("cores"), "more hardware threads than 4294967295 on one node");
  type.offer.capacity.cpu_m =
      kThread * static_cast<std::int64_t>(std::uint64_t{type.offer.cores} * type.offer.threads_per_core);
  if (reader.valid("memory_mib")) type.offer.capacity.memory_bytes = kMiB * reader.integer("memory_mib");
  if (reader.valid("count")) read_counts(context, reader.value("count"), type.offer.capacity);
}

void read_zones(Context& context, const Reader& reader, NodeType& type) {
  if (!reader.valid("zones")) {
    if (type.zones.size() != type.offer.cores) type.zones.clear();  // another machine than the model's
    return;
  }
  type.zones.clear();
  for (JsonValue v = reader.value("zones").first_child(); v; v = v.next_sibling()) {
    if (std::find(type.zones.begin(), type.zones.end(), v.string()) != type.zones.end())
      context.mistakes.add(v.place(), backquoted(v.string()) + " is given twice");
    type.zones.push_back(v.string());
  }
  if (!type.zones.empty() && type.zones.size() != type.offer.cores)
    context.mistakes.add(reader.place("zones"),
                         std::to_string(type.zones.size()) + " zones, but " +
                             std::to_string(type.offer.cores) + " cores for tasks",
                         "right: a name for each of these cores, or none");
}

void read_speed(Context& context, const Reader& reader, NodeType& type) {
  reader.at_most_one({"speed_hz", "turbo_hz"});
  if (reader.valid("speed_hz")) type.speed = {reader.number("speed_hz")};
  if (reader.valid("turbo_hz")) {
    type.speed = read_numbers(reader, "turbo_hz");
    if (reader.valid("cores") || reader.valid("model"))
      too_long(context, reader, "turbo_hz", type.speed.size(), type.cores(), "speeds", "cores");
  } else if (type.speed.size() > type.cores()) {
    type.speed.resize(type.cores());
  }
  const auto threads = static_cast<double>(type.offer.threads_per_core);
  if (reader.valid("smt_yield"))
    type.smt_yield = reader.number("smt_yield");
  else
    type.smt_yield = reader.valid("model") ? std::min(type.smt_yield, threads) : threads;
  if (type.smt_yield > threads)
    context.mistakes.add(reader.place("smt_yield"),
                         "a core cannot do more than its hardware threads together",
                         "right: at most threads_per_core, " + std::to_string(type.offer.threads_per_core));
  if (type.offer.threads_per_core == 1 && type.smt_yield < threads)
    context.mistakes.add(reader.place("smt_yield"), "smt_yield needs threads_per_core of 2 or more");
}

void read_power(Context& context, const JsonValue& value, NodeType& type) {
  const Reader reader(context, value, Section::kPower);
  PowerModel power = type.power.value_or(PowerModel{});
  if (reader.valid("core_w")) {
    power.core_w = read_numbers(reader, "core_w");
    too_long(context, reader, "core_w", power.core_w.size(), type.offer.threads_per_core + std::size_t{1},
             "powers", "numbers of busy threads");
  } else if (power.core_w.empty() && !reader.given("core_w")) {
    context.mistakes.add(reader.place(), "`core_w` is missing",
                         "right: " + describe(*find_field(Section::kPower, "core_w")));
  }
  if (reader.valid("uncore_w")) power.uncore_w = reader.number("uncore_w");
  if (reader.valid("off_w")) power.off_w = reader.number("off_w");
  type.power = std::move(power);
}

}  // namespace

void read_node_type(Context& context, const JsonValue& value) {
  const Reader reader(context, value, Section::kNodeType);
  NodeType type = reader.valid("model") ? *find_node_model(reader.text("model")) : NodeType{};
  type.name = value.key();
  if (type.name.empty() || type.name.size() > 200)
    context.mistakes.add(value.key_place(), "this is no name",
                         "right: " + describe(*find_field(Section::kNodes, "name")));
  read_size(context, reader, type);
  read_zones(context, reader, type);
  read_speed(context, reader, type);
  if (reader.valid("power")) read_power(context, reader.value("power"), type);
  if (type.power && !type.offer.threads_placed()) {
    type.power.reset();
    if (reader.given("power"))
      context.mistakes.add(reader.place("power"),
                           "the threads of a node of more than " + std::to_string(ThreadSet::kMaxThreads) +
                               " are counted, not told apart: nobody knows how many are busy on which core",
                           "right: no `power`");
  }
  if (type.power && type.power->core_w.size() > type.offer.threads_per_core + std::size_t{1})
    type.power->core_w.resize(type.offer.threads_per_core + std::size_t{1});
  context.out.node_types.push_back(std::move(type));
}

}  // namespace duet::sim::parsing
