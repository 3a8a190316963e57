#include "tests/live/test_cluster.h"

namespace duet::test {

using live::wire::AgentPort;
using live::wire::ControllerLink;

TestAgent::TestAgent(live::asio::io_context& io, CommandedProcesses& processes, const AgentConfig& config,
                     std::uint16_t port, const std::string& token, StepSink<Agent>* recorder)
    : driver(io,
             [&] {
               live::AgentDriverOptions options;
               options.config = config;
               options.recorder = recorder;
               options.send = [this](const msg::FromAgent& message) { link->send(message); };
               options.registered = [this](bool now) { registered = now; };
               return options;
             }()),
      runtime(io, processes, driver.hooks()) {
  ControllerLink::Options to;
  to.port = std::to_string(port);
  to.hello.token = token;
  to.hello.agent.name = config.name;
  to.shortest_wait = std::chrono::milliseconds(5);
  to.longest_wait = std::chrono::milliseconds(20);
  ControllerLink::Hooks hooks;
  hooks.message = [this](msg::ToAgent message) { driver.delivered(std::move(message)); };
  hooks.read_log = [](const live::wire::ReadLog&) {};
  hooks.changed = [](bool, const std::string&) {};
  hooks.refused = [this](const std::string& why) { refused = why; };
  link.emplace(io, std::move(to), std::move(hooks));
  driver.start(runtime);
  link->start();
}

TestController::TestController(live::asio::io_context& io, live::Store& store, const ControllerConfig& config,
                               std::uint16_t port, StepSink<Controller>* recorder)
    : driver(io,
             [&] {
               live::ControllerDriverOptions options;
               options.config = config;
               options.store = &store;
               options.recorder = recorder;
               options.watcher = &metrics;
               options.send = [this](LinkId link, const msg::ToAgent& message) {
                 agents.send(link, message);
               };
               options.warn = [this](const std::string& what) { warnings.push_back(what); };
               return options;
             }()),
      agents(io, AgentPort::Options{"127.0.0.1", port, live::Secret("the token of all agents"), "test"},
             AgentPort::Hooks{
                 [](LinkId, const live::AgentFacts&) {},
                 [this](LinkId, const std::string& why) { left.push_back(why); },
                 [this](LinkId link, msg::FromAgent message) { driver.received(link, std::move(message)); },
                 [this](LinkId, const live::AttemptFacts& facts) { driver.view().learn(facts); },
                 [this](const std::string& what) { warnings.push_back(what); }}) {
  EXPECT_TRUE(driver.start().empty());
  EXPECT_TRUE(agents.listen().empty());
}

bool run_until(live::asio::io_context& io, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    if (io.stopped()) io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

ControllerConfig quick_controller() {
  ControllerConfig config;
  config.detector = {"timeout", {{{"dead_after_s", 0.3}, {"suspect_after_s", 0.15}}}};
  config.resend_after = std::chrono::milliseconds(50);
  return config;
}

AgentConfig quick_agent(const std::string& name) {
  AgentConfig config;
  config.name = name;
  config.offer.cores = 2;
  config.offer.capacity.cpu_m = 2000;
  config.offer.capacity.memory_bytes = 1024 * kMiB;
  config.heartbeat = std::chrono::milliseconds(40);
  config.resend_after = std::chrono::milliseconds(40);
  config.kill_grace = std::chrono::milliseconds(500);
  return config;
}

JobSpecPtr one_task(bool lasting) {
  JobSpec spec;
  spec.key = lasting ? "lasting" : "short";
  TaskGroup group;
  group.spec.need.cpu_m = 500;
  if (lasting) group.spec.work.payload = std::make_shared<const std::string>("{}");
  spec.groups.push_back(group);
  return std::make_shared<const JobSpec>(spec);
}

}  // namespace duet::test
