// TLS as a layer: written here in a page, it carries agents' frames and HTTP unchanged. What shows that the
// seam (live/byte_stream.h) is in the right place; a real one would read its certificates from files.
#include <boost/asio/ssl.hpp>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "live/wire/agent_port.h"
#include "live/wire/controller_link.h"
#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

namespace ssl = boost::asio::ssl;
using live::ByteStream;
namespace wire = live::wire;

/// A certificate for 127.0.0.1 that vouches for itself, and its key.
struct Identity {
  Identity() : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("a test"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* address = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, address, -1);
    X509_EXTENSION_free(address);
    EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  EVP_PKEY* key;
  X509* certificate;
};

/// What is asked before the two ends agree waits for that.
class TlsStream final : public ByteStream {
 public:
  TlsStream(Socket socket, std::shared_ptr<ssl::context> context, ssl::stream_base::handshake_type end)
      : state_(std::make_shared<State>(std::move(socket), std::move(context))) {
    if (end == ssl::stream_base::client)
      state_->stream.set_verify_callback(ssl::host_name_verification("127.0.0.1"));
    state_->stream.async_handshake(end, [state = state_](const Error& error) {
      if (std::exchange(state->agreed, true)) return;  // It was closed.
      state->failure = error;
      for (const auto& waiting : std::exchange(state->waiting, {})) waiting();
    });
  }

  Socket::executor_type executor() override { return state_->stream.get_executor(); }
  void read_some(boost::asio::mutable_buffer into, Done done) override {
    when_agreed([state = state_.get(),
                 into](Done then) { state->stream.async_read_some(into, keeping(state, std::move(then))); },
                std::move(done));
  }
  void write(Bytes all, Done done) override {
    when_agreed(
        [state = state_.get(), all](Done then) {
          boost::asio::async_write(state->stream, all, keeping(state, std::move(then)));
        },
        std::move(done));
  }
  Error end_writing() override {
    state_->stream.async_shutdown([state = state_](const Error&) {});
    return {};
  }
  bool at_rest() override { return false; }
  void close() override {
    // Whoever waits may own this: it is told from the loop, or goes with it.
    if (!state_->agreed) {
      state_->agreed = true;
      state_->failure = boost::asio::error::operation_aborted;
      boost::asio::post(state_->stream.get_executor(),
                        [state = state_, waiting = std::exchange(state_->waiting, {})] {
                          for (const auto& one : waiting) one();
                        });
    }
    Error ignored;
    state_->stream.lowest_layer().close(ignored);
  }

 private:
  struct State : std::enable_shared_from_this<State> {
    State(Socket socket, std::shared_ptr<ssl::context> with)
        : context(std::move(with)), stream(std::move(socket), *context) {}
    std::shared_ptr<ssl::context> context;
    ssl::stream<Socket> stream;
    bool agreed = false;
    Error failure;
    std::vector<std::function<void()>> waiting;
  };
  static Done keeping(State* state, Done done) {
    return [alive = state->shared_from_this(), done = std::move(done)](
               const Error& error, std::size_t bytes) { done(error, bytes); };
  }
  template <class Begin>
  void when_agreed(Begin begin, Done done) {
    if (state_->agreed && !state_->failure) return begin(std::move(done));
    const auto go = [state = state_.get(), begin, done = std::move(done)] {
      if (state->failure) return done(state->failure, 0);
      begin(done);
    };
    if (state_->agreed) return boost::asio::post(state_->stream.get_executor(), go);
    state_->waiting.push_back(go);
  }
  std::shared_ptr<State> state_;
};

class TlsLayer final : public live::Layer {
 public:
  TlsLayer(std::shared_ptr<ssl::context> context, ssl::stream_base::handshake_type end)
      : context_(std::move(context)), end_(end) {}
  std::unique_ptr<ByteStream> over(ByteStream::Socket socket) const override {
    return std::make_unique<TlsStream>(std::move(socket), context_, end_);
  }

 private:
  std::shared_ptr<ssl::context> context_;
  ssl::stream_base::handshake_type end_;
};

using Layer = std::shared_ptr<const live::Layer>;

Layer serving(const Identity& identity) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_use_certificate(context->native_handle(), identity.certificate);
  SSL_CTX_use_PrivateKey(context->native_handle(), identity.key);
  return std::make_shared<TlsLayer>(context, ssl::stream_base::server);
}

Layer trusting(const Identity& identity) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context->native_handle()), identity.certificate);
  context->set_verify_mode(ssl::verify_peer);
  return std::make_shared<TlsLayer>(context, ssl::stream_base::client);
}

TEST(Tls, HttpGoesOverIt) {
  const Identity identity;
  constexpr std::size_t kLong = 300'000;  // many records
  HttpWorld world({.layer = serving(identity)});
  world.add_routes();
  world.table.add({.path = "/long",
                   .operation_id = "long",
                   .summary = "Long.",
                   .responses = {{.status = 200, .description = "It."}},
                   .handler = [](const http::Request&, const http::Responder& respond) {
                     http::Response response;
                     response.body = std::string(kLong, 'x');
                     respond(std::move(response));
                   }});
  world.start();
  http::Client client = world.client({.layer = trusting(identity)});
  EXPECT_EQ(client.get("/hello").status, 200U);
  const std::string body = R"({"text":"x"})";
  EXPECT_EQ(client.post("/echo", body).body, body);
  EXPECT_EQ(client.get("/long").body, std::string(kLong, 'x'));
}

TEST(Tls, WhatIsSaidInTheClearIsNotHeard) {
  const Identity identity;
  HttpWorld world({.layer = serving(identity)});
  world.add_routes();
  world.start();
  EXPECT_EQ(raw(world.port(), request("GET", "/hello")).find("200 OK"), std::string::npos) << "in the clear";
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; })) << "what is no TLS is closed";
}

TEST(Tls, AStreamOfEventsGoesOverIt) {
  const Identity identity;
  HttpWorld world({.layer = serving(identity)});
  world.add_routes();
  world.start();
  std::thread writer([&] {
    ASSERT_TRUE(eventually([&] {
      bool asked = false;
      world.on_thread([&] { asked = !world.streams.empty(); });
      return asked;
    }));
    world.on_thread([&] {
      for (int i = 1; i <= 3; ++i)
        world.streams.front().send({.id = std::to_string(i), .name = "", .data = "said"});
      world.streams.front().close();
    });
  });
  http::Client client = world.client({.layer = trusting(identity)});
  int seen = 0;
  const http::Reply reply = client.events("/events", "", [&](const http::ReceivedEvent& event) {
    ++seen;
    return event.data == "said";
  });
  writer.join();
  EXPECT_EQ(seen, 3) << reply.why;
}

TEST(Tls, WhomNobodyVouchesForIsNotSpokenTo) {
  const Identity identity;
  const Identity stranger;
  HttpWorld world({.layer = serving(stranger)});
  world.add_routes();
  world.start();
  const http::Reply reply = world.client({.layer = trusting(identity)}).get("/hello");
  EXPECT_EQ(reply.failure, http::Reply::Failure::kBroken);
  EXPECT_NE(reply.why.find("certificate"), std::string::npos) << reply.why;
}

struct AgentOverTls {
  explicit AgentOverTls(Layer ours, Layer theirs)
      : port(io, options(std::move(ours)),
             {.joined = [this](LinkId, const live::AgentFacts& facts) { joined = facts.name; },
              .left = [](LinkId, const std::string&) {},
              .message = [](LinkId, const msg::FromAgent&) {},
              .learned = [](LinkId, const live::AttemptFacts&) {},
              .warn = [](const std::string&) {}}) {
    EXPECT_TRUE(port.listen().empty());
    wire::ControllerLink::Options to;
    to.port = std::to_string(port.port());
    to.hello.agent.name = "n1";
    to.hello.token = "the token";
    to.layer = std::move(theirs);
    link.emplace(io, std::move(to),
                 wire::ControllerLink::Hooks{.message = [](const msg::ToAgent&) {},
                                             .read_log = [](const wire::ReadLog&) {},
                                             .changed =
                                                 [this](bool connected, const std::string& why) {
                                                   if (!connected) lost = why;
                                                 },
                                             .refused = [](const std::string&) {}});
    link->start();
  }
  static wire::AgentPort::Options options(Layer layer) {
    wire::AgentPort::Options result;
    result.token = live::Secret("the token");
    result.layer = std::move(layer);
    return result;
  }
  bool runs_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done() && io.run_one_until(until) > 0) {
    }
    return done();
  }

  live::asio::io_context io{1};
  std::string joined;
  std::string lost;
  wire::AgentPort port;
  std::optional<wire::ControllerLink> link;
};

TEST(Tls, AnAgentJoinsOverIt) {
  const Identity identity;
  AgentOverTls world(serving(identity), trusting(identity));
  EXPECT_TRUE(world.runs_until([&] { return world.link->connected(); })) << world.lost;
  EXPECT_EQ(world.joined, "n1");
}

TEST(Tls, AnAgentInTheClearIsNotHeard) {
  const Identity identity;
  AgentOverTls world(serving(identity), {});
  EXPECT_TRUE(world.runs_until([&] { return !world.lost.empty(); }));
  EXPECT_EQ(world.joined, "");
}

TEST(Tls, AnAgentSaysNothingToAStranger) {
  const Identity identity;
  const Identity stranger;
  AgentOverTls world(serving(stranger), trusting(identity));
  EXPECT_TRUE(world.runs_until([&] { return !world.lost.empty(); }));
  EXPECT_EQ(world.joined, "");
}

}  // namespace
}  // namespace duet::live_tests
