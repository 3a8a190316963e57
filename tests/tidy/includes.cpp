// Who may include whom. The first rule whose folder holds the file decides.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/tidy/tidy.h"

namespace duet::tidy {
namespace {

using Prefixes = std::vector<std::string_view>;

struct Rule {
  std::string_view folder;
  Prefixes allowed;  // an include path that starts so is fine; the standard library always is
};

const Prefixes codec_libraries = {"nlohmann/", "openssl/", "xxhash.h", "zstd.h"};
const Prefixes posix = {"arpa/",     "dirent.h",  "fcntl.h", "linux/",   "netinet/", "poll.h",
                        "pthread.h", "pwd.h",     "sched.h", "signal.h", "spawn.h",  "sys/",
                        "syslog.h",  "termios.h", "time.h",  "unistd.h"};

Prefixes operator+(Prefixes left, const Prefixes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = {
      {"core/codec/", Prefixes{"core/"} + codec_libraries},
      // A policy sees what it decides about and nothing of the machine that asks it.
      {"core/policy/",
       {"core/policy/", "core/policy.h", "core/plan.h", "core/index.h", "core/check.h", "core/config.h",
        "core/ids.h", "core/math.h", "core/model.h", "core/mutation.h", "core/params.h", "core/resources.h",
        "core/result.h", "core/rng.h", "core/time.h", "core/topology.h"}},
      {"core/", {"core/"}},
      {"sim/simgrid/", Prefixes{"core/", "sim/", "simgrid/", "xbt/"} + codec_libraries},
      {"sim/compare/", Prefixes{"core/", "sim/", "boost/math/"} + codec_libraries + posix},
      {"sim/", Prefixes{"core/", "sim/", "zlib.h"} + codec_libraries + posix},
      {"live/log.cpp", Prefixes{"core/", "live/", "spdlog/"} + codec_libraries + posix},
      {"live/store/", Prefixes{"core/", "live/", "boost/", "sqlite3.h"} + codec_libraries + posix},
      {"live/metrics/", Prefixes{"core/", "live/", "boost/", "prometheus/"} + codec_libraries + posix},
      {"live/process/", Prefixes{"core/", "live/", "boost/", "hwloc.h"} + codec_libraries + posix},
      {"live/", Prefixes{"core/", "live/", "boost/"} + codec_libraries + posix},
      {"tools/", Prefixes{"core/", "sim/", "live/", "tools/", "CLI/"} + codec_libraries + posix},
  };
  return table;
}

/// The standard library's headers are those without a folder and without ".h".
bool is_standard(std::string_view header) { return header.find_first_of("./") == std::string_view::npos; }

std::optional<std::string> included(std::string_view line) {
  const auto hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || !line.substr(hash).starts_with("#include")) return std::nullopt;
  const auto open = line.find_first_of("<\"", hash);
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = line.find_first_of(">\"", open + 1);
  return std::string(line.substr(open + 1, close - open - 1));
}

std::string objection(const File& file, const Rule& rule, std::string_view header) {
  const auto starts_so = [&](std::string_view prefix) { return header.starts_with(prefix); };
  const std::string folder(rule.folder.substr(0, rule.folder.size() - 1));
  const bool inner =
      starts_so("core/codec/") || (starts_so("core/policy/") && file.path != "core/policies.cpp");
  if (rule.folder == "core/" && inner) {
    return folder + " may not include " + std::string(header) +
           ": it knows interfaces, not encodings or policies";
  }
  if (starts_so("boost/asio") && file.path != "live/asio.h") {
    return "include live/asio.h instead: Boost 1.74 needs help before its own headers";
  }
  if (is_standard(header) || std::ranges::any_of(rule.allowed, starts_so)) return {};
  return folder + " may not include " + std::string(header);
}

}  // namespace

Complaints check_includes(const File& file) {
  if (!is_source(file.path)) return {};
  const auto rule =
      std::ranges::find_if(rules(), [&](const Rule& r) { return file.path.starts_with(r.folder); });
  if (rule == rules().end()) return {};
  Complaints complaints;
  std::size_t number = 0;
  for (const std::string& line : lines_of(file.text)) {
    ++number;
    const auto header = included(line);
    if (!header) continue;
    const std::string what = objection(file, *rule, *header);
    if (!what.empty()) complaints.push_back(complaint(file, number, what));
  }
  return complaints;
}

}  // namespace duet::tidy
