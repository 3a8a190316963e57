// The agent's end: finds the controller, again and again, and passes messages on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "live/wire/find_port.h"
#include "live/wire/framed_socket.h"
#include "live/wire/messages.h"

namespace duet::live::wire {

class ControllerLink {
 public:
  struct Options {
    std::string host = "127.0.0.1";  ///< A name or an address.
    std::string port = "7070";
    /// `port` is where the controller answers HTTP: the one for agents is asked for there, each time anew.
    bool over_http = false;
    Hello hello;
    std::shared_ptr<const Layer> layer{};  ///< Over each connection; null: none.
    /// A connection on which the controller acknowledges nothing for so long is given up.
    std::chrono::milliseconds unacknowledged{10'000};
    std::chrono::milliseconds shortest_wait{100};   ///< Between attempts; doubles ...
    std::chrono::milliseconds longest_wait{2'000};  ///< ... up to this, and is spread.
  };
  struct Hooks {
    std::function<void(msg::ToAgent)> message;
    std::function<void(const ReadLog&)> read_log;
    std::function<void(bool connected, std::string why)> changed;
    std::function<void(std::string why)> refused;  ///< Told once; it goes on asking, rarely.
  };

  ControllerLink(asio::io_context& io, Options options, Hooks hooks);
  ~ControllerLink();

  void start();
  /// While there is no connection, only a registration is kept, to be the first thing that is said; all else
  /// that matters is said again by the machine.
  void send(const FromAgent& message);
  bool connected() const { return welcome_; }

 private:
  struct Dialing;
  void dial();
  void find_and_dial();
  void dial(const std::string& port);
  void dial_later();
  void connected_to(FramedSocket::Socket socket);
  void hear(std::span<const std::uint8_t> frame);
  void lost(const std::string& why);

  asio::io_context& io_;
  Options options_;
  Hooks hooks_;
  std::shared_ptr<Dialing> dialing_;
  std::unique_ptr<FindPort> finding_;
  std::shared_ptr<FramedSocket> socket_;
  bool welcome_ = false;
  std::optional<msg::FromAgent> kept_;
  bool told_refused_ = false;
  bool told_ = false;  ///< `changed` said that there is no connection.
  std::chrono::milliseconds wait_;
  asio::steady_timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live::wire
