// The canonical form of a scenario: every default filled in, one order of fields. Itself a scenario file.
#pragma once

#include <string>

#include "sim/json_write.h"
#include "sim/scenario.h"

namespace duet::sim {

/// Hands the canonical form to `sink` piece by piece: a table of millions of jobs is never held as text. Two
/// files that mean the same have the same canonical form, whatever their layout, key order and omitted
/// defaults; parsing it gives the same scenario again. Its hash is the scenario's identity.
///
/// The scenario must be one that a file can say: memory in whole MiB, rigid jobs of one group, payloads from
/// encode_behaviour(), policy parameters that are finite.
void canonical_json(const Scenario& scenario, const TextSink& sink);
std::string canonical_json(const Scenario& scenario);

}  // namespace duet::sim
