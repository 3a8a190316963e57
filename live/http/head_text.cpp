#include "core/codec/json_text.h"
#include "live/http/connection.h"

namespace duet::live::http {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value)
    if (static_cast<unsigned char>(c) >= ' ' || c == '\t') out += c;
  out += "\r\n";
}

}  // namespace

std::string head_text(const Response& response, std::string_view date, Framing framing, bool close,
                      bool http_1_0) {
  std::string out;
  out.reserve(256);
  out += "HTTP/1.1 ";
  codec::append_number(out, response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  append_field(out, "Date", date);
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  if (framing == Framing::kLength && response.status != 204) {
    out += "Content-Length: ";
    codec::append_number(out, response.body.size());
    out += "\r\n";
  }
  if (framing == Framing::kChunked) append_field(out, "Transfer-Encoding", "chunked");
  out += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : response.headers.entries()) append_field(out, name, value);
  if (close) {
    append_field(out, "Connection", "close");
  } else if (http_1_0) {
    append_field(out, "Connection", "keep-alive");
  }
  out += "\r\n";
  return out;
}

}  // namespace duet::live::http
