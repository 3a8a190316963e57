// One HTTP request of a program's own, on its event loop: nothing blocks. See client.h for those that may.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "live/asio.h"
#include "live/http/client.h"

namespace duet::live::http {

struct CallOptions {
  std::string address = "127.0.0.1";  ///< An IP address, not a name.
  std::uint16_t port = 80;
  std::chrono::milliseconds connect_time{2'000};
  std::chrono::milliseconds answer_time{
      0};  ///< From the request to the whole answer; 0: as long as it takes.
  std::size_t most_bytes = std::size_t{1} << 20;  ///< Of an answer.
  Secret token{};                                 ///< Sent as "Authorization: Bearer", unless empty.
  /// The request is on its way: the other side has accepted the connection. May be empty.
  std::function<void()> connected{};
};

/// A request under way. Destroying it cuts the connection, and nothing is called any more.
class Call {
 public:
  /// `done` is called once, from the io_context, and may destroy the call.
  static std::unique_ptr<Call> start(asio::io_context& io, Client::Ask ask, CallOptions options,
                                     std::function<void(Reply)> done);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  class Exchanging;
  explicit Call(std::shared_ptr<Exchanging> exchanging) : exchanging_(std::move(exchanging)) {}
  std::shared_ptr<Exchanging> exchanging_;
};

}  // namespace duet::live::http
