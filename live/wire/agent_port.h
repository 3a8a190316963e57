// The controller's end: accepts agents, checks who they are, and passes messages on.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/result.h"
#include "live/secret.h"
#include "live/wire/framed_socket.h"
#include "live/wire/messages.h"

namespace duet::live::wire {

class AgentPort {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any that is free.
    Secret token;            ///< Agents must know it; empty: none is asked for.
    std::string version;
    std::shared_ptr<const Layer> layer{};  ///< Over each connection; null: none.
    /// Who was heard within so long is alive: another program of its name is refused.
    std::chrono::milliseconds alive_for{1'500};
  };
  struct Hooks {
    std::function<void(LinkId, const AgentFacts&)> joined;
    std::function<void(LinkId, std::string why)> left;
    std::function<void(LinkId, msg::FromAgent)> message;
    std::function<void(LinkId, const AttemptFacts&)> learned;
    std::function<void(std::string)> warn;
  };
  using LogRead = std::function<void(Result<LogPart>)>;

  AgentPort(asio::io_context& io, Options options, Hooks hooks);
  ~AgentPort();

  /// Problems: the address is taken, or is none of this machine's.
  Problems listen();
  std::uint16_t port() const;

  /// To an agent that has gone meanwhile: nothing.
  void send(LinkId link, const msg::ToAgent& message);
  /// Asks the agent of this name. A Problem if it is not connected, or leaves before it answers.
  void read_log(const std::string& agent, ReadLog query, LogRead done);
  /// Who speaks there; empty: nobody who said so.
  std::string name_of(LinkId link) const;
  std::size_t connected() const;
  /// Bytes of all connections so far.
  struct Traffic {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  Traffic traffic() const;
  bool connected(const std::string& agent) const { return by_name_.contains(agent); }

 private:
  struct Session;
  void accept();
  void hear(LinkId link, std::span<const std::uint8_t> frame);
  void hear(Session& session, const Hello& hello);
  std::string namesake(const Hello& hello) const;
  void drop(LinkId link, const std::string& why);

  asio::io_context& io_;
  Options options_;
  Hooks hooks_;
  struct Listener;
  std::unique_ptr<Listener> listener_;
  std::map<LinkId, std::unique_ptr<Session>> sessions_;
  std::map<std::string, LinkId> by_name_;
  Traffic of_gone_;  ///< Of connections that have ended.
  struct LogWait {
    LinkId link;
    LogRead done;
    std::unique_ptr<asio::steady_timer> patience;
  };
  std::map<std::uint64_t, LogWait> log_reads_;
  std::uint64_t last_link_ = 0;
  std::uint64_t last_read_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live::wire
