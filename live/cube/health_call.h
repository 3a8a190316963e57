// One question whether a task of a worker is healthy: a GET at the port that the task has there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "live/asio.h"
#include "live/http/call.h"

namespace duet::live::cube {

/// Destroying it gives up: nothing is called any more.
class HealthCall {
 public:
  struct Question {
    std::string host;  ///< A name or an address.
    std::uint16_t port = 0;
    std::string target;                   ///< "/health"
    std::chrono::milliseconds timeout{};  ///< For each of the host's addresses.
  };
  /// 200 is healthy, and nothing else. `done` is called once, from the io_context, and may destroy the call.
  HealthCall(asio::io_context& io, Question question, std::function<void(bool healthy)> done);
  ~HealthCall() { *alive_ = false; }
  HealthCall(const HealthCall&) = delete;
  HealthCall& operator=(const HealthCall&) = delete;

 private:
  void ask_next();
  void end(bool healthy);

  asio::io_context& io_;
  const Question question_;
  const std::function<void(bool)> done_;
  asio::ip::tcp::resolver resolver_;
  std::vector<std::string> addresses_;  ///< Those that were not asked yet, the next one last.
  std::unique_ptr<http::Call> call_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live::cube
