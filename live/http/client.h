// An HTTP client that blocks, for command lines and tests: one connection, kept for the next request.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "live/http/message.h"
#include "live/secret.h"

namespace duet::live {
class Layer;
}

namespace duet::live::http {

/// What came back, or why nothing did.
struct Reply {
  enum class Failure : std::uint8_t {
    kNone,
    kUnreachable,  ///< Nobody listens there, or the name is not known.
    kTimedOut,
    kBroken,  ///< The connection ended, or what came is not HTTP.
  };
  Failure failure = Failure::kNone;
  std::string why{};  ///< In words, where it failed.
  unsigned status = 0;
  Headers headers{};
  std::string body{};  ///< Empty if it was handed out piece by piece.

  bool arrived() const { return failure == Failure::kNone; }
  bool ok() const { return arrived() && status >= 200 && status < 300; }
};

struct ClientOptions {
  std::chrono::milliseconds connect_time{2'000};
  std::chrono::milliseconds answer_time{30'000};  ///< For a whole answer.
  std::chrono::milliseconds silence{45'000};      ///< Of a stream: three of a server's comments.
  std::size_t most_bytes = 64 * 1024 * 1024;      ///< Of an answer.
  Secret token{};                                 ///< Sent as "Authorization: Bearer", unless empty.
  std::shared_ptr<const Layer> layer{};           ///< Over each connection; null: none.
};

/// One of the server-sent events.
struct ReceivedEvent {
  std::string id;    ///< The last one told, as the standard has it.
  std::string name;  ///< "message" if none was told.
  std::string data;
};

class Client {
 public:
  /// `url`: "http://127.0.0.1:8080" or "127.0.0.1:8080"; a path in it stands before all targets.
  static Result<Client> make(std::string_view url, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  struct Ask {
    Method method = Method::kGet;
    std::string target = "/";
    std::string body{};  ///< JSON, unless a header of `headers` says otherwise.
    Headers headers{};
  };
  /// A request that cannot have been executed, or may be executed twice (all but POST and PATCH without an
  /// Idempotency-Key), is sent again once if the kept connection turns out to have been closed.
  Reply send(const Ask& ask);
  Reply get(std::string_view target);
  Reply post(std::string_view target, std::string_view body);
  Reply put(std::string_view target, std::string_view body);
  Reply remove(std::string_view target);

  /// Hands out the body as it comes, until it ends or `take` returns false. Answers other than 2xx are
  /// collected in the reply instead.
  Reply stream(const Ask& ask, const std::function<bool(std::string_view)>& take);
  /// The same for server-sent events after `last_id` (empty: from now on).
  Reply events(std::string_view target, std::string_view last_id,
               const std::function<bool(const ReceivedEvent&)>& take);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Takes apart a stream of server-sent events that comes in pieces.
class EventParser {
 public:
  /// False as soon as `take` returned false.
  bool feed(std::string_view piece, const std::function<bool(const ReceivedEvent&)>& take);

 private:
  bool line(std::string_view text, const std::function<bool(const ReceivedEvent&)>& take);

  std::string line_;
  bool after_cr_ = false;
  ReceivedEvent event_;
  bool has_data_ = false;
};

}  // namespace duet::live::http
