// What the controller publishes, as lines of text, so that the drivers can be compared.
#pragma once

#include <string>

#include "core/machine.h"

namespace duet::test {

/// Seconds with nine decimals: "10.000000000".
std::string time_text(Instant t);
/// "17.0#1"
std::string attempt_text(AttemptId attempt);

/// One line without an end: "10.000000000 task 1.0#1 running n0". The node is left out before the first
/// attempt; how an attempt ended follows where it says more than the state: "... task 1.0#1 pending n0 lost".
std::string notice_text(Instant t, const controller::Notice& notice);

/// "0.000000000 reply 3 job 1" or "0.000000000 reply 3 refused: ..."
std::string reply_text(Instant t, const controller::Reply& reply);

}  // namespace duet::test
