// What an operation is, as its payload carries it: the core does not look into it.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace duet::live {

struct OperationCall {
  std::string operation;    ///< Its name, which the worker knows.
  std::string data = "{}";  ///< A JSON object.
  bool operator==(const OperationCall&) const = default;
};

/// {"data":{"iterations":1000},"operation":"monte_carlo_pi"}
std::string to_payload(const OperationCall& call);
/// The inverse; data in a form of its own: members ascending, no spaces. Problems with a JSON pointer each.
Result<OperationCall> call_from_payload(std::string_view payload);

}  // namespace duet::live
