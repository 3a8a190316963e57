#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace duet {

void check_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "duet: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace duet
