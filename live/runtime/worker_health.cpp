#include "live/runtime/worker_health.h"

namespace duet::live {

void check_own_worker(Work& work, TaskCommand& command) {
  work.health = HealthCheck{.interval = std::chrono::seconds(1),
                            .timeout = std::chrono::seconds(2),
                            .start_period = std::chrono::seconds(5),
                            .failures = 3};
  command.health = {.kind = HealthQuestion::Kind::kHttp, .port = 0, .path = "/health", .argv = {}};
}

}  // namespace duet::live
