// Values under the names of the table, as a Prometheus reads them. The one part that knows its library.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "live/metrics/metric_table.h"

namespace duet::live {

/// To be used on one thread.
class MetricSet {
 public:
  using Labels = std::map<std::string, std::string>;

  /// One line of values: a name with labels. Stays valid until its name is cleared; copies are the same.
  class Series {
   public:
    Series() = default;          ///< Leads nowhere: whatever is told to it is dropped.
    void add(double by = 1);     ///< Counters; negative amounts are dropped.
    void set(double value);      ///< Gauges.
    void observe(double value);  ///< Histograms and summaries.

   private:
    friend class MetricSet;
    Series(MetricEntry::Kind kind, void* metric) : kind_(kind), metric_(metric) {}
    MetricEntry::Kind kind_ = MetricEntry::Kind::kGauge;
    void* metric_ = nullptr;
  };

  MetricSet();
  ~MetricSet();
  MetricSet(const MetricSet&) = delete;
  MetricSet& operator=(const MetricSet&) = delete;

  /// A bug if the table has no such name. The same labels are the same series.
  Series series(std::string_view name, const Labels& labels = {});
  /// Forgets all series of a gauge: what they spoke of may be gone.
  void clear(std::string_view name);

  /// The text format, version 0.0.4. Names without series are left out.
  std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A counter that follows a total kept elsewhere, which may begin anew.
class FollowedTotal {
 public:
  explicit FollowedTotal(MetricSet::Series series = {}) : series_(series) {}
  void reach(double total) {
    series_.add(total < last_ ? total : total - last_);
    last_ = total;
  }

 private:
  MetricSet::Series series_;
  double last_ = 0;
};

}  // namespace duet::live
