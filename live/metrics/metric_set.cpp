#include "live/metrics/metric_set.h"

#include <algorithm>
#include <set>
#include <variant>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

#include "core/check.h"

namespace duet::live {
namespace {

using Kind = MetricEntry::Kind;

/// Of durations in seconds, about three to the decade, from a tenth of a millisecond to an hour.
const prometheus::Histogram::BucketBoundaries& duration_buckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
      0.5,    1,       2.5,    5,     10,     30,    60,   120,   300,  1800, 3600};
  return buckets;
}

/// A family and those of its series that were asked for.
struct Named {
  std::variant<prometheus::Family<prometheus::Counter>*, prometheus::Family<prometheus::Gauge>*,
               prometheus::Family<prometheus::Histogram>*, prometheus::Family<prometheus::Summary>*>
      family;
  std::set<void*> all;
};

}  // namespace

struct MetricSet::State {
  prometheus::Registry registry;
  std::map<std::string, Named, std::less<>> named;

  Named& at(std::string_view name) {
    const auto found = named.find(name);
    DUET_CHECK(found != named.end());
    return found->second;
  }
};

MetricSet::MetricSet() : state_(std::make_unique<State>()) {
  for (const MetricEntry& entry : metric_table()) {
    const std::string name(entry.name);
    const std::string help(entry.help);
    prometheus::Registry& to = state_->registry;
    Named& named = state_->named[name];
    switch (entry.kind) {
      case Kind::kCounter:
        named.family = &prometheus::BuildCounter().Name(name).Help(help).Register(to);
        break;
      case Kind::kGauge:
        named.family = &prometheus::BuildGauge().Name(name).Help(help).Register(to);
        break;
      case Kind::kHistogram:
        named.family = &prometheus::BuildHistogram().Name(name).Help(help).Register(to);
        break;
      case Kind::kSummary:
        named.family = &prometheus::BuildSummary().Name(name).Help(help).Register(to);
        break;
    }
  }
}

MetricSet::~MetricSet() = default;

MetricSet::Series MetricSet::series(std::string_view name, const Labels& labels) {
  Named& named = state_->at(name);
  void* metric = nullptr;
  if (auto* const* counter = std::get_if<0>(&named.family)) metric = &(*counter)->Add(labels);
  if (auto* const* gauge = std::get_if<1>(&named.family)) metric = &(*gauge)->Add(labels);
  if (auto* const* histogram = std::get_if<2>(&named.family))
    metric = &(*histogram)->Add(labels, duration_buckets());
  if (auto* const* summary = std::get_if<3>(&named.family))
    metric = &(*summary)->Add(labels, prometheus::Summary::Quantiles{});
  named.all.insert(metric);
  return {static_cast<Kind>(named.family.index()), metric};
}

void MetricSet::clear(std::string_view name) {
  Named& named = state_->at(name);
  auto* const* gauges = std::get_if<1>(&named.family);
  DUET_CHECK(gauges != nullptr);
  for (void* metric : named.all) (*gauges)->Remove(static_cast<prometheus::Gauge*>(metric));
  named.all.clear();
}

std::string MetricSet::text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return prometheus::TextSerializer().Serialize(families);
}

void MetricSet::Series::add(double by) {
  if (metric_ == nullptr || by <= 0) return;
  DUET_CHECK(kind_ == Kind::kCounter);
  static_cast<prometheus::Counter*>(metric_)->Increment(by);
}

void MetricSet::Series::set(double value) {
  if (metric_ == nullptr) return;
  DUET_CHECK(kind_ == Kind::kGauge);
  static_cast<prometheus::Gauge*>(metric_)->Set(value);
}

void MetricSet::Series::observe(double value) {
  if (metric_ == nullptr) return;
  if (kind_ == Kind::kHistogram) return static_cast<prometheus::Histogram*>(metric_)->Observe(value);
  DUET_CHECK(kind_ == Kind::kSummary);
  static_cast<prometheus::Summary*>(metric_)->Observe(value);
}

}  // namespace duet::live
