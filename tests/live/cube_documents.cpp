// cube's documents and names, as values.
#include <gmock/gmock.h>

#include "core/lifecycle.h"
#include "live/cube/documents.h"
#include "live/cube/manager.h"
#include "live/cube/uuid.h"
#include "live/cube/worker_answers.h"
#include "tools/duet/human_duration.h"

namespace duet::live_tests {
namespace {

using live::cube::Json;
using live::cube::read_event;
using testing::HasSubstr;

const std::string seed_event = R"({
  "ID": "a7aa1d44-08f6-443e-9378-f5884311019e",
  "State": 2,
  "Task": {
    "State": 1,
    "ID": "bb1d59ef-9fc1-4e4b-a44d-db571eeed203",
    "Name": "test-chapter-9.1",
    "Image": "timboring/echo-server:latest",
    "ExposedPorts": {
      "7777/tcp": {}
    },
    "PortBindings": {
      "7777/tcp": "7777"
    },
    "HealthCheck": "/health"
  }
})";

TEST(CubeDocuments, S4_08_TheSourcesOwnTask) {
  const auto event = read_event(seed_event);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id, "a7aa1d44-08f6-443e-9378-f5884311019e");
  EXPECT_EQ(event->state, CubeState::kRunning);
  EXPECT_EQ(event->task_id, "bb1d59ef-9fc1-4e4b-a44d-db571eeed203");
  EXPECT_EQ(event->name, "test-chapter-9.1");
  EXPECT_EQ(event->image, "timboring/echo-server:latest");
  EXPECT_EQ(event->task.dump(), R"({"ID":"bb1d59ef-9fc1-4e4b-a44d-db571eeed203","Name":"test-chapter-9.1",)"
                                R"("Image":"timboring/echo-server:latest","ExposedPorts":{"7777/tcp":{}},)"
                                R"("PortBindings":{"7777/tcp":"7777"},"HealthCheck":"/health"})");
}

TEST(CubeDocuments, S4_08_NamesAreReadInAnyCaseAsGoDoes) {
  const auto event =
      read_event(R"({"id":"A7AA1D44-08F6-443E-9378-F5884311019E","task":{"NAME":"a","cmd":["x"]}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id, "a7aa1d44-08f6-443e-9378-f5884311019e");
  EXPECT_EQ(event->task_id, event->id);
  EXPECT_EQ(event->task["Cmd"], Json::parse(R"(["x"])"));
}

TEST(CubeDocuments, S4_08_WhatIsMistakenIsNamedAllAtOnce) {
  const auto event =
      read_event(R"({"ID":"x","State":7,"Hat":1,"Task":{"Name":"a b","Colour":"red","Cpu":"much",
      "ExposedPorts":{"0/tcp":{}},"RestartPolicy":"perhaps","Env":["=1"],"Memory":-1}})");
  ASSERT_FALSE(event);
  std::vector<std::string> where;
  for (const Problem& problem : event.problems()) where.push_back(problem.where);
  EXPECT_THAT(where, testing::UnorderedElementsAre("ID", "State", "Hat", "Task.Colour", "Task.Cpu",
                                                   "Task.Name", "Task.ExposedPorts", "Task.RestartPolicy",
                                                   "Task.Env", "Task.Memory"));
  EXPECT_FALSE(read_event("{"));
  EXPECT_FALSE(read_event("[]"));
  EXPECT_FALSE(read_event(std::string(1000, '[')));
  EXPECT_FALSE(read_event(R"({"ID":"a7aa1d44-08f6-443e-9378-f5884311019e","Task":{"Name":"a"},"Task":{}})"));
}

std::string payload_of(const std::string& task, bool restarts = true) {
  const auto event =
      read_event(R"({"ID":"a7aa1d44-08f6-443e-9378-f5884311019e","State":2,"Task":)" + task + "}");
  if (!event) return event.problems().front().where;
  const auto spec =
      live::cube::job_of(*event, restarts ? std::optional(live::cube::health_check()) : std::nullopt);
  if (!spec) return spec.problems().front().where;
  auto command = live::command_from_payload(*(*spec)->groups[0].spec.work.payload);
  command->labels.clear();
  return std::string(name((*spec)->kind)) + " " + std::to_string((*spec)->retries) + " " +
         std::to_string((*spec)->groups[0].spec.need.cpu_m) + " " +
         std::to_string((*spec)->groups[0].spec.need.memory_bytes) + " " + live::to_payload(*command);
}

TEST(CubeDocuments, S4_08_AProcessIsNamedInDockersWords) {
  EXPECT_EQ(
      payload_of(R"({"Name":"a","Cmd":["sleep","60"],"Env":["A=1","B=x=y"],"WorkingDir":"/tmp","Cpu":0.5,
                "Memory":1048576})"),
      R"(rigid 0 500 1048576 {"argv":["sleep","60"],"directory":"/tmp","env":{"A":"1","B":"x=y"},)"
      R"("memory_bytes":1048576})");
  EXPECT_EQ(payload_of(R"({"Name":"a"})"), "Task.Cmd");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"Env":["DUET_TASK=1"]})"), "Task.Env.DUET_TASK");
}

TEST(CubeDocuments, S4_16_PortsAreBoundOrChosen) {
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"ExposedPorts":{"7777/tcp":{},"80/tcp":{}}})"),
            R"(rigid 0 0 0 {"argv":["x"],"ports":2})");
  EXPECT_EQ(
      payload_of(
          R"({"Name":"a","Cmd":["x"],"ExposedPorts":{"7777/tcp":{}},"PortBindings":{"7777/tcp":"81"}})"),
      R"(rigid 0 0 0 {"argv":["x"],"env":{"PORT":"81"}})");
  EXPECT_EQ(
      payload_of(
          R"({"Name":"a","Cmd":["x"],"ExposedPorts":{"1/tcp":{},"2/tcp":{}},"PortBindings":{"1/tcp":"81"}})"),
      "Task.PortBindings");
}

TEST(CubeDocuments, S4_16_RestartPoliciesAreTheManagers) {
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"RestartPolicy":"always"})").substr(0, 9), "service 0");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"RestartPolicy":"on-failure"})").substr(0, 7), "rigid 3");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"RestartPolicy":"always"})", false).substr(0, 7),
            "rigid 0");
}

TEST(CubeDocuments, S4_14_WhatHasAHealthCheckIsAskedByTheManager) {
  const auto spec_of = [](const std::string& rest, const std::optional<HealthCheck>& check) {
    const auto event = read_event(
        R"({"ID":"a7aa1d44-08f6-443e-9378-f5884311019e","State":2,"Task":{"Name":"a","Cmd":["x"])" + rest +
        "}}");
    return **live::cube::job_of(*event, check);
  };
  const std::string asked = R"(,"ExposedPorts":{"80/tcp":{}},"HealthCheck":"/health")";
  const HealthCheck check = live::cube::health_check();
  EXPECT_EQ(check.interval, std::chrono::seconds(15));
  EXPECT_EQ(check.failures, 3U);
  const JobSpec job = spec_of(asked, check);
  EXPECT_EQ(job.groups[0].spec.work.health, check);
  EXPECT_EQ(job.retries, 3U);
  EXPECT_EQ(spec_of(asked + R"(,"RestartPolicy":"no")", check).retries, 0U);
  EXPECT_EQ(spec_of(asked + R"(,"RestartPolicy":"always")", check).kind, JobKind::kService);
  EXPECT_EQ(spec_of(R"(,"ExposedPorts":{"80/tcp":{}})", check).groups[0].spec.work.health, std::nullopt);
  EXPECT_EQ(spec_of(asked, std::nullopt).groups[0].spec.work.health, std::nullopt);
  EXPECT_EQ(spec_of(asked, std::nullopt).retries, 0U);
}

TEST(CubeDocuments, S4_14_AHealthCheckIsAPathAndNeedsAPort) {
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"HealthCheck":"/health"})"), "Task.HealthCheck");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"ExposedPorts":{"1/tcp":{}},"HealthCheck":"health"})"),
            "Task.HealthCheck");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"ExposedPorts":{"1/tcp":{}},"HealthCheck":"/a b"})"),
            "Task.HealthCheck");
  EXPECT_EQ(payload_of(R"({"Name":"a","Cmd":["x"],"HealthCheck":""})"), R"(rigid 0 0 0 {"argv":["x"]})");
}

TEST(CubeDocuments, S4_14_TheFirstPortIsAsked) {
  const auto place = [](const char* task) {
    const auto found = live::cube::health_place(Json::parse(task));
    return found ? std::to_string(found->port) + found->target : "nowhere";
  };
  EXPECT_EQ(place(R"({"HealthCheck":"/h","Ports":[8001,8002]})"), "8001/h");
  EXPECT_EQ(place(R"({"HealthCheck":"/h","Ports":[],"PortBindings":{"9/tcp":"99","7/tcp":"77"}})"), "77/h");
  EXPECT_EQ(place(R"({"HealthCheck":"/h","Ports":[]})"), "nowhere");
  EXPECT_EQ(place(R"({"HealthCheck":"","Ports":[8001]})"), "nowhere");
}

TEST(CubeDocuments, S4_12_WhatAWorkerTellsOfItselfIsChecked) {
  using live::cube::read_worker_stats;
  const auto fine = read_worker_stats(
      R"({"MemStats":{"mem_total":4096},"DiskStats":{"all":7},"Offer":{"cpu_m":2500,"memory_bytes":1000}})");
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->cores, 2U);
  EXPECT_EQ(fine->memory_bytes, 1000);
  EXPECT_EQ(fine->memory_kb, 4096);
  EXPECT_EQ(fine->disk_bytes, 7U);
  const auto plain = read_worker_stats(R"({"MemStats":{"mem_total":4096},"DiskStats":null})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->cores, 1U);
  EXPECT_EQ(plain->memory_bytes, 4096 * 1024);
  for (const char* wrong :
       {"", "[]", "null", "7", R"({"MemStats":null})", R"({"MemStats":[]})",
        R"({"MemStats":{"mem_total":"4"}})", R"({"MemStats":{"mem_total":9223372036854775807}})",
        R"({"MemStats":{"mem_total":18446744073709551615}})", R"({"MemStats":{"mem_total":-1}})",
        R"({"Offer":{"cpu_m":1e30}})", R"({"Offer":3})", R"({"DiskStats":{"all":[]}})"}) {
    const auto read = read_worker_stats(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_FALSE(read.problems().empty()) << wrong;
  }
  EXPECT_FALSE(read_worker_stats(std::string(100'000, '[')));
}

TEST(CubeDocuments, S4_04_WhatAWorkerShowsOfTasksIsChecked) {
  using live::cube::read_worker_tasks;
  const auto none = read_worker_tasks("null");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const std::string id = R"("ID":"bb1d59ef-9fc1-4e4b-a44d-db571eeed203")";
  const auto one = read_worker_tasks(
      "[{" + id + R"(,"State":4,"ExitCode":-1,"Ports":[80],"Reason":"x","PortBindings":null,"Event":"e"}])");
  ASSERT_TRUE(one);
  ASSERT_EQ(one->size(), 1U);
  const live::cube::WorkerTask& task = one->front();
  EXPECT_EQ(task.id, "bb1d59ef-9fc1-4e4b-a44d-db571eeed203");
  EXPECT_EQ(task.event, "e");
  EXPECT_EQ(task.state, CubeState::kFailed);
  EXPECT_EQ(task.outcome, Outcome::kFailed);
  EXPECT_EQ(task.exit_code, -1);
  EXPECT_EQ(task.ports, std::vector<std::uint32_t>{80});
  EXPECT_EQ(task.reason, "x");
  EXPECT_FALSE(task.shown.contains("PortBindings"));
  for (const char* wrong : {R"("State":"x")", R"("State":5)", R"("Event":7)", R"("ExitCode":4294967296)",
                            R"("Ports":[70000])", R"("Ports":{})", R"("Reason":[])", R"("Outcome":1)",
                            R"("HealthCheck":1)", R"("HealthCheck":"/a\r\nX: y")", R"("PortBindings":[])"}) {
    const auto read = read_worker_tasks("[{" + id + "," + wrong + "}]");
    ASSERT_FALSE(read) << wrong;
    EXPECT_THAT(read.problems().front().where, testing::StartsWith("/0/")) << wrong;
  }
  for (const char* wrong :
       {"", "7", R"({"a":1})", "[1]", "[null]", R"([{"State":1}])", R"([{"ID":"x HTTP/1.1"}])"})
    EXPECT_FALSE(read_worker_tasks(wrong)) << wrong;
}

TEST(CubeDocuments, S4_08_WhyAWorkerRefusesCanAlwaysBeShown) {
  using live::cube::read_refusal;
  EXPECT_EQ(read_refusal(400, R"({"Message":"no"})"), "no");
  EXPECT_EQ(read_refusal(400, R"({"detail":"no"})"), "no");
  EXPECT_EQ(read_refusal(400, R"({"Message":7})"), R"({"Message":7})");
  EXPECT_EQ(read_refusal(400,
                         "a\xff"
                         "b"),
            "ab");
  EXPECT_EQ(read_refusal(404, ""), "its worker refuses it: 404");
  EXPECT_EQ(read_refusal(400, std::string(9'000, 'x')).size(), 500U);
}

TEST(CubeNames, S4_19_AnEventNamesItsAttempt) {
  const AttemptId attempt{{JobId{17}, 3}, 2};
  const std::string uuid = live::cube::uuid_of(0xabcdef01, attempt);
  EXPECT_EQ(uuid, "abcdef01-0000-8000-8011-000003000002");
  EXPECT_TRUE(live::cube::is_uuid(uuid));
  EXPECT_EQ(live::cube::attempt_of(0xabcdef01, uuid), attempt);
  EXPECT_EQ(live::cube::attempt_of(0xabcdef02, uuid), std::nullopt);
  EXPECT_EQ(live::cube::attempt_of(0xabcdef01, "a7aa1d44-08f6-443e-9378-f5884311019e"), std::nullopt);
  const std::string fresh = live::cube::fresh_uuid();
  EXPECT_TRUE(live::cube::is_uuid(fresh));
  EXPECT_EQ(fresh[14], '4');
  EXPECT_NE(fresh, live::cube::fresh_uuid());
  EXPECT_FALSE(live::cube::is_uuid("a7aa1d44-08f6-443e-9378-f5884311019"));
  EXPECT_FALSE(live::cube::is_uuid("a7aa1d44x08f6-443e-9378-f5884311019e"));
}

TEST(CubeNames, S4_02_ListsOfWorkers) {
  const auto two = live::cube::worker_addresses("worker-1:5556,worker-2:5557");
  ASSERT_TRUE(two);
  EXPECT_EQ(*two, (std::vector<std::string>{"worker-1:5556", "worker-2:5557"}));
  const auto wrong = live::cube::worker_addresses("a,b:0,c:1,c:1");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.problems().size(), 3U);
  EXPECT_FALSE(live::cube::worker_addresses(""));
}

TEST(CubeNames, S4_06_DurationsReadLikeDockers) {
  using front::human_duration;
  EXPECT_EQ(human_duration(0), "Less than a second");
  EXPECT_EQ(human_duration(1), "1 second");
  EXPECT_EQ(human_duration(59), "59 seconds");
  EXPECT_EQ(human_duration(60), "About a minute");
  EXPECT_EQ(human_duration(120), "2 minutes");
  EXPECT_EQ(human_duration(3599), "59 minutes");
  EXPECT_EQ(human_duration(3600), "About an hour");
  EXPECT_EQ(human_duration(47 * 3600), "47 hours");
  EXPECT_EQ(human_duration(48 * 3600), "2 days");
  EXPECT_EQ(human_duration(14 * 86400), "2 weeks");
  EXPECT_EQ(human_duration(60 * 86400), "2 months");
  EXPECT_EQ(human_duration(730 * 86400), "2 years");
}

}  // namespace
}  // namespace duet::live_tests
