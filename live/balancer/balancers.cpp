#include "live/balancer/balancers.h"

#include <utility>

#include "core/lifecycle.h"
#include "live/runtime/task_command.h"

namespace duet::live {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(250);

/// Workers of a pool are given operations, not connections.
bool balanced(const LiveJob& job) { return job.service() && !job.cancelled && !job.spec->pool; }

void add_ready(const LiveJob& job, const Controller& machine, const ClusterView& view,
               std::vector<Backend>& out) {
  for (std::uint32_t i = 0; i < job.tasks.size(); ++i) {
    const LiveTask& task = job.tasks[i];
    if (task.state != TaskState::kRunning || !task.ready) continue;
    const AttemptFacts* facts = view.facts({{job.id, i}, task.attempt});
    const AgentFacts* agent = view.agent(machine.cluster().node(task.node).name);
    if (facts == nullptr || facts->ports.empty() || agent == nullptr) continue;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(agent->address, error);
    if (!error) out.emplace_back(address, static_cast<std::uint16_t>(facts->ports.front()));
  }
}

}  // namespace

std::vector<Backend> ready_replicas(const Controller& machine, const ClusterView& view,
                                    const std::string& name) {
  const LiveJob* service = nullptr;
  machine.jobs().for_each_service([&](const LiveJob& job) {
    if (balanced(job) && service == nullptr && (name.empty() || job.spec->key == name)) service = &job;
  });
  std::vector<Backend> out;
  if (service != nullptr) add_ready(*service, machine, view, out);
  return out;
}

Balancers::Balancers(asio::io_context& io, const ControllerDriver& driver, std::string host, Warn warn)
    : io_(io), driver_(driver), host_(std::move(host)), warn_(std::move(warn)), timer_(io) {}

Result<std::uint16_t> Balancers::add(const std::string& host, std::uint16_t port, std::string service) {
  Balancer::Options options;
  options.host = host;
  options.port = port;
  auto balancer = std::make_unique<Balancer>(io_, std::move(options), [this, service = std::move(service)] {
    return ready_replicas(driver_.machine(), driver_.view(), service);
  });
  const auto listening = balancer->listen();
  if (listening) fixed_.push_back(std::move(balancer));
  return listening;
}

void Balancers::follow() {
  look();
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) follow();
  });
}

void Balancers::look() {
  std::erase_if(wanted_, [this](const auto& entry) {
    const LiveJob* job = driver_.machine().jobs().find(entry.first);
    return job == nullptr || !balanced(*job);
  });
  driver_.machine().jobs().for_each_service([this](const LiveJob& job) {
    if (!balanced(job)) return;
    Wanted& wanted = wanted_[job.id];
    const auto& payload = job.spec->groups.back().spec.work.payload;
    if (payload == wanted.payload) {
      // Somebody else had its port, perhaps no longer.
      if (wanted.port > 0 && wanted.balancer == nullptr) open(job.id, job.spec->key, wanted);
      return;
    }
    wanted.warned = false;
    wanted.payload = payload;
    const auto command = payload != nullptr ? command_from_payload(*payload) : TaskCommand{};
    const std::uint32_t port = command ? command->balance : 0;
    if (port == wanted.port) return;
    wanted.port = port;
    wanted.balancer.reset();
    if (port > 0) open(job.id, job.spec->key, wanted);
  });
}

void Balancers::open(JobId job, const std::string& name, Wanted& wanted) {
  Balancer::Options options;
  options.host = host_;
  options.port = static_cast<std::uint16_t>(wanted.port);
  wanted.balancer = std::make_unique<Balancer>(io_, std::move(options), [this, job] {
    std::vector<Backend> out;
    const LiveJob* live = driver_.machine().jobs().find(job);
    if (live != nullptr) add_ready(*live, driver_.machine(), driver_.view(), out);
    return out;
  });
  if (const auto listening = wanted.balancer->listen(); !listening) {
    const Problem& problem = listening.problems().front();
    if (!std::exchange(wanted.warned, true))
      warn_("the service " + name + " has no balancer yet: " + problem.where + " " + problem.what);
    wanted.balancer.reset();
  }
}

}  // namespace duet::live
