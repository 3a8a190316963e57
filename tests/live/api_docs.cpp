// docs/rest.md and what it is about.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/live/api_world.h"

namespace duet::live_tests {
namespace {

using ApiDocs = ApiWorld;

/// What stands between the lines `begin` and `end` of a page is `wanted`, or is made so.
void expect_in_page(const std::string& name, const std::string& begin, const std::string& end,
                    const std::string& wanted) {
  const std::string path = std::string(DUET_SOURCE_DIR) + "/docs/" + name;
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str();
  ASSERT_NE(page.find(begin), std::string::npos);
  const std::size_t from = page.find(begin) + begin.size();
  const std::size_t to = page.find(end);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("DUET_REWRITE") != nullptr) {
    std::ofstream(path) << page.substr(0, from) + wanted + page.substr(to);
  } else {
    EXPECT_EQ(page.substr(from, to - from), wanted)
        << path << " is out of date: run this with DUET_REWRITE=1";
  }
}

TEST_F(ApiDocs, ThePageShowsTheTable) {
  expect_in_page("rest.md", "<!-- routes: written by the test ApiDocs.ThePageShowsTheTable -->\n",
                 "<!-- end of routes -->\n", http::markdown(table_));
}

TEST(MetricsDocs, ThePageShowsTheTable) {
  expect_in_page("metrics.md", "<!-- metrics: written by the test MetricsDocs.ThePageShowsTheTable -->\n",
                 "<!-- end of metrics -->\n", live::metric_markdown());
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
