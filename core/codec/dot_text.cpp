#include "core/codec/dot_text.h"

namespace duet::codec {

std::string dot_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += '?';
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string dot_begin(std::string_view kind, std::string_view name, std::string_view label,
                      std::string_view more) {
  std::string out = std::string(kind) + ' ' + std::string(name) + " {\n";
  if (!label.empty()) out += "  label=" + dot_quoted(label) + "; labelloc=t;\n";
  out += "  class=" + dot_quoted(name) +
         "; bgcolor=transparent; fontname=\"Helvetica\"; fontsize=13; fontcolor=\"#7d8590\";\n"
         "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, "
         "fontcolor=\"#1f2328\", " +
         dot_colours("#ffffff", "#8c959f") +
         "];\n"
         "  edge [fontname=\"Helvetica\", fontsize=10, color=\"#8c959f\", fontcolor=\"#7d8590\"];\n";
  return out + std::string(more);
}

std::string dot_colours(std::string_view fill, std::string_view line) {
  return "fillcolor=" + dot_quoted(fill) + ", color=" + dot_quoted(line);
}

}  // namespace duet::codec
