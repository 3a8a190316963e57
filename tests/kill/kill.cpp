// kill -9 at random points, and SIGSTOP: nothing answered is lost, nothing is done twice, nothing is left.
#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/process/process_tree.h"
#include "tests/kill/campaign.h"

namespace duet::kill_tests {
namespace {

using nlohmann::json;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Kills one of the processes of the cluster's tasks, and says of which attempt it was. Nothing if there is
/// none.
std::string kill_a_task(const Cluster& cluster, std::mt19937_64& random) {
  const auto tasks = cluster.tasks();
  if (tasks.empty()) return {};
  const auto& [pid, attempt] = tasks[random() % tasks.size()];
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return {};
  // Its number may be another's by now.
  const bool still = live::has_variable(pid, "DUET_TASK=" + attempt);
  if (still) syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  ::close(pidfd);
  return still ? attempt : std::string();
}

struct Killed {
  std::map<std::string, std::set<std::string>> attempts;  ///< Of each task, "17.0": which were killed.
  std::uint64_t controllers = 0;
  std::uint64_t agents = 0;
  std::uint64_t tasks = 0;
  std::uint64_t stopped = 0;
};

void kill_at_random(Cluster& cluster, std::uint64_t kills, std::mt19937_64& random, Killed& killed) {
  for (std::uint64_t n = 0; n < kills && !testing::Test::HasFailure(); ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 120));
    const std::uint64_t kind = random() % 10;
    Program& agent = *cluster.agents()[random() % cluster.agents().size()];
    if (kind < 3) {
      cluster.controller().kill(SIGKILL);
      cluster.controller().start();
      ++killed.controllers;
    } else if (kind < 6) {
      agent.kill(SIGKILL);
      agent.start();
      ++killed.agents;
    } else if (kind < 9) {
      const std::string attempt = kill_a_task(cluster, random);
      if (attempt.empty()) continue;  // There was none.
      killed.attempts[attempt.substr(0, attempt.find('#'))].insert(attempt);
      ++killed.tasks;
    } else {
      Program& who = random() % 2 == 0 ? agent : cluster.controller();
      who.kill(SIGSTOP);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
      who.kill(SIGCONT);
      ++killed.stopped;
    }
  }
}

/// How many attempts of this job's only task ran: each wrote a line first. (One whose launch was under way to
/// an agent that was killed never ran.)
std::uint64_t began(const Cluster& cluster, std::uint64_t job, std::uint64_t attempts) {
  std::uint64_t count = 0;
  for (const auto& agent : cluster.agents())
    for (std::uint64_t n = 1; n <= attempts; ++n)
      count += fs::exists(cluster.folder() / agent->name() / "logs" /
                          (std::to_string(job) + ".0-" + std::to_string(n)) / "stdout")
                   ? 1
                   : 0;
  return count;
}

/// What the controller knows of each job that was answered.
void judge(const Cluster& cluster, const std::map<std::string, std::uint64_t>& accepted,
           const Killed& killed) {
  live::http::Client client = connect(cluster);
  std::set<std::uint64_t> ids;
  for (const auto& [key, id] : accepted) {
    ids.insert(id);
    const auto reply = client.get("/api/v1/jobs/" + std::to_string(id));
    ASSERT_TRUE(reply.ok()) << reply.status << ' ' << reply.why;
    const json job = json::parse(reply.body);
    const json task = job.at("tasks").at(0);
    const std::string name = job.value("name", "");
    const auto found = killed.attempts.find(std::to_string(id) + ".0");
    const std::uint64_t kills = found == killed.attempts.end() ? 0 : found->second.size();
    // Only what was killed is run again: not those whose agent or controller was.
    const std::uint64_t ran = began(cluster, id, task.value("attempt", std::uint64_t{0}));
    EXPECT_GE(ran, 1) << reply.body;
    EXPECT_LE(ran, 1 + kills) << reply.body;
    if (name == "succeeds") {
      EXPECT_EQ(job.value("state", ""), "succeeded") << reply.body;
      EXPECT_EQ(task.value("exit_code", -1), 0) << reply.body;
    } else {
      EXPECT_EQ(job.value("state", ""), "failed") << reply.body;
      // The shell says 137 if it was its sleep that was killed, and goes on: then it is 7 all the same.
      if (kills == 0) EXPECT_EQ(task.value("exit_code", 0), 7) << reply.body;
    }
  }
  // Ids are counted, and each submission was repeated until it was answered: none was taken twice.
  EXPECT_EQ(ids.size(), accepted.size());
  ASSERT_FALSE(ids.empty());
  EXPECT_EQ(*ids.rbegin(), accepted.size());
}

TEST(Kill, NothingIsLostNothingIsDoneTwiceNothingIsLeft) {
  const std::uint64_t kills = number_from("DUET_KILLS", 300);
  const std::uint64_t seed = number_from("DUET_KILL_SEED", 1);
  const program_tests::Folder folder;
  ASSERT_EQ(chmod(folder.text().c_str(), 0711), 0);
  std::mt19937_64 random(seed);
  Killed killed;
  std::map<std::string, std::uint64_t> accepted;
  {
    Cluster cluster(folder.text(), 3, "s0");
    ASSERT_TRUE(cluster.begun());
    Users users(cluster, seed, 10);  // More would be more than a node keeps the output of: see began().
    kill_at_random(cluster, kills, random, killed);
    ASSERT_TRUE(users.finish(std::chrono::seconds(90)));
    accepted = users.accepted();
    judge(cluster, accepted, killed);
  }
  std::printf(
      "%llu kills (%llu of the controller, %llu of agents, %llu of tasks, %llu stops), %zu jobs; seed %llu\n",
      static_cast<unsigned long long>(kills), static_cast<unsigned long long>(killed.controllers),
      static_cast<unsigned long long>(killed.agents), static_cast<unsigned long long>(killed.tasks),
      static_cast<unsigned long long>(killed.stopped), accepted.size(),
      static_cast<unsigned long long>(seed));
  for (const char* node : {"n1", "n2", "n3"})
    EXPECT_THAT(live::processes_with("DUET_FOLDER=" + (folder / node).string()), testing::IsEmpty());
  for (const char* machine : {"controller", "n1", "n2", "n3"}) {
    const auto replayed = program_tests::duet({"replay", (folder / machine).string()});
    EXPECT_EQ(replayed.code, 0) << machine << ": " << replayed.out << replayed.err;
  }
}

}  // namespace
}  // namespace duet::kill_tests
