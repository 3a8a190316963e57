// Any bytes as a log in the Standard Workload Format: an import whose counts add up, or problems; never a
// crash.
#include "sim/import_swf.h"
#include "tests/fuzz/import_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  duet::test::fuzz_import(data, size, duet::sim::import_swf);
  return 0;
}
