#include "tools/duet/live_names.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "live/http/url.h"
#include "sim/terminal.h"

namespace duet::front {
namespace {

using nlohmann::json;

bool digits(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool has_ended(const json& job) {
  const std::string state = job.value("state", "");
  return state == "succeeded" || state == "failed" || state == "cancelled";
}

/// The jobs of that name, the newest first; those that have not ended, if there are such. Nothing: see
/// `code`.
std::optional<json> named(LiveClient& client, const std::string& name, bool ended_too, int& code) {
  const auto listed = client.get("/api/v1/jobs?limit=1000&name=" + live::http::percent_encode(name), code);
  if (!listed) return std::nullopt;
  json live = json::array();
  json ended = json::array();
  for (const json& job : listed->value("jobs", json::array())) (has_ended(job) ? ended : live).push_back(job);
  if (live.empty() && ended_too && !ended.empty()) live.push_back(ended.front());
  return live;
}

}  // namespace

std::optional<JobWord> find_job(LiveClient& client, const std::string& word, bool ended_too, int& code) {
  JobWord found;
  std::string rest = word;
  if (const auto hash = rest.rfind('#'); hash != std::string::npos && digits(rest.substr(hash + 1))) {
    found.attempt = rest.substr(hash + 1);
    rest.erase(hash);
  }
  const auto dot = rest.rfind('.');
  const bool indexed = dot != std::string::npos && digits(rest.substr(dot + 1));
  const std::string front = indexed ? rest.substr(0, dot) : rest;
  if (digits(front)) {
    found.job = front;
    if (indexed) found.index = rest.substr(dot + 1);
    return found;
  }
  // Names may have dots and digits themselves.
  auto jobs = named(client, rest, ended_too, code);
  if (!jobs) return std::nullopt;
  if (jobs->empty() && indexed) {
    jobs = named(client, front, ended_too, code);
    if (!jobs) return std::nullopt;
    found.index = rest.substr(dot + 1);
  }
  if (jobs->size() == 1) {
    found.job = jobs->front()["id"].dump();
    return found;
  }
  code = sim::kExitNegative;
  if (jobs->empty()) {
    sim::say("there is no job " + word + (ended_too ? "" : " that has not ended") +
             "\n  = duet job lists them\n");
    return std::nullopt;
  }
  std::string text = std::to_string(jobs->size()) + " jobs have the name " + word + ": say which\n";
  for (const json& job : *jobs)
    text += "  " + job["id"].dump() + "  " + job.value("state", "") + ", submitted " +
            job.value("submitted_at", "") + '\n';
  sim::say(text);
  return std::nullopt;
}

}  // namespace duet::front
