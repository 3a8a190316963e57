#include "live/cube/health_call.h"

#include <utility>

namespace duet::live::cube {

using Tcp = asio::ip::tcp;

HealthCall::HealthCall(asio::io_context& io, Question question, std::function<void(bool healthy)> done)
    : io_(io), question_(std::move(question)), done_(std::move(done)), resolver_(io) {
  resolver_.async_resolve(question_.host, std::to_string(question_.port), Tcp::resolver::numeric_service,
                          [this, alive = alive_](const boost::system::error_code& error,
                                                 const Tcp::resolver::results_type& found) {
                            if (!*alive) return;
                            if (!error)
                              for (const auto& one : found)
                                addresses_.insert(addresses_.begin(), one.endpoint().address().to_string());
                            ask_next();
                          });
}

/// A name may have several addresses, and the task may listen at one of them only.
void HealthCall::ask_next() {
  if (addresses_.empty()) return end(false);
  http::CallOptions options;
  options.address = std::move(addresses_.back());
  addresses_.pop_back();
  options.port = question_.port;
  options.connect_time = question_.timeout;
  options.answer_time = question_.timeout;
  http::Client::Ask ask;
  ask.target = question_.target;
  call_ = http::Call::start(io_, std::move(ask), std::move(options), [this](const http::Reply& reply) {
    if (reply.failure == http::Reply::Failure::kUnreachable) return ask_next();
    end(reply.status == 200);
  });
}

void HealthCall::end(bool healthy) {
  const auto done = done_;  // It may outlive this.
  done(healthy);
}

}  // namespace duet::live::cube
