#include "live/cube/worker_answers.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "live/cube/uuid.h"
#include "live/http/schema.h"

namespace duet::live::cube {
namespace {

constexpr std::int64_t kMostWorkerBytes = std::int64_t{1} << 60;
constexpr std::int64_t kMostWorkerCores = 1'000'000;
constexpr std::size_t kMostReason = 500;

/// Reads members of one object; what is left out or null is what `otherwise` says.
class AnswerReader {
 public:
  AnswerReader(const Json& object, std::string where, Problems& problems)
      : object_(object), where_(std::move(where)), problems_(problems) {
    if (!object_.is_object()) wrong("", object_, "an object");
  }

  std::optional<std::int64_t> whole(const char* name, std::int64_t least, std::int64_t most) {
    const Json* value = member(name);
    if (value == nullptr) return std::nullopt;
    // Comparing with a double would let 2^63 through.
    const bool fits =
        value->is_number_unsigned()
            ? value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most) &&
                  (least <= 0 || value->get<std::uint64_t>() >= static_cast<std::uint64_t>(least))
            : value->is_number_integer() && value->get<std::int64_t>() >= least &&
                  value->get<std::int64_t>() <= most;
    if (fits) return value->get<std::int64_t>();
    wrong(name, *value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }

  std::string text(const char* name) {
    const Json* value = member(name);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    wrong(name, *value, "a string");
    return {};
  }

  /// Null if there is none.
  const Json* object(const char* name) {
    const Json* value = member(name);
    if (value == nullptr || value->is_object()) return value;
    wrong(name, *value, "an object");
    return nullptr;
  }

  std::vector<std::uint32_t> ports(const char* name) {
    std::vector<std::uint32_t> all;
    const Json* value = member(name);
    if (value == nullptr) return all;
    const auto port = [](const Json& one) {
      return one.is_number_unsigned() && one.get<std::uint64_t>() <= 65535;
    };
    if (value->is_array() && std::ranges::all_of(*value, port))
      for (const Json& one : *value) all.push_back(one.get<std::uint32_t>());
    else
      wrong(name, *value, "an array of ports");
    return all;
  }

  void wrong(const std::string& name, const Json& value, std::string right) {
    std::string said = value.dump().substr(0, 60);
    while (!said.empty() && (static_cast<unsigned char>(said.back()) & 0x80U) != 0) said.pop_back();
    problems_.push_back(
        {where_ + (name.empty() ? "" : "/" + name), "`" + said + "` will not do", std::move(right)});
  }

 private:
  const Json* member(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  const Json& object_;
  std::string where_;
  Problems& problems_;
};

Result<Json> parsed(std::string_view body) {
  // Depth, duplicates and encoding first, as for documents that are posted.
  if (const auto read = http::parse_json(body); !read) return read.problems();
  return Json::parse(body.begin(), body.end(), nullptr, false);
}

WorkerTask task_from(const Json& json, const std::string& where, Problems& problems) {
  AnswerReader reader(json, where, problems);
  WorkerTask task;
  task.shown = json;
  if (!json.is_object()) return task;
  task.id = reader.text("ID");
  // It becomes a part of targets of requests.
  if (!is_uuid(task.id)) reader.wrong("ID", task.id, "a UUID");
  task.event = reader.text("Event");
  task.state = static_cast<CubeState>(reader.whole("State", 0, 4).value_or(0));
  using Code = std::numeric_limits<std::int32_t>;
  if (const auto code = reader.whole("ExitCode", Code::min(), Code::max()))
    task.exit_code = static_cast<std::int32_t>(*code);
  task.ports = reader.ports("Ports");
  task.reason = reader.text("Reason");
  const bool well = task.state == CubeState::kCompleted;
  task.outcome = reader.text("Outcome") == name(Outcome::kLaunchFailed) ? Outcome::kLaunchFailed
                 : well                                                 ? Outcome::kSucceeded
                                                                        : Outcome::kFailed;
  // The manager puts it into a request of its own.
  if (const std::string target = reader.text("HealthCheck");
      !target.empty() && (target[0] != '/' ||
                          std::ranges::any_of(target, [](unsigned char c) { return c <= ' ' || c >= 0x7f; })))
    reader.wrong("HealthCheck", target, "a path: /health, say");
  reader.object("PortBindings");
  // So that nobody who asks for an object or a string meets a null.
  for (const char* member : {"HealthCheck", "PortBindings", "Ports"})
    if (task.shown.contains(member) && task.shown[member].is_null()) task.shown.erase(member);
  return task;
}

}  // namespace

Result<WorkerStats> read_worker_stats(std::string_view body) {
  const auto document = parsed(body);
  if (!document) return document.problems();
  Problems problems;
  WorkerStats stats;
  stats.shown = *document;
  AnswerReader reader(*document, "", problems);
  if (!document->is_object()) return problems;
  if (document->contains("MemStats") && (*document)["MemStats"].is_null())
    reader.wrong("MemStats", nullptr, "an object");
  if (const Json* memory = reader.object("MemStats"))
    stats.memory_kb = AnswerReader(*memory, "/MemStats", problems)
                          .whole("mem_total", 0, kMostWorkerBytes / 1024)
                          .value_or(0);
  if (const Json* disk = reader.object("DiskStats"))
    stats.disk_bytes = static_cast<std::uint64_t>(
        AnswerReader(*disk, "/DiskStats", problems).whole("all", 0, kMostWorkerBytes).value_or(0));
  // A worker that knows nothing of offers has one thread, and its memory.
  stats.cores = 1;
  stats.memory_bytes = stats.memory_kb * 1024;
  if (const Json* offer = reader.object("Offer")) {
    AnswerReader has(*offer, "/Offer", problems);
    stats.cores =
        static_cast<std::uint32_t>(has.whole("cpu_m", 0, kMostWorkerCores * kThread).value_or(0) / kThread);
    stats.memory_bytes = has.whole("memory_bytes", 0, kMostWorkerBytes).value_or(0);
  }
  if (!problems.empty()) return problems;
  return stats;
}

Result<std::vector<WorkerTask>> read_worker_tasks(std::string_view body) {
  const auto document = parsed(body);
  if (!document) return document.problems();
  std::vector<WorkerTask> tasks;
  if (document->is_null()) return tasks;
  if (!document->is_array()) return Problem{"", "this is no list of tasks", "an array"};
  Problems problems;
  for (const Json& json : *document) {
    tasks.push_back(task_from(json, '/' + std::to_string(tasks.size()), problems));
    if (!problems.empty()) return problems;  // Of many that are alike one is enough.
  }
  return tasks;
}

Result<WorkerTask> read_worker_task(std::string_view body) {
  const auto document = parsed(body);
  if (!document) return document.problems();
  Problems problems;
  WorkerTask task = task_from(*document, "", problems);
  if (!problems.empty()) return problems;
  return task;
}

std::string read_refusal(unsigned status, std::string_view body) {
  std::string said(body);
  const Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  for (const char* member : {"detail", "Message"})
    if (json.is_object() && json.contains(member) && json[member].is_string())
      said = json[member].get<std::string>();
  said.resize(std::min(said.size(), kMostReason));
  // What is no UTF-8, or cut within a character, could not be shown as JSON.
  const std::string shown = Json(said).dump(-1, ' ', false, Json::error_handler_t::ignore);
  said = Json::parse(shown).get<std::string>();
  return said.empty() ? "its worker refuses it: " + std::to_string(status) : said;
}

}  // namespace duet::live::cube
