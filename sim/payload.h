// What a simulated task is told beside its work: how it behaves. Written by scenarios, read by the simulated
// world.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace duet::sim {

struct SimulatedBehaviour {
  std::uint32_t fail_attempts = 0;  ///< Attempts of number 1 .. fail_attempts fail at their end.
  std::int32_t exit_code = 1;       ///< With this: 1 .. 255, or minus the signal.
  bool pulls = false;               ///< A worker that asks for operations.
  bool operator==(const SimulatedBehaviour&) const = default;
};

/// For Work::payload: {"exit_code":1,"fail_attempts":2,"pulls":true}, without what says nothing; null if
/// nothing does.
inline std::shared_ptr<const std::string> encode_behaviour(const SimulatedBehaviour& behaviour) {
  std::string text;
  if (behaviour.fail_attempts > 0)
    text = "\"exit_code\":" + std::to_string(behaviour.exit_code) +
           ",\"fail_attempts\":" + std::to_string(behaviour.fail_attempts);
  if (behaviour.pulls) text += text.empty() ? "\"pulls\":true" : ",\"pulls\":true";
  if (text.empty()) return nullptr;
  return std::make_shared<const std::string>('{' + text + '}');
}

/// Reads what encode_behaviour() wrote; null reads as nothing said. Nothing if it is anything else.
inline std::optional<SimulatedBehaviour> decode_behaviour(const std::shared_ptr<const std::string>& payload) {
  SimulatedBehaviour behaviour;
  if (payload == nullptr) return behaviour;
  std::string_view rest = *payload;
  const auto skip = [&](std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
  };
  const auto read = [&](auto& number) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return error == std::errc{};
  };
  if (!skip("{")) return {};
  const bool fails = skip("\"exit_code\":");
  if (fails && !(read(behaviour.exit_code) && skip(",\"fail_attempts\":") && read(behaviour.fail_attempts)))
    return {};
  behaviour.pulls = skip(fails ? ",\"pulls\":true" : "\"pulls\":true");
  if (rest != "}" || (!fails && !behaviour.pulls)) return {};
  return behaviour;
}

}  // namespace duet::sim
