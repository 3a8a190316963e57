#include "tests/harness/restarts.h"

#include <gtest/gtest.h>

#include "tests/harness/notices.h"

namespace duet::test {

void expect_same_after_restarts(const ClusterBuilder& nodes, const std::function<void(Harness&)>& script,
                                const std::function<void(const Harness&)>& and_then) {
  Harness plain(nodes);
  script(plain);
  plain.run();
  const auto expected = verdicts(plain);
  for (std::uint64_t k = 1; k <= plain.controller_steps(); ++k) {
    SCOPED_TRACE("restored after step " + std::to_string(k));
    Harness h(nodes);
    script(h);
    ASSERT_NO_THROW(h.restore_after_step(k).run());
    EXPECT_EQ(verdicts(h), expected);
    EXPECT_EQ(h.collisions(), Lines{});
    for (const auto& [attempt, n] : h.starts()) EXPECT_EQ(n, 1U) << attempt_text(attempt);
    EXPECT_EQ(h.store().jobs() + h.store().tasks(), 0U);
    if (and_then) and_then(h);
  }
}

}  // namespace duet::test
