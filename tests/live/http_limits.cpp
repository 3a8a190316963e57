// What a client may not do, and what happens to it; streams; the end of a server.
#include <atomic>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/rng.h"
#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

using std::chrono::milliseconds;

/// Limits so tight that a test need not wait.
http::ServerOptions tight() {
  http::ServerOptions options;
  options.limits.header_time = milliseconds(40);
  options.limits.body_time = milliseconds(40);
  options.limits.idle_time = milliseconds(40);
  options.limits.write_time = milliseconds(200);
  options.limits.linger_time = milliseconds(40);
  return options;
}

std::string status_of(const std::string& answer) { return answer.size() < 12 ? "" : answer.substr(9, 3); }

TEST(HttpLimits, HeadsAreBounded) {
  HttpWorld world;
  world.add_routes();
  world.start();
  const auto with = [&](std::size_t bytes) {
    return status_of(
        raw(world.port(), request("GET", "/hello", "", "X-Fill: " + std::string(bytes, 'x') + "\r\n")));
  };
  EXPECT_EQ(with(16'000), "200");
  EXPECT_EQ(with(16'400), "431");
  EXPECT_EQ(with(1'000'000), "431");
  EXPECT_EQ(status_of(raw(world.port(), request("GET", "/" + std::string(20'000, 'x')))), "431");
  EXPECT_EQ(status_of(raw(world.port(), std::string(40'000, 'x'))), "431");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a:b\r\n";
  EXPECT_EQ(status_of(raw(world.port(), request("GET", "/hello", "", many))), "431");
}

TEST(HttpLimits, BodiesAreBounded) {
  HttpWorld world;
  world.add_routes();
  world.start();
  const std::string json = "Content-Type: application/json\r\n";
  const auto padded = [](std::size_t bytes) { return R"({"text":"x"})" + std::string(bytes - 12, ' '); };
  EXPECT_EQ(status_of(raw(world.port(), request("POST", "/echo", padded(1024 * 1024), json))), "200");
  EXPECT_EQ(status_of(raw(world.port(), request("POST", "/echo", padded(1024 * 1024 + 1), json))), "413");
  EXPECT_EQ(status_of(raw(world.port(), request("POST", "/echo", "",
                                                json + "Content-Length: 99999999999999999999999\r\n"))),
            "400");
  std::string chunks = request("POST", "/echo", "", json + "Transfer-Encoding: chunked\r\n");
  for (int i = 0; i < 17; ++i) chunks += "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  EXPECT_EQ(status_of(raw(world.port(), chunks)), "413");
}

TEST(HttpLimits, SlowHeadsAreCutOff) {
  HttpWorld world(tight());
  world.add_routes();
  world.start();
  RawSocket head(world.port());
  head.send("GET /hello HTTP/1.1\r\n");
  EXPECT_EQ(status_of(head.read()), "408");
}

TEST(HttpLimits, ABodyHasATimeOfItsOwn) {
  http::ServerOptions options = tight();
  options.limits.header_time = std::chrono::seconds(60);
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket body(world.port());
  body.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
      "9\r\n\r\n{");
  EXPECT_NE(body.read().find("The body took too long."), std::string::npos);
}

TEST(HttpLimits, ADripOfBytesDoesNotProlongTheTime) {
  http::ServerOptions options = tight();
  options.limits.header = 100 * 1024 * 1024;
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket drip(world.port());
  drip.send("GET /hello HTTP/1.1\r\n");
  const auto begin = std::chrono::steady_clock::now();
  std::thread dripping([&] {
    while (drip.send("a") && std::chrono::steady_clock::now() < begin + std::chrono::seconds(5))
      std::this_thread::yield();
  });
  EXPECT_EQ(status_of(drip.read("\r\n\r\n")), "408");
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; }));
  dripping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST(HttpLimits, IdleConnectionsAreClosedWithoutAWord) {
  HttpWorld world(tight());
  world.add_routes();
  world.start();
  RawSocket silent(world.port());
  EXPECT_TRUE(silent.at_end());
  RawSocket kept(world.port());
  kept.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(kept.read("hello all")), "200");
  EXPECT_TRUE(kept.at_end());
}

TEST(HttpLimits, TooManyConnectionsAreRefusedAndLaterServed) {
  http::ServerOptions options;
  options.limits.connections = 3;
  options.limits.per_address = 2;
  options.limits.linger_time = milliseconds(40);
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket first(world.port());
  auto second = std::make_unique<RawSocket>(world.port());
  EXPECT_TRUE(eventually([&] { return world.connections() == 2; }));
  const std::string of_address = raw(world.port(), request("GET", "/hello"));
  EXPECT_EQ(status_of(of_address), "503");
  EXPECT_NE(of_address.find("\r\nRetry-After: 5\r\n"), std::string::npos);
  EXPECT_NE(of_address.find("from your address"), std::string::npos);
  RawSocket other(world.port(), "127.0.0.2");
  other.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_of(other.read("hello all")), "200");
  RawSocket one_more(world.port(), "127.0.0.3");
  one_more.send(request("GET", "/hello"));
  EXPECT_NE(one_more.read().find("Too many connections. Try"), std::string::npos);
  second.reset();
  EXPECT_TRUE(eventually([&] { return world.connections() == 2; }));
  EXPECT_EQ(status_of(raw(world.port(), request("GET", "/hello"))), "200");
}

TEST(HttpLimits, WithoutDescriptorsItWaitsAndSaysSo) {
#ifdef DUET_ASAN
  GTEST_SKIP() << "UBSan needs descriptors itself, to look at objects";
#endif
  std::atomic<int> warnings = 0;
  http::ServerOptions options;
  options.on_warning = [&](std::string_view) { ++warnings; };
  HttpWorld world(options);
  world.add_routes();
  world.start();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 128, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  std::vector<int> fillers;
  for (int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0;
       fd = open("/dev/null", O_RDONLY | O_CLOEXEC))
    fillers.push_back(fd);
  ASSERT_FALSE(fillers.empty());
  close(fillers.back());
  fillers.pop_back();
  RawSocket socket(world.port());  // takes the last one
  socket.send(request("GET", "/hello"));
  EXPECT_TRUE(eventually([&] { return warnings > 0; }));
  for (const int fd : fillers) close(fd);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(status_of(socket.read()), "200");
}

TEST(HttpStream, SendsEventsAndSeesTheClientLeave) {
  HttpWorld world;
  world.add_routes();
  world.start();
  auto socket = std::make_unique<RawSocket>(world.port());
  socket->send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = socket->read("\r\n\r\n");
  EXPECT_NE(head.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  world.on_thread([&] { EXPECT_TRUE(world.streams[0].send({.id = "7", .name = "task", .data = "{}\nx"})); });
  EXPECT_EQ(socket->read("\n\n\r\n"), "24\r\nid: 7\nevent: task\ndata: {}\ndata: x\n\n\r\n");
  socket.reset();
  EXPECT_TRUE(eventually([&] { return world.closed() == 1; }));
  world.on_thread([&] {
    EXPECT_TRUE(world.streams[0].closed());
    EXPECT_FALSE(world.streams[0].send({.id = "", .name = "", .data = "late"}));
  });
}

TEST(HttpStream, MayBeHeldByWhatItCallsWhenTheClientLeaves) {
  HttpWorld world;
  world.table.add({.path = "/flood",
                   .operation_id = "flood",
                   .summary = "More than fits in between.",
                   .needs_token = false,
                   .responses = {{.status = 200, .description = "Text."}},
                   .handler = [](const http::Request&, const http::Responder& respond) {
                     const auto stream = std::make_shared<http::Stream>(respond.stream("text/plain"));
                     stream->write(std::string(1'000'000, 'x'));
                     stream->on_drained([stream] { stream->write("more"); });
                   }});
  world.start();
  for (int i = 0; i < 5; ++i) {
    RawSocket socket(world.port(), "", 4096);
    ASSERT_TRUE(socket.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_NE(socket.read("200 OK"), "");
  }
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; }));
}

TEST(HttpStream, QuietStreamsOfEventsAreKeptAliveByComments) {
  http::ServerOptions options;
  options.limits.heartbeat = milliseconds(20);
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket socket(world.port());
  socket.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string all = socket.read(":\n\n\r\n");
  EXPECT_TRUE(all.ends_with("\r\n\r\n3\r\n:\n\n\r\n")) << all;
}

TEST(HttpStream, EndsWhenClosedOrDropped) {
  HttpWorld world;
  world.add_routes();
  world.start();
  for (const bool drop : {false, true}) {
    RawSocket socket(world.port());
    socket.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.read("\r\n\r\n");
    world.on_thread([&] {
      world.streams[0].write("bye");
      if (!drop) world.streams[0].close();
      world.streams.clear();
    });
    EXPECT_EQ(socket.read(), "3\r\nbye\r\n0\r\n\r\n");
  }
  EXPECT_EQ(world.closed(), 0U);
}

TEST(HttpStream, HttpOneZeroGetsNoChunks) {
  HttpWorld world;
  world.add_routes();
  world.start();
  RawSocket socket(world.port());
  socket.send("GET /events HTTP/1.0\r\n\r\n");
  EXPECT_EQ(socket.read("\r\n\r\n").find("chunked"), std::string::npos);
  world.on_thread([&] {
    world.streams[0].write("bye");
    world.streams.clear();
  });
  EXPECT_EQ(socket.read(), "bye");
}

TEST(HttpStream, ASlowReaderIsCutOffWithAWord) {
  http::ServerOptions options;
  options.limits.stream_buffer = 100'000;
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket socket(world.port(), "", 4096);
  socket.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  socket.read("\r\n\r\n");
  std::size_t sent = 0;
  world.on_thread([&] {
    EXPECT_FALSE(world.streams[0].send({.id = "0", .name = "", .data = std::string(100'001, 'x')}));
  });
  EXPECT_NE(socket.read().find("event: overflow\ndata: You read too slowly."), std::string::npos);

  RawSocket slow(world.port(), "", 4096);
  slow.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  slow.read("\r\n\r\n");
  EXPECT_TRUE(eventually([&] {  // the kernel takes a few megabytes first
    bool open = true;
    world.on_thread(
        [&] { open = world.streams[1].send({.id = "1", .name = "", .data = std::string(20'000, 'x')}); });
    sent += 20'000;
    return !open;
  }));
  world.on_thread([&] { EXPECT_LE(world.streams[1].buffered(), 100'300U); });
  const std::string all = slow.read();
  EXPECT_LT(all.size(), sent);
  EXPECT_TRUE(all.ends_with("\n\n\r\n0\r\n\r\n"));
  EXPECT_NE(all.find("event: overflow"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return world.closed() == 2; }));
}

TEST(HttpStream, AReaderThatStopsIsCutOff) {
  http::ServerOptions options;
  options.limits.write_time = milliseconds(60);
  options.limits.stream_buffer = 64 * 1024 * 1024;
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket socket(world.port(), "", 4096);
  socket.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  socket.read("\r\n\r\n");
  world.on_thread([&] { world.streams[0].write(std::string(32 * 1024 * 1024, 'x')); });
  EXPECT_TRUE(eventually([&] { return world.connections() == 0; }));
}

TEST(HttpStop, AnswersWhatRunsAndClosesTheRest) {
  http::ServerOptions options;
  options.limits.linger_time = milliseconds(40);
  HttpWorld world(options);
  world.add_routes();
  world.start();
  RawSocket idle(world.port());
  RawSocket running(world.port());
  RawSocket stream(world.port());
  running.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  stream.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  stream.read("\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return world.waiters() == 1 && world.connections() == 3; }));
  std::atomic<bool> done = false;
  world.on_thread([&] { world.server().stop(std::chrono::seconds(5), [&] { done = true; }); });
  EXPECT_TRUE(idle.at_end());
  EXPECT_EQ(stream.read(), "0\r\n\r\n");
  EXPECT_FALSE(done);
  world.on_thread([&] { world.waiting[0](http::text_response("at last")); });
  const std::string answer = running.read();
  EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("at last"));
  idle.close();
  running.close();
  stream.close();
  EXPECT_TRUE(eventually([&] { return done.load(); }));
}

TEST(HttpStop, CutsWhatTakesTooLong) {
  HttpWorld world;
  world.add_routes();
  world.start();
  RawSocket running(world.port());
  running.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return world.waiters() == 1; }));
  std::atomic<bool> done = false;
  world.on_thread([&] { world.server().stop(milliseconds(20), [&] { done = true; }); });
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_TRUE(running.at_end());
}

TEST(HttpLimits, RandomBytesHarmNobody) {
  HttpWorld world(tight());
  world.add_routes();
  world.start();
  Rng rng(20261122);
  const std::string good = request("POST", "/echo", R"({"text":"x","times":3,"tags":["a"]})",
                                   "Content-Type: application/json\r\n");
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    for (int edits = 0; edits < 4; ++edits) {
      const std::size_t at = rng.below(text.size());
      const std::uint64_t kind = rng.below(3);
      if (kind == 0) text[at] = static_cast<char>(rng.below(256));
      if (kind == 1) text.erase(at, rng.below(8));
      if (kind == 2) text.insert(at, std::string(rng.below(8), static_cast<char>(rng.below(256))));
    }
    RawSocket socket(world.port());
    socket.send(text);
    socket.finish_sending();
    const std::string answer = socket.read();
    if (!answer.empty()) {
      ASSERT_TRUE(answer.starts_with("HTTP/1.1 ")) << text;
    }
  }
  EXPECT_EQ(status_of(raw(world.port(), good)), "200");
}

}  // namespace
}  // namespace duet::live_tests
