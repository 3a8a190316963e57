// Many scenarios, each run by a process of its own: a crash or an engine that allows one run only concern one
// of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"

namespace duet::sim {

/// One scenario to run.
struct BatchItem {
  std::string scenario;  ///< Path
  std::string engine;
  std::vector<std::string> options = {};  ///< Further words for `duet sim`.
  /// Where its results are to stay: a folder that appears whole or not at all, in place of what was there.
  /// Empty: they go when `finished` has returned.
  std::string out = {};
};

/// What became of it.
struct BatchResult {
  int exit_code = 0;   ///< As of `duet sim`; 128 + n if signal n ended it.
  std::string digest;  ///< "sha256:..."; empty if the run did not come to an end.
  std::uint64_t steps = 0;
  std::vector<std::string> failed_assertions;  ///< As text, with what was measured.
  std::string said;  ///< Standard error of the run, if its exit code is neither 0 nor 1.
  std::string
      trace;  ///< Path of trace.duet; there only while `finished` is called, unless the item says `out`.
};

/// Runs `program sim SCENARIO --engine ENGINE` for all items, `at_once` at a time, and calls `finished` with
/// the index of each and what became of it, in the order in which they end; `tick` a few times a second
/// meanwhile. Works in a temporary folder, which it removes, also when a signal ends this program; the signal
/// ends the runs too, and what they have half written goes.
Problems run_batch(const std::string& program, const std::vector<BatchItem>& items, unsigned at_once,
                   const std::function<void(std::size_t, const BatchResult&)>& finished,
                   const std::function<void()>& tick = {});

}  // namespace duet::sim
