#include "sim/import_batsim.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sim/diagnostics.h"
#include "sim/json_doc.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr int kMicroseconds = 6;
constexpr std::int64_t kMaxTime_us = kMaxLogTime_ns / 1000;
constexpr int kMaxDepth = 16;  ///< Of sequences in sequences; also ends circles.

bool is_delay(std::string_view type) { return type == "delay" || type == "DelayProfile"; }
bool is_sequence(std::string_view type) {
  return type == "composed" || type == "SequentialCompositionProfile";
}

/// What a profile comes to on any platform.
struct Profile {
  std::int64_t run_us = 0;
  std::string no_run_time;  ///< Why it has no run time of its own; empty if it has one.
  int depth = 0;            ///< Levels of sequences.
};

class Reader {
 public:
  Reader(LogImport& log, Mistakes& mistakes) : log_(log), mistakes_(mistakes) {}

  void read(JsonValue root) {
    if (!root.is(JsonType::kObject)) return mistakes_.add(root.place(), "a workload must be an object");
    const JsonValue profiles = need(root, "profiles", JsonType::kObject);
    const JsonValue jobs = need(root, "jobs", JsonType::kArray);
    for (JsonValue p = profiles ? profiles.first_child() : JsonValue(); p; p = p.next_sibling())
      raw_[p.key()] = p;
    for (const auto& [name, value] : raw_)
      profile(name, 0);  // a mistake counts even where no job uses the profile
    if (!jobs || !profiles) return;
    std::uint64_t index = 0;
    for (JsonValue job = jobs.first_child(); job; job = job.next_sibling()) read_job(job, index++);
  }

 private:
  /// The member of this name and type, or none and a mistake.
  JsonValue need(JsonValue object, std::string_view name, JsonType type) {
    const JsonValue value = object.member(name);
    if (value.is(type)) return value;
    if (value) {
      mistakes_.add(value.place(), "`" + std::string(name) + "` must be " + std::string(name_of(type)));
    } else {
      mistakes_.add(object.place(), "`" + std::string(name) + "` is missing");
    }
    return {};
  }

  std::optional<std::int64_t> time_us(JsonValue value) {
    const LogNumber number = read_log_number(value.raw(), kMicroseconds, kMaxTime_us);
    if (number.state == LogNumber::State::kOk) return number.value;
    mistakes_.add(value.place(), "must be seconds, at most 4e9 (127 years)");
    return std::nullopt;
  }

  std::optional<std::int64_t> whole(JsonValue value) {
    const LogNumber number = read_log_number(value.raw(), 0, std::numeric_limits<std::int64_t>::max());
    if (number.state == LogNumber::State::kOk && number.exact) return number.value;
    mistakes_.add(value.place(), "must be a whole number below 2^63");
    return std::nullopt;
  }

  /// Nothing if there is no profile of this name, or a mistaken one.
  const Profile* profile(const std::string& name, int nesting) {
    const auto known = profiles_.find(name);
    if (known != profiles_.end()) return known->second ? &*known->second : nullptr;
    const auto raw = raw_.find(name);
    if (raw == raw_.end()) return nullptr;
    if (nesting > kMaxDepth) {
      too_deep(raw->second);
      return nullptr;
    }
    auto resolved = resolve(raw->second, nesting);
    auto& entry = profiles_[name];
    entry = std::move(resolved);
    return entry ? &*entry : nullptr;
  }

  std::optional<Profile> resolve(JsonValue value, int nesting) {
    if (!value.is(JsonType::kObject)) {
      mistakes_.add(value.place(), "a profile must be an object");
      return std::nullopt;
    }
    const JsonValue type = need(value, "type", JsonType::kString);
    if (!type) return std::nullopt;
    const std::string name = type.string();
    if (is_sequence(name)) return resolve_sequence(value, nesting);
    if (!is_delay(name))
      return Profile{0, "profile type " + backquoted(name) + ": run time depends on the platform", 0};
    const JsonValue delay = need(value, "delay", JsonType::kNumber);
    const auto us = delay ? time_us(delay) : std::nullopt;
    if (!us) return std::nullopt;
    return Profile{*us, {}, 0};
  }

  /// `repeat` (1, if not given; earlier versions call it `nb`) times the profiles in `seq`, one after the
  /// other.
  std::optional<Profile> resolve_sequence(JsonValue value, int nesting) {
    const JsonValue seq = need(value, "seq", JsonType::kArray);
    if (!seq) return std::nullopt;
    JsonValue repeat = value.member("repeat");
    if (!repeat) repeat = value.member("nb");
    const auto times = repeat ? whole(repeat) : std::optional<std::int64_t>(1);
    if (!times) return std::nullopt;
    if (*times < 0) {
      mistakes_.add(repeat.place(), "must be 0 or more");
      return std::nullopt;
    }
    Profile sum;
    for (JsonValue part = seq.first_child(); part; part = part.next_sibling()) {
      const Profile* one = part.is(JsonType::kString) ? profile(part.string(), nesting + 1) : nullptr;
      if (one == nullptr) {
        unknown_profile(part);
        return std::nullopt;
      }
      sum.depth = std::max(sum.depth, one->depth + 1);
      if (sum.depth > kMaxDepth) return too_deep(value);
      if (sum.no_run_time.empty()) sum.no_run_time = one->no_run_time;
      if (one->run_us > kMaxTime_us - sum.run_us) return too_long(value);
      if (one->run_us > 0) sum.run_us += one->run_us;
    }
    if (*times > 0 && sum.run_us > kMaxTime_us / *times) return too_long(value);
    sum.run_us *= *times;
    return sum;
  }

  std::optional<Profile> too_deep(JsonValue value) {
    mistakes_.add(value.key_place(), "sequences are nested too deeply, or in a circle");
    return std::nullopt;
  }

  std::optional<Profile> too_long(JsonValue value) {
    mistakes_.add(value.place(), "the sequence runs for more than 4e9 s (127 years)");
    return std::nullopt;
  }

  /// Says so unless the profile exists: then its own mistake was told where it stands.
  void unknown_profile(JsonValue name) {
    if (!name.is(JsonType::kString)) return mistakes_.add(name.place(), "must be the name of a profile");
    if (raw_.contains(name.string())) return;
    std::vector<std::string_view> names;
    if (mistakes_.count() < Mistakes::kShown)  // a log of a million rows can be wrong a million times
      for (const auto& [known, value] : raw_) names.push_back(known);
    mistakes_.add(name.place(), "there is no profile " + backquoted(name.string()),
                  did_you_mean(name.string(), names));
  }

  void read_job(JsonValue value, std::uint64_t index) {
    if (!value.is(JsonType::kObject)) return mistakes_.add(value.place(), "a job must be an object");
    const std::size_t mistakes_before = mistakes_.count();
    LogJob job;
    read_id(value, job.id);
    if (const JsonValue subtime = need(value, "subtime", JsonType::kNumber))
      job.submit_ns = time_us(subtime).value_or(0) * 1000;
    if (const JsonValue res = need(value, "res", JsonType::kNumber)) job.processors = whole(res).value_or(0);
    read_walltime(value, job);
    const JsonValue name = need(value, "profile", JsonType::kString);
    const Profile* found = name ? profile(name.string(), 0) : nullptr;
    if (name && found == nullptr) unknown_profile(name);
    if (found == nullptr || mistakes_.count() != mistakes_before) return;

    const std::string where = "/jobs/" + std::to_string(index);
    if (!found->no_run_time.empty()) return log_.drop(found->no_run_time, where);
    job.run_ns = found->run_us * 1000;
    log_.add(std::move(job), where);
  }

  /// A whole number or a text, such as "w0!1"; kept as written.
  void read_id(JsonValue job, std::string& id) {
    const JsonValue value = job.member("id");
    if (value.is(JsonType::kString)) {
      id = value.string();
    } else if (value.is(JsonType::kNumber)) {
      if (!whole(value)) return;
      id = std::string(value.raw());
    } else {
      if (!value) return mistakes_.add(job.place(), "`id` is missing");
      return mistakes_.add(value.place(), "`id` must be a number or a string");
    }
    const bool control =
        std::ranges::any_of(id, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (id.empty() || id.size() > kMaxIdBytes || control)
      return mistakes_.add(value.place(),
                           "`id` must be 1 to " + std::to_string(kMaxIdBytes) + " bytes of text");
    if (!ids_.insert(id).second) mistakes_.add(value.place(), "there are two jobs " + backquoted(id));
  }

  void read_walltime(JsonValue job, LogJob& to) {
    const JsonValue value = job.member("walltime");
    if (!value) return;
    if (!value.is(JsonType::kNumber)) return mistakes_.add(value.place(), "`walltime` must be a number");
    const auto us = time_us(value);
    if (!us || *us == -1'000'000) return;
    if (*us <= 0) return mistakes_.add(value.place(), "`walltime` must be more than 0, or -1 for none");
    to.walltime_ns = *us * 1000;
  }

  LogImport& log_;
  Mistakes& mistakes_;
  std::map<std::string, JsonValue> raw_;
  std::map<std::string, std::optional<Profile>> profiles_;  ///< Those resolved; nothing if mistaken.
  std::unordered_set<std::string> ids_;
};

}  // namespace

Result<Imported> import_batsim(const std::string& path, const ImportOptions& options) {
  if (auto problems = LogImport::check(options); !problems.empty()) return problems;
  auto text = read_text(path, kMaxBytes);
  if (!text) return text.problems();
  Mistakes mistakes;
  const JsonDoc doc(path, std::move(*text), mistakes);
  LogImport log(path, options);
  if (mistakes.empty()) Reader(log, mistakes).read(doc.root());
  if (!mistakes.empty()) return to_problems(doc, mistakes);
  return log.finish();
}

}  // namespace duet::sim
