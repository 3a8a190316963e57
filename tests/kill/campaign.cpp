#include "tests/kill/campaign.h"

#include <csignal>
#include <cstdlib>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/http/client.h"
#include "live/process/process_tree.h"

extern char** environ;

namespace duet::kill_tests {

using nlohmann::json;
using program_tests::read;

namespace {

fs::path programs() { return fs::path(DUET_BUILD_DIR) / "libexec"; }

/// Between two looks at what nobody tells us of.
void short_pause(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

/// COMMAND in that network namespace.
std::vector<std::string> in(const std::string& place, std::vector<std::string> command) {
  if (!place.empty()) command.insert(command.begin(), {"/usr/sbin/ip", "netns", "exec", place});
  return command;
}

}  // namespace

Program::Program(std::string name, std::vector<std::string> argv, fs::path log)
    : name_(std::move(name)), argv_(std::move(argv)), log_(std::move(log)) {}

void Program::start() {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&actions, fd, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<std::string> copies = argv_;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (::posix_spawn(&pid_, argv_[0].c_str(), &actions, nullptr, argv.data(), environ) != 0) pid_ = 0;
  posix_spawn_file_actions_destroy(&actions);
  ASSERT_NE(pid_, 0) << argv_[0];
}

void Program::kill(int signal) {
  if (pid_ == 0) return;
  ::kill(pid_, signal);
  if (signal == SIGSTOP || signal == SIGCONT) return;
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

bool Program::runs() {
  if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return pid_ != 0;
}

Cluster::Cluster(fs::path folder, int nodes, const std::string& profile, const Places& places)
    : folder_(std::move(folder)) {
  const std::string controller = (programs() / "duet-controller").string();
  const std::string data = (folder_ / "controller").string();
  const fs::path note = folder_ / "controller/controller.json";
  // The first one chooses where it listens; the later ones have to be found there.
  Program first("controller",
                in(places.controller, {controller, "--data=" + data, "--listen=127.0.0.1:0",
                                       "--agents=" + places.host + ":0", "--insecure"}),
                folder_ / "controller.log");
  first.start();
  if (!eventually([&] { return json::accept(read(note)); })) {
    ADD_FAILURE() << read(folder_ / "controller.log");
    return;
  }
  const json where = json::parse(read(note));
  url_ = where.at("url");
  const std::string agents = where.at("agents");
  first.kill(SIGTERM);
  controller_ = std::make_unique<Program>(
      "controller",
      in(places.controller, {controller, "--data=" + data, "--listen=" + url_.substr(url_.rfind('/') + 1),
                             "--agents=" + agents, "--profile=" + profile, "--insecure"}),
      folder_ / "controller.log");
  controller_->start();
  for (int i = 1; i <= nodes; ++i) {
    const std::string node = "n" + std::to_string(i);
    agents_.push_back(std::make_unique<Program>(
        node,
        in(i <= static_cast<int>(places.agents.size()) ? places.agents[static_cast<std::size_t>(i) - 1] : "",
           {(programs() / "duet-agent").string(), "--data=" + (folder_ / node).string(), "--name=" + node,
            "--controller=" + agents, "--profile=" + profile, "--token-file=" + data + "/agent.token"}),
        folder_ / (node + ".log")));
    agents_.back()->start();
  }
}

Cluster::~Cluster() {
  for (const auto& agent : agents_)
    if (agent->runs()) {
      agent->kill(SIGCONT);
      agent->kill(SIGTERM);
    }
  if (controller_ && controller_->runs()) controller_->kill(SIGTERM);
}

std::string Cluster::token() const {
  std::string token = read(folder_ / "controller/token");
  while (!token.empty() && token.back() == '\n') token.pop_back();
  return token;
}

std::vector<std::pair<pid_t, std::string>> Cluster::tasks() const {
  std::vector<std::pair<pid_t, std::string>> found;
  for (const auto& agent : agents_)
    for (const std::int64_t pid : live::processes_with("DUET_FOLDER=" + (folder_ / agent->name()).string())) {
      const std::string text = '\0' + read("/proc/" + std::to_string(pid) + "/environ");
      const std::string key = std::string(1, '\0') + "DUET_TASK=";
      const auto at = text.find(key);
      if (at == std::string::npos) continue;
      const auto begin = at + key.size();
      found.emplace_back(static_cast<pid_t>(pid), text.substr(begin, text.find('\0', begin) - begin));
    }
  return found;
}

live::http::Client connect(const Cluster& cluster) {
  live::http::ClientOptions options;
  options.token = live::Secret(cluster.token());
  options.answer_time = std::chrono::seconds(5);
  auto client = live::http::Client::make(cluster.url(), std::move(options));
  if (!client) std::abort();
  return std::move(*client);
}

Users::Users(Cluster& cluster, std::uint64_t seed, std::size_t at_once)
    : cluster_(cluster), at_once_(at_once) {
  for (std::uint64_t i = 0; i < 3; ++i) threads_.emplace_back([this, seed, i] { submit(seed * 31 + i); });
  threads_.emplace_back([this] { collect(); });
}

Users::~Users() {
  stop_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::map<std::string, std::uint64_t> Users::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

void Users::submit(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  live::http::Client client = connect(cluster_);
  while (!stop_) {
    {
      const std::lock_guard lock(mutex_);
      if (open_.size() >= at_once_) {
        short_pause(std::chrono::milliseconds(1));
        continue;
      }
    }
    const std::string key = "job-" + std::to_string(++named_);
    const bool fails = random() % 4 == 0;
    // Short ones meet each kill at another point of their lives.
    const std::string seconds = "0." + std::to_string(10 + random() % 40);
    const json body = {
        {"name", fails ? "fails" : "succeeds"},
        {"command", {"sh", "-c", "echo began; sleep " + seconds + "; exit " + (fails ? "7" : "0")}},
        {"cpu", 20},
        {"retries", fails ? 0 : 20}};
    live::http::Client::Ask ask{live::http::Method::kPost, "/api/v1/jobs", body.dump(), {}};
    ask.headers.add("Idempotency-Key", key);
    // Until somebody answers: nothing else tells whether it was taken.
    for (;;) {
      const auto reply = client.send(ask);
      if (reply.ok()) {
        const std::uint64_t id = json::parse(reply.body).at("id");
        const std::lock_guard lock(mutex_);
        accepted_[key] = id;
        open_.insert(id);
        break;
      }
      if (reply.arrived() && reply.status != 503) {
        ADD_FAILURE() << reply.status << ' ' << reply.body;
        return;
      }
      short_pause(std::chrono::milliseconds(5));
    }
  }
}

void Users::collect() {
  live::http::Client client = connect(cluster_);
  for (;;) {
    std::set<std::uint64_t> open;
    {
      const std::lock_guard lock(mutex_);
      open = open_;
      if (stop_ && open.empty()) return;
    }
    for (const std::uint64_t id : open) {
      const auto reply = client.get("/api/v1/jobs/" + std::to_string(id));
      if (reply.arrived() && reply.status == 404)
        ADD_FAILURE() << "job " << id << " was answered, and is lost";
      if (!reply.ok() && reply.status != 404) break;
      const std::string state = reply.ok() ? json::parse(reply.body).value("state", "") : "lost";
      if (state == "pending" || state == "running") continue;
      const std::lock_guard lock(mutex_);
      open_.erase(id);
      ++ended_;
    }
    short_pause(std::chrono::milliseconds(20));
  }
}

bool Users::finish(std::chrono::seconds within) {
  stop_ = true;
  const auto deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (open_.empty()) break;
      if (std::chrono::steady_clock::now() > deadline) {
        for (const std::uint64_t id : std::exchange(open_, {}))
          ADD_FAILURE() << "job " << id << " did not end";
        break;
      }
    }
    short_pause(std::chrono::milliseconds(10));
  }
  for (std::thread& thread : threads_) thread.join();
  return !testing::Test::HasFailure();
}

}  // namespace duet::kill_tests
