// The report as a page: what stands in it, that names do no harm, and that little is enough.
#include <filesystem>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/codec/hash.h"
#include "sim/report/drawing.h"
#include "sim/report/gantt.h"
#include "sim/report/pack.h"
#include "sim/report/page_parts.h"
#include "sim/report/page_text.h"
#include "sim/report/svg.h"
#include "tests/unit/report_support.h"

namespace duet::sim {
namespace {
namespace report_page {

using namespace report;        // NOLINT: it is what is tested
using namespace report_tests;  // NOLINT
using testing::ElementsAre;
using testing::Pair;

ReportOptions unmoved() { return {{}, false}; }

std::size_t count_of_text(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// A failure does not print the page.
bool holds(const std::string& page, const std::string& part) { return page.find(part) != std::string::npos; }

TEST(ReportText, NumbersHaveThreeDigitsATrueMinusAndThinSpaces) {
  EXPECT_EQ(figures(0), "0");
  EXPECT_EQ(figures(12), "12");
  EXPECT_EQ(figures(1234567), "1\u2009234\u2009567");
  EXPECT_EQ(figures(-3.14159), "\u22123.14");
  EXPECT_EQ(figures(31.4159), "31.4");
  EXPECT_EQ(figures(314.159), "314");
  EXPECT_EQ(figures(0.0123456), "0.0123");
  EXPECT_EQ(figures(9.999), "10.0");
  EXPECT_EQ(figures(-1e-12), "0");
  EXPECT_EQ(signed_figures(2), "+2");
  EXPECT_EQ(tick_text(0.0010), "0.001");
}

TEST(ReportText, MetricsAreShownWithTheirUnits) {
  EXPECT_EQ(heading(quantity_of("mean_wait_s")), "mean wait, s");
  EXPECT_EQ(heading(quantity_of("utilization")), "utilisation, %");
  EXPECT_EQ(heading(quantity_of("busy_core_s")), "busy, core s");
  EXPECT_EQ(heading(quantity_of("energy_j")), "energy, J");
  EXPECT_EQ(heading(quantity_of("jobs_failed")), "jobs failed");
}

TEST(ReportText, TicksAreRoundAndFew) {
  EXPECT_THAT(ticks({0, 10, "", false, 6}), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(ticks({0, 177.5, "", false, 6}), ElementsAre(0, 50, 100, 150));
  EXPECT_THAT(ticks({-3, 3, "", false, 5}), ElementsAre(-2, 0, 2));
  EXPECT_THAT(ticks({0.01, 100, "", true, 6}), ElementsAre(0.01, 0.1, 1, 10, 100));
  EXPECT_EQ(round_up(0), 1);
  EXPECT_EQ(round_up(83), 100);
  EXPECT_EQ(round_up(12.1), 15);
}

TEST(ReportView, ThreadsAsTheFilesNameThem) {
  EXPECT_THAT(*threads_of_slot("0-3"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(*threads_of_slot("A:1,5 B:2"), ElementsAre(1, 5, 2));
  EXPECT_TRUE(threads_of_slot("")->empty());
  for (const char* wrong : {"x", "3-1", "1,", "1;2", "A:", "99999999999"})
    EXPECT_FALSE(threads_of_slot(wrong)) << wrong;
}

TEST(ReportView, LanesAreCoresUntilSomebodyHoldsHalfAOne) {
  // Three cores of two threads, the first reserved: threads 1, 2 and 4, 5 are offered.
  RunView view;
  view.nodes.push_back({"n", "t", 2, 2, 1, {"A", "B"}});
  view.jobs = {"j"};
  view.bars.resize(1);
  RunView split = view;
  assign_lanes(view, {{1, 4}});
  ASSERT_EQ(view.lanes.size(), 2);
  EXPECT_EQ(view.lanes[0].label, "A");
  EXPECT_THAT(view.bars[0].lanes, ElementsAre(LaneRange{0, 1}));
  assign_lanes(split, {{1, 2, 5}});
  ASSERT_EQ(split.lanes.size(), 4);
  EXPECT_EQ(split.lanes[1].label, "A:4");
  EXPECT_THAT(split.bars[0].lanes, ElementsAre(LaneRange{0, 1}, LaneRange{2, 2}));
}

TEST(ReportView, CountedThreadsTakeTheLowestFreeShare) {
  RunView view;
  view.nodes.push_back({"pool", "t", 1000, 1, 0, {}});
  view.jobs = {"j"};
  view.bars.resize(3);
  view.bars[0].end_ns = 10;
  view.bars[1].start_ns = 5;
  view.bars[1].end_ns = 20;
  view.bars[2].start_ns = 10;
  view.bars[2].end_ns = 20;
  assign_lanes(view, {{}, {}, {}});
  EXPECT_EQ(view.lanes.size(), 2);
  EXPECT_THAT(view.bars[1].lanes, ElementsAre(LaneRange{1, 1}));
  EXPECT_THAT(view.bars[2].lanes, ElementsAre(LaneRange{0, 1}));
}

TEST(ReportView, SeriesCountASharedThreadOnce) {
  const RunView view = small_view();
  EXPECT_THAT(view.allocated, ElementsAre(Pair(0, 1), Pair(4 * kSecondNs, 2), Pair(6 * kSecondNs, 1),
                                          Pair(10 * kSecondNs, 0)));
  EXPECT_THAT(view.capacity, ElementsAre(Pair(0, 2)));
  EXPECT_THAT(view.waiting, ElementsAre(Pair(0, 1), Pair(4 * kSecondNs, 0)));
  EXPECT_TRUE(view.used.empty());
  RunView shared = view;
  shared.bars[1].kind = BarKind::kWorker;
  const std::vector<std::vector<std::uint32_t>> same = {{0}, {0}};
  fill_series(shared, same, {});
  EXPECT_THAT(shared.allocated, ElementsAre(Pair(0, 1), Pair(10 * kSecondNs, 0)));
  EXPECT_EQ(shared.used, shared.allocated);
}

TEST(ReportGantt, AFailureIsRedTellsItsStoryAndIsCounted) {
  const std::string svg = gantt_svg(small_view());
  EXPECT_TRUE(holds(svg,
                    "<rect class=\"bar task\" x=\"128\" y=\"15\" width=\"935.7\" height=\"12\">"
                    "<title>a, task 0\nnode n0\n0 s to 10 s\nsucceeded</title></rect>"));
  EXPECT_TRUE(holds(svg,
                    "<rect class=\"bar failed\" x=\"502.4\" y=\"29\" width=\"186.9\" height=\"12\">"
                    "<title>b, task 0\nnode n0\n4 s to 6 s\nlost</title></rect>"));
  EXPECT_TRUE(holds(svg, "<text x=\"1072\" y=\"39\" class=\"tick failed\">1</text>"));
  EXPECT_LT(svg.find("bar task"), svg.find("bar failed"));
}

TEST(ReportGantt, AShortFailureIsTwoPixelsWideAndManyBarsAreMerged) {
  RunView view = small_view();
  view.bars[1].end_ns = view.bars[1].start_ns + 1;
  EXPECT_TRUE(holds(gantt_svg(view), "<rect class=\"bar failed\" x=\"502.4\" y=\"29\" width=\"2\""));
  for (int i = 0; i < 2000; ++i) view.bars.push_back(view.bars[0]);
  std::sort(view.bars.begin(), view.bars.end(),
            [](const Bar& a, const Bar& b) { return a.start_ns < b.start_ns; });
  EXPECT_TRUE(holds(gantt_svg(view), "<path class=\"bars task\" stroke-width=\"12\" d=\"M128 21h936\"/>"));
  EXPECT_TRUE(holds(gantt_svg(view), "<path class=\"bars failed\" stroke-width=\"12\" d=\"M502.4 35h2\"/>"));
}

TEST(ReportGantt, TheStripOfAHostSaysHowMuchWasHeld) {
  const Heat heat = heat_of(small_view(), 5, 10);
  EXPECT_THAT(heat.hosts, ElementsAre("n0"));
  ASSERT_EQ(heat.shares.size(), 1);
  EXPECT_THAT(heat.shares[0], ElementsAre(0.5, 0.5, 1, 0.5, 0.5));
}

TEST(ReportPage, TheAnswerComesFirstThenItsTable) {
  const std::string page =
      report_html(small_comparison(2, 4), {small_view("fcfs"), small_view("sjf")}, unmoved());
  const std::size_t verdict = page.find("<p class=\"verdict\">sjf waits 10 % less than fcfs.</p>");
  const std::size_t table = page.find(
      "<tr><th scope=\"row\">sjf</th><td class=\"n\" data-v=\"11.500000\">11.5</td>"
      "<td class=\"n\" data-v=\"-1.250000\">\u22121.25</td>"
      "<td class=\"n\" data-v=\"-1.750000\">\u22121.75 to \u22120.750</td>"
      "<td class=\"n\" data-v=\"-0.100000\">\u221210</td>"
      "<td><span class=\"word better\">better</span></td></tr>");
  EXPECT_LT(verdict, table);
  EXPECT_LT(table, page.find("Seed by seed"));
  EXPECT_TRUE(holds(page, "95\u2009% interval, s"));
  EXPECT_TRUE(holds(page, "<title>seed 4: +1</title>"));
  EXPECT_EQ(count_of_text(page, "<svg class=\"gantt\""), 2);
  const std::string path = testing::TempDir() + "/duet-page-" + std::to_string(::getpid()) + ".html";
  ASSERT_TRUE(write_report(small_comparison(2, 4), {small_view("fcfs"), small_view("sjf")}, path).empty());
  std::filesystem::remove(path);
  EXPECT_EQ(page, report_html(small_comparison(2, 4), {small_view("fcfs"), small_view("sjf")}, unmoved()));
}

TEST(ReportPage, LittleIsEnough) {
  EXPECT_TRUE(holds(report_html({}, {}, unmoved()), "There is no run to report."));
  EXPECT_TRUE(holds(report_html(small_comparison(1, 1), {}, unmoved()), "There is no verdict"));
  const std::string one_seed = report_html(small_comparison(2, 1), {small_view("fcfs")}, unmoved());
  EXPECT_TRUE(holds(one_seed, "mean wait over 1 seed"));
  RunView idle = small_view();
  idle.bars.clear();
  idle.waits_ns.clear();
  EXPECT_TRUE(holds(report_html({}, {idle}, unmoved()), "No attempt ever started."));
  RunView service = small_view();
  service.bars[0].kind = BarKind::kWorker;
  service.bars[0].end = BarEnd::kRunning;
  EXPECT_TRUE(holds(report_html({}, {service}, unmoved()), "0 s to 10 s\nrunning</title>"));
}

TEST(ReportPage, HostileNamesStayText) {
  const std::string evil = "</script><script>alert(1)</script>\"'&<b>\x01\xff";
  RunView view = small_view(evil);
  view.scenario = view.engine = view.policies = view.command = view.jobs[0] = view.jobs[1] = evil;
  view.nodes[0].name = view.lanes[0].label = evil;
  view.assertions.push_back({evil, false, std::nullopt});
  Comparison comparison = small_comparison(2, 2);
  comparison.title = comparison.command = comparison.scenarios[0] = comparison.variants[1].name = evil;
  comparison.verdicts = comparison.notices = comparison.scenario_files = {evil};
  comparison.runs[0].folder = comparison.runs[0].ended = evil;
  comparison.runs[0].failures = {evil};
  for (const std::string& page : {report_html(comparison, {view, view}, {{{evil, "", evil}}, false}),
                                  report_html({}, {view}, unmoved())}) {
    EXPECT_FALSE(holds(page, "<script"));
    EXPECT_FALSE(holds(page, "<b>"));
    EXPECT_FALSE(holds(page, "\x01"));
    EXPECT_FALSE(holds(page, "\xff"));
    EXPECT_TRUE(holds(page, "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;b&gt;"));
  }
  EXPECT_FALSE(holds(page_data({view}), "<"));
}

TEST(ReportPage, ThePolicyAllowsItsOwnStylesAndNothingElse) {
  const std::string page = report_html({}, {small_view()}, unmoved());
  const std::size_t begin = page.find("<style>") + 7;
  const std::string style = page.substr(begin, page.find("</style>") - begin);
  codec::Sha256 sha;
  sha.update(codec::as_bytes(style));
  const auto digest = sha.finish();
  EXPECT_TRUE(holds(page,
                    "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src "
                    "'sha256-" +
                        base64_of(digest) + "'\""));
  EXPECT_FALSE(holds(page, "style=\""));
  EXPECT_FALSE(holds(page, "http:"));
  EXPECT_FALSE(holds(page, "https:"));
}

TEST(ReportPack, BytesAreThoseOfThePublishedFormats) {
  EXPECT_EQ(base64_of(codec::as_bytes("")), "");
  EXPECT_EQ(base64_of(codec::as_bytes("f")), "Zg==");
  EXPECT_EQ(base64_of(codec::as_bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(base64_of(codec::as_bytes("foobar")), "Zm9vYmFy");
  Packer packer;
  packer.number(624485);
  packer.difference(-1);
  packer.difference(1);
  packer.difference(INT64_MIN);
  EXPECT_EQ(codec::hex(packer.bytes()), "e58e260102ffffffffffffffffff01");
}

TEST(ReportPack, NamesThatCountCostAByteEach) {
  EXPECT_EQ(packed_names({"job-9", "job-10", "job-11"}),
            base64_of(codec::as_bytes(std::string("\6job-9\0\0", 8))));
  // Leading zeros and other prefixes are written out.
  EXPECT_EQ(packed_names({"a01", "a02", "b3"}), base64_of(codec::as_bytes("\4a01\4a02\3b3")));
}

TEST(ReportPack, TooManyBarsAreMergedAndCounted) {
  RunView view = small_view();
  const Bar one = view.bars[0];
  view.bars.clear();
  for (std::int64_t i = 0; i < 1000; ++i) {
    view.bars.push_back(one);
    view.bars.back().start_ns = i * 10'000'000;
    view.bars.back().end_ns = view.bars.back().start_ns + 9'999'000;
  }
  EXPECT_EQ(packed_bars(view, 1, 1000).count, 1000);
  EXPECT_FALSE(packed_bars(view, 1, 1000).merged);
  const PackedBars merged = packed_bars(view, 1, 999);
  EXPECT_TRUE(merged.merged);
  EXPECT_EQ(merged.count, 1);
}

TEST(ReportDrawing, GraphvizDrawsWithoutAShell) {
  const auto echoed = output_of({"cat"}, std::string(300'000, 'x'), std::chrono::seconds(20));
  ASSERT_TRUE(echoed);
  EXPECT_EQ(echoed->size(), 300'000);
  const auto failed = output_of({"sh", "-c", "echo no >&2; exit 3"}, "", std::chrono::seconds(20));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.problems()[0].what, "exit code 3: no");
  const auto missing = output_of({"/does/not/exist; true"}, "", std::chrono::seconds(20));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.problems()[0].what, "cannot be started: No such file or directory");
  EXPECT_EQ(embedded("<?xml?>\n<!-- a -->\n<svg><!-- b -->\n<g id=\"g\"></g></svg>", "p"),
            "<svg><g id=\"p-g\"></g></svg>");
}

/// WCAG 2's contrast of two colours, #rrggbb.
double contrast(const std::string& one, const std::string& other) {
  const auto luminance = [](const std::string& colour) {
    double sum = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (std::size_t i = 0; i < 3; ++i) {
      const double part = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
      sum += weights[i] * (part <= 0.03928 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const double a = luminance(one);
  const double b = luminance(other);
  return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

TEST(ReportStyle, EveryTextCanBeReadInBothThemes) {
  const std::string style(style_sheet());
  for (const std::size_t from : {style.find(":root{"), style.find(":root[data-theme=dark]{")}) {
    const std::string block = style.substr(from, style.find('}', from) - from);
    const auto colour = [&](const std::string& name) {
      const std::size_t at = block.find("--" + name + ":#");
      EXPECT_NE(at, std::string::npos) << name;
      return block.substr(at + name.size() + 3, 7);
    };
    for (const char* text : {"text", "muted", "failed", "s1"})
      EXPECT_GE(contrast(colour(text), colour("bg")), 4.5) << text << " in " << block.substr(0, 30);
    for (int shade = 0; shade < 7; ++shade)
      EXPECT_GE(contrast(colour(shade > 3 ? "high" : "low"), colour("h" + std::to_string(shade))), 4.5)
          << shade << " in " << block.substr(0, 30);
    for (const char* line : {"base", "s2", "task", "operation", "failed"})
      EXPECT_GE(contrast(colour(line), colour("bg")), 1.9) << line;
  }
}

}  // namespace report_page
}  // namespace
}  // namespace duet::sim
