#include "live/api/gateway_settings.h"

#include <charconv>

namespace duet::live {
namespace {

/// Of a variable; nothing if it will not do.
std::optional<std::uint32_t> gateway_number(const std::string& text, std::uint32_t least,
                                            std::uint32_t most) {
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

}  // namespace

Result<GatewaySettings> read_gateway_settings(
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  GatewaySettings settings;
  Problems problems;
  const auto read = [&](const char* name, std::uint32_t otherwise, std::uint32_t least, std::uint32_t most) {
    const auto text = variable(name);
    if (!text || text->empty()) return otherwise;
    if (const auto number = gateway_number(*text, least, most)) return *number;
    problems.push_back({name, "is '" + *text + "'",
                        "a whole number from " + std::to_string(least) + " to " + std::to_string(most)});
    return otherwise;
  };
  settings.full_percent = read("MAX_CPU_THRESHOLD", 80, 1, 100);
  settings.above_percent = read("PRESPAWN_THRESHOLD", 70, 1, 100);
  settings.port = static_cast<std::uint16_t>(read("GATEWAY_PORT", 3000, 1, 65535));
  settings.initial_workers = read("INITIAL_WORKERS", 1, 0, 1'000'000);
  settings.queue_limit = read("QUEUE_LIMIT", 100, 1, 1'000'000);
  if (!problems.empty()) return problems;
  return settings;
}

std::string gateway_warning(const GatewaySettings& settings) {
  if (settings.above_percent <= settings.full_percent) return {};
  return "PRESPAWN_THRESHOLD (" + std::to_string(settings.above_percent) + ") is above MAX_CPU_THRESHOLD (" +
         std::to_string(settings.full_percent) + "): workers are rarely started before they are needed";
}

void apply_gateway(const GatewaySettings& settings, ControllerConfig& config) {
  if (config.autoscaler.name == "fixed")
    config.autoscaler = {"threshold",
                         {{{"above_percent", static_cast<std::int64_t>(settings.above_percent)}}}};
  if (config.estimator.name == "declared") config.estimator.name = "iterations";
}

}  // namespace duet::live
