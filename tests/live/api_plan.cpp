// POST /api/v1/plan: what would happen, without anything happening.
#include <unistd.h>

#include "live/api/dry_run.h"
#include "tests/live/api_world.h"

namespace duet::live_tests {
namespace {

class ApiPlan : public ApiWorld {
 protected:
  json plan(const std::string& body) {
    const http::Reply reply = post("/api/v1/plan", body);
    EXPECT_EQ(reply.status, 200U) << reply.body;
    return reply.ok() ? json::parse(reply.body) : json::object();
  }
};

TEST_F(ApiPlan, ItIsWhatThenHappens) {
  add_nodes(2);
  const std::string job = R"({"name":"a","command":["x"],"cpu":800,"count":3})";
  const json planned = plan(job);
  EXPECT_EQ(planned["accepted"], true);
  EXPECT_EQ(planned["tasks_total"], 3);
  EXPECT_EQ(planned["tasks_placed"], 3);
  EXPECT_EQ(planned["scheduler"], "first_fit");
  EXPECT_FALSE(planned.contains("waiting"));
  // Nothing of it is here.
  EXPECT_EQ(shown("/api/v1/jobs")["jobs"].size(), 0U);
  EXPECT_EQ(shown("/api/v1/nodes")[0]["tasks"], 0);
  EXPECT_EQ(plan(job), planned);
  const std::uint64_t id = submit(job);
  EXPECT_EQ(id, 1U);
  ASSERT_TRUE(in_state(id, "running"));
  const json real = shown("/api/v1/jobs/1")["tasks"];
  ASSERT_EQ(planned["placements"].size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(planned["placements"][i]["node"], real[i]["node"]) << i;
}

TEST_F(ApiPlan, SaysWhyItWouldWait) {
  add_nodes(1);
  const json planned = plan(R"({"name":"a","command":["x"],"cpu":900,"count":5})");
  EXPECT_EQ(planned["tasks_placed"], 2);
  EXPECT_EQ(planned["nodes"], json::parse(R"([{"name":"n1","tasks":2}])"));
  EXPECT_EQ(planned["waiting"]["task"], "1.2");
  EXPECT_EQ(planned["waiting"]["standing"]["why"], "queued");
  EXPECT_EQ(planned["waiting"]["standing"]["room_for"], 0);
  EXPECT_EQ(planned["waiting"]["nodes"][0]["against"][0]["obstacle"], "no_cpu");
  const json gang = plan(R"({"name":"a","command":["x"],"cpu":900,"count":3,"kind":"rigid"})");
  EXPECT_EQ(gang["tasks_placed"], 0);
  EXPECT_EQ(gang["waiting"]["standing"]["together"], true);
}

TEST_F(ApiPlan, SaysWhatWouldBeRefused) {
  const json image = plan(R"({"name":"a","image":"nginx"})");
  EXPECT_EQ(image["accepted"], false);
  EXPECT_EQ(image["refusal"], "no node of this cluster runs images");
  EXPECT_EQ(post("/api/v1/plan", R"({"name":"a"})").status, 400U);
  on_thread([&] { store_.failing = true; });
  EXPECT_EQ(post("/api/v1/jobs", R"({"name":"a","command":["x"]})").status, 503U);
  EXPECT_EQ(post("/api/v1/plan", R"({"name":"a","command":["x"]})").status, 503U);
}

TEST(DryRun, AnswersInOrderAndSurvivesWhatItsCopiesDo) {
  live::asio::io_context io;
  live::DryRun dry(io);
  std::vector<std::string> told;
  const auto note = [&](const std::optional<std::string>& answer) {
    told.push_back(answer ? answer->substr(0, 4) + std::to_string(answer->size()) : "none");
  };
  int touched = 0;
  EXPECT_TRUE(dry.ask([&] { return "one " + std::to_string(++touched); }, note));
  EXPECT_TRUE(dry.ask([]() -> std::string { ::_exit(3); }, note));
  EXPECT_TRUE(dry.ask([]() -> std::string { throw std::runtime_error("no"); }, note));
  EXPECT_TRUE(dry.ask([] { return "long" + std::string(1'000'000, 'x'); }, note));
  for (int i = 4; i < 16; ++i) EXPECT_TRUE(dry.ask([] { return std::string(); }, note));
  EXPECT_FALSE(dry.ask([] { return std::string(); }, note));
  io.run();
  ASSERT_EQ(told.size(), 16U);
  EXPECT_EQ(std::vector<std::string>(told.begin(), told.begin() + 4),
            (std::vector<std::string>{"one 5", "none", "none", "long1000004"}));
  EXPECT_EQ(touched, 0);
}

}  // namespace
}  // namespace duet::live_tests
