// The one place that builds and reads JSON documents in memory; nothing here runs per step.
#include "core/codec/config_json.h"

#include <algorithm>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/codec/trace_header.h"

namespace duet::codec {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// ---- Writing

Json document(const ParamValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}
Json document(const Params& params) {
  Json out = Json::object();
  for (const auto& [name, value] : params.items) out[name] = document(value);
  return out;
}
Json document(const PolicyChoice& choice) {
  return Json{{"name", choice.name}, {"parameters", document(choice.params)}};
}
Json document(const Resources& r) {
  return Json{{"cpu_m", r.cpu_m}, {"memory_bytes", r.memory_bytes}, {"count", r.count}};
}
Json document(const NodeOffer& offer) {
  return Json{{"cores", offer.cores},
              {"threads_per_core", offer.threads_per_core},
              {"capacity", document(offer.capacity)}};
}
Json document(const MassLoss& loss) {
  return Json{
      {"percent", loss.percent}, {"window_ns", to_ns(loss.window)}, {"interval_ns", to_ns(loss.interval)}};
}
Json document(const ControllerConfig& c) {
  Json out{{"queue", document(c.queue)},
           {"scheduler", document(c.scheduler)},
           {"autoscaler", document(c.autoscaler)},
           {"detector", document(c.detector)},
           {"estimator", document(c.estimator)},
           {"inventory", c.inventory},
           {"resend_after_ns", to_ns(c.resend_after)},
           {"max_losses", c.max_losses},
           {"mass_loss", document(c.mass_loss)},
           {"stuck_after", c.stuck_after},
           {"keys_kept_ns", to_ns(c.keys_kept)},
           {"seed", c.seed}};
  if (c.adopt_for > Duration{0}) out["adopt_for_ns"] = to_ns(c.adopt_for);
  return out;
}
/// All of an agent but its name.
Json unnamed(const AgentConfig& a) {
  return Json{{"offer", document(a.offer)},
              {"heartbeat_ns", to_ns(a.heartbeat)},
              {"resend_after_ns", to_ns(a.resend_after)},
              {"kill_grace_ns", to_ns(a.kill_grace)}};
}
bool same_but_for_name(const AgentConfig& a, AgentConfig b) {
  b.name = a.name;
  return a == b;
}
Json document(const std::vector<AgentConfig>& agents) {
  Json out = Json::array();
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (i == 0 || !same_but_for_name(agents[i], agents[i - 1])) {
      out.push_back(Json{{"names", Json::array()}});
      out.back().update(unnamed(agents[i]));
    }
    out.back()["names"].push_back(agents[i].name);
  }
  return out;
}
Json document(const TraceSegment& s) {
  return Json{{"run", s.run},
              {"number", s.number},
              {"steps_before", s.steps},
              {"chain", s.chain},
              {"last_ns", to_ns(s.last)}};
}
Json document(const TraceHeader& h) {
  Json out{{"format", kTraceFormat},
           {"duet_version", h.duet_version},
           {"engine", h.engine},
           {"driver", h.driver},
           {"scenario", h.scenario},
           {"scenario_hash", h.scenario_hash},
           {"seed", h.seed},
           {"controller", document(h.controller)},
           {"agents", document(h.agents)}};
  if (h.segment) out["segment"] = document(*h.segment);
  return out;
}

// ---- Reading

/// Reads one JSON value into typed places and collects what is wrong with it.
class Input {
 public:
  Input(const Json& json, std::string where, Problems& problems)
      : json_(json), where_(std::move(where)), problems_(problems) {}

  void read(bool& out) { scalar(json_.is_boolean(), "true or false", out); }
  void read(std::string& out) { scalar(json_.is_string(), "a string", out); }
  void read(std::uint64_t& out) { scalar(json_.is_number_unsigned(), "a whole number of at least 0", out); }
  void read(std::int64_t& out) {
    const bool fits =
        !json_.is_number_unsigned() || json_.get<std::uint64_t>() <= std::uint64_t{1} * INT64_MAX;
    scalar(json_.is_number_integer() && fits, "a whole number of 64 bits", out);
  }
  void read(std::uint32_t& out) {
    const bool fits = json_.is_number_unsigned() && json_.get<std::uint64_t>() <= UINT32_MAX;
    scalar(fits, "a whole number from 0 to 4294967295", out);
  }
  void read(Duration& out) {
    std::int64_t ns = 0;
    read(ns);
    out = Duration(ns);
  }
  void read(ParamValue& out) {
    if (json_.is_boolean())
      out = json_.get<bool>();
    else if (json_.is_number_float())
      out = json_.get<double>();
    else if (json_.is_string())
      out = json_.get<std::string>();
    else
      read(out.emplace<std::int64_t>());
  }
  void read(Params& out) {
    out.items.clear();
    if (!json_.is_object()) return wrong("an object");
    std::map<std::string, ParamValue> sorted;
    for (const auto& [name, value] : json_.items())
      Input(value, where_ + "/" + name, problems_).read(sorted[name]);
    out.items.assign(sorted.begin(), sorted.end());
  }
  void read(PolicyChoice& out) {
    member("name", out.name);
    member("parameters", out.params);
    done({"name", "parameters"});
  }
  void read(Resources& out) {
    member("cpu_m", out.cpu_m);
    member("memory_bytes", out.memory_bytes);
    std::vector<std::int64_t> counts;
    member("count", counts);
    if (counts.size() != out.count.size()) return wrong("with six numbers in \"count\"");
    for (std::size_t i = 0; i < counts.size(); ++i) {
      out.count[i] = static_cast<std::int32_t>(counts[i]);
      if (out.count[i] != counts[i]) return wrong("with numbers of 32 bits in \"count\"");
    }
    done({"cpu_m", "memory_bytes", "count"});
  }
  void read(NodeOffer& out) {
    member("cores", out.cores);
    member("threads_per_core", out.threads_per_core);
    member("capacity", out.capacity);
    done({"cores", "threads_per_core", "capacity"});
  }
  void read(MassLoss& out) {
    member("percent", out.percent);
    member("window_ns", out.window);
    member("interval_ns", out.interval);
    done({"percent", "window_ns", "interval_ns"});
  }
  void read(ControllerConfig& out) {
    member("queue", out.queue);
    member("scheduler", out.scheduler);
    member("autoscaler", out.autoscaler);
    member("detector", out.detector);
    member("estimator", out.estimator);
    member("inventory", out.inventory);
    member("resend_after_ns", out.resend_after);
    member("max_losses", out.max_losses);
    member("mass_loss", out.mass_loss);
    member("stuck_after", out.stuck_after);
    member("keys_kept_ns", out.keys_kept);
    member("seed", out.seed);
    if (json_.is_object() && json_.contains("adopt_for_ns")) member("adopt_for_ns", out.adopt_for);
    done({"queue", "scheduler", "autoscaler", "detector", "estimator", "inventory", "resend_after_ns",
          "max_losses", "mass_loss", "stuck_after", "keys_kept_ns", "adopt_for_ns", "seed"});
  }
  void read(AgentConfig& out) {
    member("name", out.name);
    unnamed_members(out);
    done({"name", "offer", "heartbeat_ns", "resend_after_ns", "kill_grace_ns"});
  }
  void read(TraceHeader& out) {
    std::uint32_t format = 0;
    member("format", format);
    if (format != kTraceFormat) return wrong("of format " + std::to_string(kTraceFormat));
    member("duet_version", out.duet_version);
    member("engine", out.engine);
    member("driver", out.driver);
    member("scenario", out.scenario);
    member("scenario_hash", out.scenario_hash);
    member("seed", out.seed);
    member("controller", out.controller);
    std::vector<std::vector<AgentConfig>> groups;
    member("agents", groups);
    for (const auto& group : groups) out.agents.insert(out.agents.end(), group.begin(), group.end());
    if (json_.is_object() && json_.contains("segment")) member("segment", out.segment.emplace());
    done({"format", "duet_version", "engine", "driver", "scenario", "scenario_hash", "seed", "controller",
          "agents", "segment"});
  }
  void read(TraceSegment& out) {
    member("run", out.run);
    member("number", out.number);
    member("steps_before", out.steps);
    member("chain", out.chain);
    Duration last{};
    member("last_ns", last);
    out.last = Instant(last);
    const bool first = out.steps == 0 && out.chain == 0 && out.last == Instant{};
    if (out.number == 0 || (out.number == 1 && !first)) wrong("a first segment that continues nothing");
    done({"run", "number", "steps_before", "chain", "last_ns"});
  }
  /// Agents that differ in their names only.
  void read(std::vector<AgentConfig>& out) {
    std::vector<std::string> names;
    AgentConfig common;
    member("names", names);
    unnamed_members(common);
    for (const auto& name : names) out.emplace_back(common).name = name;
    done({"names", "offer", "heartbeat_ns", "resend_after_ns", "kill_grace_ns"});
  }
  template <class E>
  void read(std::vector<E>& out) {
    if (!json_.is_array()) return wrong("a list");
    for (std::size_t i = 0; i < json_.size(); ++i)
      Input(json_[i], where_ + "/" + std::to_string(i), problems_).read(out.emplace_back());
  }

 private:
  void wrong(const std::string& right) { problems_.push_back({where_, "is not as expected", right}); }

  template <class T>
  void scalar(bool fits, const char* right, T& out) {
    if (fits)
      out = json_.get<T>();
    else
      wrong(right);
  }
  template <class T>
  void member(const char* name, T& out) {
    if (!json_.is_object()) return wrong("an object");
    const auto found = json_.find(name);
    if (found == json_.end())
      return problems_.push_back({where_, std::string("has no \"") + name + "\"", ""});
    Input(*found, where_ + "/" + name, problems_).read(out);
  }
  void unnamed_members(AgentConfig& out) {
    member("offer", out.offer);
    member("heartbeat_ns", out.heartbeat);
    member("resend_after_ns", out.resend_after);
    member("kill_grace_ns", out.kill_grace);
  }
  /// Refuses members that nobody asked for: they would be silently lost.
  void done(std::initializer_list<std::string_view> known) {
    if (!json_.is_object()) return;
    for (const auto& [name, value] : json_.items())
      if (std::find(known.begin(), known.end(), name) == known.end())
        problems_.push_back({where_ + "/" + name, "is unknown", ""});
  }

  const Json& json_;
  std::string where_;
  Problems& problems_;
};

template <class T>
Result<T> parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Problem{"", "is not JSON", ""};
  T value{};
  Problems problems;
  Input(json, "", problems).read(value);
  if (!problems.empty()) return problems;
  return value;
}

}  // namespace

std::string to_json(const Params& params) { return dump(document(params)); }
std::string to_json(const ControllerConfig& config) { return dump(document(config)); }
std::string to_json(const AgentConfig& config) {
  Json out{{"name", config.name}};
  out.update(unnamed(config));
  return dump(out);
}
std::string to_json(const TraceHeader& header) { return dump(document(header)); }

Result<Params> params_from_json(std::string_view text) { return parse<Params>(text); }
Result<ControllerConfig> controller_config_from_json(std::string_view text) {
  return parse<ControllerConfig>(text);
}
Result<AgentConfig> agent_config_from_json(std::string_view text) { return parse<AgentConfig>(text); }
Result<TraceHeader> header_from_json(std::string_view text) { return parse<TraceHeader>(text); }

std::vector<HeaderDifference> header_differences(const TraceHeader& left, const TraceHeader& right) {
  using Sorted =
      nlohmann::json;  // looks up in logarithmic time: thousands of agents are thousands of members
  const Sorted l = Sorted(document(left)).flatten();
  const Sorted r = Sorted(document(right)).flatten();
  const auto text = [](const Sorted& flat, const std::string& where) {
    const auto found = flat.find(where);
    return found == flat.end() ? std::string() : dump(Json(*found));
  };
  std::vector<HeaderDifference> out;
  for (const auto& [where, value] : l.items())
    if (text(r, where) != text(l, where)) out.push_back({where, text(l, where), text(r, where)});
  for (const auto& [where, value] : r.items())
    if (!l.contains(where)) out.push_back({where, "", text(r, where)});
  return out;
}

}  // namespace duet::codec
