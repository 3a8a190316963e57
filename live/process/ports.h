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
  /// `first` is tried before them, unless it is 0.
  Result<std::vector<std::uint32_t>> take(std::uint32_t count, std::uint32_t first = 0);
  void give_back(const std::vector<std::uint32_t>& ports);

 private:
  bool take_one(std::uint32_t port);

  const std::uint32_t base_;
  /// Each with the name that says so to other runners: a bound socket, which goes with this process.
  std::map<std::uint32_t, Fd> taken_;
};

}  // namespace duet::live
