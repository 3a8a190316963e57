// docs/rest.md and what it is about.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/live/api_world.h"

namespace duet::live_tests {
namespace {

using ApiDocs = ApiWorld;

TEST_F(ApiDocs, ThePageShowsTheTable) {
  const std::string path = std::string(DUET_SOURCE_DIR) + "/docs/rest.md";
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str();
  const std::string begin = "<!-- routes: written by the test ApiDocs.ThePageShowsTheTable -->\n";
  const std::string end = "<!-- end of routes -->\n";
  ASSERT_NE(page.find(begin), std::string::npos);
  const std::size_t from = page.find(begin) + begin.size();
  const std::size_t to = page.find(end);
  ASSERT_NE(to, std::string::npos);
  const std::string wanted = http::markdown(table_);
  if (std::getenv("DUET_REWRITE") != nullptr) {
    std::ofstream(path) << page.substr(0, from) + wanted + page.substr(to);
  } else {
    EXPECT_EQ(page.substr(from, to - from), wanted)
        << path << " is out of date: run this with DUET_REWRITE=1";
  }
}

TEST_F(ApiDocs, TheDocumentDescribesEveryRoute) {
  const json document = json::parse(client({}).get("/openapi.json").body);
  std::size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, table_.routes().size());
  for (const auto& route : table_.routes())
    for (const http::RouteResponse& response : route->responses)
      EXPECT_FALSE(response.description.empty()) << route->path;
}

}  // namespace
}  // namespace duet::live_tests
