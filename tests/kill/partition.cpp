// Nodes that fall silent: stopped, or cut off in both directions or in one. Their tasks run elsewhere, and
// when they are back they end what is no longer theirs.
#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/process/fd.h"
#include "live/process/process_tree.h"
#include "tests/kill/campaign.h"

namespace duet::kill_tests {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// What is promised, seconds. A busy machine may take twice as long.
constexpr double kDownWithin = 3;
constexpr double kReplacedWithin = 5;
constexpr double kBusy = 2;

/// A cluster of two nodes, one of which falls silent.
class Silence : public testing::Test {
 protected:
  void begin(const Places& places = {}) {
    ASSERT_EQ(chmod(folder_.text().c_str(), 0711), 0);
    cluster_ = std::make_unique<Cluster>(folder_.text(), 2, "fast", places);
    ASSERT_TRUE(cluster_->begun());
    client_ = std::make_unique<live::http::Client>(connect(*cluster_));
    ASSERT_TRUE(eventually([&] { return state_of("n1") == "ready" && state_of("n2") == "ready"; }));
    // More than one node takes, so that both have some; and one replica fewer fits on the other.
    const auto reply = client_->post(
        "/api/v1/jobs",
        R"({"name":"web","replicas":2,"scheduler":"spread","command":["sleep","1000"],"cpu":100})");
    ASSERT_TRUE(reply.ok()) << reply.body;
    ASSERT_TRUE(eventually([&] { return running_on("n1") == 1 && running_on("n2") == 1; }));
    old_ = pid_on("n1");
    ASSERT_GT(old_, 0);
  }
  json get(const std::string& target) {
    const auto reply = client_->get(target);
    return reply.ok() ? json::parse(reply.body) : json::array();
  }
  std::string state_of(const std::string& node) {
    for (const json& one : get("/api/v1/nodes"))
      if (one.value("name", "") == node) return one.value("state", "");
    return "";
  }
  int running_on(const std::string& node) {
    int count = 0;
    for (const json& task : get("/api/v1/tasks"))
      count += task.value("node", "") == node && task.value("state", "") == "running" ? 1 : 0;
    return count;
  }
  std::int64_t pid_on(const std::string& node) {
    const auto found = live::processes_with("DUET_FOLDER=" + (folder_ / node).string());
    return found.empty() ? 0 : found.front();
  }
  /// From now on nothing is heard of n1: it is found out, and its replica runs on n2.
  void expect_replaced(const char* how) {
    const auto since = Clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - since).count(); };
    ASSERT_TRUE(eventually([&] { return state_of("n1") == "down"; }));
    const double down = seconds();
    ASSERT_TRUE(eventually([&] { return running_on("n2") == 2; }));
    std::printf("%s: down after %.2f s, replaced after %.2f s\n", how, down, seconds());
    EXPECT_LT(down, kDownWithin * kBusy);
    EXPECT_LT(seconds(), kReplacedWithin * kBusy);
  }
  /// It is back: what was replaced ends there.
  void expect_healed() {
    ASSERT_TRUE(eventually([&] { return state_of("n1") == "ready"; }));
    EXPECT_TRUE(eventually([&] { return live::is_gone(old_); }));
    EXPECT_TRUE(eventually([&] { return running_on("n1") + running_on("n2") == 2; }));
  }

  const program_tests::Folder folder_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<live::http::Client> client_;
  std::int64_t old_ = 0;  ///< Of the replica on n1.
};

TEST_F(Silence, OfAStoppedAgent) {
  begin();
  cluster_->agents()[0]->kill(SIGSTOP);
  expect_replaced("stopped");
  EXPECT_FALSE(live::is_gone(old_));
  cluster_->agents()[0]->kill(SIGCONT);
  expect_healed();
}

/// Who is stopped himself suspects nobody afterwards.
TEST_F(Silence, OfTheControllerIsNobodysFault) {
  begin();
  const std::int64_t other = pid_on("n2");
  cluster_->controller().kill(SIGSTOP);
  const auto until = Clock::now() + std::chrono::seconds(5);  // Longer than the detector's patience.
  while (Clock::now() < until) std::this_thread::sleep_until(until);
  cluster_->controller().kill(SIGCONT);
  ASSERT_TRUE(eventually([&] { return running_on("n1") == 1 && running_on("n2") == 1; }));
  EXPECT_EQ(state_of("n1"), "ready");
  EXPECT_EQ(pid_on("n1"), old_);
  EXPECT_EQ(pid_on("n2"), other);
}

/// The controller, a router and the agents in network namespaces of their own; what the router does not pass
/// on is lost without a word.
class CutOff : public Silence {
 protected:
  void SetUp() override {
    for (const char* name : {"c", "r", "a"})
      if (!ip("netns add " + place(name))) GTEST_SKIP() << "needs network namespaces: ip netns add";
    const std::pair<const char*, int> ends[] = {{"c", 1}, {"a", 2}};
    for (const auto& [name, number] : ends) {
      const std::string net = "10.213." + std::to_string(number) + ".";
      const std::string there = place(name);
      ASSERT_TRUE(ip("-n " + place("r") + " link add to" + name + " type veth peer name out netns " + there));
      ASSERT_TRUE(ip("-n " + place("r") + " addr add " + net + "1/24 dev to" + name));
      ASSERT_TRUE(ip("-n " + there + " addr add " + net + "2/24 dev out"));
      for (const std::string& link : {"-n " + place("r") + " link set to" + name,
                                      "-n " + there + " link set out", "-n " + there + " link set lo"})
        ASSERT_TRUE(ip(link + " up"));
      ASSERT_TRUE(ip("-n " + there + " route add default via " + net + "1"));
    }
    ASSERT_TRUE(ip("netns exec " + place("r") + " sh -c \"echo 1 > /proc/sys/net/ipv4/ip_forward\""));
    // The second agent lives with the controller, and so does this test.
    const live::Fd there(open(("/run/netns/" + place("c")).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(setns(there.get(), CLONE_NEWNET), 0);
    begin({.controller = place("c"), .host = "10.213.1.2", .agents = {place("a"), place("c")}});
  }
  ~CutOff() override {
    cluster_.reset();
    setns(home_.get(), CLONE_NEWNET);
    for (const char* name : {"c", "r", "a"}) ip("netns del " + place(name));
  }
  static std::string place(const std::string& name) { return "duet-" + std::to_string(getpid()) + name; }
  static bool ip(const std::string& words) { return program_tests::shell("/usr/sbin/ip " + words).code == 0; }
  /// What goes to that end is lost from now on, or is not any more.
  void cut(const char* end, bool lost) {
    const std::string to = end == std::string("c") ? "10.213.1.2" : "10.213.2.2";
    ASSERT_TRUE(ip("-n " + place("r") + " route " + (lost ? "add" : "del") + " blackhole " + to + "/32"));
  }

  const live::Fd home_{open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
};

TEST_F(CutOff, BothWays) {
  cut("c", true);
  cut("a", true);
  expect_replaced("cut off");
  cut("c", false);
  cut("a", false);
  expect_healed();
}

TEST_F(CutOff, NothingComesFromIt) {
  cut("c", true);
  expect_replaced("not heard");
  cut("c", false);
  expect_healed();
}

TEST_F(CutOff, NothingReachesIt) {
  cut("a", true);
  expect_replaced("not reached");
  cut("a", false);
  expect_healed();
}

}  // namespace
}  // namespace duet::kill_tests
