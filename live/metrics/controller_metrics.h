// What a controller's work comes to in numbers: counted as it happens, and looked at when somebody asks.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <variant>

#include "live/driver/controller_driver.h"
#include "live/http/server.h"
#include "live/metrics/metric_set.h"
#include "live/recorder/flight_recorder.h"
#include "live/wire/agent_port.h"

namespace duet::live {

/// All on the thread of the driver. Counters begin at 0 with the program. What a failing store undid, and is
/// then done again, was counted twice.
class ControllerMetrics final : public DriverWatcher {
 public:
  /// Whom to ask; empty or null: that is not there.
  struct Sources {
    const ControllerDriver* driver = nullptr;
    const wire::AgentPort* agents = nullptr;
    const FlightRecorder* recorder = nullptr;
    std::function<std::size_t()> connections{};  ///< Over HTTP.
  };
  explicit ControllerMetrics(const std::string& version);

  void stepped(const Controller& machine, const controller::Event& event,
               const controller::Commands& commands, Took took) override;
  void changed(const controller::JobChanged& change, const JobView& job) override;
  void changed(const controller::TaskChanged& change, const JobView& job, bool ended) override;
  void committed(std::size_t records, bool durable, Took took) override;
  void late(Took by) override;
  void answered(const http::Answered& answered);

  /// Everything, in the text format.
  std::string text(const Sources& sources);

 private:
  using Series = MetricSet::Series;

  void count(const controller::Command& command, std::string_view request);
  void look_at(const Controller& machine);
  void look_at_nodes(const Controller& machine, const ClusterView& view);
  void look_at_services(const Controller& machine, const ClusterView& view);
  void look_at_process();

  MetricSet set_;
  std::map<std::string, Series, std::less<>> of_word_;  ///< Series with one label, by "name/value".
  Series& one(const char* name, const char* label, std::string_view value);

  Series retry_, job_duration_, placements_, wait_, launch_, run_, pass_, late_, commit_, records_;
  Series suspicions_, lost_;
  std::array<Series, std::variant_size_v<decltype(msg::FromAgent::body)>> received_;
  std::array<Series, std::variant_size_v<decltype(msg::ToAgent::body)>> sent_;
  FollowedTotal passes_, entries_, fenced_, stale_, held_up_, held_up_s_, steps_, in_, out_, cpu_;
  std::uint64_t seen_passes_ = 0;
};

}  // namespace duet::live
