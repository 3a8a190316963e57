#include "sim/report/drawing.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace duet::sim::report {
namespace {

constexpr std::size_t kMostOutput = std::size_t{64} << 20;
constexpr std::size_t kMostWords = 2000;
constexpr std::chrono::seconds kDotLimit{60};

std::string system_reason(int error) { return std::generic_category().message(error); }

/// Two ends; closed when it goes.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() { ok = ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  bool ok = false;
};

/// A program with its three streams in our hands.
class Child {
 public:
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  /// 0, or why it could not be started.
  int start(const std::vector<std::string>& words) {
    if (!in_.ok || !out_.ok || !err_.ok) return errno;
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in_.ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out_.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_.ends[1], STDERR_FILENO);
    std::vector<std::string> copies = words;
    std::vector<char*> argv;
    for (std::string& word : copies) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) pid_ = -1;
    in_.close(0);
    out_.close(1);
    err_.close(1);
    for (const int end : {in_.ends[1], out_.ends[0], err_.ends[0]})
      if (end >= 0) ::fcntl(end, F_SETFL, O_NONBLOCK);
    return error;
  }
  /// Writes and reads until both outputs are closed. False if the time is up or there is too much of it.
  bool talk(std::string_view input, std::chrono::steady_clock::time_point until);
  /// The exit code, or 128 + the signal.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string& out() { return texts_[0]; }
  const std::string& err() const { return texts_[1]; }

 private:
  void feed(std::string_view& input);
  void listen(Pipe& pipe, std::string& text);

  Pipe in_, out_, err_;
  std::array<std::string, 2> texts_;
  pid_t pid_ = -1;
};

void Child::feed(std::string_view& input) {
  const ssize_t written = input.empty() ? 0 : ::write(in_.ends[1], input.data(), input.size());
  if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
  if (input.empty() || (written < 0 && errno != EAGAIN && errno != EINTR)) in_.close(1);
}

void Child::listen(Pipe& pipe, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(pipe.ends[0], buffer.data(), buffer.size());
  if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) pipe.close(0);
}

bool Child::talk(std::string_view input, std::chrono::steady_clock::time_point until) {
  if (input.empty()) in_.close(1);
  while (out_.ends[0] >= 0 || err_.ends[0] >= 0) {
    std::array<pollfd, 3> polled = {pollfd{in_.ends[1], POLLOUT, 0}, pollfd{out_.ends[0], POLLIN, 0},
                                    pollfd{err_.ends[0], POLLIN, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || texts_[0].size() > kMostOutput || texts_[1].size() > kMostOutput) return false;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0) continue;
    if (polled[0].revents != 0) feed(input);
    if (polled[1].revents != 0) listen(out_, texts_[0]);
    if (polled[2].revents != 0) listen(err_, texts_[1]);
  }
  return true;
}

/// While this lives, writing to a program that has gone is an error and no signal.
class NoBrokenPipes {
 public:
  NoBrokenPipes() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  NoBrokenPipes(const NoBrokenPipes&) = delete;
  NoBrokenPipes& operator=(const NoBrokenPipes&) = delete;
  ~NoBrokenPipes() { std::signal(SIGPIPE, before_); }

 private:
  void (*before_)(int);
};

}  // namespace

Result<std::string> output_of(const std::vector<std::string>& words, std::string_view input,
                              std::chrono::seconds limit) {
  const NoBrokenPipes quiet;
  Child child;
  if (const int error = child.start(words); error != 0)
    return Problem{words.front(), "cannot be started: " + system_reason(error), ""};
  if (!child.talk(input, std::chrono::steady_clock::now() + limit))
    return Problem{words.front(),
                   "took longer than " + std::to_string(limit.count()) + " s, or said too much", ""};
  const int code = child.wait();
  if (code == 0) return std::move(child.out());
  std::string said = child.err();
  while (!said.empty() && said.back() == '\n') said.pop_back();
  if (said.size() > kMostWords) said = "..." + said.substr(said.size() - kMostWords);
  return Problem{words.front(), "exit code " + std::to_string(code) + (said.empty() ? "" : ": " + said), ""};
}

std::string embedded(std::string_view svg, std::string_view prefix) {
  const std::size_t begin = svg.find("<svg");
  if (begin == std::string_view::npos) return {};
  svg.remove_prefix(begin);
  std::string out;
  const std::string id = " id=\"";
  while (!svg.empty()) {
    const std::size_t comment = std::min(svg.find("<!--"), svg.size());
    const std::size_t next = std::min(svg.find(id), svg.size());
    if (comment < next) {
      out += svg.substr(0, comment);
      const std::size_t end = svg.find("-->", comment);
      if (end == std::string_view::npos) break;
      svg.remove_prefix(std::min(svg.size(), end + 3));
      if (svg.starts_with('\n')) svg.remove_prefix(1);
      continue;
    }
    out += svg.substr(0, next);
    if (next == svg.size()) break;
    out += id + std::string(prefix) + "-";
    svg.remove_prefix(next + id.size());
  }
  return out;
}

Drawing draw(const std::string& title, std::string_view dot) {
  Drawing drawing{title, "", ""};
  const auto svg = output_of({"dot", "-Tsvg"}, dot, kDotLimit);
  if (svg) {
    std::string prefix;
    for (const char c : title)
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) prefix += c;
    drawing.svg = embedded(*svg, prefix);
  } else {
    drawing.note = "Not drawn: " + svg.problems().front().where + " " + svg.problems().front().what +
                   " (Graphviz draws it; Debian: graphviz).";
  }
  return drawing;
}

}  // namespace duet::sim::report
