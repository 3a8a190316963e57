// Any bytes as a Batsim workload: an import whose counts add up, or problems; never a crash.
#include "sim/import_batsim.h"
#include "tests/fuzz/import_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  duet::test::fuzz_import(data, size, duet::sim::import_batsim);
  return 0;
}
