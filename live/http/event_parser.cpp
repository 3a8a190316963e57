#include "live/http/client.h"

namespace duet::live::http {

bool EventParser::feed(std::string_view piece, const std::function<bool(const ReceivedEvent&)>& take) {
  for (const char c : piece) {
    if (c == '\n' && after_cr_) {  // the second half of CR LF
      after_cr_ = false;
      continue;
    }
    after_cr_ = c == '\r';
    if (c != '\n' && c != '\r') {
      line_ += c;
      continue;
    }
    const std::string text = std::move(line_);
    line_.clear();
    if (!line(text, take)) return false;
  }
  return true;
}

bool EventParser::line(std::string_view text, const std::function<bool(const ReceivedEvent&)>& take) {
  if (text.empty()) {
    bool go_on = true;
    if (has_data_) {
      if (event_.name.empty()) event_.name = "message";
      go_on = take(event_);
    }
    event_ = {.id = std::move(event_.id), .name = "", .data = ""};
    has_data_ = false;
    return go_on;
  }
  const std::size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "id") {
    event_.id = value;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
  return true;
}

}  // namespace duet::live::http
