// cube as its users have it: a manager, its workers, the command line. Its words; only ports are other ones.
#include <algorithm>

#include "tests/live/old_names.h"

namespace duet::program_tests {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr const char* kHelp = R"(A Cli to interact with cube orchestrator.

Cube is an orchestrator based on containers.

Usage:
  cube [command]

Available Commands:
  completion  Generate the autocompletion script for the specified shell
  help        Help about any command
  manager     Manager command to operate a Cube manager node.
  node        Node command to list nodes.
  run         Run a new task.
  status      Status command to list tasks.
  stop        Stop a running task.
  worker      Worker command to operate a Cube worker node.

Flags:
  -h, --help   help for cube
)";

class CubePrograms : public OldNames {
 protected:
  /// A manager with workers, all of whom are ready.
  void start(std::size_t workers) {
    std::string list;
    for (std::size_t i = 0; i < workers; ++i) {
      const std::uint16_t port = free_port();
      workers_.push_back(port);
      worker_pids_.push_back(begin_worker(i));
      list += (list.empty() ? "localhost:" : ",localhost:") + std::to_string(port);
    }
    manager_line_ =
        "./cube manager --workers '" + list + "' -s roundrobin --sync-ms 50 --health-s 1 -p " + manager();
    manager_pid_ = begin(manager_line_);
    ASSERT_TRUE(eventually([&] { return ready() == workers; }));
  }
  std::int64_t begin_worker(std::size_t i) {
    return begin("./cube worker --name worker-" + std::to_string(i + 1) + " --port-base 25000 --port " +
                 std::to_string(workers_[i]));
  }
  std::size_t ready() {
    const json nodes = get(manager_, "/nodes");
    if (!nodes.is_array()) return 99;
    return static_cast<std::size_t>(
        std::ranges::count_if(nodes, [](const json& node) { return node["State"] == "ready"; }));
  }
  std::string manager() const { return std::to_string(manager_); }
  /// Ends in -N; the event, too.
  static std::string id(int n) { return "bb1d59e" + std::to_string(n) + "-9fc1-4e4b-a44d-db571eeed203"; }
  std::string document(int n, const std::string& rest) {
    return R"({"ID":"a7aa1d4)" + std::to_string(n) +
           R"(-08f6-443e-9378-f5884311019e","State":2,"Task":{"State":1,"ID":")" + id(n) +
           R"(","Name":"test-chapter-9.)" + std::to_string(n) + "\"," + rest + "}}";
  }
  Ran run(int n, const std::string& rest) {
    write(folder_ / "bin/task.json", document(n, rest));
    return line("./cube run -f task.json --manager localhost:" + manager());
  }
  json task(int n) { return get(manager_, "/tasks/" + id(n)); }
  bool in_state(int n, int state) {
    return eventually([&] {
      const json shown = task(n);
      return shown.is_object() && shown["State"] == state;
    });
  }
  json at_worker(std::size_t i) { return get(workers_[i], "/tasks"); }

  std::uint16_t manager_ = free_port();
  std::string manager_line_;
  std::int64_t manager_pid_ = 0;
  std::vector<std::uint16_t> workers_;
  std::vector<std::int64_t> worker_pids_;
};

TEST_F(CubePrograms, S4_01_TheCommandLine) {
  for (const char* asks : {"./cube", "./cube help", "./cube -h", "./cube --help"})
    EXPECT_THAT(line(asks).out, StartsWith(kHelp)) << asks;
  EXPECT_THAT(line("./cube help worker").out, HasSubstr("-p, --port int"));
  EXPECT_EQ(line("./cube run --help").code, 0);
  const Ran unknown = line("./cube satus");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown command \"satus\" for \"cube\""));
  EXPECT_THAT(unknown.err, HasSubstr("did you mean `status`"));
  EXPECT_EQ(line("./cube status --mangaer x").code, 2);
  EXPECT_EQ(line("./cube manager -s best").code, 2);
  EXPECT_EQ(line("./cube manager -d etcd").code, 2);
  EXPECT_EQ(line("./cube manager -w localhost").code, 2);
  EXPECT_EQ(line("./cube worker -H 0.0.0.0").code, 1);  // not without --insecure
  for (const char* shell : {"bash", "zsh", "fish", "powershell"}) {
    const Ran script = line(std::string("./cube completion ") + shell);
    EXPECT_EQ(script.code, 0);
    EXPECT_THAT(script.out, HasSubstr("cube"));
    EXPECT_THAT(script.out, HasSubstr("manager"));
    EXPECT_THAT(script.out, testing::Not(HasSubstr("_duet")));
  }
  EXPECT_EQ(line("./cube completion bash | bash -n").code, 0);
  EXPECT_EQ(line("./cube completion tcsh").code, 2);
  const Ran nobody = line("./cube status -m localhost:" + manager());
  EXPECT_EQ(nobody.code, 4);
  EXPECT_THAT(nobody.err, HasSubstr("no manager answers"));
  EXPECT_EQ(line("./cube run -f nothing.json").code, 1);
}

TEST_F(CubePrograms, S4_15_PeriodsAreOptions) {
  const std::string help = line("./cube help manager").out;
  for (const char* option : {"--sync-ms int", "--stats-s int", "--health-s int"})
    EXPECT_THAT(help, HasSubstr(option));
  EXPECT_EQ(line("./cube manager --sync-ms 5").code, 2) << "10 ms at least";
  EXPECT_EQ(line("./cube manager --stats-s 0").code, 2);
  EXPECT_EQ(line("./cube manager --health-s never").code, 2);
}

TEST_F(CubePrograms, S4_02_S4_03_S4_04_S4_05_S4_06_S4_07_S4_19_TasksGoThroughTheManagerToItsWorkers) {
  start(2);
  const Ran sent = run(1, R"("Cmd":["sleep","600"])");
  EXPECT_EQ(sent.code, 0) << sent.err;
  ASSERT_TRUE(in_state(1, 2));
  ASSERT_EQ(run(2, R"("Cmd":["sleep","600"])").code, 0);
  ASSERT_TRUE(in_state(2, 2));
  // Round robin: each worker has one, under the ids that its user chose.
  EXPECT_EQ(at_worker(0).size(), 1U);
  EXPECT_EQ(at_worker(1).size(), 1U);
  EXPECT_EQ(at_worker(0)[0]["ID"], id(1));
  EXPECT_EQ(at_worker(0)[0]["Name"], "test-chapter-9.1");
  const Ran nodes = line("./cube node --manager localhost:" + manager());
  EXPECT_THAT(nodes.out, MatchesRegex("NAME +MEMORY \\(MiB\\)     DISK \\(GiB\\)     ROLE       TASKS\n"
                                      "localhost:[0-9]+ +[0-9]+ +[0-9]+ +worker     1\n"
                                      "localhost:[0-9]+ +[0-9]+ +[0-9]+ +worker     1\n"));
  const Ran status = line("./cube status --manager=localhost:" + manager());
  EXPECT_THAT(status.out,
              MatchesRegex("ID                 NAME                 CREATED +STATE       CONTAINERNAME"
                           "        IMAGE\n"
                           "bb1d59e1           test-chapter-9.1     [A-Za-z0-9 ]+ ago +Running     "
                           "test-chapter-9.1     \n"
                           "bb1d59e2           test-chapter-9.2     [A-Za-z0-9 ]+ ago +Running     "
                           "test-chapter-9.2     \n"));
  const Ran stopped = line("./cube stop bb1d59e1 -m localhost:" + manager());
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_EQ(stopped.out, "Task bb1d59e1 has been stopped.\n");
  ASSERT_TRUE(in_state(1, 3));
  EXPECT_EQ(at_worker(0)[0]["State"], 3);
  EXPECT_EQ(line("./cube stop ffffffff -m localhost:" + manager()).code, 1);
  EXPECT_EQ(task(2)["State"], 2);
}

TEST_F(CubePrograms, S4_07_AnAmbiguousPrefixIsRefused) {
  start(1);
  ASSERT_EQ(run(1, R"("Cmd":["sleep","600"])").code, 0);
  write(folder_ / "bin/task.json",
        R"({"ID":"a7aa1d44-08f6-443e-9378-f5884311019f","State":2,
            "Task":{"ID":"bb1d59e1-0000-4e4b-a44d-db571eeed203","Name":"other","Cmd":["true"]}})");
  ASSERT_EQ(line("./cube run -m localhost:" + manager()).code, 0);  // task.json is the default
  const Ran which = line("./cube stop bb1d59e1 -m localhost:" + manager());
  EXPECT_EQ(which.code, 2);
  EXPECT_THAT(which.err, HasSubstr(id(1)));
  EXPECT_THAT(which.err, HasSubstr("bb1d59e1-0000"));
  EXPECT_EQ(line("./cube stop " + id(1) + " -m localhost:" + manager()).code, 0);
}

TEST_F(CubePrograms, S4_08_S4_10_CodesAndRefusals) {
  start(1);
  const auto code = [&](const std::string& words) {
    return line("curl -s -o body -w '%{http_code}' " + words + " ; echo; cat body").out;
  };
  const std::string at = " http://localhost:" + manager();
  EXPECT_THAT(
      code("-X POST" + at + "/tasks -d '{\"Hat\":1}'"),
      StartsWith("400\n{\"HTTPStatusCode\":400,\"Message\":\"Error unmarshalling body: Hat: unknown field"));
  EXPECT_THAT(code("-X POST" + at + "/tasks -d '{'"), StartsWith("400\n{\"HTTPStatusCode\":400"));
  write(folder_ / "bin/image.json",
        document(3, R"("Image":"timboring/echo-server:latest","HealthCheck":"/health",
      "ExposedPorts":{"7777/tcp":{}},"PortBindings":{"7777/tcp":"7777"})"));
  EXPECT_THAT(code("-X POST" + at + "/tasks -d @image.json"),
              testing::AllOf(StartsWith("400\n"), HasSubstr("there is no container engine")));
  write(folder_ / "bin/good.json", document(4, R"("Cmd":["sh","-c","exit 3"])"));
  EXPECT_THAT(code("-X POST" + at + "/tasks -d @good.json"), StartsWith("201\n{\"ID\":\"" + id(4)));
  EXPECT_THAT(code("-X POST" + at + "/tasks -d @good.json"), StartsWith("201\n"));  // the same event
  ASSERT_TRUE(in_state(4, 4));
  EXPECT_EQ(task(4)["ExitCode"], 3);
  EXPECT_THAT(code(at + "/tasks"), StartsWith("200\n["));
  EXPECT_THAT(code(at + "/nodes"), StartsWith("200\n["));
  EXPECT_THAT(code("-X DELETE" + at + "/tasks/" + id(4)), StartsWith("204\n"));
  EXPECT_THAT(code("-X DELETE" + at + "/tasks/" + id(5)), StartsWith("404\n{\"HTTPStatusCode\":404"));
  const std::string worker = " http://localhost:" + std::to_string(workers_[0]);
  EXPECT_THAT(code(worker + "/tasks/" + id(4)), StartsWith("200\n{\"ID\":\"" + id(4)));
  EXPECT_THAT(code(worker + "/tasks/" + id(5)), StartsWith("404\n"));
  // A worker by itself is one, too.
  write(folder_ / "bin/own.json", document(6, R"("Cmd":["true"])"));
  EXPECT_THAT(code("-X POST" + worker + "/tasks -d @own.json"), StartsWith("201\n"));
  EXPECT_TRUE(eventually([&] { return get(workers_[0], "/tasks/" + id(6))["State"] == 3; }));
  EXPECT_EQ(get(manager_, "/tasks/" + id(6)), json());
  // S4-09: what has failed may be scheduled again, what is completed may not.
  const auto again = [&](int n) {
    return code("-X POST" + at + "/tasks -d '{\"State\":2,\"Task\":{\"ID\":\"" + id(n) +
                "\",\"Name\":\"again\",\"Cmd\":[\"true\"]}}'");
  };
  EXPECT_THAT(again(4), StartsWith("201\n"));
  ASSERT_TRUE(in_state(4, 3));
  EXPECT_THAT(again(4), StartsWith("409\n"));
}

TEST_F(CubePrograms, S4_12_AWorkerTellsOfItself) {
  start(1);
  const json stats = get(workers_[0], "/stats");
  for (const char* part : {"MemStats", "DiskStats", "CpuStats", "LoadStats"})
    EXPECT_TRUE(stats.contains(part)) << part;
  EXPECT_GT(stats["MemStats"]["mem_total"], 0);
  EXPECT_GT(stats["DiskStats"]["all"], 0);
  EXPECT_EQ(stats["CpuStats"]["id"], "cpu");
  EXPECT_EQ(stats["TaskCount"], 0);
  const json node = get(manager_, "/nodes")[0];
  EXPECT_EQ(node["Memory"], stats["MemStats"]["mem_total"]);
  EXPECT_EQ(node["Role"], "worker");
}

TEST_F(CubePrograms, S4_11_ManagerAndWorkersKeepTheirTasks) {
  start(1);
  ASSERT_EQ(run(1, R"("Cmd":["sleep","600"])").code, 0);
  ASSERT_EQ(run(2, R"("Cmd":["true"])").code, 0);
  ASSERT_TRUE(in_state(1, 2));
  ASSERT_TRUE(in_state(2, 3));
  end(manager_pid_, SIGKILL);
  manager_pid_ = begin(manager_line_);
  ASSERT_TRUE(in_state(1, 2));
  ASSERT_TRUE(in_state(2, 3));
  ASSERT_TRUE(eventually([&] { return ready() == 1; }));
  // It was found again, not started again.
  EXPECT_EQ(task(1)["RestartCount"], 0);
  EXPECT_EQ(at_worker(0).size(), 2U);
  EXPECT_EQ(at_worker(0)[0]["State"], 2);
  // What ends while nobody looks is told to the next manager.
  end(manager_pid_, SIGKILL);
  EXPECT_EQ(
      line("curl -s -X DELETE http://localhost:" + std::to_string(workers_[0]) + "/tasks/" + id(1)).code, 0);
  ASSERT_TRUE(eventually([&] { return at_worker(0)[0]["State"] == 3; }));
  manager_pid_ = begin(manager_line_);
  ASSERT_TRUE(in_state(1, 3));
}

TEST_F(CubePrograms, S4_18_ADeadWorkersTasksMove) {
  start(2);
  ASSERT_EQ(run(1, R"("Cmd":["sleep","600"],"RestartPolicy":"on-failure")").code, 0);
  ASSERT_TRUE(in_state(1, 2));
  EXPECT_EQ(task(1)["Worker"], "localhost:" + std::to_string(workers_[0]));
  end(worker_pids_[0]);  // Its tasks end with it, and it answers no more.
  ASSERT_TRUE(eventually([&] {
    const json moved = task(1);
    return moved["Worker"] == "localhost:" + std::to_string(workers_[1]) && moved["State"] == 2;
  }));
  // When it is back, it has nothing that runs elsewhere.
  worker_pids_[0] = begin_worker(0);
  ASSERT_TRUE(eventually([&] { return ready() == 2; }));
  ASSERT_TRUE(eventually([&] {
    const json there = at_worker(0);
    return there.is_array() && std::ranges::all_of(there, [](const json& one) { return one["State"] > 2; });
  }));
  EXPECT_EQ(task(1)["State"], 2);
}

TEST_F(CubePrograms, S4_14_WhatIsNotHealthyIsStartedAgainAndWithoutACheckNothingIsAsked) {
  start(1);
  const std::string workload = R"("Cmd":[")" DUET_BUILD_DIR R"(/libexec/duet-workload"],)";
  const std::string port = R"("ExposedPorts":{"7777/tcp":{}},)";
  ASSERT_EQ(run(1, workload + port + R"("HealthCheck":"/health")").code, 0);
  const std::string bound = std::to_string(free_port());
  ASSERT_EQ(
      run(2, workload + port + R"("PortBindings":{"7777/tcp":")" + bound + R"("},"HealthCheck":"/health")")
          .code,
      0);
  // Answers 404; and one whom nobody asks.
  ASSERT_EQ(run(3, workload + port + R"("HealthCheck":"/no-such","RestartPolicy":"no")").code, 0);
  ASSERT_EQ(run(4, R"("Cmd":["sleep","600"],)" + port + R"("HealthCheck":"")").code, 0);
  ASSERT_EQ(run(5, workload + port + R"("HealthCheck":"/no-such")").code, 0);
  ASSERT_TRUE(in_state(3, 4));
  EXPECT_EQ(task(3)["Outcome"], "unhealthy");
  EXPECT_EQ(task(3)["RestartCount"], 0);
  ASSERT_TRUE(eventually([&] { return task(5).value("RestartCount", 0) >= 1; }));
  for (const int well : {1, 2, 4}) {
    EXPECT_EQ(task(well)["State"], 2) << task(well);
    EXPECT_EQ(task(well)["RestartCount"], 0) << task(well);
  }
  // A manager that comes back asks those that it finds.
  end(manager_pid_, SIGKILL);
  manager_pid_ = begin(manager_line_);
  ASSERT_TRUE(in_state(2, 2));
  ASSERT_TRUE(eventually([&] { return ready() == 1; }));
  const json about = get(static_cast<std::uint16_t>(std::stoi(bound)), "/");
  ASSERT_EQ(::kill(about["pid"].get<pid_t>(), SIGSTOP), 0) << about;
  ASSERT_TRUE(eventually([&] {
    const json shown = task(2);
    return shown.is_object() && shown["RestartCount"] == 1 && shown["State"] == 2;
  }));
  EXPECT_NE(get(static_cast<std::uint16_t>(std::stoi(bound)), "/")["pid"], about["pid"]);
  EXPECT_EQ(task(1)["RestartCount"], 0);
}

TEST_F(CubePrograms, S4_16_WhatIsToBeAlwaysThereIsStartedAgain) {
  start(1);
  ASSERT_EQ(run(1, R"("Cmd":["sh","-c","sleep 0.1"],"RestartPolicy":"always")").code, 0);
  EXPECT_TRUE(eventually([&] { return task(1).value("RestartCount", 0) >= 1; }));
  EXPECT_EQ(line("./cube stop bb1d59e1 -m localhost:" + manager()).code, 0);
  EXPECT_TRUE(in_state(1, 3));
}

}  // namespace
}  // namespace duet::program_tests
