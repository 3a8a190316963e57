// Talking to a live cluster's controller: where it is, what it answered, and what to say if it did not.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "live/http/client.h"
#include "tools/duet/live_options.h"

namespace duet::front {

/// Beside those of every command.
inline constexpr int kExitUnreachable = 4;

/// `given`, or $DUET_DATA, or $XDG_STATE_HOME/duet, or ~/.local/state/duet.
std::string data_folder(const std::string& given);

class LiveClient {
 public:
  /// Says on standard error what is missing. Nothing: the exit code is in `code`.
  static std::optional<LiveClient> connect(const Connection& to, int& code);

  /// The answer's body. Nothing: it was said on standard error, and the exit code is in `code`.
  std::optional<nlohmann::json> get(const std::string& target, int& code);
  std::optional<nlohmann::json> send(const live::http::Client::Ask& ask, int& code);
  /// Tasks in the order of their ids: all that there are, or only those that have not ended.
  std::optional<nlohmann::json> tasks(bool ended_too, int& code);
  /// Says what went wrong; the exit code for it.
  int complain(const live::http::Reply& reply) const;
  live::http::Client& http() { return http_; }
  const std::string& url() const { return url_; }

 private:
  LiveClient(live::http::Client http, std::string url) : http_(std::move(http)), url_(std::move(url)) {}
  live::http::Client http_;
  std::string url_;
};

}  // namespace duet::front
