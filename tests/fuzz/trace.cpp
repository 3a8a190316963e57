// Any bytes as a trace: with the hashes checked, and without, so that all that reads steps is reached too.
// Replay, and what goes by it, is not here: it may end the process, see tools/duet/guarded.h.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/codec/cat.h"
#include "core/codec/cluster_view.h"
#include "core/codec/diff.h"
#include "core/codec/perfetto.h"
#include "core/codec/stats.h"

namespace {

using namespace duet;

/// Calls `use` with a reader of these bytes, if they have a header.
template <class Use>
void read(std::string_view bytes, bool check_hashes, Use&& use) {
  auto reader = codec::TraceReader::from_memory(bytes, "input", {.check_hashes = check_hashes});
  if (reader) use(*reader);
}

class Nowhere final : public codec::TextSink {
 public:
  void write(std::string_view) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Nowhere nowhere;
  const auto cat = [&](codec::TraceReader& reader) { codec::cat(reader, {}, nowhere); };
  read(bytes, true, cat);
  read(bytes, false, cat);
  read(bytes, false, [](codec::TraceReader& reader) {
    const auto stats = codec::stats(reader);
    if (stats) DUET_CHECK(!codec::to_text(*stats).empty());
  });
  read(bytes, false, [&](codec::TraceReader& reader) { codec::perfetto(reader, nowhere); });
  read(bytes, false, [](codec::TraceReader& reader) { codec::busiest_instant(reader); });
  read(bytes, false, [&](codec::TraceReader& left) {
    read(bytes, false, [&](codec::TraceReader& right) {
      const auto difference = codec::diff(left, right);
      DUET_CHECK(!difference || difference->same_body());
    });
  });
  return 0;
}
