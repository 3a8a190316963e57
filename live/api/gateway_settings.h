// How a gateway is set up: five variables of the environment, and what they mean for the controller's
// policies.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/config.h"
#include "core/result.h"

namespace duet::live {

struct GatewaySettings {
  std::uint32_t full_percent = 80;    ///< MAX_CPU_THRESHOLD: a worker gets nothing that loads it beyond.
  std::uint32_t above_percent = 70;   ///< PRESPAWN_THRESHOLD: one more when all are loaded beyond it.
  std::uint32_t initial_workers = 1;  ///< INITIAL_WORKERS
  std::uint16_t port = 3000;          ///< GATEWAY_PORT
  std::uint32_t queue_limit = 100;    ///< QUEUE_LIMIT: operations that may wait; further ones get 503.
};

/// Reads them with `variable`, which tells the value of one or that it is not set. All mistakes at once, each
/// with the name of its variable.
Result<GatewaySettings> read_gateway_settings(
    const std::function<std::optional<std::string>(const std::string&)>& variable);
/// What is valid and hardly meant; empty if all is well.
std::string gateway_warning(const GatewaySettings& settings);

/// The autoscaler `threshold` and the estimator `iterations`, where none was chosen.
void apply_gateway(const GatewaySettings& settings, ControllerConfig& config);

}  // namespace duet::live
