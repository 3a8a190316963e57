// The client against a server, against one that misbehaves, and against none.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/http/url.h"
#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

using Failure = http::Reply::Failure;
using std::chrono::milliseconds;

/// Says one thing to each of so many connections, whatever they say, and closes them.
class CannedServer {
 public:
  CannedServer(std::string text, int times) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(fd_, 8), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(text), times] {
      for (int i = 0; i < times; ++i) {
        const int peer = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        char piece[4096];
        if (::recv(peer, piece, sizeof piece, 0) > 0) ::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
        ::close(peer);
      }
    });
  }
  ~CannedServer() {
    thread_.join();
    ::close(fd_);
  }
  http::Client client(http::ClientOptions options = {}) const {
    return std::move(*http::Client::make("127.0.0.1:" + std::to_string(port_), std::move(options)));
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(HttpClient, AStreamMayBeLongerThanAnAnswer) {
  HttpWorld world;
  world.add_routes();
  world.start();
  std::thread writer([&] {
    ASSERT_TRUE(eventually([&] {
      bool asked = false;
      world.on_thread([&] { asked = !world.streams.empty(); });
      return asked;
    }));
    world.on_thread([&] {
      for (int i = 0; i < 100; ++i)
        world.streams.front().send({.id = "", .name = "", .data = std::string(100, 'x')});
      world.streams.front().close();
    });
  });
  http::Client client = world.client({.most_bytes = 1000});
  std::size_t events = 0;
  const http::Reply reply =
      client.events("/events", "", [&](const http::ReceivedEvent&) { return ++events > 0; });
  writer.join();
  EXPECT_TRUE(reply.ok()) << reply.why;
  EXPECT_EQ(events, 100U);
}

TEST(HttpClient, AsksAgainOverTheSameConnection) {
  HttpWorld world;
  world.add_routes();
  world.start();
  http::Client client = world.client();
  for (int i = 0; i < 3; ++i) {
    const http::Reply reply = client.post("/echo", R"({"text":"x"})");
    EXPECT_EQ(reply.status, 200U) << reply.why;
    EXPECT_EQ(reply.body, R"({"text":"x"})");
    EXPECT_EQ(reply.headers.find("content-type"), "application/json");
  }
  EXPECT_EQ(world.connections(), 1U);
  EXPECT_EQ(client.send({.method = http::Method::kHead, .target = "/hello"}).body, "");
  EXPECT_EQ(client.get("hello?limit=2").body, "hello 2");
  EXPECT_EQ(client.remove("/hello").status, 405U);
}

TEST(HttpClient, ComesBackWhenTheConnectionWasClosed) {
  http::ServerOptions options;
  options.limits.idle_time = milliseconds(20);
  HttpWorld world(options);
  world.add_routes();
  world.start();
  http::Client client = world.client();
  EXPECT_TRUE(client.get("/hello").ok());
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; }));
  EXPECT_TRUE(client.post("/echo", R"({"text":"x"})").ok());
}

TEST(HttpClient, SendsTheToken) {
  HttpWorld world({.gate = {.token = live::Secret("s3cret")}});
  world.add_routes();
  world.start();
  EXPECT_EQ(world.client().post("/secret", "").status, 401U);
  EXPECT_EQ(world.client({.token = live::Secret("s3cret")}).post("/secret", "").status, 204U);
}

TEST(HttpClient, TellsWhyNothingCame) {
  std::uint16_t nobody = 0;
  {
    HttpWorld world;
    world.start();
    nobody = world.port();
  }
  http::Reply reply = http::Client::make("127.0.0.1:" + std::to_string(nobody))->get("/");
  EXPECT_EQ(reply.failure, Failure::kUnreachable);
  EXPECT_EQ(reply.why, "cannot connect to 127.0.0.1:" + std::to_string(nobody) + ": Connection refused");

  HttpWorld world;
  world.add_routes();
  world.start();
  reply = world.client({.answer_time = milliseconds(30)}).get("/later");
  EXPECT_EQ(reply.failure, Failure::kTimedOut);
  EXPECT_EQ(reply.why, "127.0.0.1:" + std::to_string(world.port()) + " did not answer in time");
}

TEST(HttpClient, DoesNotTakeNonsenseForAnAnswer) {
  const auto failure = [](const std::string& text) {
    const CannedServer server(text, 1);
    return server.client().get("/").failure;
  };
  EXPECT_EQ(failure("SSH-2.0-OpenSSH\r\n\r\n"), Failure::kBroken);
  EXPECT_EQ(failure("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), Failure::kBroken);
  EXPECT_EQ(failure(""), Failure::kBroken);
  EXPECT_EQ(failure("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x')), Failure::kBroken);
  EXPECT_EQ(failure("HTTP/1.1 200 OK\r\n\r\nuntil the end"), Failure::kNone);
}

TEST(HttpClient, BoundsWhatItTakes) {
  const CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'), 2);
  EXPECT_EQ(server.client({.most_bytes = 99}).get("/").failure, Failure::kBroken);
  EXPECT_EQ(server.client({.most_bytes = 100}).get("/").body.size(), 100U);
}

TEST(HttpClient, ReadsEventsUntilItHasEnough) {
  HttpWorld world;
  world.add_routes();
  world.start();
  std::thread teller([&] {
    EXPECT_TRUE(eventually([&] {
      std::size_t count = 0;
      world.on_thread([&] { count = world.streams.size(); });
      return count == 1;
    }));
    for (const char* id : {"1", "2", "3"})
      world.on_thread([&] { world.streams[0].send({.id = id, .name = "task", .data = "a\nb"}); });
  });
  std::string seen;
  const http::Reply reply = world.client().events("/events", "0", [&](const http::ReceivedEvent& event) {
    seen += event.id + event.name + event.data + ";";
    return event.id != "2";
  });
  teller.join();
  EXPECT_TRUE(reply.ok());
  EXPECT_EQ(seen, "1taska\nb;2taska\nb;");
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; }));
}

TEST(HttpClient, AStreamThatFallsSilentIsGivenUp) {
  HttpWorld world;
  world.add_routes();
  world.start();
  const http::Reply reply =
      world.client({.silence = milliseconds(30)}).events("/events", "", [](const http::ReceivedEvent&) {
        return true;
      });
  EXPECT_EQ(reply.failure, Failure::kTimedOut);
}

TEST(HttpClient, CollectsTheErrorOfAStream) {
  HttpWorld world;
  world.add_routes();
  world.start();
  const http::Reply reply =
      world.client().events("/nothing", "", [](const http::ReceivedEvent&) { return true; });
  EXPECT_EQ(reply.status, 404U);
  EXPECT_NE(reply.body.find("There is nothing at"), std::string::npos);
}

TEST(HttpClient, EventsComeInAnyPieces) {
  const std::string text =
      ": comment\r\nid: 1\r\ndata:x\r\ndata\r\n\r\nevent: e\ndata:  y\n\nid: 2\n\ndata: z\r\rdata: lost\n";
  const std::string wanted = "1|message|x\n;1|e| y;2|message|z;";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    http::EventParser parser;
    std::string seen;
    for (std::size_t at = 0; at < text.size(); at += size)
      parser.feed(std::string_view(text).substr(at, size), [&](const http::ReceivedEvent& event) {
        seen += event.id + "|" + event.name + "|" + event.data + ";";
        return true;
      });
    ASSERT_EQ(seen, wanted) << size;
  }
}

TEST(HttpUrl, NamesWhatIsWrong) {
  const auto text = [](std::string_view url) {
    const auto parsed = http::parse_url(url);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) + " " + parsed->target
                  : parsed.problems()[0].what;
  };
  EXPECT_EQ(text("http://127.0.0.1:8080"), "127.0.0.1 8080 /");
  EXPECT_EQ(text("localhost"), "localhost 80 /");
  EXPECT_EQ(text("HTTP://[::1]:9/a?b"), "::1 9 /a?b");
  EXPECT_EQ(text("localhost?x"), "localhost 80 /?x");
  EXPECT_EQ(text("https://localhost"), "only http:// is spoken");
  for (const char* bad : {"", "http://", "a b", "localhost:99999", "localhost:0", "a@b", "http://[::1"})
    EXPECT_EQ(text(bad), "this is no address") << bad;
  EXPECT_EQ(text("localhost/a b"), "spaces, control characters and '#' cannot stand in a URL");
  EXPECT_EQ(http::percent_decode(http::percent_encode("a b/ü?&")), "a b/ü?&");
}

}  // namespace
}  // namespace duet::live_tests
