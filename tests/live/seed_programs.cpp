// S0 and S2 by their own command lines and curl lines; only ports are other ones than there.
#include <algorithm>
#include <set>

#include <unistd.h>

#include "tests/live/old_names.h"

namespace duet::program_tests {
namespace {

using testing::HasSubstr;

class SeedPrograms : public OldNames {
 protected:
  std::string port() const { return std::to_string(port_); }
  std::string agent(const std::string& flags) {
    return "./agent " + flags +
           " -node-ip=127.0.0.1 -workload-bin=./workload -controller=http://127.0.0.1:" + port() +
           " -port-base=24000";
  }
  Ran deploy(int replicas) {
    return line("curl -s -X POST http://localhost:" + port() +
                "/deploy -H \"Content-Type: application/json\" -d \"{\\\"replicas\\\":" +
                std::to_string(replicas) + "}\"");
  }
  json status() {
    const Ran ran = line("curl -s http://localhost:" + port() + "/status");
    return json::parse(ran.out, nullptr, false);
  }
  bool runs(std::size_t count) {
    return eventually([&] {
      const json told = status();
      if (!told.is_object() || told.value("actual_replicas", std::size_t{99}) != count) return false;
      // Their ports are told a moment after they run.
      return std::ranges::all_of(told["replicas"], [](const json& one) { return one["port"] != 0; });
    });
  }
  std::set<std::string> ready_nodes() {
    std::set<std::string> names;
    const std::string token = read(fs::path(data()) / ("s0/controller-" + port()) / "token");
    auto client = live::http::Client::make("127.0.0.1:" + port(),
                                           {.token = live::Secret(token.substr(0, token.find('\n')))});
    const auto reply = client->get("/api/v1/nodes");
    if (reply.ok())
      for (const json& node : json::parse(reply.body))
        if (node["state"] == "ready") names.insert(node["name"]);
    return names;
  }

  std::uint16_t port_ = free_port();
};

TEST_F(SeedPrograms, S0_01_S0_03_S0_07_S0_08_S0_12_ThreeTerminals) {
  begin("./controller -port=" + port());
  const std::uint16_t agents_port = free_port();
  begin(agent("-port=" + std::to_string(agents_port)));
  ASSERT_TRUE(eventually([&] { return get(port_, "/status").is_object(); }));
  EXPECT_EQ(deploy(3).out, R"({"desired_replicas":3})");
  ASSERT_TRUE(runs(3));
  const json told = status();
  EXPECT_EQ(told["desired_replicas"], 3);
  std::set<std::string> ids;
  std::set<int> ports;
  for (const json& replica : told["replicas"]) {
    EXPECT_EQ(replica["node_ip"], "127.0.0.1");
    ids.insert(replica["id"]);
    ports.insert(replica["port"].get<int>());
  }
  EXPECT_EQ(ids, (std::set<std::string>{"replica-0", "replica-1", "replica-2"}));
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_GE(*ports.begin(), 24000);
  // Each knows who it is: GET / and /health.
  for (const json& replica : told["replicas"]) {
    const auto at = static_cast<std::uint16_t>(replica["port"].get<int>());
    json who;
    EXPECT_TRUE(eventually([&] { return !(who = get(at, "/health")).is_null(); }));
    EXPECT_EQ(who.value("id", ""), replica["id"]);
    EXPECT_EQ(who.value("port", 0), replica["port"]);
    EXPECT_GT(who.value("pid", 0), 0);
    EXPECT_EQ(get(at, "/").value("id", ""), replica["id"]);
    // It learned its port from its arguments, too.
    const std::string words = read("/proc/" + who["pid"].dump() + "/cmdline");
    EXPECT_THAT(words, HasSubstr("-port=" + replica["port"].dump()));
  }
  EXPECT_EQ(get(agents_port, "/health").value("node", ""), "127.0.0.1:" + std::to_string(agents_port));
  deploy(0);
  EXPECT_TRUE(runs(0));
}

TEST_F(SeedPrograms, S0_03_S0_04_SeveralAgentsOfOneHostInAllFourSpellings) {
  begin("./controller -port " + port());
  std::set<std::string> nodes;
  for (const char* spelling : {"-port=", "--port=", "-port ", "--port "}) {
    const std::string number = std::to_string(free_port());
    nodes.insert("127.0.0.1:" + number);
    begin(agent(spelling + number));
  }
  EXPECT_TRUE(eventually([&] { return ready_nodes() == nodes; }));
  // The same port again: who is there keeps it.
  const std::string taken = nodes.begin()->substr(nodes.begin()->find(':') + 1);
  const Ran second = line(agent("-port=" + taken));
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("another agent works in this folder"));
  ASSERT_EQ(deploy(4).code, 0);
  ASSERT_TRUE(runs(4));
  std::set<int> ports;
  const json told = status();
  for (const json& replica : told["replicas"]) ports.insert(replica["port"].get<int>());
  EXPECT_EQ(ports.size(), 4U);  // S0-08: of one address, each once
}

TEST_F(SeedPrograms, S0_05_AnAgentWaitsForItsController) {
  const std::uint16_t agents_port = free_port();
  const std::int64_t waiting = begin(agent("-port=" + std::to_string(agents_port)));
  ASSERT_TRUE(eventually([&] { return read(running_[waiting]).find("no controller") != std::string::npos; }));
  EXPECT_EQ(get(agents_port, "/health").value("registered", true), false);
  begin("./controller -port=" + port());
  EXPECT_TRUE(eventually([&] { return get(agents_port, "/health").value("registered", false); }));
}

TEST_F(SeedPrograms, S0_09_WorkloadsAreNeitherPinnedNorConfined) {
  begin("./controller -port=" + port());
  begin(agent("-port=" + std::to_string(free_port())));
  ASSERT_TRUE(eventually([&] { return deploy(1).out == R"({"desired_replicas":1})"; }));
  ASSERT_TRUE(runs(1));
  const auto at = static_cast<std::uint16_t>(status()["replicas"][0]["port"].get<int>());
  json who;
  ASSERT_TRUE(eventually([&] { return !(who = get(at, "/")).is_null(); }));
  const std::string about = read("/proc/" + who["pid"].dump() + "/status");
  const std::string own = read("/proc/self/status");
  const auto field = [](const std::string& text, const std::string& name) {
    const auto begins = text.find("\n" + name + ":");
    return text.substr(begins, text.find('\n', begins + 1) - begins);
  };
  EXPECT_EQ(field(about, "Cpus_allowed_list"), field(own, "Cpus_allowed_list"));
  EXPECT_EQ(field(about, "Uid"), field(own, "Uid"));
  EXPECT_THAT(field(about, "Seccomp"), HasSubstr(field(own, "Seccomp")));
}

TEST_F(SeedPrograms, S0_12_AnyProgramMayStandIn) {
  write(folder_ / "bin/mine",
        "#!/bin/sh\necho \"$PORT $DUET_REPLICA_ID $*\" > '" + data() + "/said'\nexec sleep 600\n");
  fs::permissions(folder_ / "bin/mine", fs::perms::owner_all);
  begin("./controller -port=" + port());
  begin("./agent -port=" + std::to_string(free_port()) +
        " -workload-bin=./mine -port-base=24500 -controller=http://localhost:" + port());
  ASSERT_TRUE(eventually([&] { return deploy(1).out == R"({"desired_replicas":1})"; }));
  ASSERT_TRUE(runs(1));
  const std::string number = status()["replicas"][0]["port"].dump();
  EXPECT_TRUE(eventually([&] {
    return read(fs::path(data()) / "said") == number + " replica-0 -port=" + number + "\n";
  })) << read(fs::path(data()) / "said");
}

TEST_F(SeedPrograms, S0_14_WithoutAnyStore) {
  begin("./controller -port=" + port());
  ASSERT_TRUE(eventually([&] { return get(port_, "/status").is_object(); }));
  EXPECT_FALSE(fs::exists(fs::path(data()) / ("s0/controller-" + port()) / "controller.db"));
}

TEST_F(SeedPrograms, S0_03_WhatIsMistakenIsNamedAllAtOnce) {
  const Ran ran = line("./agent -prot=9001 -port=x -node-ip");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("agent: -prot: there is no such flag; did you mean `port`"));
  EXPECT_THAT(ran.err, HasSubstr("agent: -port: 'x' is no number"));
  EXPECT_THAT(ran.err, HasSubstr("agent: -node-ip: has no value"));
  const Ran missing = line("./agent -workload-bin=./nothing");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("./nothing"));
  EXPECT_EQ(line("./controller -help").code, 0);
  EXPECT_THAT(line("./controller --help").out, HasSubstr("Usage of controller"));
  EXPECT_EQ(line("./master --etcd-endpoints=http://127.0.0.1:2379").code, 2);
}

TEST_F(SeedPrograms, S0_01_InstallingNamesReplacesOnlyItsOwn) {
  EXPECT_EQ(duet({"install-names", bin()}).code, 0);  // again
  write(folder_ / "other/agent", "");
  fs::create_directories(folder_ / "other");
  write(folder_ / "other/agent", "mine\n");
  const Ran refused = duet({"install-names", (folder_ / "other").string()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("other/agent"));
  EXPECT_EQ(read(folder_ / "other/agent"), "mine\n");
  EXPECT_FALSE(fs::exists(folder_ / "other/controller"));
}

TEST_F(SeedPrograms, S1_01_TheGatewayByItsName) {
  const Ran ran = line("MAX_CPU_THRESHOLD=200 ./gateway");
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(read(fs::path(data()) / "log/controller.log"), HasSubstr("MAX_CPU_THRESHOLD"));
  EXPECT_THAT(line("./gateway --help").out, HasSubstr("duet gateway"));
}

TEST_F(SeedPrograms, S2_01_S2_08_MasterAndWorkersNeedNoConfiguration) {
  begin("./master --port=" + port());
  for (int i = 0; i < 3; ++i) begin("./worker --master http://127.0.0.1:" + port() + " --port-base=24800");
  const auto nodes = [&] {
    const json told =
        json::parse(line("curl -s http://localhost:" + port() + "/api/v1/nodes").out, nullptr, false);
    std::set<std::string> names;
    if (told.is_array())
      for (const json& node : told) names.insert(node["name"]);
    return names;
  };
  EXPECT_TRUE(eventually([&] { return nodes().size() == 3; }));
  const Ran made = line("curl -s -X POST http://localhost:" + port() +
                        "/api/v1/tasks -H \"Content-Type: application/json\" -d "
                        "'{\"name\":\"web-server\",\"command\":[\"sleep\",\"600\"],"
                        "\"resources\":{\"cpu\":100,\"memory\":16}}'");
  const json task = json::parse(made.out, nullptr, false);
  ASSERT_TRUE(task.is_object()) << made.out;
  EXPECT_EQ(task["id"], "1.0");
  EXPECT_TRUE(eventually([&] { return get(port_, "/api/v1/tasks/1.0").value("status", "") == "running"; }));
}

}  // namespace
}  // namespace duet::program_tests
