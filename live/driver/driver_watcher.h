// Who looks on while a controller's driver works, to count: it sees everything and changes nothing.
#pragma once

#include <chrono>
#include <cstddef>

#include "core/controller.h"

namespace duet::live {

struct JobView;

/// Called on the driver's thread; must not call the driver's requests.
class DriverWatcher {
 public:
  using Took = std::chrono::nanoseconds;

  virtual ~DriverWatcher() = default;
  /// After a step of the machine, with the commands it gave.
  virtual void stepped(const Controller&, const controller::Event&, const controller::Commands&, Took) {}
  /// A job or task changed, and is shown so from now on. `ended`: an attempt of the task has just ended.
  virtual void changed(const controller::JobChanged&, const JobView&) {}
  virtual void changed(const controller::TaskChanged&, const JobView&, bool /*ended*/) {}
  virtual void committed(std::size_t /*records*/, bool /*durable*/, Took) {}
  /// A round that the timer called for began so late.
  virtual void late(Took) {}
};

}  // namespace duet::live
