#include "core/codec/render.h"

namespace duet::codec {

template void render(std::string&, const controller::Event&);
template void render(std::string&, const controller::Command&);
template void render(std::string&, const agent::Event&);
template void render(std::string&, const agent::Command&);

void append_text(std::string& out, const TaskId& id) {
  append_number(out, id.job.value);
  out += '.';
  append_number(out, id.index);
}

void append_text(std::string& out, const AttemptId& id) {
  append_text(out, id.task);
  out += '#';
  append_number(out, id.number);
}

void append_text(std::string& out, const ThreadSet& set) {
  bool first = true;
  for (std::uint32_t low = 0; low < ThreadSet::kMaxThreads; ++low) {
    if (!set.contains(low)) continue;
    std::uint32_t high = low;
    while (high + 1 < ThreadSet::kMaxThreads && set.contains(high + 1)) ++high;
    if (!first) out += ',';
    first = false;
    append_number(out, low);
    if (high != low) {
      out += '-';
      append_number(out, high);
    }
    low = high;
  }
}

}  // namespace duet::codec
