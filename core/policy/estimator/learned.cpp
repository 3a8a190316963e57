// What tasks like it took: the median over the last ones of its operation and its size.
//
// Sizes that differ by less than a factor of two share what they learned, per unit of size, because few
// operations cost the same per iteration at every size. The median, because run times have outliers; a ring,
// because clusters change. Whole numbers only, so that every machine predicts the same.
#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>
#include <string>

#include "core/params.h"
#include "core/policy.h"
#include "core/policy/estimator/iterations.h"

namespace duet {
namespace {

constexpr std::size_t kEnough = 3;          // Samples, before they are believed.
constexpr std::size_t kMostKinds = 10'000;  // Of operation and size; what comes later is not learned.
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::array<std::string_view, 2> kMeasures{"run_time", "cpu_time"};

/// The last 31 values.
class Ring {
 public:
  void add(std::int64_t value) {
    last_[next_] = value;
    next_ = (next_ + 1) % last_.size();
    size_ = std::min(size_ + 1, last_.size());
  }
  std::size_t size() const { return size_; }
  /// The lower of the two in the middle if they are even in number. There must be some.
  std::int64_t median() const {
    std::array<std::int64_t, 31> sorted = last_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((size_ - 1) / 2);
    std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(size_));
    return *middle;
  }

 private:
  std::array<std::int64_t, 31> last_{};
  std::size_t size_ = 0;
  std::size_t next_ = 0;
};

/// 0 without iterations, else 1 + floor(log2(iterations)).
unsigned size_class(const TaskSpec& spec) {
  return static_cast<unsigned>(
      std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(spec.iterations, 0))));
}
/// The smallest size of the class. Costs are kept for so much, not for one iteration: in whole nanoseconds
/// that is as precise as the run times were.
std::int64_t unit(unsigned size_class) { return size_class == 0 ? 1 : std::int64_t{1} << (size_class - 1); }
std::int64_t size(const TaskSpec& spec) { return std::max<std::int64_t>(spec.iterations, 1); }

class Learned final : public CpuEstimator {
 public:
  Learned(std::int64_t rate, bool cpu) : rate_(rate), cpu_(cpu) {}

  std::optional<Duration> predict(const TaskSpec& spec) const override {
    const unsigned of = size_class(spec);
    const Ring* ring = find(spec.operation, of);
    if (ring == nullptr || ring->size() < kEnough) return predict_by_rate(spec, rate_);
    return scaled(ring->median(), size(spec), unit(of));
  }

  void observe(const TaskSpec& spec, Duration wall, Duration cpu) override {
    const Duration ran = cpu_ && cpu > Duration{0} ? cpu : wall;
    const bool named = !spec.operation.empty() || spec.iterations > 0;
    if (!named || ran <= Duration{0}) return;  // Tasks that say nothing have nothing in common.
    if (const auto predicted = predict(spec)) {
      __extension__ using Wide = __int128;
      const Wide off = Wide{to_ns(*predicted)} - to_ns(ran);
      errors_.add(static_cast<std::int64_t>(std::min<Wide>((off < 0 ? -off : off) * kMillion / to_ns(ran),
                                                           std::numeric_limits<std::int64_t>::max())));
    }
    const unsigned of = size_class(spec);
    if (kinds_ == kMostKinds && find(spec.operation, of) == nullptr) return;
    Ring& ring = costs_[spec.operation][of];
    kinds_ += ring.size() == 0;
    ring.add(to_ns(scaled(to_ns(ran), unit(of), size(spec))));
    ++samples_;
  }

  Accuracy accuracy() const override {
    if (errors_.size() == 0) return {samples_, std::nullopt};
    return {samples_, errors_.median()};
  }

 private:
  const Ring* find(const std::string& operation, unsigned of) const {
    const auto sizes = costs_.find(operation);
    if (sizes == costs_.end()) return nullptr;
    const auto ring = sizes->second.find(of);
    return ring == sizes->second.end() ? nullptr : &ring->second;
  }

  std::int64_t rate_;
  bool cpu_;  ///< It learns from measured processor time, where there is some.
  std::map<std::string, std::map<unsigned, Ring>> costs_;  ///< By operation and class of size, per unit.
  Ring errors_;                                            ///< In ppm, of what was predicted beforehand.
  std::size_t kinds_ = 0;
  std::uint64_t samples_ = 0;
};

}  // namespace

Result<std::unique_ptr<CpuEstimator>> make_learned(const Params& params) {
  ParamReader reader(params);
  const std::int64_t rate = reader.integer("rate", kDefaultRate, 1, kMaxRate);
  const bool cpu = reader.text("from", kMeasures) == kMeasures[1];
  if (Problems problems = reader.finish(); !problems.empty()) return problems;
  return std::unique_ptr<CpuEstimator>(std::make_unique<Learned>(rate, cpu));
}

}  // namespace duet
