// How a handler answers: once, now or later; or with a stream that goes on.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "live/http/message.h"

namespace duet::live::http {

/// What the server offers to Responder and Stream; they are the handles that people use.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void answer(Response response) = 0;
  virtual void begin_stream(Response head, bool of_events) = 0;
  virtual bool write(std::string_view text, bool is_event) = 0;
  virtual void end_stream() = 0;
  virtual std::size_t buffered() const = 0;
  virtual void on_closed(std::function<void()> closed) = 0;
  virtual void on_drained(std::function<void()> drained) = 0;
};

/// One of the server-sent events.
struct Event {
  std::string_view id;    ///< What a client sends as Last-Event-ID when it comes back; may be empty.
  std::string_view name;  ///< "event:"; may be empty.
  std::string_view data;  ///< May have several lines.
};

/// A response that goes on until either side closes it. Copies are the same stream; when the last one is
/// dropped, it ends. To be used on the io_context's thread.
class Stream {
 public:
  Stream() = default;  ///< A closed one.
  explicit Stream(std::weak_ptr<Exchange> exchange);

  /// False if the stream is closed. Beyond the server's bound of what may wait for a slow client, what waits
  /// is dropped, the client is told so (an event `overflow`, where it is a stream of events) and cut off: it
  /// comes back with the id of what it saw last.
  bool send(const Event& event);
  /// The same for any text.
  bool write(std::string_view text);
  bool closed() const;
  void close();
  /// Bytes that wait to be sent.
  std::size_t buffered() const;
  /// Called once, when the stream ends for another reason than close(). Never once the server is destroyed.
  void on_closed(std::function<void()> closed);
  /// Called whenever everything written was sent.
  void on_drained(std::function<void()> drained);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Answers one request. Copies answer the same one; if the last one is dropped without an answer, the client
/// gets 500. To be used on the io_context's thread.
class Responder {
 public:
  explicit Responder(std::weak_ptr<Exchange> exchange);
  /// A bug if it was answered already.
  void operator()(Response response) const;
  /// text/event-stream, kept alive by comments.
  Stream events() const;
  /// Any other body whose length is not known.
  Stream stream(std::string content_type) const;
  /// Nobody waits for the answer any longer.
  bool gone() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// "id: 7\nevent: task\ndata: {}\n\n"
std::string event_text(const Event& event);

}  // namespace duet::live::http
