#include "live/wire/controller_link.h"

#include <algorithm>
#include <random>

#include "core/codec/decode.h"

namespace duet::live::wire {
namespace {

using Tcp = asio::ip::tcp;

/// To resolve, connect and be welcome. A controller that is stopped accepts connections, but says nothing.
constexpr auto kConnectWithin = std::chrono::seconds(5);

}  // namespace

struct ControllerLink::Dialing {
  explicit Dialing(asio::io_context& io) : resolver(io), socket(io) {}
  Tcp::resolver resolver;
  Tcp::socket socket;
};

ControllerLink::ControllerLink(asio::io_context& io, Options options, Hooks hooks)
    : io_(io),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      wait_(options_.shortest_wait),
      timer_(io) {
  std::random_device device;
  options_.hello.instance = std::uint64_t{device()} << 32U | device();
}

ControllerLink::~ControllerLink() {
  *alive_ = false;
  if (socket_) socket_->close();
}

void ControllerLink::start() { dial(); }

void ControllerLink::dial() {
  timer_.expires_after(kConnectWithin);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error && !welcome_) lost("no answer");
  });
  if (options_.over_http) return find_and_dial();
  dial(options_.port);
}

void ControllerLink::find_and_dial() {
  const auto port = static_cast<std::uint16_t>(std::stoul(options_.port));
  finding_ = std::make_unique<FindPort>(io_, options_.host, port, [this](Result<std::uint16_t> found) {
    // It is in this call.
    asio::post(io_, [gone = std::shared_ptr<FindPort>(std::move(finding_))] {});
    if (!found) return lost(found.problems().front().what);
    dial(std::to_string(*found));
  });
}

void ControllerLink::dial(const std::string& port) {
  auto dialing = std::make_shared<Dialing>(io_);
  dialing_ = dialing;
  dialing->resolver.async_resolve(
      options_.host, port,
      [this, alive = alive_, dialing](const boost::system::error_code& error, const auto& found) {
        if (!*alive || dialing_ != dialing) return;
        if (error) return lost(error.message());
        asio::async_connect(dialing->socket, found,
                            [this, alive, dialing](const boost::system::error_code& failed, const auto&) {
                              if (!*alive || dialing_ != dialing) return;
                              if (failed) return lost(failed.message());
                              connected_to(FramedSocket::Socket(std::move(dialing->socket)));
                            });
      });
}

void ControllerLink::connected_to(FramedSocket::Socket socket) {
  dialing_.reset();
  set_tcp_options(socket, options_.unacknowledged);
  socket_ = FramedSocket::make(std::move(socket), options_.layer);
  socket_->start({[this, alive = alive_](std::span<const std::uint8_t> frame) {
                    if (*alive) hear(frame);
                  },
                  [this, alive = alive_](const std::string& why) {
                    if (*alive) lost(why);
                  }});
  socket_->send(FromAgent(options_.hello));
}

void ControllerLink::hear(std::span<const std::uint8_t> frame) {
  ToAgent message;
  if (!codec::decode_exactly(frame, message)) {
    socket_->close();
    return lost("the controller sent what cannot be read");
  }
  if (std::holds_alternative<Welcome>(message)) {
    timer_.cancel();
    welcome_ = true;
    told_ = told_refused_ = false;
    wait_ = options_.shortest_wait;
    if (kept_) socket_->send(FromAgent(*std::exchange(kept_, std::nullopt)));
    hooks_.changed(true, {});
  } else if (auto* refused = std::get_if<Refused>(&message)) {
    // Perhaps another controller answers there for a while: what runs here must not end for that.
    const std::string why = refused->why;
    if (refused->for_good) wait_ = options_.longest_wait;
    if (!std::exchange(told_refused_, true)) hooks_.refused(why);
    lost(why);
  } else if (auto* said = std::get_if<msg::ToAgent>(&message)) {
    hooks_.message(std::move(*said));
  } else if (const auto* query = std::get_if<ReadLog>(&message)) {
    hooks_.read_log(*query);
  }
}

void ControllerLink::send(const FromAgent& message) {
  if (welcome_) return socket_->send(message);
  const auto* said = std::get_if<msg::FromAgent>(&message);
  if (said != nullptr && msg::registration(*said) != nullptr) kept_ = *said;
}

void ControllerLink::lost(const std::string& why) {
  dialing_.reset();
  finding_.reset();
  if (socket_) {
    socket_->close();
    socket_.reset();
  }
  welcome_ = false;
  if (!std::exchange(told_, true)) hooks_.changed(false, why);
  dial_later();
}

/// Agents of one controller do not come back all at once.
void ControllerLink::dial_later() {
  static thread_local std::minstd_rand spread{std::random_device{}()};
  const auto most = static_cast<std::uint64_t>(wait_.count());
  timer_.expires_after(std::chrono::milliseconds(most / 2 + spread() % (most / 2 + 1)));
  wait_ = std::min(wait_ * 2, options_.longest_wait);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) dial();
  });
}

}  // namespace duet::live::wire
