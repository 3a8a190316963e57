// Asks one attempt whether it works: over HTTP, by a TCP connection, or with a program in its confinement.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "live/asio.h"
#include "live/process/spawner.h"
#include "live/runtime/task_command.h"

namespace duet::live {

class HealthProbe {
 public:
  struct Question {
    HealthQuestion what;
    std::uint16_t port = 0;              ///< Of this machine; for HTTP and TCP.
    std::chrono::nanoseconds timeout{};  ///< An answer that takes longer is none.
    SpawnOrder program{};                ///< For exec: all but its argv.
  };
  /// `done` is called once, from the io_context, and may not destroy the probe; not after destruction. What
  /// was started is killed then.
  static std::unique_ptr<HealthProbe> start(asio::io_context& io, Spawner& spawner, Question question,
                                            std::function<void(bool healthy)> done);
  virtual ~HealthProbe() = default;
  /// Of the program it started, while that is not reaped; else 0.
  virtual std::int64_t pid() const { return 0; }
  /// A program is being started, and nobody knows its pid yet.
  virtual bool is_starting() const { return false; }
  virtual bool is_over() const = 0;
};

}  // namespace duet::live
