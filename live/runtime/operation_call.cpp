#include "live/runtime/operation_call.h"

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"

namespace duet::live {

std::string to_payload(const OperationCall& call) {
  std::string out = R"({"data":)" + call.data + R"(,"operation":)";
  codec::append_string(out, call.operation);
  return out + "}";
}

Result<OperationCall> call_from_payload(std::string_view payload) {
  constexpr const char* kExample = R"(such as {"data":{"iterations":1000},"operation":"monte_carlo_pi"})";
  const auto json = nlohmann::json::parse(payload.begin(), payload.end(), nullptr, false);
  if (!json.is_object()) return Problem{"", "is no JSON object", kExample};
  Problems problems;
  OperationCall call;
  for (const auto& [name, value] : json.items()) {
    if (name == "operation" && value.is_string() && !value.get_ref<const std::string&>().empty())
      call.operation = value.get<std::string>();
    else if (name == "data" && value.is_object())
      call.data = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    else if (name == "operation" || name == "data")
      problems.push_back({"/" + name, std::string("is ") + value.type_name(), kExample});
    else
      problems.push_back({"/" + name, "is not known", "data, operation"});
  }
  if (call.operation.empty() && problems.empty()) problems.push_back({"/operation", "is missing", kExample});
  if (!problems.empty()) return problems;
  return call;
}

}  // namespace duet::live
