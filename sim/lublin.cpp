#include "sim/lublin.h"

#include <algorithm>

#include "core/check.h"
#include "core/math.h"
#include "sim/draws.h"

namespace duet::sim {
namespace {

// Sizes
constexpr double kSerial = 0.2927;
constexpr double kPowerOfTwo = 0.6686;
constexpr double kLow = 1.2;
constexpr double kMiddleBelowHigh = 2.0;
constexpr double kFirstStage = 0.875;
// Run times; Gamma(shape, scale)
constexpr double kShape1 = 6.57;
constexpr double kScale1 = 0.823;
constexpr double kShape2 = 639.1;
constexpr double kScale2 = 0.0156;
constexpr double kMixSlope = -0.003;
constexpr double kMixBase = 0.6986;
constexpr double kLongestRunLog = 12.0;
// Gaps; the second factor turns gaps of rush hours into those of the whole day
constexpr double kGapShape = 6.0415 * 1.0519;
constexpr double kGapScale = 0.8531;
constexpr double kLongestGapLog = 13.0;
// The day; a Gamma over half hours, counted from 1
constexpr double kDayShape = 6.1271;
constexpr double kDayScale = 5.2740;
constexpr int kDayBegin = 11;

constexpr std::int64_t kHalfHour_ns = std::int64_t{1800} * 1'000'000'000;
constexpr std::int64_t kDay_ns = kHalfHour_ns * LublinModel::kHalfHours;
constexpr double kDay_s = 86400.0;

/// The day's density at half hour x, up to a constant factor.
double density(double x) { return math::exp((kDayShape - 1.0) * math::log(x) - x / kDayScale); }

/// Its integral from x - 1/2 to x + 1/2 by Simpson's rule; 16 steps leave an error below 1e-9 of the result.
double share(double x) {
  constexpr int kSteps = 16;
  constexpr double kStep = 1.0 / kSteps;
  double sum = density(x - 0.5) + density(x + 0.5);
  for (int i = 1; i < kSteps; ++i) sum += (i % 2 == 1 ? 4.0 : 2.0) * density(x - 0.5 + i * kStep);
  return sum * kStep / 3.0;
}

}  // namespace

LublinModel::LublinModel(std::uint32_t max_cores, double load_factor, const Rng& rng)
    : max_cores_(max_cores),
      load_factor_(load_factor),
      gaps_(rng.fork("gaps")),
      sizes_(rng.fork("sizes")),
      runs_(rng.fork("runs")) {
  DUET_CHECK(max_cores >= 1 && load_factor > 0.0);
  high_ = math::log2(max_cores);
  middle_ = std::max(high_ - kMiddleBelowHigh, high_ / 2.0);
  low_ = std::min(kLow, middle_);

  double sum = 0.0;
  for (int i = kDayBegin; i < kDayBegin + kHalfHours; ++i) {
    double& weight = weights_[static_cast<std::size_t>((i - 1) % kHalfHours)];
    weight = share(i);
    sum += weight;
  }
  for (double& weight : weights_) weight = weight / sum * kHalfHours;
}

std::uint32_t LublinModel::draw_cores() {
  const double kind = sizes_.unit();
  const double stage =
      sizes_.unit();  // drawn for serial jobs too: every job takes three numbers from the stream
  const double place = sizes_.unit();
  if (kind < kSerial) return 1;
  const bool first = stage < kFirstStage;
  const double from = first ? low_ : middle_;
  const double to = first ? middle_ : high_;
  double log_size = from + place * (to - from);
  if (kind < kSerial + kPowerOfTwo) {
    log_size = static_cast<double>(static_cast<int>(log_size + 0.5));
    if (log_size > high_) log_size -= 1.0;  // the next power of two is more than the machine has
  }
  const auto cores = static_cast<std::uint64_t>(math::exp2(log_size) + 0.5);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(cores, 1, max_cores_));
}

Duration LublinModel::draw_run(std::uint32_t cores) {
  const double mix = kMixBase + kMixSlope * cores;
  for (;;) {
    const bool first = runs_.unit() < mix;
    const double scale = first ? kScale1 : kScale2;
    const double log_run = scale * gamma_draw(runs_, first ? kShape1 : kShape2);
    if (log_run <= kLongestRunLog) return drawn_time(math::exp(log_run));
  }
}

void LublinModel::advance() {
  double log_gap = 0.0;
  do log_gap = kGapScale * gamma_draw(gaps_, kGapShape);
  while (log_gap > kLongestGapLog);
  double left_s = math::exp(log_gap) / load_factor_;  // seconds of average business still to pass

  const double days = left_s / kDay_s;  // each passes the same business: no need to walk through them
  constexpr std::int64_t kAllDays = kLongestDraw_ns / kDay_ns;
  if (days > static_cast<double>(kAllDays)) now_ns_ = kLongestDraw_ns;
  if (now_ns_ == kLongestDraw_ns) return;
  const auto whole_days = static_cast<std::int64_t>(days);
  left_s -= static_cast<double>(whole_days) * kDay_s;
  now_ns_ = std::min(now_ns_ + whole_days * kDay_ns, kLongestDraw_ns);
  while (now_ns_ < kLongestDraw_ns) {
    const double busy = weight(static_cast<int>(now_ns_ / kHalfHour_ns % kHalfHours));
    const std::int64_t rest_ns = kHalfHour_ns - now_ns_ % kHalfHour_ns;
    const double passes_s = busy * static_cast<double>(rest_ns) * 1e-9;
    if (left_s <= passes_s) {
      now_ns_ += std::min(to_ns(drawn_time(left_s / busy)), rest_ns);
      return;
    }
    left_s -= passes_s;
    now_ns_ += rest_ns;
  }
}

LublinModel::Job LublinModel::next() {
  advance();
  Job job;
  job.at = instant_ns(now_ns_);
  job.cores = draw_cores();
  job.run = draw_run(job.cores);
  return job;
}

}  // namespace duet::sim
