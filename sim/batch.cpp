#include "sim/batch.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
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
  /// Waits until a child may have ended. False if an interruption came instead.
  bool wait() {
    const int signal = ::sigwaitinfo(&waiting_, nullptr);
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

/// Starts the run of `item` with its results and its words in `folder`. Returns its process, or -1 with errno
/// set.
pid_t start(const std::string& program, const BatchItem& item, const fs::path& folder,
            const sigset_t& signals) {
  const std::string said = (folder / "said").string();
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::vector<std::string> words = {program, "sim",           "--engine", item.engine,
                                    "--out", folder.string(), "--",       item.scenario};
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

BatchResult collect(const fs::path& folder, int status) {
  BatchResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (result.exit_code <= 1) {
    read_summary(folder / "summary.json", result);
  } else if (const auto said = read_text((folder / "said").string(), kMaxText)) {
    result.said = *said;
  }
  result.trace = (folder / "trace.duet").string();
  return result;
}

}  // namespace

Problems run_batch(const std::string& program, const std::vector<BatchItem>& items, unsigned at_once,
                   const std::function<void(std::size_t, const BatchResult&)>& finished) {
  Interruptions interruptions;  // first: a signal takes effect once the folder has gone
  const TemporaryFolder temporary;
  if (temporary.path().empty()) return {{"", "no temporary folder can be made: " + reason(errno), ""}};
  const auto folder_of = [&](std::size_t index) { return temporary.path() / std::to_string(index); };
  std::map<pid_t, std::size_t> running;
  std::size_t next = 0;
  Problems problems;
  while (next < items.size() || !running.empty()) {
    if (next < items.size() && running.size() < at_once && problems.empty()) {
      std::error_code error;
      fs::create_directory(folder_of(next), error);
      const pid_t child = error ? -1 : start(program, items[next], folder_of(next), interruptions.before());
      if (child > 0)
        running.emplace(child, next);
      else
        problems.push_back({program, "cannot be started: " + (error ? error.message() : reason(errno)), ""});
      ++next;
      continue;
    }
    if (running.empty()) break;
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == 0) {
      if (interruptions.wait()) continue;
      for (const auto& [child, index] : running) ::kill(child, SIGTERM);
      for (const auto& [child, index] : running) ::waitpid(child, &status, 0);
      return {{"", "interrupted", ""}};
    }
    const auto found = running.find(ended);
    if (found == running.end()) continue;
    const std::size_t index = found->second;
    running.erase(found);
    finished(index, collect(folder_of(index), status));
    std::error_code ignored;
    fs::remove_all(folder_of(index), ignored);
  }
  return problems;
}

}  // namespace duet::sim
