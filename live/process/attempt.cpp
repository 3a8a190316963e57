#include "live/process/attempt.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <random>
#include <string_view>
#include <utility>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec/json_text.h"
#include "live/process/process_tree.h"
#include "live/program/folder.h"

namespace duet::live {
namespace {

constexpr auto kFirstPause = std::chrono::milliseconds(1);
constexpr auto kLongestPause = std::chrono::milliseconds(50);
/// How long processes that were killed may take to go, and their pipes to end.
constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::int32_t kNotFound = 127;  // As shells have it; and what is there but cannot be executed:
constexpr std::int32_t kNotStarted = 126;

/// "17.0#1"
std::string written(AttemptId attempt) {
  return std::to_string(attempt.task.job.value) + "." + std::to_string(attempt.task.index) + "#" +
         std::to_string(attempt.number);
}

std::string seconds_text(Duration duration) {
  const std::int64_t ns = to_ns(duration);
  std::string fraction = std::to_string(ns % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(ns / 1'000'000'000) + "." + fraction;
}

std::string signal_text(int signal) {
  const char* const name = sigabbrev_np(signal);
  const std::string which = name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
  return "ended by " + which + " (" + strsignal(signal) + ")";
}

/// What a worker's callers must know.
Secret draw_token() {
  std::random_device device;
  std::string text;
  for (int i = 0; i < 4; ++i) codec::append_hex(text, std::uint64_t{device()} << 32U | device());
  return Secret(std::move(text));
}

std::int64_t ns_of(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1000;
}

}  // namespace

Attempt::Attempt(const RunnerParts& parts, runner::Launch order, Hooks hooks)
    : parts_(parts),
      order_(std::move(order)),
      hooks_(std::move(hooks)),
      group_(std::make_shared<std::shared_ptr<ControlGroup>>()),
      pidfd_(parts.io),
      timer_(parts.io) {}

Attempt::~Attempt() {
  *alive_ = false;
  // release() takes it out of epoll: a child that is just starting may still hold a copy.
  if (pidfd_.is_open()) ::close(pidfd_.release());
  parts_.ports.give_back(ports_);
}

std::string Attempt::mark() const { return "DUET_TASK=" + written(id()); }

std::optional<Problem> Attempt::read_command() {
  const Work& work = order_.order.work;
  if (work.payload == nullptr || work.payload->empty()) {
    if (work.duration == Duration{0}) {
      command_.argv = {"true"};
    } else {
      command_.argv = {"sleep", seconds_text(work.duration)};
    }
    return std::nullopt;
  }
  auto command = command_from_payload(*work.payload);
  if (!command) {
    Problem first = command.problems().front();
    first.where = "payload" + first.where;
    return first;
  }
  if (!command->image.empty())
    return Problem{"image " + command->image, "cannot be run: there is no container engine", ""};
  command_ = std::move(*command);
  if (command_.worker) {
    if (command_.argv.empty()) command_.argv = {beside_this("duet-worker")};
    command_.ports = std::max(command_.ports, 1U);
    worker_token_ = draw_token();
  }
  if (command_.argv.front() == kWorkloadProgram) {
    if (parts_.options.workload.empty())
      return Problem{"workload", "is not known: this node was given none",
                     "an agent with --workload PROGRAM"};
    std::vector<std::string> argv = parts_.options.workload;
    argv.insert(argv.end(), command_.argv.begin() + 1, command_.argv.end());
    command_.argv = std::move(argv);
  }
  return std::nullopt;
}

/// Whoever does not read its environment learns its port from its arguments.
void Attempt::put_in_port() {
  if (ports_.empty() || parts_.options.workload.empty() ||
      command_.argv.front() != parts_.options.workload[0])
    return;
  constexpr std::string_view kPlace = "{port}";
  for (std::string& word : command_.argv)
    if (const auto at = word.find(kPlace); at != std::string::npos)
      word.replace(at, kPlace.size(), std::to_string(ports_.front()));
}

std::vector<std::string> Attempt::environment() const {
  std::map<std::string, std::string> all = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                            {"HOME", command_.directory}};
  for (const auto& [name, value] : command_.env) all[name] = value;
  for (std::size_t i = 0; i < ports_.size(); ++i)
    all[i == 0 ? "PORT" : "PORT" + std::to_string(i)] = std::to_string(ports_[i]);
  all["DUET_TASK"] = written(id());
  all["DUET_NODE"] = parts_.options.node;
  all["DUET_FOLDER"] = parts_.options.folder;
  if (command_.worker) all["DUET_WORKER_TOKEN"] = std::string(worker_token_.reveal());
  all["DUET_REPLICA_ID"] = "replica-" + std::to_string(id().task.index);
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

void Attempt::start() {
  if (const auto problem = read_command()) return fail(*problem, kNotStarted);
  const ThreadSet& threads = order_.order.threads;
  const bool by_slot = command_.worker && command_.worker->slot_port && !threads.empty();
  auto ports =
      parts_.ports.take(command_.ports, by_slot ? parts_.options.port_base + 1 + threads.lowest() : 0);
  if (!ports) return fail(ports.problems().front(), kNotStarted);
  ports_ = std::move(*ports);
  put_in_port();
  const agent::Launch& launch = order_.order;
  const std::int64_t whole = std::int64_t{std::max(launch.threads.size(), 1U)} * kThread;
  limits_.cpus = order_.cpus;
  limits_.cpu_m = launch.cpu_m < whole ? launch.cpu_m : 0;
  limits_.memory_bytes = command_.memory_bytes > 0 ? command_.memory_bytes : parts_.options.memory_bytes;
  limits_.processes = parts_.options.processes;

  SpawnOrder spawn;
  spawn.argv = command_.argv;
  spawn.own_directory = own_folder_ = command_.directory.empty();
  const std::string name = attempt_folder_name(id());
  if (own_folder_) command_.directory = parts_.folders.path(name);
  spawn.directory = command_.directory;
  spawn.env = environment();
  if (!parts_.options.plain) spawn.cpus = order_.cpus;
  // The spawning thread may outlive this: it gets copies, and what is shared among runners' attempts.
  spawn.prepare = [groups = &parts_.groups, group = group_, limits = limits_, own = own_folder_, name,
                   folders = &parts_.folders]() -> Result<std::vector<int>> {
    if (own)
      if (auto problem = folders->make(name)) return *problem;
    auto made = groups->make(limits);
    if (!made) return made.problems();
    *group = std::move(*made);
    return *group ? (*group)->join_files() : std::vector<int>();
  };
  parts_.spawner.spawn(std::move(spawn), [this, alive = alive_](auto result) {
    if (*alive) on_spawned(std::move(result));
  });
}

void Attempt::on_spawned(Result<std::shared_ptr<Spawned>> result) {
  if (!result) {
    const Problem& problem = result.problems().front();
    return fail(problem, problem.what.ends_with(std::strerror(ENOENT)) ? kNotFound : kNotStarted);
  }
  Spawned& spawned = **result;
  phase_ = Phase::kRunning;
  begun_ = Clock::now();
  pid_ = spawned.pid;
  pidfd_.assign(spawned.pidfd.release());
  const auto drained = [this] {
    --open_pipes_;
    finish_if_drained();
  };
  open_pipes_ = 2;
  out_ = std::make_unique<OutputPipe>(parts_.io, parts_.logs, parts_.logs.open(id(), LogStream::kStdout),
                                      std::move(spawned.out), drained);
  err_ = std::make_unique<OutputPipe>(parts_.io, parts_.logs, parts_.logs.open(id(), LogStream::kStderr),
                                      std::move(spawned.err), drained);
  hooks_.started();
  watch();
  if (forced_) {
    kill_all();
  } else if (ordered_) {
    signal_group(SIGTERM);
  }
}

void Attempt::watch() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this, alive = alive_](const boost::system::error_code& error) {
                      if (*alive && !error) reap();
                    });
}

void Attempt::reap() {
  siginfo_t info{};
  rusage used{};
  if (syscall(SYS_waitid, P_PIDFD, pidfd_.native_handle(), &info, WEXITED | WNOHANG, &used) != 0 ||
      info.si_pid == 0)
    return watch();  // Not yet.
  reaped_ = true;
  probe_.reset();
  ::close(pidfd_.release());
  cpu_ns_ = ns_of(used.ru_utime) + ns_of(used.ru_stime);
  exit_code_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  outcome_ = exit_code_ == 0 ? Outcome::kSucceeded : Outcome::kFailed;
  if (exit_code_ < 0) reason_ = signal_text(-exit_code_);
  phase_ = Phase::kEnding;
  patience_ends_ = Clock::now() + kPatience;
  pause_ = kFirstPause;
  end_rest();
}

/// Its program has ended, so all that it left behind is ended too.
void Attempt::end_rest() {
  if (something_is_left()) {
    left_ = true;
    kill_all();
    if (Clock::now() < patience_ends_) return wait_then_end_rest();
    reason_ += (reason_.empty() ? "" : "; ") + std::string("some of its processes cannot be killed");
  }
  finish_if_drained();
  // A pipe may be held by somebody who got it from the attempt and is none of it.
  if (phase_ == Phase::kEnded) return;
  timer_.expires_after(kLongestPause * 20);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!*alive || error) return;
    if (out_) out_->give_up();
    if (*alive && err_) err_->give_up();
  });
}

void Attempt::wait_then_end_rest() {
  timer_.expires_after(pause_);
  pause_ = std::min<Clock::duration>(pause_ * 2, kLongestPause);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) end_rest();
  });
}

void Attempt::finish_if_drained() {
  if (phase_ != Phase::kEnding || open_pipes_ > 0) return;
  // Who is being killed closes the pipes first and is gone later: end_rest() asks again.
  if (Clock::now() < patience_ends_ && something_is_left()) return;
  finish();
}

/// What has ended and waits for its parent's look holds nothing any more.
bool Attempt::something_is_left() const {
  return *group_ ? !(*group_)->empty() : !std::ranges::all_of(rest(), is_gone);
}

void Attempt::finish() {
  timer_.cancel();
  phase_ = Phase::kEnded;
  out_.reset();
  err_.reset();
  if (*group_) {
    cpu_ns_ = (*group_)->cpu_ns().value_or(cpu_ns_);
    if ((*group_)->out_of_memory() > 0)
      reason_ = "out of memory: it may have " + std::to_string(limits_.memory_bytes / kMiB) + " MiB";
    if ((*group_)->empty()) parts_.groups.put_back(*group_, limits_);
    // Removing a group, if that was not kept, takes a while.
    parts_.logs.post([group = std::exchange(*group_, nullptr)] {});
  }
  parts_.ports.give_back(std::exchange(ports_, {}));
  if (own_folder_)
    parts_.logs.post(
        [folders = &parts_.folders, name = attempt_folder_name(id())] { folders->remove(name); });
  parts_.logs.ended(id());
  hooks_.ended();
}

void Attempt::fail(const Problem& problem, std::int32_t code) {
  outcome_ = Outcome::kLaunchFailed;
  exit_code_ = code;
  reason_ = problem.where + (problem.where.empty() ? "" : " ") + problem.what;
  if (!problem.right.empty()) reason_ += "; right would be " + problem.right;
  finish();
}

void Attempt::terminate(const agent::Terminate& order) {
  if (!ordered_) ordered_ = order.why;
  forced_ = forced_ || order.force;
  if (phase_ != Phase::kRunning) return;
  if (forced_) {
    kill_all();
  } else {
    signal_group(SIGTERM);
  }
}

/// The program leads a session of its own, and so a process group; its number is not given away before
/// reap().
void Attempt::signal_group(int signal) const { ::kill(static_cast<pid_t>(-pid_), signal); }

/// Without control groups: its descendants, and orphans that are none of another attempt that runs.
std::vector<std::int64_t> Attempt::rest() const {
  std::vector<std::int64_t> found;
  if (!reaped_) found = descendants_of(pid_);
  for (const std::int64_t orphan : hooks_.orphans()) {
    found.push_back(orphan);
    for (const std::int64_t child : descendants_of(orphan)) found.push_back(child);
  }
  return found;
}

void Attempt::kill_all() {
  if (*group_) return (*group_)->kill();
  const auto all = rest();
  // Their parents are asked again: a number that was given away since belongs to somebody else's child.
  kill_listed(all, [&](std::int64_t pid) {
    const auto now = rest();
    return std::ranges::find(now, pid) != now.end();
  });
  if (!reaped_) syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

std::optional<WorkerAddress> Attempt::worker_address() const {
  if (!command_.worker || ports_.empty() || phase_ != Phase::kRunning) return std::nullopt;
  return WorkerAddress{static_cast<std::uint16_t>(ports_.front()), worker_token_};
}

void Attempt::probe(const agent::Probe& order, std::function<void(bool healthy)> done) {
  if (phase_ != Phase::kRunning || ordered_) return;
  // Its payload names nothing to ask: that it runs is all that can be known.
  if (command_.health.kind == HealthQuestion::Kind::kNone)
    return boost::asio::post(parts_.io, [done = std::move(done)] { done(true); });
  HealthProbe::Question question;
  question.what = command_.health;
  question.timeout = order.timeout;
  if (command_.health.port < ports_.size())
    question.port = static_cast<std::uint16_t>(ports_[command_.health.port]);
  SpawnOrder& program = question.program;
  program.directory = command_.directory;
  program.own_directory = own_folder_;
  program.env = environment();
  program.cpus = order_.cpus;
  // In its control group, so that what it takes is the task's, and it ends with the task.
  program.prepare = [group = *group_]() -> Result<std::vector<int>> {
    return group ? group->join_files() : std::vector<int>();
  };
  probe_.reset();
  probe_ = HealthProbe::start(parts_.io, parts_.spawner, std::move(question), std::move(done));
}

agent::Adopted Attempt::adopted() const {
  agent::Adopted out;
  out.attempt = id();
  out.worker = order_.order.worker;
  out.ordered = ordered_;
  out.running = !has_ended();
  out.outcome = outcome_;
  out.exit_code = exit_code_;
  out.kept = kept_;
  if (has_ended()) out.cpu = Duration(cpu_ns_);
  const auto gone = phase_ == Phase::kStarting ? Clock::duration::zero() : Clock::now() - begun_;
  const auto ran = std::chrono::duration_cast<Duration>(gone);
  out.health = order_.order.work.health;
  if (out.health) out.health->start_period = std::max(out.health->start_period - ran, Duration{0});
  if (const Duration timeout = order_.order.timeout; timeout > Duration{0}) {
    out.timeout_left = std::max(timeout - ran, Duration{1});
  }
  return out;
}

AttemptFacts Attempt::facts() const {
  AttemptFacts facts;
  facts.attempt = id();
  facts.pid = pid_;
  if (!parts_.options.plain) facts.cpus = order_.cpus;
  facts.ports = ports_;
  facts.cpu_ns = cpu_ns_;
  facts.reason = reason_;
  if (phase_ != Phase::kRunning) return facts;
  facts.memory = memory_;
  facts.strayed = strayed_;
  if (const auto counted = *group_ ? (*group_)->cpu_ns() : std::nullopt) {
    facts.cpu_ns = *counted;
  } else {
    facts.cpu_ns = 0;
    for (const std::int64_t pid : processes()) facts.cpu_ns += cpu_ns_of(pid);
  }
  return facts;
}

std::vector<std::int64_t> Attempt::processes() const {
  if (*group_) return (*group_)->members();
  std::vector<std::int64_t> all = descendants_of(pid_);
  all.push_back(pid_);
  return all;
}

void Attempt::look_closely() {
  if (phase_ != Phase::kRunning) return;
  memory_ = 0;
  strayed_ = 0;
  for (const std::int64_t pid : processes()) {
    memory_ += resident_bytes(pid);
    strayed_ += !parts_.options.plain && !order_.cpus.empty() && !keeps_to(pid, order_.cpus) ? 1 : 0;
  }
}

}  // namespace duet::live
