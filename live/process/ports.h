// TCP ports for attempts: the lowest that nobody on this host uses or was given.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/result.h"
#include "live/process/fd.h"

namespace duet::live {

class Ports {
 public:
  explicit Ports(std::uint32_t base) : base_(base) {}

  /// So many, ascending, from the base on. Passes over ports on which something listens, and those that
  /// another runner on this host gave away.
  Result<std::vector<std::uint32_t>> take(std::uint32_t count);
  void give_back(const std::vector<std::uint32_t>& ports);

 private:
  const std::uint32_t base_;
  /// Each with the name that says so to other runners: a bound socket, which goes with this process.
  std::map<std::uint32_t, Fd> taken_;
};

}  // namespace duet::live
