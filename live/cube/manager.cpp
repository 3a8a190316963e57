#include "live/cube/manager.h"

#include <algorithm>

#include <xxhash.h>

#include "core/lifecycle.h"
#include "live/http/url.h"

namespace duet::live::cube {
namespace {

/// Connections of agents count from 1 and never come here.
constexpr std::uint64_t kFirstLink = std::uint64_t{1} << 48;

/// The task is at work in this very attempt.
bool at_work(const Controller& machine, AttemptId attempt) {
  const LiveJob* job = machine.jobs().find(attempt.task.job);
  if (job == nullptr || attempt.task.index >= job->tasks.size()) return false;
  const LiveTask& task = job->tasks[attempt.task.index];
  return task.attempt == attempt.number && duet::active(task.state);
}

}  // namespace

Manager::Manager(asio::io_context& io, ControllerDriver& driver, const Options& options,
                 const std::function<void(std::string)>& warn)
    : driver_(driver) {
  WorkerLink::Hooks hooks;
  hooks.message = [this](LinkId link, msg::FromAgent message) { driver_.received(link, std::move(message)); };
  hooks.learned = [this](const AttemptFacts& facts) { driver_.view().learn(facts); };
  hooks.joined = [this](const AgentFacts& agent) { driver_.view().learn(agent); };
  hooks.wanted = [this](AttemptId attempt) { return at_work(driver_.machine(), attempt); };
  hooks.warn = warn;
  WorkerLink::Options one;
  one.config = options.config;
  one.tag = static_cast<std::uint32_t>(XXH3_64bits(options.secret.data(), options.secret.size()));
  one.sync_every = options.sync_every;
  one.stats_every = options.stats_every;
  one.check = options.check;
  for (const std::string& worker : options.workers) {
    one.address = worker;
    one.link = LinkId{kFirstLink + workers_.size()};
    workers_.push_back(std::make_unique<WorkerLink>(io, one, hooks));
  }
}

void Manager::start() {
  for (const auto& worker : workers_) worker->start();
}

bool Manager::send(LinkId link, const msg::ToAgent& message) {
  if (link.value < kFirstLink) return false;
  const std::uint64_t index = link.value - kFirstLink;
  if (index < workers_.size()) workers_[index]->deliver(message);
  return true;
}

Json Manager::node(const WorkerLink& worker) const {
  const auto& stats = worker.stats();
  const Cluster& cluster = driver_.machine().cluster();
  const auto id = cluster.find(worker.address());
  Resources capacity;
  Resources allocated;
  std::size_t tasks = 0;
  if (id) {
    const ClusterNode& node = cluster.node(*id);
    capacity = node.known ? node.offer.capacity : Resources{};
    allocated = capacity;
    if (node.known) allocated -= node.room.free;
    tasks = node.tasks.size();
  }
  Json json;
  json["Name"] = worker.address();
  json["Ip"] = worker.address().substr(0, worker.address().rfind(':'));
  json["Api"] = "http://" + worker.address();
  json["Memory"] = stats ? stats->memory_kb : 0;
  json["MemoryAllocated"] = allocated.memory_bytes / 1024;
  json["Disk"] = stats ? stats->disk_bytes : 0;
  json["DiskAllocated"] = 0;
  json["Cores"] = capacity.cpu_m / kThread;
  json["Role"] = "worker";
  json["TaskCount"] = tasks;
  json["State"] = id ? std::string(name(cluster.node(*id).state)) : "unknown";
  json["Stats"] = stats ? stats->shown : Json();
  return json;
}

Json Manager::nodes() const {
  Json list = Json::array();
  for (const auto& worker : workers_) list.push_back(node(*worker));
  return list;
}

Result<std::vector<std::string>> worker_addresses(const std::string& list) {
  std::vector<std::string> all;
  Problems problems;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string one = list.substr(begin, end - begin);
    begin = end + 1;
    std::erase(one, ' ');
    if (one.empty()) continue;
    const auto parsed = http::parse_authority(one);
    if (!parsed || !parsed->has_port || parsed->port == 0)
      problems.push_back(
          {"--cube-workers", "'" + one + "' is no address", "HOST:PORT, such as worker-1:5556"});
    else if (std::ranges::find(all, one) != all.end())
      problems.push_back({"--cube-workers", "'" + one + "' is there twice", "each worker once"});
    else
      all.push_back(one);
  }
  if (all.empty() && problems.empty())
    problems.push_back({"--cube-workers", "names nobody", "HOST:PORT,HOST:PORT,..."});
  if (!problems.empty()) return problems;
  return all;
}

}  // namespace duet::live::cube
