#include "sim/report/report.h"

#include <algorithm>

#include "core/codec/atomic_file.h"
#include "core/codec/hash.h"
#include "sim/report/pack.h"
#include "sim/report/page_parts.h"
#include "sim/report/page_text.h"

namespace duet::sim::report {
namespace {

/// In the table of runs: half a megabyte.
constexpr std::size_t kMostRunRows = 2000;

std::string sha256_source(std::string_view text) {
  codec::Sha256 sha;
  sha.update(codec::as_bytes(text));
  const codec::Sha256Digest digest = sha.finish();
  return "'sha256-" + base64_of(digest) + "'";
}

/// Nothing may be loaded from anywhere; only this very script and these very styles are obeyed.
std::string policy(std::string_view style, std::string_view script) {
  std::string out =
      "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + sha256_source(style);
  if (!script.empty()) out += "; script-src " + sha256_source(script);
  return out;
}

std::string title_of(const Comparison& comparison, const std::vector<RunView>& views) {
  if (!comparison.title.empty()) return comparison.title;
  if (!comparison.runs.empty() && !comparison.scenarios.empty()) return comparison.scenarios.front();
  return views.empty() ? std::string("Duet") : views.front().scenario;
}

std::string subtitle_of(const Comparison& comparison, const std::vector<RunView>& views) {
  const auto many = [](std::size_t count, const char* one, const char* more) {
    return std::to_string(count) + " " + (count == 1 ? one : more);
  };
  if (!comparison.runs.empty())
    return many(comparison.scenarios.size(), "scenario", "scenarios") + ", " +
           many(comparison.variants.size(), "variant", "variants") + ", " +
           many(comparison.seeds.size(), "seed", "seeds") + ": " +
           many(comparison.runs.size(), "run", "runs");
  if (views.empty()) return {};
  const RunView& view = views.front();
  return "one run, seed " + std::to_string(view.seed) + (view.policies.empty() ? "" : ", " + view.policies) +
         ", " + many(view.nodes.size(), "node", "nodes") + ", " + view.engine + " engine";
}

std::string drawings_html(const std::vector<Drawing>& drawings) {
  if (drawings.empty()) return {};
  std::string out = "<section id=\"drawings\"><h2>Cluster and lifecycle</h2>";
  for (const Drawing& drawing : drawings) {
    out += "<figure class=\"drawing\"><figcaption>" + html(drawing.title) + "</figcaption>";
    if (!drawing.svg.empty()) out += "<div class=\"scroll\">" + drawing.svg + "</div>";
    if (!drawing.note.empty()) out += "<p class=\"note\">" + html(drawing.note) + "</p>";
    out += "</figure>";
  }
  return out + "</section>";
}

std::string row(std::string_view name, const std::string& value, bool code) {
  if (value.empty()) return {};
  return "<tr><th scope=\"row\">" + html(name) + "</th><td>" + (code ? "<code>" : "") + html(value) +
         (code ? "</code>" : "") + "</td></tr>";
}

std::string failures_of(const ComparedRun& run) {
  std::string out;
  for (const std::string& failure : run.failures)
    out += "<br><span class=\"failed\">" + html(failure) + "</span>";
  return out;
}

std::string runs_table(const Comparison& comparison) {
  std::string out =
      "<details><summary>All runs and their digests</summary><div class=\"scroll\"><table class=\"sortable\">"
      "<thead><tr><th scope=\"col\">scenario</th><th scope=\"col\">variant</th><th scope=\"col\" class=\"n\">"
      "seed</th><th scope=\"col\">ended</th><th scope=\"col\">digest</th><th scope=\"col\">folder</th></tr>"
      "</thead><tbody>";
  const auto name = [](const auto& list, std::size_t index) {
    return index < list.size() ? list[index] : typename std::decay_t<decltype(list)>::value_type{};
  };
  for (std::size_t i = 0; i < std::min(comparison.runs.size(), kMostRunRows); ++i) {
    const ComparedRun& run = comparison.runs[i];
    out += "<tr><td>" + html(name(comparison.scenarios, run.scenario)) + "</td><td>" +
           html(name(comparison.variants, run.variant).name) + "</td><td class=\"n\">" +
           std::to_string(run.seed) + "</td><td>" + html(run.ended) + failures_of(run) + "</td><td><code>" +
           html(run.digest) + "</code></td><td><code>" + html(run.folder) + "</code></td></tr>";
  }
  out += "</tbody></table></div>";
  if (comparison.runs.size() > kMostRunRows)
    out += "<p class=\"note\">These are the first " + std::to_string(kMostRunRows) + " of " +
           std::to_string(comparison.runs.size()) + " runs; results.csv has all of them.</p>";
  return out + "</details>";
}

}  // namespace

bool has_web_bundle() { return !web_script().empty(); }

std::string again_html(const Comparison& comparison, const std::vector<RunView>& views) {
  std::string out =
      "<section id=\"again\"><h2>Run it again</h2><div class=\"scroll\"><table class=\"narrow\">"
      "<tbody>";
  if (!comparison.runs.empty()) {
    out += row("command", comparison.command, true) + row("version", comparison.version, false);
    for (std::size_t i = 0; i < comparison.variants.size(); ++i) {
      std::string settings;
      for (const Setting& setting : comparison.variants[i].settings)
        settings += (settings.empty() ? "" : " ") + setting.pointer + "=" + setting.value;
      out += row("variant " + comparison.variants[i].name, settings, true);
    }
    for (const std::string& file : comparison.scenario_files) out += row("scenario file", file, true);
    return out + "</tbody></table></div>" + runs_table(comparison) + "</section>";
  }
  for (const RunView& view : views)
    out += row("command", view.command, true) + row("version", view.version, false) +
           row("scenario", "sha256:" + view.scenario_hash, true) + row("digest", view.digest, true) +
           row("ended", view.ended, false);
  return out + "</tbody></table></div></section>";
}

std::string report_html(const Comparison& comparison, const std::vector<RunView>& views,
                        const ReportOptions& options) {
  const bool interactive = options.interactive && has_web_bundle();
  const std::string script(interactive ? web_script() : std::string_view());
  std::string style(style_sheet());
  if (interactive) style += web_style();
  const std::string title = title_of(comparison, views);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
      policy(style, script) +
      "\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
      html(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n<header><h1>" +
      html(title) + "</h1>\n" + verdict_html(comparison, views) + "<p class=\"note\">" +
      html(subtitle_of(comparison, views)) + "</p></header>\n";
  out += tables_html(comparison, views) + '\n';
  out += comparison_charts_html(comparison, views) + '\n';
  const bool alone = comparison.runs.empty() && views.size() == 1;
  for (std::size_t i = 0; i < views.size(); ++i) out += run_section_html(views[i], i, alone) + '\n';
  out += drawings_html(options.drawings) + '\n' + again_html(comparison, views) + "\n</main>\n";
  if (interactive)
    out += "<script type=\"application/json\" id=\"duet-data\">" + page_data(views) + "</script>\n<script>" +
           script + "</script>\n";
  return out + "</body>\n</html>\n";
}

Problems write_report(const Comparison& comparison, const std::vector<RunView>& views,
                      const std::string& path, const ReportOptions& options) {
  const auto written = codec::write_file(path, report_html(comparison, views, options));
  return written ? Problems{} : written.problems();
}

}  // namespace duet::sim::report
