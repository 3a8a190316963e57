#include "live/process/spawner.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/process/confinement.h"
#include "live/process/spawn_child.h"
#include "live/process/topology.h"

namespace duet::live {
namespace {

constexpr std::string_view kStandardPath = "/usr/local/bin:/usr/bin:/bin";

Problem failure(const std::string& where, const char* what, int error) {
  return {where, std::string(what) + ": " + std::strerror(error), ""};
}

/// Full paths that a program may have.
std::vector<std::string> candidates(const SpawnOrder& order) {
  const std::string& name = order.argv.front();
  if (name.find('/') != std::string::npos) return {name};
  std::string_view path = kStandardPath;
  for (const std::string& variable : order.env)
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto colon = std::min(path.find(':'), path.size());
    if (colon > 0) out.push_back(std::string(path.substr(0, colon)) + "/" + name);
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  Fd read;
  Fd write;
};

/// A pipe whose reading end does not block. Both ends are above the numbers of the standard streams.
Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failure("pipe", "cannot be made", errno);
  Pipe made{Fd(ends[0]), Fd(ends[1])};
  for (Fd* end : {&made.read, &made.write})
    if (end->get() < 3) *end = Fd(fcntl(end->get(), F_DUPFD_CLOEXEC, 3));
  if (!made.read || !made.write) return failure("pipe", "cannot be made", errno);
  fcntl(made.read.get(), F_SETFL, O_NONBLOCK);
  return made;
}

Problem why_not(const ChildPlan& plan, const SpawnOrder& order) {
  using Step = ChildPlan::Step;
  switch (plan.failed) {
    case Step::kExec:
      return failure(order.argv.front(), "cannot be started", plan.error);
    case Step::kDirectory:
      return failure(order.directory, "cannot be its directory", plan.error);
    case Step::kUser:
      return failure("user", "cannot be changed", plan.error);
    case Step::kGroup:
      return failure("control group", "cannot be joined", plan.error);
    case Step::kConfine:
      return failure("Landlock", "cannot be entered", plan.error);
    case Step::kParent:
      return {"runner", "has ended meanwhile", ""};
    default:
      return failure("process", "cannot be prepared", plan.error);
  }
}

void reap(const Fd& pidfd) {
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0 && errno == EINTR) continue;
}

}  // namespace

/// One pinned thread, with what its children inherit.
class Spawner::Thread {
 public:
  Thread(const SpawnerOptions& options, std::vector<std::uint32_t> cpus)
      : options_(options), cpus_(std::move(cpus)), thread_([this] { begin(); }) {}

  void post(SerialThread::Job job) { thread_.post(std::move(job)); }
  Result<std::shared_ptr<Spawned>> start(const SpawnOrder& order);

 private:
  void begin();
  bool pin();

  const SpawnerOptions& options_;
  const std::vector<std::uint32_t> cpus_;
  std::optional<Problem> broken_;  ///< Why this thread cannot start anything.
  Fd nothing_;                     ///< /dev/null
  Fd domain_;
  std::uint64_t altered_signals_ = 0;  ///< Asked once: a program alters them when it begins.
  ChildStack stack_;
  SerialThread thread_;  // Last: it uses the others.
};

bool Spawner::Thread::pin() {
  if (cpus_.empty()) return true;
  const std::size_t count = cpus_.back() + 1;
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(count),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  const std::size_t bytes = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(bytes, set.get());
  for (const std::uint32_t cpu : cpus_) CPU_SET_S(cpu, bytes, set.get());
  return sched_setaffinity(0, bytes, set.get()) == 0;
}

void Spawner::Thread::begin() {
  if (options_.enter) options_.enter(cpus_);
  altered_signals_ = altered_signals();
  if (!pin()) broken_ = failure("processors " + processor_list(cpus_), "cannot be had", errno);
  nothing_ = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!options_.confine) return;
  domain_ = make_domain_rules();
  if (const auto filtered = install_call_filter(); !filtered) broken_ = filtered.problems().front();
}

Result<std::shared_ptr<Spawned>> Spawner::Thread::start(const SpawnOrder& order) {
  if (broken_) return *broken_;
  if (order.argv.empty() || order.argv.front().empty())
    return Problem{"argv", "names no program", "a program and its arguments"};
  std::vector<int> groups;
  if (order.prepare) {
    auto made = order.prepare();
    if (!made) return made.problems();
    groups = std::move(*made);
  }
  auto out = make_pipe();
  if (!out) return out.problems();
  auto err = make_pipe();
  if (!err) return err.problems();
  const std::vector<std::string> programs = candidates(order);
  ChildPlan plan;
  for (const std::string& program : programs) plan.programs.push_back(program.c_str());
  plan.argv = pointers(order.argv);
  plan.env = pointers(order.env);
  plan.directory = order.directory.c_str();
  plan.altered_signals = altered_signals_;
  plan.enter_first = order.own_directory;
  plan.groups = std::move(groups);
  plan.in = nothing_.get();
  plan.out = out->write.get();
  plan.err = err->write.get();
  plan.domain = domain_.get();
  plan.change_user = options_.uid.has_value();
  plan.uid = options_.uid.value_or(0);
  plan.gid = options_.gid.value_or(plan.uid);
  plan.parent = getpid();
  auto spawned = std::make_shared<Spawned>();
  const pid_t pid = start_child(plan, stack_, spawned->pidfd);
  if (pid < 0) return failure("process", "cannot be made", -pid);
  if (plan.failed != ChildPlan::Step::kNone) {
    reap(spawned->pidfd);
    return why_not(plan, order);
  }
  spawned->pid = pid;
  spawned->out = std::move(out->read);
  spawned->err = std::move(err->read);
  return spawned;
}

Spawner::Spawner(asio::io_context& io, SpawnerOptions options) : io_(io), options_(std::move(options)) {}

Spawner::~Spawner() { *alive_ = false; }

void Spawner::spawn(SpawnOrder order, Done done) {
  std::ranges::sort(order.cpus);
  auto& thread = threads_[order.cpus];
  if (!thread) thread = std::make_unique<Thread>(options_, order.cpus);
  auto work = std::make_shared<std::pair<SpawnOrder, Done>>(std::move(order), std::move(done));
  thread->post([this, on = thread.get(), work, alive = alive_] {
    auto result = on->start(work->first);
    work->first.prepare = {};
    boost::asio::post(io_, [work, alive, result = std::move(result)]() mutable {
      if (*alive) work->second(std::move(result));
    });
  });
}

}  // namespace duet::live
