// Who and what may pass: everything about a request that can be judged without its handler.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "live/http/routes.h"
#include "live/secret.h"

namespace duet::live::http {

struct GateOptions {
  /// Routes that need a token want "Authorization: Bearer " and this; empty: they are open.
  Secret token{};
  /// Names by which clients may address this server, besides those of the loopback: a browser that was lured
  /// to another name which points here (DNS rebinding) sends that name. "*" allows every name.
  std::vector<std::string> hosts{};
  std::size_t json_depth = 64;
};

class Gate {
 public:
  Gate(const RouteTable& table, GateOptions options);

  /// A further name of this server.
  void answer_to(std::string host) { options_.hosts.push_back(std::move(host)); }
  /// Also to any IP address, as who listens on all of them must. (Only names can be made to point elsewhere.)
  void answer_to_addresses() { any_address_ = true; }

  /// Where a request goes, or the answer that it gets at once.
  using Way = std::variant<const Route*, Response>;

  /// Judges what is known before the body: path, method, Host, Origin, token, type of the body. Fills in
  /// `request.path` and its parameters. `method` and `target` are as sent.
  Way head(std::string_view method, std::string_view target, bool http_1_0, bool has_body,
           Request& request) const;

  /// Judges the body; fills in `request.document`.
  std::optional<Response> body(const Route& route, Request& request) const;

 private:
  std::optional<Response> host_and_origin(std::string_view authority, bool http_1_0,
                                          const Headers& headers) const;
  bool known_host(std::string_view authority) const;
  bool answers_to(std::string_view authority) const;
  std::optional<Response> query(const Route& route, std::string_view text, Request& request) const;
  bool token_fits(const Headers& headers) const;

  const RouteTable& table_;
  GateOptions options_;
  bool any_address_ = false;
};

/// Equal, in a time that depends on nothing but the lengths of what the client sent.
bool same_secret(std::string_view wanted, std::string_view given);

}  // namespace duet::live::http
