// duet submit: an operation for a worker of a pool.
#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/terminal.h"
#include "tools/duet/live_submission.h"
#include "tools/duet/options.h"

namespace duet::front {
namespace {

using nlohmann::json;

/// NAME=VALUE: a number, true, false or anything else that is JSON is that; other words are text.
bool add_member(json& data, const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    sim::say(word + ": NAME=VALUE would be right, such as iterations=1e6\n");
    return false;
  }
  const std::string text = word.substr(equals + 1);
  json value = json::parse(text, nullptr, false);
  data[word.substr(0, equals)] = value.is_discarded() ? json(text) : std::move(value);
  return true;
}

std::optional<json> data_of(const SubmitCommand& command) {
  if (!command.data.empty()) {
    if (!command.members.empty()) {
      sim::say("submit: --json or NAME=VALUE, not both\n");
      return std::nullopt;
    }
    json data = json::parse(command.data, nullptr, false);
    if (data.is_object()) return data;
    sim::say("--json: is no JSON object; such as {\"iterations\": 1000000} would be right\n");
    return std::nullopt;
  }
  json data = json::object();
  bool right = true;
  for (const std::string& word : command.members) right = add_member(data, word) && right;
  return right ? std::optional(std::move(data)) : std::nullopt;
}

/// The only one there is. Nothing: that was said, and `code` is set.
std::optional<std::string> find_pool(LiveClient& client, int& code) {
  const auto jobs = client.get("/api/v1/jobs?kind=service&limit=1000", code);
  if (!jobs) return std::nullopt;
  std::vector<std::string> pools;
  for (const json& job : jobs->value("jobs", json::array())) {
    const std::string state = job.value("state", "");
    if (job.contains("workers") && (state == "pending" || state == "running"))
      pools.push_back(job["workers"].value("pool", ""));
  }
  std::ranges::sort(pools);
  if (pools.size() == 1) return pools.front();
  std::string text = "submit: there is no pool of workers\n  = duet deploy --pool maths makes one\n";
  if (!pools.empty()) {
    text = "submit: to which pool? --pool";
    for (const std::string& pool : pools) text += (&pool == &pools.front() ? " " : " or ") + pool;
    text += '\n';
  }
  sim::say(text);
  code = pools.empty() ? sim::kExitNegative : sim::kExitUsage;
  return std::nullopt;
}

int print_results(LiveClient& client, const std::string& job) {
  int code = 0;
  const auto body = client.get("/api/v1/jobs/" + job, code);
  if (!body) return code;
  std::string text;
  for (const json& task : body->value("tasks", json::array()))
    if (task.contains("result")) text += task["result"].dump() + '\n';
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace

int run(const SubmitCommand& command) {
  const auto data = data_of(command);
  if (!data) return sim::kExitUsage;
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const auto pool = command.pool.empty() ? find_pool(*client, code) : std::optional(command.pool);
  if (!pool) return code;
  json body = {
      {"name", command.operation}, {"pool", *pool}, {"operation", command.operation}, {"data", *data}};
  if (command.count > 1) body["count"] = command.count;
  if (command.retries > 0) body["retries"] = command.retries;
  if (command.timeout_s > 0) body["timeout_s"] = command.timeout_s;
  std::string job;
  code = submit_job(*client, body, command.key, command.wait, command.format, &job);
  if (code != sim::kExitOk || !command.wait || command.format != Format::kTable) return code;
  return print_results(*client, job);
}

}  // namespace duet::front
