#include "live/program/profile.h"

#include <algorithm>

#include "core/check.h"

namespace duet::live {
namespace {

struct Profile {
  Duration heartbeat;
  Duration resend_after;
  Duration kill_grace;
};

const Profile& profile(const std::string& name) {
  using std::chrono::milliseconds;
  // In the order of the names; the detector has its own times under the same names.
  static const std::vector<Profile> profiles = {
      {milliseconds(500), milliseconds(500), milliseconds(3000)},
      {milliseconds(10'000), milliseconds(2000), milliseconds(10'000)},
      {milliseconds(30'000), milliseconds(5000), milliseconds(10'000)},
  };
  const auto& names = profile_names();
  const auto at = std::find(names.begin(), names.end(), name);
  DUET_CHECK(at != names.end());
  return profiles[static_cast<std::size_t>(at - names.begin())];
}

}  // namespace

const std::vector<std::string>& profile_names() {
  static const std::vector<std::string> names = {"fast", "s0", "s3"};
  return names;
}

void apply_profile(const std::string& name, ControllerConfig& config) {
  config.resend_after = profile(name).resend_after;
  config.detector = {"timeout", {{{"profile", name}}}};
}

Duration silence_of(const std::string& name) { return profile(name).heartbeat * 2; }

void apply_profile(const std::string& name, AgentConfig& config) {
  config.heartbeat = profile(name).heartbeat;
  config.resend_after = profile(name).resend_after;
  config.kill_grace = profile(name).kill_grace;
}

}  // namespace duet::live
