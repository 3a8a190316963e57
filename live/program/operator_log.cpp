#include "live/program/operator_log.h"

#include <nlohmann/json.hpp>

#include "live/log.h"

namespace duet::live {
namespace {

using Json = nlohmann::json;

void log_node(const Json& change) {
  const std::string node = change.value("node", "");
  const std::string state = change.value("state", "");
  const bool lost = state == "down";  // What ran on it is to run elsewhere.
  log::write(lost ? log::Level::kWarn : log::Level::kInfo, lost ? "node lost" : "node changed",
             {{"node", node}, {"state", state}, {"draining", change.value("draining", false)}});
}

void log_pool(const Json& change) {
  const std::string why = change.value("why", "");
  log::info(change.value("applied", true) ? "pool scaled" : "pool would be scaled",
            {{"job", change.value("job", std::uint64_t{0})},
             {"from", change.value("from", 0)},
             {"to", change.value("to", 0)},
             {"why", why}});
}

}  // namespace

void log_for_operators(EventLog& events) {
  events.watch([](const ClusterEvent& event) {
    if (event.type != "node" && event.type != "pool") return;
    const Json change = Json::parse(event.json, nullptr, false);
    if (!change.is_object()) return;
    if (event.type == "node")
      log_node(change);
    else
      log_pool(change);
  });
}

}  // namespace duet::live
