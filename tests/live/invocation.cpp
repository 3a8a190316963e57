// An operation and its worker, which the test plays: what is asked of it, and what comes of each of its
// answers.
#include "live/process/invocation.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live/process/log_files.h"
#include "live/runtime/operation_call.h"
#include "tests/live/folder.h"
#include "tests/live/http_world.h"

namespace duet::test {
namespace {

using live::Invocation;
using live::WorkerAddress;
using live_tests::HttpWorld;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
namespace http = live::http;

constexpr AttemptId kOperation{{JobId{7}, 2}, 3};
constexpr AttemptId kWorker{{JobId{1}, 0}, 1};

class InvocationOf : public testing::Test {
 protected:
  InvocationOf() : logs_(folder_.text(), {}) {
    worker_.table.schemas().add("Any", R"({"type": "object"})");
    worker_.table.add({.method = http::Method::kPost,
                       .path = "/operations",
                       .operation_id = "execute",
                       .summary = "",
                       .request = "Any",
                       .responses = {{.status = 200, .description = ""}},
                       .handler = [this](const http::Request& request, const http::Responder& respond) {
                         asked_.push_back(request.body);
                         worker_.waiting.push_back(respond);
                       }});
    worker_.table.add({.method = http::Method::kDelete,
                       .path = "/operations/{id}",
                       .operation_id = "cancel",
                       .summary = "",
                       .responses = {{.status = 202, .description = ""}},
                       .handler = [this](const http::Request& request, const http::Responder& respond) {
                         cancelled_.emplace_back(request.parameter("id"));
                         respond(http::json_response("{}", 202));
                       }});
  }
  /// Hands it over to the worker, which is where `port` says.
  void begin(std::function<std::optional<WorkerAddress>()> address) {
    agent::Launch order;
    order.attempt = kOperation;
    order.worker = kWorker;
    order.work.payload = std::make_shared<const std::string>(
        live::to_payload(live::OperationCall{"primes", R"({"limit":10})"}));
    Invocation::Hooks hooks;
    hooks.worker = std::move(address);
    hooks.started = [this] { ++started_; };
    hooks.ended = [this] { ++ended_; };
    hooks.end_worker = [this] { ++workers_ended_; };
    invocation_ = std::make_unique<Invocation>(io_, logs_, order, std::move(hooks));
    invocation_->start();
  }
  void begin() {
    worker_.start();
    begin([this] { return std::optional(WorkerAddress{worker_.port(), {}}); });
  }
  bool wait(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  bool until_asked() {
    return wait([this] { return worker_.waiters() == 1; });
  }
  void answer(const http::Response& response) {
    worker_.on_thread([&] {
      worker_.waiting.back()(response);
      worker_.waiting.clear();
    });
  }
  std::string log(live::LogStream stream) {
    logs_.finish();
    const auto slice = live::read_log(folder_.text(), kOperation, stream, 0, 10'000);
    return slice ? slice->text : "";
  }

  Folder folder_;
  live::asio::io_context io_{1};
  live::LogWriter logs_;
  HttpWorld worker_;
  std::vector<std::string> asked_;
  std::vector<std::string> cancelled_;
  int started_ = 0;
  int ended_ = 0;
  int workers_ended_ = 0;
  std::unique_ptr<Invocation> invocation_;
};

TEST_F(InvocationOf, AResultIsKeptAsFactAndAsLog) {
  begin();
  ASSERT_TRUE(until_asked());
  EXPECT_THAT(asked_, ElementsAre(R"({"id":"7.2#3","operation":"primes","data":{"limit":10}})"));
  EXPECT_TRUE(wait([this] { return started_ == 1; }));
  EXPECT_TRUE(invocation_->adopted().running);
  EXPECT_EQ(invocation_->adopted().worker, kWorker);
  answer(http::json_response(R"({"result": {"b": [1, 2], "a": 4}, "took_s": 1})"));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kSucceeded);
  EXPECT_EQ(invocation_->facts().result, R"({"a":4,"b":[1,2]})");
  EXPECT_FALSE(invocation_->adopted().running);
  EXPECT_EQ(log(live::LogStream::kStdout), "{\"a\":4,\"b\":[1,2]}\n");
}

TEST_F(InvocationOf, WhatTheWorkerRefusesFailsWithItsReason) {
  begin();
  ASSERT_TRUE(until_asked());
  answer(http::problem(400, "No.", {{"/data/limit", "is 0", "1"}}));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kFailed);
  EXPECT_EQ(invocation_->exited().exit_code, 2);
  EXPECT_EQ(invocation_->facts().reason, "No. /data/limit: is 0; 1.");
  EXPECT_EQ(log(live::LogStream::kStderr), "No. /data/limit: is 0; 1.\n");
}

TEST_F(InvocationOf, AnswersThatAreNoneFail) {
  begin();
  ASSERT_TRUE(until_asked());
  answer(http::json_response(R"({"found": 4})"));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().exit_code, 1);
  EXPECT_EQ(invocation_->facts().reason, R"(its worker answered without a "result")");
}

TEST_F(InvocationOf, ResultsBeyondTheBoundFail) {
  begin();
  ASSERT_TRUE(until_asked());
  answer(http::json_response("{\"result\": \"" + std::string(65'535, 'x') + "\"}"));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kFailed);
  EXPECT_EQ(invocation_->facts().result, "");
  EXPECT_THAT(invocation_->facts().reason, HasSubstr("more than 65536 bytes"));
}

TEST_F(InvocationOf, AWorkerThatIsNotListeningYetIsAskedAgain) {
  int looks = 0;
  worker_.start();
  begin([&]() -> std::optional<WorkerAddress> {
    // Nobody listens at port 1.
    return WorkerAddress{++looks < 3 ? std::uint16_t{1} : worker_.port(), {}};
  });
  ASSERT_TRUE(until_asked());
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(ended_, 0);
  answer(http::json_response(R"({"result": 4})"));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->facts().result, "4");
}

TEST_F(InvocationOf, IsLostWithItsWorker) {
  begin();
  ASSERT_TRUE(until_asked());
  ASSERT_TRUE(wait([this] { return started_ == 1; }));
  invocation_->worker_ended();
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kLost);
  EXPECT_EQ(invocation_->facts().reason, "its worker has ended");
}

TEST_F(InvocationOf, IsLostIfThereIsNoSuchWorker) {
  begin([]() -> std::optional<WorkerAddress> { return std::nullopt; });
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kLost);
}

TEST_F(InvocationOf, AWorkerThatLivesAndBreaksOffHasFailedIt) {
  begin();
  ASSERT_TRUE(until_asked());
  ASSERT_TRUE(wait([this] { return started_ == 1; }));
  worker_.on_thread([this] { worker_.server().stop(std::chrono::milliseconds(0), [] {}); });
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kFailed);
  EXPECT_THAT(invocation_->facts().reason, HasSubstr("did not answer as it should"));
}

TEST_F(InvocationOf, IsCancelledPolitely) {
  begin();
  ASSERT_TRUE(until_asked());
  ASSERT_TRUE(wait([this] { return started_ == 1; }));
  invocation_->terminate({kOperation, false, Outcome::kTimedOut});
  ASSERT_TRUE(wait([this] {
    bool asked = false;
    worker_.on_thread([&] { asked = !cancelled_.empty(); });
    return asked;
  }));
  EXPECT_THAT(cancelled_, ElementsAre("7.2#3"));
  EXPECT_EQ(invocation_->adopted().ordered, Outcome::kTimedOut);
  answer(http::problem(409, "The operation was cancelled."));
  ASSERT_TRUE(wait([this] { return ended_ == 1; }));
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kTimedOut);
  EXPECT_EQ(workers_ended_, 0);
}

TEST_F(InvocationOf, AWorkerThatDoesNotStopItIsEnded) {
  begin();
  ASSERT_TRUE(until_asked());
  ASSERT_TRUE(wait([this] { return started_ == 1; }));
  invocation_->terminate({kOperation, false, Outcome::kKilled});
  EXPECT_EQ(workers_ended_, 0);
  invocation_->terminate({kOperation, true, Outcome::kKilled});
  ASSERT_TRUE(wait([this] { return workers_ended_ == 1; }));
  EXPECT_EQ(ended_, 0);
  invocation_->worker_ended();
  EXPECT_EQ(invocation_->exited().outcome, Outcome::kLost);
  EXPECT_EQ(invocation_->facts().reason, "its worker did not stop it and was ended");
}

TEST(OperationCall, IsWrittenInOneWayAndReadBack) {
  const live::OperationCall call{"primes", R"({"a":1,"b":[true]})"};
  EXPECT_EQ(live::to_payload(call), R"({"data":{"a":1,"b":[true]},"operation":"primes"})");
  const auto read = live::call_from_payload(R"({ "operation": "primes", "data": {"b": [true], "a": 1} })");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, call);
  for (const char* wrong : {"", "[]", "{}", R"({"operation":""})", R"({"operation":"a","data":[]})",
                            R"({"operation":"a","more":1})"})
    EXPECT_FALSE(live::call_from_payload(wrong)) << wrong;
}

}  // namespace
}  // namespace duet::test
