#include "tests/harness/builders.h"

#include <memory>
#include <sstream>

namespace duet::test {

std::string Behaviour::encoded() const {
  std::ostringstream out;
  out << fails << ' ' << to_ns(fails_after) << ' ' << culprit_only << ' ' << culprit << ' ' << unstartable
      << ' ' << stubborn << ' ' << obliging << ' ' << pulls;
  return out.str();
}

Behaviour Behaviour::decoded(const std::string& text) {
  Behaviour b;
  std::istringstream in(text);
  std::int64_t after_ns = 0;
  in >> b.fails >> after_ns >> b.culprit_only >> b.culprit >> b.unstartable >> b.stubborn >> b.obliging >>
      b.pulls;
  b.fails_after = Duration(after_ns);
  return b;
}

JobSpecPtr JobBuilder::spec() const {
  JobSpec spec = spec_;
  const auto payload = std::make_shared<const std::string>(behaviour_.encoded());
  for (TaskGroup& group : spec.groups) group.spec.work.payload = payload;
  return std::make_shared<const JobSpec>(std::move(spec));
}

ClusterBuilder ClusterBuilder::nodes(std::uint32_t n, const Shape& shape) {
  for (; n > 0; --n) {
    AgentConfig agent;
    agent.name = "n" + std::to_string(agents.size());
    agent.offer = shape.offer();
    controller.inventory.push_back(agent.name);
    agents.push_back(std::move(agent));
  }
  return *this;
}

ClusterBuilder ClusterBuilder::dead_after(std::int64_t suspect_s, std::int64_t dead_s) {
  controller.detector.params.items = {{"dead_after_s", dead_s}, {"suspect_after_s", suspect_s}};
  return *this;
}

ClusterBuilder ClusterBuilder::heartbeat(Duration d) {
  for (AgentConfig& agent : agents) agent.heartbeat = d;
  return *this;
}

ClusterBuilder ClusterBuilder::kill_grace(Duration d) {
  for (AgentConfig& agent : agents) agent.kill_grace = d;
  return *this;
}

}  // namespace duet::test
