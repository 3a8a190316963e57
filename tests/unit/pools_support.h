// The pool that tests speak of: workers on the zones of a laptop.
#pragma once

#include <string>
#include <utility>

#include "tests/harness/harness.h"

namespace duet::test {

using namespace std::chrono_literals;

/// Three zones of two threads, as an i5-1135G7 offers beside its first core.
inline Shape zones() { return cores(3).threads_per_core(2); }

/// Workers that take a zone each, up to `most`.
inline JobBuilder zone_workers(std::uint32_t now, std::uint32_t most) {
  return job("zones").exclusive().millicores(0).service(now).runs(1h).workers_of("zones", most);
}
/// An operation that is estimated to run so long, and does.
inline JobBuilder operation(std::string key, Duration d) {
  return job(std::move(key)).runs(d).estimate(d).in_pool("zones");
}
// d / (d + 1 s), in thousandths.
inline constexpr Duration kLoad100 = 111'200us;
inline constexpr Duration kLoad400 = 666'666'667ns;
inline constexpr Duration kLoad500 = 1s;
inline constexpr Duration kLoad800 = 4s;

}  // namespace duet::test
