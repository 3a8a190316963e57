#include "live/process/invocation.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"
#include "live/http/schema.h"
#include "live/http/url.h"
#include "live/operations/operation.h"
#include "live/runtime/operation_call.h"

namespace duet::live {
namespace {

/// A worker that has just been started does not listen yet.
constexpr auto kPatienceToHandOver = std::chrono::seconds(10);
constexpr auto kHandOverAgain = std::chrono::milliseconds(10);
/// Within this a worker that broke off is seen to have ended, if it has.
constexpr auto kWorkerEndsWithin = std::chrono::seconds(1);
/// In which an operation stops that is told to by force.
constexpr auto kStopsWithin = std::chrono::seconds(1);
/// What the data of an operation deserves, as command lines have it; and what a failure does.
constexpr std::int32_t kMistakenData = 2;
constexpr std::int32_t kFailedOperation = 1;
constexpr std::int32_t kNoWorker = 126;

std::string name_of_call(AttemptId attempt) {
  return std::to_string(attempt.task.job.value) + "." + std::to_string(attempt.task.index) + "#" +
         std::to_string(attempt.number);
}

}  // namespace

Invocation::Invocation(asio::io_context& io, LogWriter& logs, agent::Launch order, Hooks hooks)
    : io_(io), logs_(logs), order_(std::move(order)), hooks_(std::move(hooks)), timer_(io) {}

Invocation::~Invocation() { *alive_ = false; }

void Invocation::after(Clock::duration pause, void (Invocation::*what)()) {
  timer_.expires_after(pause);
  timer_.async_wait([this, what, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error && !ended_) (this->*what)();
  });
}

void Invocation::start() {
  patience_ends_ = Clock::now() + kPatienceToHandOver;
  hand_over();
}

/// Until the worker accepts the connection: nothing has been executed before.
void Invocation::hand_over() {
  if (ordered_) return finish(Outcome::kFailed, 0, "");
  const auto worker = hooks_.worker();
  if (!worker) return finish(Outcome::kLost, 0, "its worker has ended");
  const std::string_view payload = order_.work.payload ? std::string_view(*order_.work.payload) : "";
  const auto call = call_from_payload(payload);
  if (!call) {
    const Problem& first = call.problems().front();
    return finish(Outcome::kLaunchFailed, kNoWorker, "payload" + first.where + " " + first.what);
  }
  std::string body = R"({"id":)";
  codec::append_string(body, name_of_call(id()));
  body += R"(,"operation":)";
  codec::append_string(body, call->operation);
  body += R"(,"data":)" + call->data + "}";
  http::CallOptions options;
  options.port = worker->port;
  options.token = worker->token;
  options.most_bytes = operations::kLongestResult + 4096;
  options.connected = [this] {
    started_ = true;
    begun_ = Clock::now();
    hooks_.started();
  };
  call_ = http::Call::start(
      io_, {.method = http::Method::kPost, .target = "/operations", .body = body, .headers = {}},
      std::move(options), [this](const http::Reply& reply) { on_answer(reply); });
}

void Invocation::on_answer(const http::Reply& reply) {
  if (ended_) return;
  if (reply.arrived()) {
    if (reply.ok()) return read_result(reply.body);
    return read_problem(reply);
  }
  if (!started_) {
    if (Clock::now() < patience_ends_) return after(kHandOverAgain, &Invocation::hand_over);
    return finish(Outcome::kLaunchFailed, kNoWorker, "its worker " + reply.why);
  }
  broken_ = true;
  reason_ = "its worker " + reply.why;
  if (!hooks_.worker()) return finish(Outcome::kLost, 0, reason_);
  after(kWorkerEndsWithin, &Invocation::give_up_on_worker);
}

/// It lives, and yet it broke off.
void Invocation::give_up_on_worker() { finish(Outcome::kFailed, kFailedOperation, reason_); }

void Invocation::read_result(const std::string& body) {
  const auto parsed = http::parse_json(body);  // Refuses what is nested too deep to be walked through.
  const nlohmann::json answer = parsed ? **parsed : nlohmann::json();
  if (!answer.is_object() || !answer.contains("result"))
    return finish(Outcome::kFailed, kFailedOperation, R"(its worker answered without a "result")");
  result_ = answer["result"].dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (result_.size() > operations::kLongestResult) {
    result_.clear();
    return finish(Outcome::kFailed, kFailedOperation,
                  "its result has more than " + std::to_string(operations::kLongestResult) + " bytes");
  }
  finish(Outcome::kSucceeded, 0, "");
}

void Invocation::read_problem(const http::Reply& reply) {
  std::string reason = "its worker answered " + std::to_string(reply.status);
  const auto parsed = http::parse_json(reply.body);
  const nlohmann::json answer = parsed ? **parsed : nlohmann::json();
  // Whoever answers may be a program of the user's own: any member may be anything.
  const auto text = [](const nlohmann::json& object, const char* member) {
    const auto at = object.find(member);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (answer.is_object() && !text(answer, "detail").empty()) reason = text(answer, "detail");
  if (answer.is_object() && answer.contains("errors") && answer["errors"].is_array())
    for (const auto& error : answer["errors"])
      if (error.is_object()) reason += " " + text(error, "pointer") + ": " + text(error, "detail") + ".";
  if (ordered_) reason = "ended before it had found anything";
  const bool mistaken = reply.status == 400 || reply.status == 404 || reply.status == 422;
  finish(Outcome::kFailed, mistaken ? kMistakenData : kFailedOperation, reason);
}

void Invocation::terminate(const agent::Terminate& order) {
  if (ended_) return;
  if (!ordered_) ordered_ = order.why;
  if (!started_) {
    call_.reset();
    return finish(Outcome::kFailed, 0, "");
  }
  if (!cancel_) cancel();
  if (order.force && !std::exchange(forced_, true) && !broken_) after(kStopsWithin, &Invocation::cancel);
}

/// First the worker is asked to stop it. If that does not help, the worker itself is ended: its other
/// operations are executed again elsewhere.
void Invocation::cancel() {
  if (cancel_ && forced_) {
    reason_ = "its worker did not stop it and was ended";
    hooks_.end_worker();
    return;
  }
  const auto worker = hooks_.worker();
  if (!worker) return;
  http::CallOptions options;
  options.port = worker->port;
  options.token = worker->token;
  options.answer_time = std::chrono::seconds(5);
  cancel_ = http::Call::start(io_,
                              {.method = http::Method::kDelete,
                               .target = "/operations/" + http::percent_encode(name_of_call(id())),
                               .body = {},
                               .headers = {}},
                              std::move(options), [](const http::Reply&) {});
}

void Invocation::worker_ended() {
  if (!ended_) finish(Outcome::kLost, 0, reason_.empty() ? "its worker has ended" : reason_);
}

void Invocation::finish(Outcome outcome, std::int32_t code, std::string reason) {
  ended_ = true;
  timer_.cancel();
  outcome_ = outcome;
  exit_code_ = code;
  reason_ = std::move(reason);
  // The call may be what calls this.
  asio::post(io_, [gone = std::shared_ptr<http::Call>(std::move(call_)),
                   too = std::shared_ptr<http::Call>(std::move(cancel_))] {});
  write_log();
  hooks_.ended();
}

/// What `duet logs` shows of an operation: its result, or what went wrong.
void Invocation::write_log() {
  const bool well = !result_.empty();
  const std::string& text = well ? result_ : reason_;
  if (!text.empty())
    logs_.write(logs_.open(id(), well ? LogStream::kStdout : LogStream::kStderr),
                std::make_shared<const std::string>(text + "\n"), [] {});
  logs_.ended(id());
}

agent::Exited Invocation::exited() const {
  return {id(), ordered_ && outcome_ == Outcome::kFailed ? *ordered_ : outcome_, exit_code_};
}

agent::Adopted Invocation::adopted() const {
  agent::Adopted out;
  out.attempt = id();
  out.worker = order_.worker;
  out.ordered = ordered_;
  out.running = !ended_;
  out.outcome = outcome_;
  out.exit_code = exit_code_;
  out.kept = kept_;
  if (const Duration timeout = order_.timeout; timeout > Duration{0}) {
    const auto gone = started_ ? Clock::now() - begun_ : Clock::duration::zero();
    out.timeout_left = std::max(timeout - std::chrono::duration_cast<Duration>(gone), Duration{1});
  }
  return out;
}

AttemptFacts Invocation::facts() const {
  AttemptFacts facts;
  facts.attempt = id();
  facts.reason = ended_ ? reason_ : "";
  facts.result = result_;
  return facts;
}

}  // namespace duet::live
