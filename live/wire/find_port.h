// Asks a controller, by its HTTP address, on which port it awaits agents.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "live/asio.h"

namespace duet::live::wire {

/// Where that is written: a document that needs no token.
inline constexpr std::string_view kFindPath = "/.well-known/duet";

/// One question. Nothing is called after its destruction.
class FindPort {
 public:
  /// The port, or why there is none: nobody answers there, or it is no controller of Duet.
  using Found = std::function<void(Result<std::uint16_t>)>;

  FindPort(asio::io_context& io, std::string host, std::uint16_t port, Found found);
  ~FindPort();
  FindPort(const FindPort&) = delete;
  FindPort& operator=(const FindPort&) = delete;

 private:
  struct Asking;
  std::shared_ptr<Asking> asking_;
};

}  // namespace duet::live::wire
