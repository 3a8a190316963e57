#include "tests/harness/notices.h"

#include "core/lifecycle.h"

namespace duet::test {
namespace {

std::string text(const controller::JobChanged& n) {
  return "job " + std::to_string(n.job.value) + " " + std::string(name(n.state));
}

std::string text(const controller::TaskChanged& n) {
  std::string line = "task " + attempt_text(n.attempt) + " " + std::string(name(n.state));
  if (n.attempt.number > 0) line += " n" + std::to_string(n.node.value);
  if (n.state == TaskState::kRunning && !n.ready) line += " not ready";
  const bool over = n.state == TaskState::kPending || terminal(n.state);
  if (over && name(n.outcome) != name(n.state)) line += " " + std::string(name(n.outcome));
  return line;
}

std::string text(const controller::NodeChanged& n) {
  const std::string draining = n.draining ? " draining" : "";
  return "node n" + std::to_string(n.node.value) + " " + std::string(name(n.state)) + draining;
}

std::string text(const controller::PoolScaled& n) {
  return "pool of job " + std::to_string(n.job.value) + " from " + std::to_string(n.from) + " to " +
         std::to_string(n.to) + (n.applied ? ": " : " (not done): ") + n.why;
}

}  // namespace

std::string time_text(Instant t) {
  const std::int64_t ns = to_ns(t);
  const std::string decimals = std::to_string(ns % 1'000'000'000);
  return std::to_string(ns / 1'000'000'000) + "." + std::string(9 - decimals.size(), '0') + decimals;
}

std::string attempt_text(AttemptId attempt) {
  return std::to_string(attempt.task.job.value) + "." + std::to_string(attempt.task.index) + "#" +
         std::to_string(attempt.number);
}

std::string notice_text(Instant t, const controller::Notice& notice) {
  return time_text(t) + " " + std::visit([](const auto& n) { return text(n); }, notice);
}

std::string reply_text(Instant t, const controller::Reply& reply) {
  const std::string head = time_text(t) + " reply " + std::to_string(reply.request.value);
  if (!reply.refusal.empty()) return head + " refused: " + reply.refusal;
  return reply.job.value == 0 ? head + " done" : head + " job " + std::to_string(reply.job.value);
}

}  // namespace duet::test
