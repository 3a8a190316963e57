// Compression, for traces that are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace duet::codec {

/// As small as zstd makes it in reasonable time.
std::string compressed(std::string_view bytes);

/// The inverse, for bytes that may come from anywhere: a Problem about `name` if they are not what
/// compressed() makes, or more than `most` bytes would come out.
Result<std::string> decompressed(std::string_view bytes, const std::string& name, std::uint64_t most);

}  // namespace duet::codec
