#include "live/process/runner.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/decode.h"
#include "live/process/confinement.h"
#include "live/process/process_tree.h"

namespace duet::live {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
/// What a sample may take for reading processor times, and for looking at processes one by one. Whoever is
/// not reached comes first in the next sample.
constexpr auto kMeasures = std::chrono::microseconds(400);
constexpr auto kCloserLooks = std::chrono::microseconds(200);
/// Ends that nobody asked for keep a runner so much longer than nothing does.
constexpr std::int64_t kPatienceWithEnds = 60;

bool same_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid != geteuid() && peer.uid != 0) return false;
  // Where tasks run as this runner's user, they may not play its agent.
  const auto tasks = descendants_of(getpid());
  return std::ranges::find(tasks, std::int64_t{peer.pid}) == tasks.end();
}

Problem runner_problem(const std::string& where, const char* what) {
  return {where, std::string(what) + ": " + std::strerror(errno), ""};
}

/// Begins the environment of tasks of this folder, so that left-overs can be told without control groups.
std::string node_mark(const RunnerOptions& options) { return "DUET_NODE=" + options.node; }

}  // namespace

Runner::Runner(asio::io_context& io, RunnerOptions options, std::function<void()> ended)
    : io_(io),
      options_(std::move(options)),
      ended_(std::move(ended)),
      acceptor_(io),
      grace_(io),
      ticks_(io) {}

Runner::~Runner() {
  if (client_) client_->close();
  invocations_.clear();
  attempts_.clear();
  // Its threads stand in the groups, and what the writer has still to do removes some.
  spawner_.reset();
  logs_.reset();
  folders_.reset();
  groups_.reset();
  if (folder_ && acceptor_.is_open()) unlinkat(folder_.get(), "runner.sock", 0);
}

Result<bool> Runner::take_folder() {
  std::error_code ignored;
  std::filesystem::create_directories(options_.folder, ignored);
  folder_ = Fd(open(options_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) return runner_problem(options_.folder, "cannot be used");
  lock_ = Fd(openat(folder_.get(), "runner.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return runner_problem(options_.folder + "/runner.lock", "cannot be used");
  // One that is just ending needs a moment.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > deadline)
      return Problem{options_.folder, "is used by another runner", "a folder of its own for each node"};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void Runner::end_left_overs() {
  // With control groups they are found there; else by what they began with, which they may have hidden.
  if (groups_->mode() != "none") return;
  const std::string mark = node_mark(options_);
  const std::string folder = "DUET_FOLDER=" + options_.folder;
  kill_listed(processes_with(folder),
              [&](std::int64_t pid) { return has_variable(pid, folder) && has_variable(pid, mark); });
}

Result<bool> Runner::begin() {
  const auto user = find_user(options_.user);
  if (!user) return user.problems();
  user_ = *user;
  if (const auto taken = take_folder(); !taken) return taken;
  groups_ = std::make_unique<ControlGroups>(group_name(options_), options_.plain ? "none" : options_.cgroups);
  end_left_overs();
  words_ = options_.plain ? "nothing: tasks are plain programs" : groups_->words() + "; " + domain_words();
  folders_ = std::make_unique<TaskFolders>(options_.folder, user_);
  logs_ = std::make_unique<LogWriter>(options_.folder, options_.logs);
  SpawnerOptions spawner;
  spawner.confine = !options_.plain;
  if (user_) {
    spawner.uid = user_->uid;
    spawner.gid = user_->gid;
  }
  spawner.enter = [groups = groups_.get()](const auto& cpus) { groups->stay_on(cpus); };
  spawner_ = std::make_unique<Spawner>(io_, std::move(spawner));
  ports_.emplace(options_.port_base);
  unlinkat(folder_.get(), "runner.sock", 0);
  const asio::local::stream_protocol::endpoint address(runner::socket_path(folder_.get()));
  boost::system::error_code error;
  acceptor_.open(address.protocol(), error);
  const mode_t before = umask(0177);
  if (!error) acceptor_.bind(address, error);
  umask(before);
  if (!error) acceptor_.listen(16, error);
  if (error)
    return Problem{options_.folder + "/runner.sock", "cannot be listened on: " + error.message(), ""};
  accept();
  tick();
  return true;
}

void Runner::accept() {
  acceptor_.async_accept(
      [this](const boost::system::error_code& error, asio::local::stream_protocol::socket socket) {
        if (error == boost::asio::error::operation_aborted) return;
        if (!error && same_user(socket.native_handle()))
          welcome(wire::FramedSocket::Socket(std::move(socket)));
        accept();
      });
}

void Runner::welcome(wire::FramedSocket::Socket socket) {
  if (client_) {
    client_->send(runner::Answer(runner::Replaced{}));
    client_->finish();
  }
  client_ = wire::FramedSocket::make(std::move(socket));
  client_->start({[this](auto bytes) { receive(bytes); }, [this](const std::string&) { client_left(); }});
}

void Runner::client_left() {
  client_.reset();
  idle_s_ = -1;
}

void Runner::send(const runner::Answer& answer) {
  if (client_) client_->send(answer);
}

void Runner::receive(std::span<const std::uint8_t> bytes) {
  runner::Request request;
  if (!codec::decode_exactly(bytes, request)) {
    runner::Listed listed;
    listed.refusal = "what the agent says is not understood: it is of another release";
    send(listed);
    client_->finish();
    return client_left();
  }
  std::visit([this](const auto& body) { on(body); }, request);
}

void Runner::on(const runner::List& request) {
  runner::Listed listed;
  if (request.protocol != runner::kProtocol)
    listed.refusal = "the agent speaks protocol " + std::to_string(request.protocol) + ", its runner " +
                     std::to_string(runner::kProtocol);
  if (shutting_down_) listed.refusal = "it is shutting down";
  if (listed.refusal.empty()) {
    for (const auto& [id, attempt] : attempts_) {
      attempt->forget_probe();  // An earlier agent asked.
      listed.adopted.push_back(attempt->adopted());
      listed.facts.push_back(attempt->facts());
    }
    for (const auto& [id, invocation] : invocations_) {
      listed.adopted.push_back(invocation->adopted());
      listed.facts.push_back(invocation->facts());
    }
    std::ranges::sort(listed.adopted, {}, &agent::Adopted::attempt);
    std::ranges::sort(listed.facts, {}, &AttemptFacts::attempt);
    listed.words = words_;
  }
  const bool taken = listed.refusal.empty();
  send(listed);
  if (!taken) return;
  // The agent that comes does not know who asked the one before.
  for (const auto& [id, attempt] : attempts_) ask_for(id);
}

void Runner::on(const runner::Launch& request) {
  const AttemptId id = request.order.attempt;
  // It was on its way when this was told to stop: nobody's fault, and nothing has run.
  if (shutting_down_) return send(agent::Exited{id, Outcome::kLost, 0});
  if (request.order.worker) return invoke(request.order);
  auto& attempt = attempts_[id];
  if (attempt) return;  // It has been started: an agent says so once.
  Attempt::Hooks hooks;
  hooks.started = [this, id] {
    // As with ends: whoever hears that it runs knows its pid and its ports.
    send(attempts_.at(id)->facts());
    send(agent::Started{id});
    ask_for(id);
  };
  hooks.ended = [this, id] { attempt_ended(id); };
  hooks.orphans = [this, id] { return orphans_for(id); };
  const RunnerParts parts{io_, options_, *spawner_, *folders_, *groups_, *logs_, *ports_};
  attempt = std::make_unique<Attempt>(parts, request, std::move(hooks));
  attempt->start();
}

void Runner::on(const agent::Terminate& request) {
  const auto it = attempts_.find(request.attempt);
  if (it != attempts_.end()) it->second->terminate(request);
  const auto operation = invocations_.find(request.attempt);
  if (operation != invocations_.end()) operation->second->terminate(request);
}

void Runner::on(const agent::Forget& request) {
  const auto it = attempts_.find(request.attempt);
  if (it != attempts_.end() && it->second->has_ended()) attempts_.erase(it);
  const auto operation = invocations_.find(request.attempt);
  if (operation != invocations_.end() && operation->second->has_ended()) invocations_.erase(operation);
}

void Runner::on(const msg::Keep& request) {
  const AttemptId id{request.task.task, request.task.attempt};
  if (const auto it = attempts_.find(id); it != attempts_.end()) it->second->keep(request);
  if (const auto it = invocations_.find(id); it != invocations_.end()) it->second->keep(request);
}

void Runner::on(const runner::Sample& request) {
  in_turn(looked_at_, kCloserLooks, [](Attempt& attempt) { attempt.look_closely(); });
  runner::Samples samples;
  samples.number = request.number;
  in_turn(measured_, kMeasures, [&](const Attempt& attempt) {
    if (!attempt.has_ended()) samples.facts.push_back(attempt.facts());
  });
  send(samples);
}

/// With a thousand attempts, one round would keep everything else waiting: those behind `last` come first,
/// and the rest as far as `budget` goes.
template <class Look>
void Runner::in_turn(AttemptId& last, std::chrono::microseconds budget, Look look) {
  const auto until = std::chrono::steady_clock::now() + budget;
  auto next = attempts_.upper_bound(last);
  for (std::size_t i = 0; i < attempts_.size(); ++i, ++next) {
    if (next == attempts_.end()) next = attempts_.begin();
    look(*next->second);
    last = next->first;
    if (std::chrono::steady_clock::now() > until) break;
  }
}

void Runner::on(const agent::Probe& request) {
  const auto it = attempts_.find(request.attempt);
  if (it == attempts_.end()) return;  // Its agent does not wait for ever.
  it->second->probe(request, [this, request](bool healthy) {
    send(agent::Probed{request.attempt, request.number, healthy});
  });
}

void Runner::on(const runner::ShutDown& request) { shut_down(request.grace); }

void Runner::attempt_ended(AttemptId id) {
  const Attempt& attempt = *attempts_.at(id);
  // The reason first: whoever hears of the end can then say why.
  send(attempt.facts());
  send(attempt.exited());
  if (attempt.left_orphans()) reap();
  for (const auto& [operation, invocation] : invocations_)
    if (invocation->worker() == id) invocation->worker_ended();
  // The attempt is in this call.
  if (shutting_down_) boost::asio::post(io_, [this] { end_if_done(); });
}

/// An operation: one of the attempts executes it.
void Runner::invoke(const agent::Launch& order) {
  const AttemptId id = order.attempt;
  auto& invocation = invocations_[id];
  if (invocation) return;
  Invocation::Hooks hooks;
  hooks.worker = [this, worker = *order.worker]() -> std::optional<WorkerAddress> {
    const auto at = attempts_.find(worker);
    return at == attempts_.end() ? std::nullopt : at->second->worker_address();
  };
  hooks.started = [this, id] { send(agent::Started{id}); };
  hooks.ended = [this, id] { invocation_ended(id); };
  hooks.end_worker = [this, worker = *order.worker] {
    const auto at = attempts_.find(worker);
    if (at != attempts_.end()) at->second->kill();
  };
  invocation = std::make_unique<Invocation>(io_, *logs_, order, std::move(hooks));
  invocation->start();
}

void Runner::invocation_ended(AttemptId id) {
  const Invocation& invocation = *invocations_.at(id);
  send(invocation.facts());
  send(invocation.exited());
  ask_for(invocation.worker());
  if (shutting_down_) boost::asio::post(io_, [this] { end_if_done(); });
}

bool Runner::has_operations(AttemptId worker) const {
  return std::ranges::any_of(invocations_, [&](const auto& one) {
    return one.second->worker() == worker && !one.second->has_ended();
  });
}

/// A worker that pulls wants an operation when it has none.
void Runner::ask_for(AttemptId worker) {
  const auto at = attempts_.find(worker);
  if (at != attempts_.end() && at->second->pulls() && !has_operations(worker)) send(agent::Asked{worker});
}

bool Runner::is_program(std::int64_t pid) const {
  return std::ranges::any_of(
      attempts_, [&](const auto& one) { return one.second->pid() == pid || one.second->probe_pid() == pid; });
}

/// Asked at each end, so no file is read of what is known: thousands may run.
std::vector<std::int64_t> Runner::orphans_for(AttemptId asking) const {
  std::set<std::int64_t> programs;
  for (const auto& [id, attempt] : attempts_) {
    // What is just being started is a child that nobody knows yet.
    if (attempt->is_starting()) return {};
    programs.insert({attempt->pid(), attempt->probe_pid()});
  }
  std::vector<std::int64_t> unknown = children_of(getpid());
  std::erase_if(unknown, [&](std::int64_t pid) { return programs.contains(pid); });
  if (unknown.empty()) return unknown;
  std::set<std::string> others;
  for (const auto& [id, attempt] : attempts_)
    if (id != asking && !attempt->has_ended()) others.insert(attempt->mark());
  std::erase_if(unknown, [&](std::int64_t pid) {
    return std::ranges::any_of(variables_of(pid), [&](const auto& one) { return others.contains(one); });
  });
  return unknown;
}

bool Runner::runs_something() const {
  const auto runs = [](const auto& one) { return !one.second->has_ended(); };
  return std::ranges::any_of(attempts_, runs) || std::ranges::any_of(invocations_, runs);
}

void Runner::shut_down(Duration grace) {
  if (std::exchange(shutting_down_, true)) return;
  const auto end_all = [this](bool force) {
    for (const auto& [id, attempt] : attempts_)
      if (!attempt->has_ended()) attempt->terminate({id, force, Outcome::kLost});
    for (const auto& [id, invocation] : invocations_)
      if (!invocation->has_ended()) invocation->terminate({id, force, Outcome::kLost});
  };
  end_all(grace <= Duration{0});
  grace_.expires_after(grace);
  grace_.async_wait([end_all](const boost::system::error_code& error) {
    if (!error) end_all(true);
  });
  boost::asio::post(io_, [this] { end_if_done(); });
}

void Runner::end_if_done() {
  if (!shutting_down_ || runs_something()) return;
  grace_.cancel();
  ticks_.cancel();
  ended_();
}

/// Takes away orphans that have ended.
void Runner::reap() {
  const bool starting =
      std::ranges::any_of(attempts_, [](const auto& one) { return one.second->is_starting(); });
  // A program that is being started is a child whose end must not be taken away: nobody knows it yet.
  if (!starting) reap_orphans([this](std::int64_t pid) { return is_program(pid); });
}

/// Once a second: orphans, and whether anybody still needs this.
void Runner::tick() {
  reap();
  idle_s_ = client_ || runs_something() ? -1 : idle_s_ + 1;
  const std::int64_t patience =
      attempts_.empty() && invocations_.empty() ? options_.linger_s : options_.linger_s * kPatienceWithEnds;
  if (idle_s_ > patience) return shut_down(Duration{0});
  ticks_.expires_after(kTick);
  ticks_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

}  // namespace duet::live
