// A document for a live cluster out of a file.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace duet::front {

/// Says on standard error what is wrong with the file.
std::optional<nlohmann::json> document_in(const std::string& path);

}  // namespace duet::front
