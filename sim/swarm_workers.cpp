#include "sim/swarm_workers.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"

namespace duet::sim {
namespace {

/// Seeds of one process: enough to hide the cost of a fork, few enough to see progress.
constexpr std::uint64_t kChunk = 256;
constexpr unsigned kMostSeconds = 60;  // of one seed
/// Begins a line that tells of a violation, and alone ends those of a seed; what else a process writes is its
/// last words.
constexpr char kMark = '\x01';

using Check = std::function<std::vector<Violation>(std::uint64_t)>;

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string line_of(std::uint64_t seed, Violation violation) {
  std::replace(violation.what.begin(), violation.what.end(), '\n', ' ');
  return kMark + std::to_string(seed) + '\t' + std::to_string(to_ns(violation.at)) + '\t' +
         violation.invariant + '\t' + violation.what + '\n';
}

/// The inverse of line_of(), less the mark.
bool read_line(std::string_view line, std::uint64_t& seed, Violation& violation) {
  std::string_view part[3];
  for (auto& p : part) {
    const auto tab = line.find('\t');
    if (tab == line.npos) return false;
    p = line.substr(0, tab);
    line.remove_prefix(tab + 1);
  }
  std::int64_t ns = 0;
  std::from_chars(part[0].data(), part[0].data() + part[0].size(), seed);
  std::from_chars(part[1].data(), part[1].data() + part[1].size(), ns);
  violation = {std::string(part[2]), instant_ns(ns), std::string(line)};
  return true;
}

/// A process with its seeds.
class Worker {
 public:
  Worker() {
    void* page =
        ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    DUET_CHECK(page != MAP_FAILED);
    at_ = static_cast<volatile std::uint64_t*>(page);
  }
  ~Worker() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    if (fd_ >= 0) ::close(fd_);
    ::munmap(const_cast<std::uint64_t*>(at_), sizeof(std::uint64_t));
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool busy() const { return pid_ > 0; }
  /// Of its seeds, how many its process has behind it.
  std::uint64_t so_far() const { return busy() ? *at_ : 0; }
  int fd() const { return fd_; }

  void start(std::uint64_t first, std::uint64_t count, const Check& check) {
    int ends[2];
    DUET_CHECK(::pipe(ends) == 0);
    first_ = first;
    count_ = count;
    last_words_.clear();
    hearing_ = {};
    rest_.clear();
    *at_ = 0;
    pid_ = ::fork();
    DUET_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::close(ends[0]);
      ::dup2(ends[1], STDERR_FILENO);
      for (std::uint64_t i = 0; i < count; ++i) {
        *at_ = i;
        ::alarm(kMostSeconds);
        const std::vector<Violation> violations = check(first + i);
        for (const Violation& violation : violations) send_all(ends[1], line_of(first + i, violation));
        if (!violations.empty()) send_all(ends[1], std::string{kMark, '\n'});
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }

  /// Reads what is there: seeds with violations go to `results`. True when the process has ended and all is
  /// read.
  bool listen(std::vector<SeedResult>& results) {
    char buffer[4096];
    const ssize_t n = ::read(fd_, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return false;
    if (n > 0) {
      rest_.append(buffer, static_cast<std::size_t>(n));
      for (auto end = rest_.find('\n'); end != rest_.npos; end = rest_.find('\n')) {
        hear(std::string_view(rest_).substr(0, end), results);
        rest_.erase(0, end + 1);
      }
      return false;
    }
    ::close(fd_);
    fd_ = -1;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
    done_ = count_;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    done_ = *at_ + 1;
    std::string what = last_words_.empty() ? "the process died without a word" : last_words_;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) what = "took more than a minute";
    results.push_back({first_ + *at_, {{"CHECK", {}, std::move(what)}}});
    return true;
  }
  /// Of its seeds, how many are done; valid once listen() returned true.
  std::uint64_t done() const { return done_; }
  std::uint64_t next() const { return first_ + done_; }
  std::uint64_t left() const { return count_ - done_; }

 private:
  void hear(std::string_view line, std::vector<SeedResult>& results) {
    std::uint64_t seed = 0;
    Violation violation;
    if (line.empty() || line.front() != kMark) {
      last_words_ = line;
    } else if (line.size() == 1) {
      results.push_back(std::exchange(hearing_, {}));
    } else if (read_line(line.substr(1), seed, violation)) {
      hearing_.seed = seed;
      hearing_.violations.push_back(std::move(violation));
    }
  }

  volatile std::uint64_t* at_ = nullptr;  ///< Shared with the process: which of its seeds it is at.
  pid_t pid_ = 0;
  int fd_ = -1;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t done_ = 0;
  std::string rest_;
  std::string last_words_;
  SeedResult hearing_;
};

}  // namespace

void run_workers(std::uint64_t first, std::uint64_t seeds, unsigned workers, const Check& check,
                 const std::function<bool(std::uint64_t, SeedResult)>& report) {
  std::vector<Worker> pool(std::max(1U, workers));
  std::uint64_t given = 0;
  std::uint64_t ran = 0;
  const auto feed = [&](Worker& worker) {
    if (given == seeds) return;
    const std::uint64_t count = std::min(kChunk, seeds - given);
    worker.start(first + given, count, check);
    given += count;
  };
  for (Worker& worker : pool) feed(worker);
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<std::size_t> who;
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (pool[i].busy()) {
        waiting.push_back({pool[i].fd(), POLLIN, 0});
        who.push_back(i);
      }
    if (waiting.empty()) return;
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (std::size_t w = 0; w < waiting.size(); ++w) {
      if (waiting[w].revents == 0) continue;
      Worker& worker = pool[who[w]];
      std::vector<SeedResult> heard;
      const bool ended = worker.listen(heard);
      if (ended) ran += worker.done();
      std::uint64_t so_far = ran;
      for (const Worker& each : pool) so_far += each.so_far();
      for (SeedResult& result : heard)
        if (!report(so_far, std::move(result))) return;
      if (!ended) continue;
      if (!report(so_far, {})) return;
      if (worker.left() > 0)
        worker.start(worker.next(), worker.left(), check);
      else
        feed(worker);
    }
  }
}

}  // namespace duet::sim
