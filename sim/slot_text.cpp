#include "sim/slot_text.h"

#include <algorithm>
#include <vector>

#include "core/codec/render.h"

namespace duet::sim {
namespace {

/// Of ascending numbers: "1,4-6".
void append_ranges(std::string& out, const std::vector<std::uint32_t>& numbers) {
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (i > 0) out += ',';
    codec::append_number(out, numbers[i]);
    if (last > i) {
      out += '-';
      codec::append_number(out, numbers[last]);
    }
    i = last + 1;
  }
}

}  // namespace

void append_slot(std::string& out, const NodeType& type, const ThreadSet& threads) {
  std::vector<std::vector<std::uint32_t>> numbers(std::max<std::size_t>(1, type.zones.size()));
  threads.for_each([&](std::uint32_t thread) {
    numbers[type.zones.empty() ? 0 : thread % type.offer.cores].push_back(type.machine_thread(thread));
  });
  if (type.zones.empty()) {
    std::sort(numbers[0].begin(), numbers[0].end());
    return append_ranges(out, numbers[0]);
  }
  bool first = true;
  for (std::size_t zone = 0; zone < numbers.size(); ++zone) {
    if (numbers[zone].empty()) continue;
    if (!first) out += ' ';
    first = false;
    out += type.zones[zone] + ':';
    append_ranges(out, numbers[zone]);
  }
}

}  // namespace duet::sim
