// What the server answers: routing, errors, checks of bodies, tokens, names.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/live/http_world.h"

namespace duet::live_tests {
namespace {

using nlohmann::json;

class HttpServer : public testing::Test, public HttpWorld {
 protected:
  HttpServer() : HttpWorld({.gate = {.token = live::Secret("s3cret"), .hosts = {"duet.example"}}}) {}
  void SetUp() override {
    add_routes();
    http::add_openapi_route(table, {.title = "Test", .version = "1", .description = "Of tests."});
    start();
  }
  std::string ask(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& more = "") const {
    return raw(port(), request(method, path, body, more));
  }
};

std::string http_body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
std::string first_line(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }
const std::string json_type = "Content-Type: application/json\r\n";

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  RawSocket socket(port());
  socket.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = socket.read("hello all");
  EXPECT_EQ(first_line(answer), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("\r\nContent-Length: 9\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nX-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  socket.send("GET /items/a%2Fb HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(http_body(socket.read("a/b")), "a/b");
}

TEST_F(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  std::string all;
  for (const char* id : {"1", "2", "3"})
    all += "GET /items/" + std::string(id) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  all +=
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
      "{\"text\":\"4\"}";
  all += request("GET", "/items/5");
  const std::string answer = raw(port(), all);
  std::string bodies;
  for (std::size_t at = answer.find("\r\n\r\n"); at != std::string::npos;
       at = answer.find("\r\n\r\n", at + 4))
    bodies += answer.substr(at + 4, answer.find("HTTP/1.1", at + 4) - at - 4);
  EXPECT_EQ(bodies, "123{\"text\":\"4\"}5");
}

TEST_F(HttpServer, ReadsARequestByteByByte) {
  RawSocket socket(port());
  for (const char c : request("POST", "/echo", R"({"text":"x"})", json_type)) socket.send(std::string(1, c));
  EXPECT_EQ(http_body(socket.read()), R"({"text":"x"})");
}

TEST_F(HttpServer, ReadsChunkedBodies) {
  EXPECT_EQ(http_body(ask(
                "POST", "/echo", "",
                json_type + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n{\"tex\r\n7\r\nt\":\"x\"}\r\n0\r\n")),
            R"({"text":"x"})");
}

TEST_F(HttpServer, SaysContinueToWhoeverAsks) {
  RawSocket socket(port());
  socket.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n" +
              json_type + "Content-Length: 12\r\n\r\n");
  EXPECT_EQ(socket.read("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send(R"({"text":"x"})");
  EXPECT_EQ(http_body(socket.read()), R"({"text":"x"})");
  EXPECT_EQ(first_line(ask("POST", "/echo", "{}", json_type + "Expect: miracles\r\n")),
            "HTTP/1.1 417 Expectation Failed");
}

TEST_F(HttpServer, HeadIsGetWithoutBody) {
  const std::string answer = ask("HEAD", "/hello");
  EXPECT_EQ(first_line(answer), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("Content-Length: 9"), std::string::npos);
  EXPECT_EQ(http_body(answer), "");
}

TEST_F(HttpServer, OptionsAndWrongMethodsSayWhatIsAllowed) {
  const std::string options = ask("OPTIONS", "/hello");
  EXPECT_EQ(first_line(options), "HTTP/1.1 204 No Content");
  EXPECT_NE(options.find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), std::string::npos);
  EXPECT_NE(ask("OPTIONS", "*").find("\r\nAllow: GET, HEAD, OPTIONS, POST\r\n"), std::string::npos);
  const std::string wrong = ask("DELETE", "/echo");
  EXPECT_EQ(first_line(wrong), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_NE(wrong.find("\r\nAllow: OPTIONS, POST\r\n"), std::string::npos);
  EXPECT_EQ(first_line(ask("BREW", "/echo")), "HTTP/1.1 501 Not Implemented");
}

TEST_F(HttpServer, ErrorsAreProblemDetails) {
  const std::string answer = ask("GET", "/nothing");
  EXPECT_EQ(first_line(answer), "HTTP/1.1 404 Not Found");
  EXPECT_NE(answer.find("\r\nContent-Type: application/problem+json\r\n"), std::string::npos);
  EXPECT_EQ(http_body(answer),
            R"({"type":"about:blank","title":"Not Found","status":404,)"
            R"("detail":"There is nothing at `/nothing`. See /openapi.json for what there is."})");
  for (const char* path : {"/items/", "/items", "/hello/", "//hello", "/items/1/2", "/items/../hello"})
    EXPECT_EQ(first_line(ask("GET", path)), "HTTP/1.1 404 Not Found") << path;
  for (const char* path : {"/items/%zz", "/items/%0", "/items/%00", "hello", "/hello?a=%f", "/a#b"})
    EXPECT_EQ(first_line(ask("GET", path)), "HTTP/1.1 400 Bad Request") << path;
}

TEST_F(HttpServer, NamesAllMistakesOfABodyAtOnce) {
  const json answer = json::parse(http_body(
      ask("POST", "/echo", R"({"txt":"x","times":10,"kind":"lowd","tags":["a","B",3]})", json_type)));
  EXPECT_EQ(answer["status"], 400);
  EXPECT_EQ(answer["errors"], json::parse(R"([
    {"pointer":"","detail":"`text` is missing"},
    {"pointer":"/kind","detail":"this is not one of the choices; they are loud, quiet"},
    {"pointer":"/tags","detail":"these are more than 2"},
    {"pointer":"/times","detail":"10 is above 9"},
    {"pointer":"/txt","detail":"there is no member of this name; did you mean `text`?"}])"));
}

TEST_F(HttpServer, RefusesWhatIsNoJson) {
  const auto errors = [&](const std::string& body) {
    return json::parse(http_body(ask("POST", "/echo", body, json_type)))["errors"][0]["detail"]
        .get<std::string>();
  };
  EXPECT_EQ(errors("{\"text\":\r\n tru}"), "this is no JSON from line 2, column 5 on");
  EXPECT_EQ(errors(R"({"text":"a","text":"b"})"), "an object has the member `text` twice");
  EXPECT_EQ(errors(std::string(65, '[') + std::string(65, ']')), "brackets are nested deeper than 64 levels");
  EXPECT_EQ(errors(std::string(64, '[') + std::string(64, ']')), "this is an array; needed is an object");
  EXPECT_EQ(errors("\"[[\\\"[["), "this is no JSON from line 1, column 8 on");
  EXPECT_EQ(errors(R"({"text":7})"), "this is an integer; needed is a string");
  EXPECT_EQ(errors(R"({"text":"a","times":1.5})"), "this is a number; needed is an integer");
  EXPECT_EQ(http_body(ask("POST", "/echo", "{\"text\":\r\n\"x\"}\r\n", json_type)), R"({"text":"x"})");
}

TEST_F(HttpServer, WantsJsonToSaySo) {
  const std::string body = R"({"text":"x"})";
  EXPECT_EQ(first_line(ask("POST", "/echo", body)), "HTTP/1.1 415 Unsupported Media Type");
  EXPECT_EQ(first_line(ask("POST", "/echo", body, "Content-Type: text/plain\r\n")),
            "HTTP/1.1 415 Unsupported Media Type");
  EXPECT_EQ(first_line(ask("POST", "/echo", body, "content-type: Application/JSON; charset=utf-8\r\n")),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(first_line(ask("POST", "/echo", "", json_type)), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(first_line(ask("GET", "/hello", "{}")), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpServer, RefusesParametersItDoesNotKnow) {
  const json answer = json::parse(http_body(ask("GET", "/hello?limt=3&limit=0&x=1")));
  EXPECT_EQ(answer["errors"], json::parse(R"([
    {"parameter":"limt","detail":"there is no parameter of this name; did you mean `limit`?"},
    {"parameter":"limit","detail":"0 is below 1"},
    {"parameter":"x","detail":"there is no parameter of this name; there are limit"}])"));
  EXPECT_EQ(http_body(ask("GET", "/hello?limit=7")), "hello 7");
  EXPECT_EQ(first_line(ask("GET", "/hello?limit=seven")), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpServer, WantsTheToken) {
  const std::string without = ask("POST", "/secret");
  EXPECT_EQ(first_line(without), "HTTP/1.1 401 Unauthorized");
  EXPECT_NE(without.find("\r\nWWW-Authenticate: Bearer\r\n"), std::string::npos);
  const auto status = [&](const std::string& header) {
    return first_line(ask("POST", "/secret", "", "Authorization: " + header + "\r\n")).substr(9, 3);
  };
  EXPECT_EQ(status("Bearer s3cret"), "204");
  EXPECT_EQ(status("bearer s3cret"), "204");
  for (const char* wrong :
       {"Bearer s3cre", "Bearer s3crets", "Bearer ", "Basic s3cret", "s3cret", "Bearer\ts3cret"})
    EXPECT_EQ(status(wrong), "401") << wrong;
}

TEST_F(HttpServer, AnswersToItsOwnNamesOnly) {
  const auto status = [&](const std::string& host) {
    return first_line(raw(port(), "GET /hello HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n"))
        .substr(9, 3);
  };
  for (const char* own : {"localhost", "LOCALHOST:1", "127.0.0.1:80", "127.1.2.3", "[::1]:80", "x.localhost",
                          "duet.example", "localhost."})
    EXPECT_EQ(status("Host: " + std::string(own) + "\r\n"), "200") << own;
  for (const char* other : {"evil.example", "127.0.0.1.evil.example", "127.evil", "localhost.evil",
                            "10.0.0.1", "user@localhost", "localhost:x", "[::1", "127.0.0"})
    EXPECT_EQ(status("Host: " + std::string(other) + "\r\n"), "421") << other;
  EXPECT_EQ(status(""), "400");
  EXPECT_EQ(status("Host: localhost\r\nHost: localhost\r\n"), "400");
  EXPECT_EQ(first_line(raw(port(), "GET /hello HTTP/1.0\r\n\r\n")), "HTTP/1.1 200 OK");
  EXPECT_EQ(first_line(
                raw(port(),
                    "GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                .substr(9, 3),
            "421");
  EXPECT_EQ(first_line(ask("GET", "http://localhost/hello")), "HTTP/1.1 200 OK");
}

TEST_F(HttpServer, RefusesPagesOfElsewhere) {
  const auto status = [&](const std::string& origin) {
    return first_line(ask("GET", "/hello", "", "Origin: " + origin + "\r\n")).substr(9, 3);
  };
  EXPECT_EQ(status("http://localhost:" + std::to_string(port())), "200");
  for (const char* other : {"http://evil.example", "null", "https://localhost", "http://localhost.evil", ""})
    EXPECT_EQ(status(other), "403") << other;
  EXPECT_EQ(ask("GET", "/hello").find("Access-Control"), std::string::npos);
}

TEST(HttpOrigin, WhereEveryNameIsAllowedItMustBeTheOneAskedFor) {
  HttpWorld world({.gate = {.hosts = {"*"}}});
  world.add_routes();
  world.start();
  const auto status = [&](const std::string& host, const std::string& origin) {
    const std::string text = "GET /hello HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n";
    return first_line(raw(world.port(), text + "Origin: " + origin + "\r\n\r\n")).substr(9, 3);
  };
  EXPECT_EQ(status("cluster.example:80", "http://cluster.example:80"), "200");
  EXPECT_EQ(status("cluster.example:80", "http://evil.example"), "403");
  EXPECT_EQ(status("cluster.example:80", "http://localhost"), "403");
  EXPECT_EQ(status("cluster.example:80", "null"), "403");
}

TEST(HttpOrigin, WhoListensEverywhereAnswersToAddressesButNotToNames) {
  HttpWorld world;
  world.add_routes();
  http::Gate gate(world.table, {});
  gate.answer_to_addresses();
  const auto status = [&](const std::string& host, const std::string& origin) {
    http::Request request;
    request.headers.add("Host", host);
    if (!origin.empty()) request.headers.add("Origin", origin);
    const auto way = gate.head("GET", "/hello", false, false, request);
    const auto* refused = std::get_if<http::Response>(&way);
    return refused == nullptr ? 200U : refused->status;
  };
  EXPECT_EQ(status("10.0.0.1:8080", ""), 200U);
  EXPECT_EQ(status("[fe80::1]:8080", ""), 200U);
  EXPECT_EQ(status("10.0.0.1.evil", ""), 421U);
  EXPECT_EQ(status("evil.example", ""), 421U);
  EXPECT_EQ(status("10.0.0.1:8080", "http://10.0.0.1:8080"), 200U);
  EXPECT_EQ(status("10.0.0.1:8080", "http://10.0.0.2:8080"), 403U);
}

TEST_F(HttpServer, RefusesWhatCouldBeReadInTwoWays) {
  const auto status = [&](const std::string& text) { return first_line(raw(port(), text)).substr(9, 3); };
  const std::string start = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + json_type;
  EXPECT_EQ(status(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(status(start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), "400");
  EXPECT_EQ(status(start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  "), "400");
  EXPECT_EQ(status(start + "Content-Length: -1\r\n\r\n"), "400");
  EXPECT_EQ(status(start + "Content Length: 2\r\n\r\n{}"), "400");
  EXPECT_EQ(status("GET /hello HTTP/2.0\r\nHost: localhost\r\n\r\n"), "505");
  EXPECT_EQ(status("GET  /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"), "400");
  EXPECT_EQ(status("\x16\x03\x01\x02\x00\x01\r\n\r\n"), "400");  // TLS
}

TEST_F(HttpServer, AnswersLaterOrNotAtAll) {
  RawSocket first(port());
  RawSocket second(port());
  first.send(request("GET", "/later"));
  second.send(request("GET", "/later"));
  EXPECT_TRUE(eventually([&] { return waiters() == 2; }));
  on_thread([&] {
    waiting[0](http::text_response("at last"));
    waiting.clear();  // the second is given up
  });
  EXPECT_EQ(http_body(first.read()), "at last");
  EXPECT_EQ(first_line(second.read()), "HTTP/1.1 500 Internal Server Error");
}

TEST_F(HttpServer, AClientThatLeavesWhileItsAnswerIsMadeHarmsNobody) {
  {
    RawSocket socket(port());
    socket.send(request("GET", "/later"));
    EXPECT_TRUE(eventually([&] { return waiters() == 1; }));
  }
  on_thread([&] { waiting[0](http::text_response(std::string(100'000, 'x'))); });
  EXPECT_TRUE(eventually([&] { return connections() == 0; }));
}

TEST_F(HttpServer, PublishesItsRoutes) {
  const json document = json::parse(http_body(ask("GET", "/openapi.json")));
  EXPECT_EQ(document["openapi"], "3.1.0");
  EXPECT_EQ(document["paths"].size(), 7U);
  EXPECT_EQ(document["paths"]["/items/{id}"]["get"]["parameters"],
            json::parse(R"([{"name":"id","in":"path","required":true,"schema":{"type":"string"}}])"));
  EXPECT_EQ(
      document["paths"]["/echo"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"],
      "#/components/schemas/Message");
  EXPECT_EQ(document["paths"]["/secret"]["post"]["security"], json::parse(R"([{"token":[]}])"));
  EXPECT_EQ(document["paths"]["/hello"]["get"]["security"], json::array());
  EXPECT_EQ(document["components"]["schemas"]["Message"]["properties"]["times"]["maximum"], 9);
  EXPECT_TRUE(document["components"]["schemas"].contains("Problem"));
  EXPECT_EQ(table.mistakes(), std::vector<std::string>{});
}

TEST(HttpListen, RefusesAddressesThatOthersCouldReach) {
  live::asio::io_context io;
  http::RouteTable table;
  http::Server server(io, table, {});
  EXPECT_EQ(server.listen("0.0.0.0", 0).problems()[0].right, "listen on 127.0.0.1");
  EXPECT_EQ(server.listen("example.org", 0).problems()[0].what, "this is no address of a network interface");
  const auto port = server.listen("localhost", 0);
  ASSERT_TRUE(port);
  const auto again = server.listen("127.0.0.1", *port);
  EXPECT_EQ(again.problems()[0].right, "name another port");
  http::Server open(io, table, {.allow_remote = true});
  EXPECT_TRUE(open.listen("0.0.0.0", 0));
}

}  // namespace
}  // namespace duet::live_tests
