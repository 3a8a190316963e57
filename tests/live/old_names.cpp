#include "tests/live/old_names.h"

#include <chrono>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace duet::program_tests {

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

OldNames::OldNames() {
  const Ran made = duet({"install-names", bin()});
  EXPECT_EQ(made.code, 0) << made.err;
}

OldNames::~OldNames() {
  if (HasFailure())
    for (const auto& [pid, log] : running_) std::printf("---- %s\n%s", log.c_str(), read(log).c_str());
  const auto all = running_;
  // Those that were started last know of those before them.
  for (auto one = all.rbegin(); one != all.rend(); ++one) ::kill(static_cast<pid_t>(one->first), SIGTERM);
  for (const auto& [pid, log] : all) end(pid);
}

std::int64_t OldNames::begin(const std::string& line) {
  const std::string log = (folder_ / ("log-" + std::to_string(++begun_))).string();
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::vector<std::string> words = {
      "/bin/sh", "-c", "cd '" + bin() + "' && export DUET_DATA='" + data() + "' && exec " + line};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/bin/sh", &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  running_[child] = log;
  return child;
}

void OldNames::end(std::int64_t pid, int signal) {
  ::kill(static_cast<pid_t>(pid), signal);
  ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  running_.erase(pid);
}

Ran OldNames::line(const std::string& command) {
  return shell("cd '" + bin() + "' && export DUET_DATA='" + data() + "' && " + command);
}

json OldNames::get(std::uint16_t port, const std::string& target) {
  auto client = live::http::Client::make("127.0.0.1:" + std::to_string(port));
  const live::http::Reply reply = client->get(target);
  return reply.ok() ? json::parse(reply.body, nullptr, false) : json();
}

}  // namespace duet::program_tests
