// What a simulated task is told beside its work: how often it fails. Written by scenarios, read by the
// engines.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace duet::sim {

struct SimulatedFailures {
  std::uint32_t fail_attempts = 0;  ///< Attempts of number 1 .. fail_attempts fail at their end.
  std::int32_t exit_code = 1;       ///< With this: 1 .. 255, or minus the signal.
  bool operator==(const SimulatedFailures&) const = default;
};

/// For Work::payload: {"exit_code":1,"fail_attempts":2}; null if nothing fails.
inline std::shared_ptr<const std::string> encode_failures(const SimulatedFailures& failures) {
  if (failures.fail_attempts == 0) return nullptr;
  return std::make_shared<const std::string>("{\"exit_code\":" + std::to_string(failures.exit_code) +
                                             ",\"fail_attempts\":" + std::to_string(failures.fail_attempts) +
                                             '}');
}

/// Reads what encode_failures() wrote; null reads as no failures. Nothing if it is anything else.
inline std::optional<SimulatedFailures> decode_failures(const std::shared_ptr<const std::string>& payload) {
  SimulatedFailures failures;
  if (payload == nullptr) return failures;
  std::string_view rest = *payload;
  const auto read = [&](std::string_view before, auto& number) {
    if (!rest.starts_with(before)) return false;
    rest.remove_prefix(before.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return error == std::errc{};
  };
  if (!read("{\"exit_code\":", failures.exit_code) || !read(",\"fail_attempts\":", failures.fail_attempts))
    return {};
  if (rest != "}") return {};
  return failures;
}

}  // namespace duet::sim
