// What a machine's processors are to its node: which threads it offers, and which processor each of them is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/result.h"

namespace duet::live {

/// A machine as its operating system shows it, to this process.
struct Processors {
  /// Numbers of the usable processors of each core; both levels ascending, none empty.
  std::vector<std::vector<std::uint32_t>> cores;
  std::int64_t memory_bytes = 0;  ///< That this process and its children may use.
};

struct Topology {
  NodeOffer offer;
  /// The processor that thread i is. Threads may share one where a topology is emulated.
  std::vector<std::uint32_t> cpus;
  std::vector<std::uint32_t> reserved;  ///< Processors kept for the system; ascending.
  std::vector<std::string> zones;       ///< Names of the cores offered; empty if they have none.
  std::string mode;                     ///< "exact", "derived" or "emulated".
  std::string words;                    ///< All of that, for people.

  /// The processors that these threads are, ascending, each once; all of cpus for an empty set. Threads that
  /// are not offered are passed over.
  std::vector<std::uint32_t> processors_of(const ThreadSet& threads) const;
};

/// This machine's processors, less those that this process may not use (its affinity, its cpuset) and, if
/// `allowed` is not empty, less those that are not in it. A Problem if none is left.
Result<Processors> find_processors(const std::vector<std::uint32_t>& allowed = {});

/// What to offer of them. `choice`:
///   "auto"       every core but the first one, which is reserved unless it is the only one;
///   "all"        every core: tasks and the system share the first one, too;
///   "i5-1135G7"  zones A (1,5), B (2,6), C (3,7): these very processors where they are cores of the machine,
///                else as many threads on the processors that "auto" would offer.
/// `memory_bytes` 0: what there is, less a sixteenth and at least 512 MiB for the system, but half at least.
Result<Topology> plan_topology(std::string_view choice, const Processors& machine,
                               std::int64_t memory_bytes = 0);

/// A node that offers this, whatever the machine has: its threads take turns on the processors that "auto"
/// would offer, beginning with number `first` of them.
Topology emulate_offer(const NodeOffer& offer, const Processors& machine, std::uint32_t first);

/// find_processors() and plan_topology() in one.
Result<Topology> detect_topology(std::string_view choice, const std::vector<std::uint32_t>& allowed = {},
                                 std::int64_t memory_bytes = 0);

/// "0-2,5" of 0, 1, 2, 5: how Linux writes sets of processors.
std::string processor_list(const std::vector<std::uint32_t>& ascending);

}  // namespace duet::live
