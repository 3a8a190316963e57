// Importers read files: the fuzzers' bytes go through one in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "core/check.h"
#include "sim/import_common.h"

namespace duet::test {

/// Calls `import` with the path of a file of these bytes; the first byte chooses the options.
template <class Import>
void fuzz_import(const std::uint8_t* data, std::size_t size, Import&& import) {
  using sim::ImportOptions;
  if (size == 0) return;
  ImportOptions options;
  options.shape = (data[0] & 1) != 0 ? ImportOptions::Shape::kHosts : ImportOptions::Shape::kPool;
  options.as_work = (data[0] & 2) != 0;
  options.overrun = (data[0] & 4) != 0 ? ImportOptions::Overrun::kKill : ImportOptions::Overrun::kExtend;
  options.size = 64;
  static const int fd = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  DUET_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
  DUET_CHECK(pwrite(fd, data + 1, size - 1, 0) == static_cast<ssize_t>(size - 1));
  const auto imported = import(path, options);
  if (!imported) {
    DUET_CHECK(!imported.problems().empty());
    return;
  }
  const auto& report = imported->report;
  std::uint64_t dropped = 0;
  for (const auto& reason : report.dropped) dropped += reason.count;
  DUET_CHECK(report.records == report.kept + dropped);
}

}  // namespace duet::test
