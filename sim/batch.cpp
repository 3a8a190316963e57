#include "sim/batch.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/text_file.h"

extern char** environ;

namespace duet::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxText = 64 << 20;

std::string reason(int error) { return std::generic_category().message(error); }

/// A folder that goes away with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const fs::path base = fs::temp_directory_path(error);
    std::string pattern = ((error ? fs::path("/tmp") : base) / "duet-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Whoever interrupts this program means its children as well, and leaves no folder behind: while this lives,
/// signals wait until they are asked for. One that came ends the program, as it always does, when this goes.
class Interruptions {
 public:
  Interruptions() {
    sigemptyset(&waiting_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&waiting_, signal);
    ::sigprocmask(SIG_BLOCK, &waiting_, &before_);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() {
    if (caught_ != 0) ::raise(caught_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  /// Waits until a child may have ended, or a little while. False if an interruption came instead.
  bool wait() {
    const timespec little_while{0, 200'000'000};
    const int signal = ::sigtimedwait(&waiting_, nullptr, &little_while);
    if (signal > 0 && signal != SIGCHLD) caught_ = signal;
    return caught_ == 0;
  }
  /// For children: the signals as they were.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t waiting_{};
  sigset_t before_{};
  int caught_ = 0;
};

/// Where one run puts its results, and what it says.
struct Place {
  fs::path folder;
  fs::path said;
};

/// Starts the run of `item`. Returns its process, or -1 with errno set.
pid_t start(const std::string& program, const BatchItem& item, const Place& place, const sigset_t& signals) {
  const std::string said = place.said.string();
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> words = {program, "sim", "--engine", item.engine, "--out", place.folder.string()};
  words.insert(words.end(), item.options.begin(), item.options.end());
  words.insert(words.end(), {"--", item.scenario});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return child;
  errno = error;
  return -1;
}

void read_summary(const fs::path& path, BatchResult& result) {
  const auto text = read_text(path.string(), kMaxText);
  if (!text) return;
  Mistakes mistakes;
  const JsonDoc doc(path.string(), *text, mistakes);
  const JsonValue root = doc.root();
  if (!root) return;
  if (const JsonValue digest = root.member("digest")) result.digest = digest.string();
  if (const JsonValue steps = root.member("steps"))
    result.steps = std::strtoull(std::string(steps.raw()).c_str(), nullptr, 10);
  const JsonValue assertions = root.member("assertions");
  for (JsonValue item = assertions.first_child(); item; item = item.next_sibling()) {
    if (item.member("holds").boolean()) continue;
    result.failed_assertions.push_back(item.member("assertion").string() + ": it is " +
                                       std::string(item.member("actual").raw()));
  }
}

/// Puts a run's files where they belong, in the place of an earlier run's. What else lies there is not ours.
void move_results(const fs::path& from, const fs::path& to, std::error_code& error) {
  fs::create_directories(to, error);
  if (error) return;
  std::error_code ignored;
  for (const char* name : {"jobs.csv", "tasks.csv", "attempts.csv", "nodes.csv", "node_states.csv",
                           "summary.json", "run_info.json", "trace.duet", "trace.jsonl"})
    fs::remove(to / name, ignored);
  // The summary last: who finds it finds the rest.
  const fs::path last = "summary.json";
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error))
    if (it->path().filename() != last) fs::rename(it->path(), to / it->path().filename(), error);
  if (!error && fs::exists(from / last, ignored)) fs::rename(from / last, to / last, error);
}

BatchResult collect(const Place& place, const std::string& out, int status) {
  BatchResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  fs::path folder = place.folder;
  if (result.exit_code <= 1 && !out.empty()) {
    std::error_code error;
    move_results(folder, out, error);
    if (error) {
      result.exit_code = 2;
      result.said = out + ": the folder cannot be made: " + error.message() + '\n';
    }
    folder = out;
  }
  if (result.exit_code <= 1) {
    read_summary(folder / "summary.json", result);
  } else if (const auto said = read_text(place.said.string(), kMaxText); said && result.said.empty()) {
    result.said = *said;
  }
  result.trace = (folder / "trace.duet").string();
  return result;
}

/// The processes of a batch.
class Batch {
 public:
  Batch(const std::string& program, const std::vector<BatchItem>& items, const fs::path& temporary)
      : program_(program), items_(items), temporary_(temporary) {}

  bool all_started() const { return next_ == items_.size(); }
  std::size_t running() const { return running_.size(); }

  /// Starts the next one, or says why that cannot be.
  std::optional<Problem> start_next(const sigset_t& signals) {
    const std::size_t index = next_++;
    const Place place = place_of(index);
    std::error_code error;
    fs::remove_all(place.folder, error);
    fs::create_directories(place.folder, error);
    if (error) return Problem{place.folder.string(), "the folder cannot be made: " + error.message(), ""};
    const pid_t child = start(program_, items_[index], place, signals);
    if (child <= 0) return Problem{program_, "cannot be started: " + reason(errno), ""};
    running_.emplace(child, index);
    return std::nullopt;
  }

  void ended(pid_t child, int status, const std::function<void(std::size_t, const BatchResult&)>& finished) {
    const auto found = running_.find(child);
    if (found == running_.end()) return;
    const std::size_t index = found->second;
    running_.erase(found);
    finished(index, collect(place_of(index), items_[index].out, status));
    clear(index);
  }

  void stop() {
    int status = 0;
    for (const auto& [child, index] : running_) ::kill(child, SIGTERM);
    for (const auto& [child, index] : running_) {
      ::waitpid(child, &status, 0);
      clear(index);
    }
  }

 private:
  Place place_of(std::size_t index) const {
    const std::string& out = items_[index].out;
    const std::string number = std::to_string(index);
    return {out.empty() ? temporary_ / number : fs::path(out + ".part"), temporary_ / (number + ".said")};
  }
  void clear(std::size_t index) const {
    std::error_code ignored;
    fs::remove_all(place_of(index).folder, ignored);
    fs::remove(place_of(index).said, ignored);
  }

  const std::string& program_;
  const std::vector<BatchItem>& items_;
  const fs::path& temporary_;
  std::map<pid_t, std::size_t> running_;
  std::size_t next_ = 0;
};

}  // namespace

Problems run_batch(const std::string& program, const std::vector<BatchItem>& items, unsigned at_once,
                   const std::function<void(std::size_t, const BatchResult&)>& finished,
                   const std::function<void()>& tick) {
  Interruptions interruptions;  // first: a signal takes effect once the folder has gone
  const TemporaryFolder temporary;
  if (temporary.path().empty()) return {{"", "no temporary folder can be made: " + reason(errno), ""}};
  Batch batch(program, items, temporary.path());
  Problems problems;
  while (!batch.all_started() || batch.running() > 0) {
    if (!batch.all_started() && batch.running() < at_once && problems.empty()) {
      if (auto problem = batch.start_next(interruptions.before())) problems.push_back(std::move(*problem));
      continue;
    }
    if (batch.running() == 0) break;
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      batch.ended(ended, status, finished);
      continue;
    }
    if (tick) tick();
    if (interruptions.wait()) continue;
    batch.stop();
    return {{"", "interrupted", ""}};
  }
  return problems;
}

}  // namespace duet::sim
