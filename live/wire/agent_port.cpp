#include "live/wire/agent_port.h"

#include "core/codec/decode.h"

namespace duet::live::wire {
namespace {

using Tcp = asio::ip::tcp;

/// What says nothing for so long after it connected is no agent.
constexpr auto kHelloWithin = std::chrono::seconds(5);
/// An agent whose end does not acknowledge what we sent: TCP alone would wait a quarter of an hour.
constexpr auto kUnacknowledged = std::chrono::seconds(10);
/// To read a part of a log. An agent that is stopped does not answer, though its connection stands.
constexpr auto kLogWithin = std::chrono::seconds(5);
constexpr auto kAcceptAgain = std::chrono::milliseconds(100);
/// Strangers beyond so many wait at the door.
constexpr std::size_t kMostSessions = 10'000;

}  // namespace

struct AgentPort::Listener {
  explicit Listener(asio::io_context& io) : acceptor(io), again(io) {}
  Tcp::acceptor acceptor;
  asio::steady_timer again;
};

struct AgentPort::Session {
  Session(asio::io_context& io, LinkId id, std::shared_ptr<FramedSocket> with)
      : link(id), socket(std::move(with)), patience(io) {}
  ~Session() {
    if (socket) socket->close();
  }
  LinkId link;
  std::shared_ptr<FramedSocket> socket;
  asio::steady_timer patience;
  std::string name;  ///< Empty until it said so.
  std::uint64_t instance = 0;
  std::string where;  ///< Of its agent, for people.
  std::chrono::steady_clock::time_point heard{};
};

AgentPort::AgentPort(asio::io_context& io, Options options, Hooks hooks)
    : io_(io),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      listener_(std::make_unique<Listener>(io)) {}

AgentPort::~AgentPort() { *alive_ = false; }

Problems AgentPort::listen() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return {{options_.address, "is no IP address", "such as 127.0.0.1"}};
  const Tcp::endpoint endpoint(address, options_.port);
  Tcp::acceptor& acceptor = listener_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Tcp::acceptor::max_listen_connections, error);
  if (error)
    return {{options_.address + ':' + std::to_string(options_.port),
             "agents cannot be listened for: " + error.message(), "another port"}};
  accept();
  return {};
}

std::uint16_t AgentPort::port() const {
  boost::system::error_code error;
  return listener_->acceptor.local_endpoint(error).port();
}

void AgentPort::accept() {
  listener_->acceptor.async_accept(
      [this, alive = alive_](const boost::system::error_code& error, Tcp::socket socket) {
        if (!*alive) return;
        if (error) {  // Out of descriptors, most likely: others may end.
          if (error == asio::error::operation_aborted) return;
          listener_->again.expires_after(kAcceptAgain);
          listener_->again.async_wait([this, alive](const boost::system::error_code& stopped) {
            if (*alive && !stopped) accept();
          });
          return;
        }
        if (sessions_.size() < kMostSessions) {
          const LinkId link{++last_link_};
          FramedSocket::Socket stream(std::move(socket));
          set_tcp_options(stream, kUnacknowledged);
          auto session =
              std::make_unique<Session>(io_, link, FramedSocket::make(std::move(stream), options_.layer));
          session->patience.expires_after(kHelloWithin);
          session->patience.async_wait([this, alive, link](const boost::system::error_code& stopped) {
            if (*alive && !stopped) drop(link, "said nothing");
          });
          session->socket->start({[this, alive, link](std::span<const std::uint8_t> frame) {
                                    if (*alive) hear(link, frame);
                                  },
                                  [this, alive, link](const std::string& why) {
                                    if (*alive) drop(link, why);
                                  }});
          sessions_.emplace(link, std::move(session));
        }
        accept();
      });
}

void AgentPort::drop(LinkId link, const std::string& why) {
  const auto at = sessions_.find(link);
  if (at == sessions_.end()) return;
  const std::unique_ptr<Session> session = std::move(at->second);
  sessions_.erase(at);
  if (session->socket) {
    of_gone_.in += session->socket->bytes_in();
    of_gone_.out += session->socket->bytes_out();
  }
  const auto named = by_name_.find(session->name);
  if (named != by_name_.end() && named->second == link) by_name_.erase(named);
  for (auto it = log_reads_.begin(); it != log_reads_.end();) {
    if (it->second.link != link) {
      ++it;
      continue;
    }
    const LogRead done = std::move(it->second.done);
    it = log_reads_.erase(it);
    asio::post(io_, [done, why] { done(Problem{"agent", "left before it answered: " + why, {}}); });
  }
  if (!session->name.empty()) hooks_.left(link, why);
}

void AgentPort::hear(LinkId link, std::span<const std::uint8_t> frame) {
  const auto at = sessions_.find(link);
  if (at == sessions_.end()) return;
  Session& session = *at->second;
  session.heard = std::chrono::steady_clock::now();
  FromAgent message;
  if (!codec::decode_exactly(frame, message)) return drop(link, "sent what cannot be read");
  if (const auto* hello = std::get_if<Hello>(&message)) {
    if (!session.name.empty()) return drop(link, "said twice who it is");
    return hear(session, *hello);
  }
  if (session.name.empty()) return drop(link, "did not say who it is");
  if (auto* said = std::get_if<msg::FromAgent>(&message)) {
    const msg::Register* as = msg::registration(*said);
    if (as != nullptr && as->name != session.name) return drop(link, "registers under another name");
    hooks_.message(link, std::move(*said));
  } else if (const auto* learned = std::get_if<Learned>(&message)) {
    for (const AttemptFacts& facts : learned->attempts) hooks_.learned(link, facts);
  } else if (auto* part = std::get_if<LogPart>(&message)) {
    auto waiting = log_reads_.extract(part->request);
    if (waiting.empty() || waiting.mapped().link != link) return;
    waiting.mapped().done(std::move(*part));
  }
}

/// Why this agent may not come while another one of its name is there; empty: it may. The same program again
/// has lost a connection that was not missed here yet.
std::string AgentPort::namesake(const Hello& hello) const {
  const auto at = by_name_.find(hello.agent.name);
  if (at == by_name_.end()) return {};
  const Session& other = *sessions_.at(at->second);
  if (other.instance == hello.instance || std::chrono::steady_clock::now() - other.heard > options_.alive_for)
    return {};
  return "an agent of the name " + hello.agent.name + " is connected already (" + other.where +
         "): give one of them another name";
}

void AgentPort::hear(Session& session, const Hello& hello) {
  std::string why;
  if (hello.protocol != kProtocol)
    why = "protocol " + std::to_string(hello.protocol) + ", but this controller speaks " +
          std::to_string(kProtocol) + ": use programs of one version (here " + options_.version + ')';
  else if (!options_.token.empty() && !options_.token.same_as(hello.token))
    why = "the token is not this cluster's";
  else if (hello.agent.name.empty() || hello.agent.name.size() > 255)
    why = "an agent needs a name of 1 to 255 bytes";
  else
    why = namesake(hello);
  if (!why.empty()) {
    hooks_.warn("an agent was refused: " + why);
    session.socket->send(ToAgent(Refused{why, true}));
    std::exchange(session.socket, nullptr)->finish();
    return drop(session.link, why);
  }
  session.patience.cancel();
  session.name = hello.agent.name;
  session.instance = hello.instance;
  session.where = hello.agent.address + ", process " + std::to_string(hello.agent.pid);
  by_name_[session.name] = session.link;  // The newest: an older connection may not have been missed yet.
  const LinkId link = session.link;
  hooks_.joined(link, hello.agent);
  session.socket->send(ToAgent(Welcome{options_.version}));
}

void AgentPort::send(LinkId link, const msg::ToAgent& message) {
  const auto at = sessions_.find(link);
  if (at != sessions_.end()) at->second->socket->send(ToAgent(message));
}

void AgentPort::read_log(const std::string& agent, ReadLog query, LogRead done) {
  const auto at = by_name_.find(agent);
  if (at == by_name_.end()) {
    asio::post(io_, [done = std::move(done), agent] {
      done(Problem{agent, "its agent is not connected, and the output lies there", "try again later"});
    });
    return;
  }
  query.request = ++last_read_;
  LogWait& wait = log_reads_[query.request];
  wait.link = at->second;
  wait.done = std::move(done);
  wait.patience = std::make_unique<asio::steady_timer>(io_, kLogWithin);
  wait.patience->async_wait(
      [this, alive = alive_, request = query.request](const boost::system::error_code& stopped) {
        if (!*alive || stopped) return;
        const auto waiting = log_reads_.extract(request);
        if (waiting) waiting.mapped().done(Problem{"agent", "does not answer", "try again later"});
      });
  sessions_.at(at->second)->socket->send(ToAgent(query));
}

std::string AgentPort::name_of(LinkId link) const {
  const auto at = sessions_.find(link);
  return at == sessions_.end() ? std::string() : at->second->name;
}

std::size_t AgentPort::connected() const { return by_name_.size(); }

AgentPort::Traffic AgentPort::traffic() const {
  Traffic all = of_gone_;
  for (const auto& [link, session] : sessions_) {
    if (!session->socket) continue;
    all.in += session->socket->bytes_in();
    all.out += session->socket->bytes_out();
  }
  return all;
}

}  // namespace duet::live::wire
