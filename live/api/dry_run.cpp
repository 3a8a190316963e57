#include "live/api/dry_run.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace duet::live {
namespace {

constexpr unsigned kLongestInCopy = 15;  ///< Seconds; should nobody end it.

/// In the copy, where this thread is the only one. What it inherited is let go first: a connection that is
/// closed over there must not stay open here.
[[noreturn]] void work_in_copy(const DryRun::Work& work, int to) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGTERM, SIGINT, SIGALRM}) std::signal(number, SIG_DFL);
  ::alarm(kLongestInCopy);
  if (to > 3) ::close_range(3, static_cast<unsigned>(to - 1), 0);
  ::close_range(static_cast<unsigned>(to + 1), ~0U, 0);
  try {
    const std::string answer = work();
    std::size_t written = 0;
    while (written < answer.size()) {
      const ssize_t n = ::write(to, answer.data() + written, answer.size() - written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) ::_exit(1);
      written += static_cast<std::size_t>(n);
    }
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

DryRun::DryRun(asio::io_context& io) : pipe_(io), patience_(io) {}

DryRun::~DryRun() {
  *alive_ = false;
  if (copy_ == 0) return;
  ::kill(copy_, SIGKILL);
  ::waitpid(copy_, nullptr, 0);
}

bool DryRun::ask(Work work, Done done) {
  if (waiting_.size() >= kMostWaiting) return false;
  waiting_.push_back({std::move(work), std::move(done)});
  if (waiting_.size() == 1) begin();
  return true;
}

void DryRun::begin() {
  answer_.clear();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return end(false);
  const pid_t pid = ::fork();
  if (pid == 0) work_in_copy(waiting_.front().work, ends[1]);
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return end(false);
  }
  copy_ = pid;
  pipe_.assign(ends[0]);
  buffer_.resize(std::size_t{64} << 10);
  patience_.expires_after(kLongest);
  patience_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error && copy_ != 0) ::kill(copy_, SIGKILL);  // Which ends what it writes.
  });
  read();
}

void DryRun::read() {
  pipe_.async_read_some(asio::buffer(buffer_),
                        [this, alive = alive_](const boost::system::error_code& error, std::size_t n) {
                          if (!*alive) return;
                          if (error) return end(true);
                          answer_.append(buffer_, 0, n);
                          read();
                        });
}

/// The copy has closed its end of the pipe: it has ended, or is about to.
void DryRun::end(bool asked) {
  patience_.cancel();
  bool whole = false;
  if (asked) {
    boost::system::error_code ignored;
    pipe_.close(ignored);
    int status = 0;
    ::waitpid(copy_, &status, 0);
    copy_ = 0;
    whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  const Done done = std::move(waiting_.front().done);
  const auto answer = whole ? std::optional(std::move(answer_)) : std::nullopt;
  asio::post(pipe_.get_executor(), [this, alive = alive_, done, answer] {
    if (!*alive) return;
    waiting_.pop_front();
    if (!waiting_.empty()) begin();
    done(answer);
  });
}

}  // namespace duet::live
