// duet run, deploy, scale, stop, drain: what changes a live cluster.
#include <sstream>

#include <nlohmann/json.hpp>

#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/terminal.h"
#include "sim/text_file.h"
#include "tools/duet/live_client.h"
#include "tools/duet/live_document.h"
#include "tools/duet/live_names.h"
#include "tools/duet/live_submission.h"
#include "tools/duet/options.h"

namespace duet::front {
namespace {

using live::http::Method;
using nlohmann::json;

/// Its own name, if it was given none: the program's, as far as names may be so.
std::string name_of(const TaskOptions& task) {
  if (!task.name.empty()) return task.name;
  std::string name = task.command.empty() ? "task" : task.command.front();
  if (const auto slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-') c = '-';
  while (!name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) == 0) name.erase(0, 1);
  return name.empty() ? "task" : name.substr(0, 63);
}

/// "http:/health", "http:1:/health", "tcp", "tcp:1", "exec:program argument" as the document has it.
std::optional<json> health_of(const TaskOptions& task) {
  json health = json::object();
  std::string rest = task.health;
  const auto skip = [&](std::string_view word) {
    const bool there = rest.starts_with(word);
    if (there) rest.erase(0, word.size());
    return there;
  };
  const auto port = [&] {
    std::size_t digits = 0;
    while (digits < rest.size() && digits < 3 && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
    if (digits > 0) health["port"] = std::stoul(rest.substr(0, digits));
    rest.erase(0, digits);
  };
  bool right = false;
  if (skip("http:")) {
    port();
    if (health.contains("port")) skip(":");
    health["http"] = rest;
    right = rest.starts_with('/');
  } else if (skip("tcp")) {
    health["tcp"] = true;
    if (skip(":")) {
      port();
      right = health.contains("port") && rest.empty();
    } else {
      right = rest.empty();
    }
  } else if (skip("exec:")) {
    std::istringstream words(rest);
    for (std::string word; words >> word;) health["exec"].push_back(word);
    right = health.contains("exec");
  }
  if (!right) {
    sim::say("--health " + task.health +
             ": http:/PATH, http:1:/PATH (its second port), tcp, tcp:1, or exec:PROGRAM ARGUMENTS would be "
             "right\n");
    return std::nullopt;
  }
  if (task.interval_s > 0) health["interval_s"] = task.interval_s;
  if (task.probe_timeout_s > 0) health["timeout_s"] = task.probe_timeout_s;
  if (task.start_period_s > 0) health["start_period_s"] = task.start_period_s;
  if (task.failures > 0) health["failures"] = task.failures;
  return health;
}

bool says_how_to_check(const TaskOptions& task) {
  return task.interval_s > 0 || task.probe_timeout_s > 0 || task.start_period_s > 0 || task.failures > 0;
}

/// The document that the controller takes; nothing, and said so, if an option is mistaken.
std::optional<json> document(const TaskOptions& task) {
  json body = {{"name", name_of(task)}, {"command", task.command}, {"cpu", task.cpu_m}};
  if (task.memory_mib > 0) body["memory"] = task.memory_mib;
  if (task.ports.value_or(0) > 0) body["ports"] = *task.ports;
  if (task.retries > 0) body["retries"] = task.retries;
  if (task.timeout_s > 0) body["timeout_s"] = task.timeout_s;
  if (task.exclusive) body["exclusive"] = true;
  if (!task.directory.empty()) body["directory"] = task.directory;
  if (!task.scheduler.empty()) body["scheduler"] = task.scheduler;
  if (!task.restart.empty()) body["restart"] = task.restart;
  if (task.backoff_s >= 0) body["backoff_s"] = task.backoff_s;
  if (!task.health.empty()) {
    auto health = health_of(task);
    if (!health) return std::nullopt;
    body["health"] = std::move(*health);
  } else if (says_how_to_check(task)) {
    sim::say("--health-...: what is to be asked? --health http:/PATH, tcp or exec:PROGRAM, too\n");
    return std::nullopt;
  }
  for (const std::string& entry : task.env) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      sim::say("--env " + entry + ": NAME=VALUE would be right\n");
      return std::nullopt;
    }
    body["env"][entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return body;
}

/// Until the job has ended. Its result: 0 if it succeeded; else that of its first task that failed.
int wait_for(LiveClient& client, const std::string& job) {
  std::string since;
  for (;;) {
    int code = 0;
    const auto body = client.get("/api/v1/jobs/" + job, code);
    if (!body) return code;
    const std::string state = body->value("state", "");
    if (state != "pending" && state != "running") {
      sim::say("job " + job + " " + state + '\n');
      if (state == "succeeded") return sim::kExitOk;
      for (const auto& task : body->value("tasks", json::array())) {
        const int exit = task.value("exit_code", 0);
        if (exit == 0) continue;
        const std::string why = task.value("reason", "exit code " + std::to_string(exit));
        const std::string id = task.value("id", job + ".0");
        sim::say("task " + id + ": " + why + "\n  = duet logs " + id + " --errors\n");
        return exit > 0 ? exit : 128 - exit;  // A signal, as shells have it.
      }
      return sim::kExitNegative;
    }
    // Something of it changes; whatever was missed between the two questions comes first.
    const auto reply =
        client.http().events("/api/v1/events", since, [&](const live::http::ReceivedEvent& event) {
          // The first one only says where the stream stands: what came before it is asked for once more.
          const bool fresh = since.empty();
          since = event.id;
          if (fresh) return false;
          const auto said = json::parse(event.data, nullptr, false);
          return !(event.name == "job" && said.is_object() && said.contains("job") &&
                   said["job"].dump() == job && said.value("state", "") != "running");
        });
    if (reply.status == 410) since.clear();  // A controller that took over counts anew.
    if (!reply.ok() && reply.status != 410 && reply.failure != live::http::Reply::Failure::kTimedOut &&
        reply.failure != live::http::Reply::Failure::kBroken)
      return client.complain(reply);
  }
}

}  // namespace

int submit_job(LiveClient& client, const json& body, const std::string& key, bool wait, sim::Format format,
               std::string* accepted) {
  live::http::Client::Ask ask{Method::kPost, "/api/v1/jobs", body.dump(), {}};
  if (!key.empty()) ask.headers.add("Idempotency-Key", key);
  int code = 0;
  const auto job = client.send(ask, code);
  if (!job) return code;
  const std::string id = job->value("id", json(0)).dump();
  if (accepted != nullptr) *accepted = id;
  if (job->contains("warning"))
    sim::say("warning: job " + id + " waits: " + (*job)["warning"].get<std::string>() + '\n');
  if (format == Format::kTable) {
    if (!sim::print("job " + id + " accepted: " + body.value("name", std::string()) + '\n'))
      return sim::kExitUsage;
    if (!wait) sim::say("next: duet status    or: duet logs " + id + ".0\n");
  } else if (!sim::print(job->dump(2) + '\n')) {
    return sim::kExitUsage;
  }
  return wait ? wait_for(client, id) : sim::kExitOk;
}

namespace {

/// An option of a command line that a file would silently override.
const char* ignored_with_file(const RunCommand& command) {
  const TaskOptions none;
  const TaskOptions& task = command.task;
  if (!task.name.empty()) return "--name";
  if (command.count != 1) return "--count";
  if (!task.env.empty()) return "--env";
  if (!task.directory.empty()) return "--dir";
  if (!task.scheduler.empty()) return "--scheduler";
  if (task.cpu_m != none.cpu_m) return "--cpu";
  if (task.memory_mib != none.memory_mib) return "--memory";
  if (task.ports) return "--ports";
  if (task.retries != none.retries) return "--retries";
  if (task.timeout_s != none.timeout_s) return "--timeout";
  return task.exclusive ? "--exclusive" : nullptr;
}

/// What a service had, where its second deployment does not say otherwise.
bool keep_what_it_had(LiveClient& client, const DeployCommand& command, const json& service, json& body,
                      int& code) {
  if (!command.replicas) body["replicas"] = service.value("desired_replicas", 1);
  if (command.task.ports) return true;
  const auto job = client.get("/api/v1/jobs/" + service["id"].dump(), code);
  if (!job) return false;
  const json groups = job->value("groups", json::array());
  const json before = groups.empty() ? json::object() : groups.back().value("command", json::object());
  if (before.contains("ports")) body["ports"] = before["ports"];
  return true;
}

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;  // more than any controller takes

}  // namespace

std::optional<json> document_in(const std::string& path) {
  const auto text = sim::read_text(path, kMostBytes);
  if (!text) {
    sim::say(sim::to_text(text.problems()));
    return std::nullopt;
  }
  sim::Mistakes mistakes;
  const sim::JsonDoc doc(path, *text, mistakes);
  if (!mistakes.empty()) {
    sim::say(sim::render(doc, mistakes));
    return std::nullopt;
  }
  return json::parse(text->starts_with("\xef\xbb\xbf") ? text->substr(3) : *text);
}

int run(const RunCommand& command) {
  std::optional<json> body;
  if (!command.file.empty()) {
    if (!command.task.command.empty()) {
      sim::say("run: a file or a command, not both\n");
      return sim::kExitUsage;
    }
    if (const char* option = ignored_with_file(command)) {
      sim::say("run: " + std::string(option) +
               " is for a command; with --filename it belongs into the file\n");
      return sim::kExitUsage;
    }
    body = document_in(command.file);
  } else if (command.task.command.empty()) {
    sim::say("run: what? duet run -- sleep 60, or duet run -f job.json\n");
    return sim::kExitUsage;
  } else {
    body = document(command.task);
    if (body && command.count > 1) (*body)["count"] = command.count;
  }
  if (!body) return sim::kExitUsage;
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  return client ? submit_job(*client, *body, command.key, command.wait, command.format) : code;
}

namespace {

void make_pool(const DeployCommand& command, json& body) {
  const PoolOptions& pool = command.pool;
  json& rules =
      body["workers"] = {{"pool", pool.name}, {"min", pool.least}, {"full_percent", pool.full_percent}};
  if (pool.most > 0) rules["max"] = pool.most;
  if (pool.queue_limit > 0) rules["queue_limit"] = pool.queue_limit;
  if (pool.pull) rules["pull"] = true;
  if (command.task.command.empty()) body.erase("command");
}

}  // namespace

int run(const DeployCommand& given) {
  DeployCommand command = given;
  const bool pool = !command.pool.name.empty();
  if (command.task.name.empty()) command.task.name = command.pool.name;
  if (command.task.name.empty() || (command.task.command.empty() && !pool)) {
    sim::say("deploy: what? duet deploy web --replicas 3 -- ./server, or duet deploy --pool maths\n");
    return sim::kExitUsage;
  }
  auto body = document(command.task);
  if (!body) return sim::kExitUsage;
  (*body)["replicas"] = command.replicas.value_or(1);
  if (pool) make_pool(command, *body);
  if (command.balance > 0) (*body)["balance"] = command.balance;
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  // One service of a name: a second deploy updates it, as it says what is to be.
  const auto services = client->get("/api/v1/services", code);
  if (!services) return code;
  for (const auto& service : *services) {
    if (service.value("name", "") != (*body)["name"]) continue;
    if (!keep_what_it_had(*client, command, service, *body, code)) return code;
    const std::string target = "/api/v1/services/" + service["id"].dump();
    const auto updated = client->send({Method::kPut, target, body->dump(), {}}, code);
    if (!updated) return code;
    return sim::print("service " + service["id"].dump() + " updated: " + command.task.name + ", " +
                      (*body)["replicas"].dump() + " replicas\n")
               ? sim::kExitOk
               : sim::kExitUsage;
  }
  return submit_job(*client, *body, {}, false, command.format);
}

int run(const ScaleCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const json body = {{"replicas", command.replicas}};
  const auto service = client->send(
      {Method::kPut, "/api/v1/services/" + command.service + "/replicas", body.dump(), {}}, code);
  if (!service) return code;
  return sim::print(command.service + " is to have " + std::to_string(command.replicas) + " replicas\n")
             ? sim::kExitOk
             : sim::kExitUsage;
}

int run(const StopCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  int result = sim::kExitOk;
  for (const std::string& id : command.ids) {
    const auto word = find_job(*client, id, false, code);
    if (!word) {
      result = code;
      continue;
    }
    const std::string& job = word->job;
    if (client->send({Method::kDelete, "/api/v1/jobs/" + job, {}, {}}, code)) {
      if (!sim::print("job " + job + " is being ended\n")) return sim::kExitUsage;
    } else {
      result = code;
    }
  }
  return result;
}

int run(const DrainCommand& command) {
  int code = 0;
  auto client = LiveClient::connect(command.to, code);
  if (!client) return code;
  const std::string target = "/api/v1/nodes/" + command.node + (command.undo ? "/undrain" : "/drain");
  const json body = {{"evict", command.evict}};
  const auto node =
      client->send({Method::kPost, target, command.undo ? std::string() : body.dump(), {}}, code);
  if (!node) return code;
  const std::string what = command.undo    ? " takes tasks again\n"
                           : command.evict ? " gets no tasks any more; those it has move\n"
                                           : " gets no tasks any more; those it has run to their end\n";
  return sim::print(command.node + what) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
