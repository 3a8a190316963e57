#include "live/process/runner_options.h"

#include <cctype>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include <pwd.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/codec/json_text.h"
#include "live/process/topology.h"

namespace duet::live {
namespace {

constexpr std::uint32_t kNobody = 65534;

std::optional<std::uint32_t> whole_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<std::string> to_arguments(const RunnerOptions& options) {
  std::vector<std::string> out = {"--folder", options.folder, "--node", options.node};
  const auto add = [&](const char* name, std::string value) {
    out.emplace_back(name);
    out.push_back(std::move(value));
  };
  if (!options.user.empty()) add("--user", options.user);
  add("--cgroups", options.cgroups);
  if (!options.cpus.empty()) {
    std::string list;
    for (const std::uint32_t cpu : options.cpus) list += (list.empty() ? "" : ",") + std::to_string(cpu);
    add("--cpus", list);
  }
  add("--port-base", std::to_string(options.port_base));
  add("--processes", std::to_string(options.processes));
  add("--memory", std::to_string(options.memory_bytes));
  add("--log-part-bytes", std::to_string(options.logs.part_bytes));
  add("--log-parts", std::to_string(options.logs.old_parts));
  add("--log-attempts", std::to_string(options.logs.attempts));
  add("--log-bytes", std::to_string(options.logs.bytes));
  add("--linger", std::to_string(options.linger_s));
  if (options.plain) out.emplace_back("--plain");
  for (const std::string& word : options.workload) out.push_back("--workload=" + word);
  return out;
}

Result<std::optional<TaskUser>> find_user(const std::string& user) {
  using Found = std::optional<TaskUser>;
  const bool root = geteuid() == 0;
  if (user == "same") return Found();
  if (user.empty()) return root ? Found(TaskUser{kNobody, kNobody}) : Found();
  TaskUser found;
  const auto colon = user.find(':');
  if (const auto uid = whole_number(user.substr(0, colon))) {
    const auto gid = colon == std::string::npos ? uid : whole_number(user.substr(colon + 1));
    if (!gid) return Problem{"user", "\"" + user + "\" is not known", "UID:GID, two whole numbers"};
    found = {*uid, *gid};
  } else {
    const passwd* const entry = getpwnam(user.c_str());
    if (entry == nullptr)
      return Problem{"user", "\"" + user + "\" is not known", "a name, UID, UID:GID, or same"};
    found = {entry->pw_uid, entry->pw_gid};
  }
  if (!root && found.uid != geteuid())
    return Problem{"user", "only root may start programs as another user", "same"};
  return root ? Found(found) : Found();
}

std::string group_name(const RunnerOptions& options) {
  std::string name = "duet-";
  for (const char c : options.node)
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
  std::error_code ignored;
  const std::string where = std::filesystem::weakly_canonical(options.folder, ignored).string();
  std::string hex;
  codec::append_hex(hex, XXH3_64bits(where.data(), where.size()));
  return name.substr(0, 100) + "-" + hex;
}

}  // namespace duet::live
