#include "live/http/responder.h"

#include "core/check.h"

namespace duet::live::http {
namespace {

/// A line of an event cannot hold what would end it.
void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  for (const char c : value)
    if (c != '\n' && c != '\r' && c != '\0') out += c;
  out += '\n';
}

}  // namespace

std::string event_text(const Event& event) {
  std::string text;
  if (!event.id.empty()) append_line(text, "id: ", event.id);
  if (!event.name.empty()) append_line(text, "event: ", event.name);
  for (std::string_view rest = event.data;;) {
    const std::size_t end = rest.find('\n');
    append_line(text, "data: ", rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  text += '\n';
  return text;
}

struct Stream::State {
  std::weak_ptr<Exchange> exchange;
  explicit State(std::weak_ptr<Exchange> e) : exchange(std::move(e)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (const auto open = exchange.lock()) open->end_stream();
  }
};

Stream::Stream(std::weak_ptr<Exchange> exchange) : state_(std::make_shared<State>(std::move(exchange))) {}

bool Stream::send(const Event& event) {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  return open && open->write(event_text(event), true);
}

bool Stream::write(std::string_view text) {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  return open && open->write(text, false);
}

bool Stream::closed() const {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  return !open || !open->write("", false);
}

void Stream::close() {
  if (!state_) return;
  if (const auto open = state_->exchange.lock()) open->end_stream();
  state_->exchange.reset();
}

std::size_t Stream::buffered() const {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  return open ? open->buffered() : 0;
}

void Stream::on_closed(std::function<void()> closed) {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  if (open) open->on_closed(std::move(closed));
}

void Stream::on_drained(std::function<void()> drained) {
  const auto open = state_ ? state_->exchange.lock() : nullptr;
  if (open) open->on_drained(std::move(drained));
}

struct Responder::State {
  std::weak_ptr<Exchange> exchange;
  bool answered = false;
  explicit State(std::weak_ptr<Exchange> e) : exchange(std::move(e)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    const auto waiting = exchange.lock();
    if (!answered && waiting) waiting->answer(problem(500, "The request was given up without an answer."));
  }
};

Responder::Responder(std::weak_ptr<Exchange> exchange)
    : state_(std::make_shared<State>(std::move(exchange))) {}

void Responder::operator()(Response response) const {
  DUET_CHECK(!state_->answered);
  state_->answered = true;
  if (const auto waiting = state_->exchange.lock()) waiting->answer(std::move(response));
}

Stream Responder::events() const {
  DUET_CHECK(!state_->answered);
  state_->answered = true;
  const auto waiting = state_->exchange.lock();
  if (!waiting) return {};
  waiting->begin_stream({.status = 200, .content_type = "text/event-stream", .headers = {}, .body = ""},
                        true);
  return Stream(waiting);
}

Stream Responder::stream(std::string content_type) const {
  DUET_CHECK(!state_->answered);
  state_->answered = true;
  const auto waiting = state_->exchange.lock();
  if (!waiting) return {};
  waiting->begin_stream({.status = 200, .content_type = std::move(content_type), .headers = {}, .body = ""},
                        false);
  return Stream(waiting);
}

bool Responder::gone() const { return state_->exchange.expired(); }

}  // namespace duet::live::http
