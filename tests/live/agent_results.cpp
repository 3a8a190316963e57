// Results of operations reach the controller with the end of their attempt, however often that has to be
// said.
#include "tests/live/test_cluster.h"

namespace duet::test {
namespace {

TEST(AgentResults, AreToldBeforeEachReportOfTheEndUntilThatIsAcknowledged) {
  live::asio::io_context io(1);
  CommandedProcesses processes;
  std::vector<std::string> told;
  BootNonce boot;
  std::uint32_t serial = 0;
  live::AgentDriverOptions options;
  options.config = quick_agent("n1");
  options.send = [&](const msg::FromAgent& message) {
    boot = message.boot;
    if (const auto* body = std::get_if<msg::Register>(&message.body)) serial = body->serial;
    if (std::holds_alternative<msg::AttemptEnded>(message.body)) told.emplace_back("end");
  };
  options.tell = [&](const live::AttemptFacts& facts) { told.push_back("result " + facts.result); };
  live::AgentDriver driver(io, std::move(options));
  CommandedRuntime runtime(io, processes, driver.hooks());
  driver.start(runtime);
  ASSERT_TRUE(run_until(io, [&] { return serial == 1; }));
  const Epoch epoch{1};
  driver.delivered({boot, epoch, msg::Registered{NodeId{0}, serial}});

  const AttemptId attempt{{JobId{5}, 0}, 1};
  msg::Launch launch;
  launch.attempt = attempt;
  launch.serial = 1;
  launch.work.payload = std::make_shared<const std::string>("lasting");
  driver.delivered({boot, epoch, launch});
  ASSERT_TRUE(run_until(io, [&] { return processes.launched == 1; }));
  live::AttemptFacts facts;
  facts.attempt = attempt;
  facts.result = "42";
  driver.hooks().fact(facts);
  EXPECT_TRUE(told.empty());
  runtime.end(attempt, 0);
  // The first report is lost, and is made again.
  ASSERT_TRUE(run_until(io, [&] { return told.size() >= 4; }));
  EXPECT_EQ(std::vector(told.begin(), told.begin() + 4),
            (std::vector<std::string>{"result 42", "end", "result 42", "end"}));

  driver.delivered({boot, epoch, msg::Ack{attempt, 1}});
  ASSERT_TRUE(run_until(io, [&] { return processes.all.empty(); }));
}

}  // namespace
}  // namespace duet::test
