// JSON text: exact strings, names taken from the types, configurations there and back.
#include <gtest/gtest.h>

#include "core/codec/config_json.h"
#include "core/codec/hash.h"
#include "core/codec/render.h"
#include "core/codec/trace_header.h"
#include "core/lifecycle.h"
#include "tests/unit/codec_support.h"

namespace duet::test {
namespace codec_json {

using codec::rendered;

const AttemptId kAttempt{{JobId{17}, 0}, 1};

TEST(CodecRender, IdsAndThreadSets) {
  EXPECT_EQ(rendered(TaskId{JobId{17}, 0}), "\"17.0\"");
  EXPECT_EQ(rendered(kAttempt), "\"17.0#1\"");
  EXPECT_EQ(rendered(NodeId{3}), "3");
  EXPECT_EQ(rendered(BootNonce{0xabcdef}), "\"0000000000abcdef\"");
  ThreadSet set;
  EXPECT_EQ(rendered(set), "\"\"");
  for (const std::uint32_t t : {1U, 2U, 3U, 5U, 63U, 64U, 255U}) set.insert(t);
  EXPECT_EQ(rendered(set), "\"1-3,5,63-64,255\"");
}

TEST(CodecRender, CommandsAndEvents) {
  ThreadSet threads;
  threads.insert(0), threads.insert(4);
  Work work;
  work.duration = std::chrono::seconds(2);
  EXPECT_EQ(
      rendered(controller::Command(controller::Send{
          LinkId{4}, {BootNonce{9}, Epoch{2}, msg::Launch{kAttempt, {}, 3, work, 2, threads, Duration(5)}}})),
      R"({"send":{"link":4,"message":{"boot":"0000000000000009","epoch":2,"body":{"launch":)"
      R"({"attempt":"17.0#1","serial":3,"work":{"duration_ns":2000000000,"operations":0,)"
      R"("weight":1,"payload":null},)"
      R"("cpu_m":2,"threads":"0,4","timeout_ns":5}}}}})");
  EXPECT_EQ(rendered(controller::Command(controller::Publish{
                controller::TaskChanged{kAttempt, TaskState::kStarting, NodeId{1}, Outcome::kLaunchFailed}})),
            R"({"publish":{"task_changed":{"attempt":"17.0#1","state":"starting","node":1,)"
            R"("outcome":"launch_failed","ready":false}}})");
  EXPECT_EQ(rendered(controller::Command(controller::Persist{EndRecord{JobId{17}, JobState::kFailed}})),
            R"({"persist":{"end_record":{"job":17,"state":"failed"}}})");
  EXPECT_EQ(rendered(controller::Event(Wake{})), R"({"wake":{}})");
  EXPECT_EQ(rendered(agent::Event(agent::Exited{kAttempt, Outcome::kTimedOut, -9})),
            R"({"exited":{"attempt":"17.0#1","outcome":"timed_out","exit_code":-9,"cpu_ns":0}})");
  EXPECT_EQ(rendered(agent::Command(agent::Terminate{kAttempt, true})),
            R"({"terminate":{"attempt":"17.0#1","force":true,"why":"killed"}})");
}

TEST(CodecRender, ZeroCountsAreLeftOut) {
  Resources r;
  r.cpu_m = 1000;
  EXPECT_EQ(rendered(r), R"({"cpu_m":1000,"memory_bytes":0})");
  r.count[2] = 7;
  r.count[5] = -1;
  EXPECT_EQ(rendered(r), R"({"cpu_m":1000,"memory_bytes":0,"count":{"2":7,"5":-1}})");
}

TEST(CodecRender, TextIsAlwaysValidJson) {
  EXPECT_EQ(rendered(std::string("a\"b\\c\n\t\x01\x7f")), R"("a\"b\\c\n\t\u0001\u007f")");
  EXPECT_EQ(rendered(std::string("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80")),
            "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
  // A lone continuation, an overlong slash, a surrogate, beyond the last code point, and a cut sequence.
  for (const char* bad : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::string out = rendered(std::string(bad));
    EXPECT_EQ(out.find("\xef\xbf\xbd"), 1U) << out;
  }
}

TEST(CodecRender, NumbersAtTheirLimits) {
  EXPECT_EQ(rendered(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(rendered(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(rendered(0.1), "0.1");
  EXPECT_EQ(rendered(1.0 / 0.0), "null");
  std::string us;
  for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1500}, std::int64_t{-1}, INT64_MIN}) {
    codec::append_us(us, ns);
    us += ' ';
  }
  EXPECT_EQ(us, "0.000 1.500 -0.001 -9223372036854775.808 ");
}

template <class S>
void same_names(std::span<const S> states) {
  ASSERT_EQ(codec::enum_count<S>, states.size());
  for (const S state : states) EXPECT_EQ(codec::enum_name(state), name(state));
}

TEST(CodecNames, AreThoseOfTheLifecycle) {
  same_names(job_states());
  same_names(task_states());
  same_names(node_states());
  EXPECT_EQ(codec::enum_count<Outcome>, 7U);
  for (std::size_t i = 0; i < codec::enum_count<Outcome>; ++i)
    EXPECT_EQ(codec::enum_names<Outcome>[i], name(static_cast<Outcome>(i)));
  EXPECT_EQ(codec::enum_name(JobKind::kBag), "bag");
  EXPECT_EQ(codec::enum_name(static_cast<JobKind>(99)), "?");
  EXPECT_EQ(codec::alternative_names<controller::Event>.front(), "restore");
  EXPECT_EQ(codec::alternative_names<controller::Notice>.back(), "pool_scaled");
}

TEST(CodecConfig, ThereAndBack) {
  ControllerConfig c;
  c.queue = {"easy",
             {{{"depth", std::int64_t{-3}}, {"exact", true}, {"mode", std::string("x")}, {"ratio", 2.0}}}};
  c.inventory = {"a", "b\"\n"};
  c.resend_after = Duration(123);
  c.max_losses = 4294967295U;
  c.mass_loss = {40, Duration(5), Duration(6)};
  c.stuck_after = 7;
  c.seed = UINT64_MAX;
  const auto back = codec::controller_config_from_json(codec::to_json(c));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, c);
  const auto params = codec::params_from_json(codec::to_json(c.queue.params));
  ASSERT_TRUE(params);
  EXPECT_EQ(*params, c.queue.params);
  AgentConfig a = two_agents().agents[1];
  a.offer.capacity.count[3] = INT32_MIN;
  a.heartbeat = Duration::max();
  const auto agent = codec::agent_config_from_json(codec::to_json(a));
  ASSERT_TRUE(agent);
  EXPECT_EQ(*agent, a);
}

TEST(CodecConfig, MistakesAreNamed) {
  const std::string good = codec::to_json(AgentConfig{});
  const auto problem = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    const auto result = codec::agent_config_from_json(text);
    return result ? std::string("accepted")
                  : result.problems().front().where + " " + result.problems().front().what;
  };
  EXPECT_EQ(problem(good, "\"cores\":1", "\"cores\":-1"), "/offer/cores is not as expected");
  EXPECT_EQ(problem(good, "\"cores\":1", "\"cores\":4294967296"), "/offer/cores is not as expected");
  EXPECT_EQ(problem(good, "\"cores\":1", "\"cores\":1.5"), "/offer/cores is not as expected");
  EXPECT_EQ(problem(good, "\"cores\":1", "\"kernels\":1"), "/offer has no \"cores\"");
  EXPECT_EQ(problem(good, "\"name\":\"\"", "\"name\":\"\",\"x\":1"), "/x is unknown");
  EXPECT_EQ(problem(good, "{", "["), " is not JSON");
  EXPECT_FALSE(codec::header_from_json(std::string(100'000, '[')));
  for (const char* text : {"", "null", "[]", "3", "{}", "\"x\""}) EXPECT_FALSE(codec::header_from_json(text));
}

TEST(CodecHeader, AgentsThatDifferInNameOnlyShareAnEntry) {
  codec::TraceHeader header = two_agents();
  for (int i = 0; i < 1000; ++i) header.agents.push_back(header.agents.front());
  header.agents.back().kill_grace = Duration(1);
  const std::string json = codec::to_json(header);
  EXPECT_LT(json.size(), 8000U);
  const auto back = codec::header_from_json(json);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, header);
}

TEST(CodecHash, PublishedValues) {
  EXPECT_EQ(codec::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(codec::sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(codec::xxh3({}), 0x2d06800538d394c2U);  // of nothing, seed 0, as xxHash's own tests have it
}

}  // namespace codec_json
}  // namespace duet::test
