#include "tools/duet/live_client.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "sim/terminal.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string first_line_of(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// A cluster that `duet up` started keeps its controller in a folder of its own.
fs::path controller_folder(const std::string& data) {
  const fs::path inner = fs::path(data) / "controller";
  std::error_code ignored;
  return fs::exists(inner, ignored) || ignored ? inner : fs::path(data);
}

std::string noted_url(const fs::path& folder) {
  std::ifstream file(folder / "controller.json");
  const auto note = nlohmann::json::parse(file, nullptr, false);
  return note.is_object() && note.contains("url") && note["url"].is_string() ? note["url"].get<std::string>()
                                                                             : std::string();
}

}  // namespace

std::string data_folder(const std::string& given) {
  if (!given.empty()) return given;
  if (std::string data = environment("DUET_DATA"); !data.empty()) return data;
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty()) return state + "/duet";
  const std::string home = environment("HOME");
  return home.empty() ? "/var/lib/duet" : home + "/.local/state/duet";
}

std::optional<LiveClient> LiveClient::connect(const Connection& to, int& code) {
  const std::string data = data_folder(to.data);
  const fs::path folder = controller_folder(data);
  std::string url = to.url.empty() ? environment("DUET_URL") : to.url;
  if (url.empty()) url = noted_url(folder);
  if (const fs::path note = folder / "controller.json";
      url.empty() && ::access(note.c_str(), R_OK) != 0 && errno == EACCES) {
    sim::say(note.string() + " cannot be read: the cluster there is another user's\n" +
             "  = ask as that user, or with --url and --token-file\n");
    code = sim::kExitUsage;
    return std::nullopt;
  }
  if (url.empty()) {
    sim::say("no cluster runs in " + data +
             "\n  = start one with duet up, or say where it is: --url http://127.0.0.1:8080 (or DUET_URL)\n");
    code = kExitUnreachable;
    return std::nullopt;
  }
  if (!to.token_file.empty() && !std::ifstream(to.token_file)) {
    sim::say("--token-file " + to.token_file + ": cannot be read\n");
    code = sim::kExitUsage;
    return std::nullopt;
  }
  live::http::ClientOptions options;
  std::string token = to.token_file.empty() ? environment("DUET_TOKEN") : first_line_of(to.token_file);
  if (token.empty()) token = first_line_of(folder / "token");
  options.token = live::Secret(std::move(token));
  auto client = live::http::Client::make(url, std::move(options));
  if (!client) {
    sim::say(sim::to_text(client.problems()));
    code = sim::kExitUsage;
    return std::nullopt;
  }
  return LiveClient(std::move(*client), url);
}

std::optional<nlohmann::json> LiveClient::tasks(bool ended_too, int& code) {
  using nlohmann::json;
  constexpr std::size_t kPage = 10'000;
  const auto id_of = [](const json& task) {
    const std::string id = task.value("id", "");
    const auto dot = std::min(id.find('.'), id.size());
    return std::pair(std::strtoull(id.c_str(), nullptr, 10),
                     dot < id.size() ? std::strtoull(id.c_str() + dot + 1, nullptr, 10) : 0ULL);
  };
  // By state: those that live are not to be looked for among thousands that have ended.
  std::vector<std::string> filters = {""};
  if (!ended_too) filters = {"&state=pending", "&state=starting", "&state=running", "&state=stopping"};
  std::vector<json> found;
  for (const std::string& filter : filters)
    for (std::string after;;) {
      const auto page = get("/api/v1/tasks?limit=" + std::to_string(kPage) + filter + after, code);
      if (!page) return std::nullopt;
      for (const json& task : *page) found.push_back(task);
      if (page->size() < kPage) break;
      after = "&after=" + page->back().value("id", "");
    }
  // A task may have gone on to another state between two answers: then the later one holds.
  std::ranges::stable_sort(found, {}, id_of);
  json all = json::array();
  for (json& task : found) {
    if (!all.empty() && id_of(all.back()) == id_of(task)) all.erase(all.end() - 1);
    all.push_back(std::move(task));
  }
  return all;
}

int LiveClient::complain(const live::http::Reply& reply) const {
  if (!reply.arrived()) {
    sim::say("the controller at " + url_ + " does not answer: " + reply.why +
             "\n  = is it running? duet up starts one here\n");
    return kExitUnreachable;
  }
  const auto problem = nlohmann::json::parse(reply.body, nullptr, false);
  std::string text = std::to_string(reply.status);
  if (problem.is_object()) {
    text = problem.value("detail", problem.value("title", text)) + '\n';
    for (const auto& error : problem.value("errors", nlohmann::json::array()))
      text += "  " + error.value("pointer", error.value("parameter", std::string())) + ": " +
              error.value("detail", std::string()) + '\n';
  } else {
    text += ' ' + reply.body.substr(0, 200) + '\n';
  }
  if (reply.status == 401)
    text += "  = the token is in the controller's folder: --data DIR, --token-file FILE or DUET_TOKEN\n";
  sim::say(text);
  if (reply.status == 503) return kExitUnreachable;
  return reply.status == 400 || reply.status == 401 || reply.status == 413 || reply.status == 422
             ? sim::kExitUsage
             : sim::kExitNegative;
}

std::optional<nlohmann::json> LiveClient::send(const live::http::Client::Ask& ask, int& code) {
  const live::http::Reply reply = http_.send(ask);
  if (!reply.ok()) {
    code = complain(reply);
    return std::nullopt;
  }
  auto body = nlohmann::json::parse(reply.body, nullptr, false);
  if (body.is_discarded()) {
    sim::say("what answers at " + url_ + " is no controller of Duet\n");
    code = kExitUnreachable;
    return std::nullopt;
  }
  return body;
}

std::optional<nlohmann::json> LiveClient::get(const std::string& target, int& code) {
  return send({live::http::Method::kGet, target, {}, {}}, code);
}

}  // namespace duet::front
