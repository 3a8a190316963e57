// The dot language: quoting, and the colours that all pictures share.
#pragma once

#include <string>
#include <string_view>

namespace duet::codec {

/// A quoted string; "\n" in `text` breaks the line. Control characters become '?'.
std::string dot_quoted(std::string_view text);

/// The beginning of a picture. What is written beside boxes is grey, which light and dark paper show; boxes
/// bring their own light ground.
std::string dot_begin(std::string_view kind, std::string_view name, std::string_view label,
                      std::string_view more);

/// Colours of a box: the pair "fillcolor=..., color=...".
std::string dot_colours(std::string_view fill, std::string_view line);

}  // namespace duet::codec
