#include "sim/record.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "core/codec/atomic_file.h"
#include "core/codec/cat.h"
#include "core/codec/compress.h"
#include "core/codec/diff.h"
#include "sim/batch.h"
#include "sim/terminal.h"
#include "sim/text_file.h"

namespace duet::sim {
namespace {

namespace fs = std::filesystem;
using Kind = RecordRow::Kind;

/// Longer traces are not read by anybody: they are kept compressed.
constexpr std::uint64_t kReadableSteps = 200;
constexpr std::size_t kContext = 3;
constexpr std::uint64_t kMaxText = std::uint64_t{64} << 20;

Result<std::vector<std::string>> scenario_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path path = it->path();
    const bool schema = path.stem().extension() == ".schema";
    std::error_code ignored;
    if (path.extension() == ".json" && !schema && fs::is_regular_file(path, ignored))
      names.push_back(path.stem());
  }
  if (error) return Problem{folder, "the folder cannot be read: " + error.message(), ""};
  std::sort(names.begin(), names.end());
  return names;
}

std::string golden(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / "golden" / name).string();
}

/// The steps of a short trace, one line of JSON each.
Result<std::string> steps_of(const std::string& trace) {
  auto reader = codec::TraceReader::open(trace);
  if (!reader) return reader.problems();
  std::string text;
  codec::StringSink sink(text);
  const auto lines = codec::cat(*reader, {}, sink);
  if (!lines) return lines.problems();
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Of a trace that has ended, the step is empty.
std::string shown(std::uint64_t step, const std::vector<std::string>& context, std::string_view before,
                  std::string_view after) {
  std::string text = "first difference at step " + std::to_string(step) + ":\n";
  for (const std::string& line : context) text += "    " + line + '\n';
  for (const auto& [sign, line] : {std::pair("  - ", before), std::pair("  + ", after)})
    text += sign + std::string(line.empty() ? "(end)" : line) + '\n';
  return text;
}

/// Where `trace` parts from the one that was kept, or why that cannot be said.
Result<std::string> first_difference_to(const std::string& kept, const std::string& trace) {
  auto before = codec::TraceReader::open(kept);
  if (!before) return before.problems();
  auto after = codec::TraceReader::open(trace);
  if (!after) return after.problems();
  const auto difference = codec::diff(*before, *after, kContext);
  if (!difference) return difference.problems();
  if (difference->same_body()) return std::string();
  const codec::StepDifference& body = *difference->body;
  return shown(body.step, body.context, body.left, body.right);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// What is wrong with a run by itself, whatever was recorded.
bool ran_badly(const BatchResult& result, RecordRow& row) {
  row.digest = result.digest;
  if (result.exit_code > 1 || result.digest.empty()) {
    row.kind = Kind::kNotRun;
    row.detail = result.said.empty() ? "exit code " + std::to_string(result.exit_code) + '\n' : result.said;
    return true;
  }
  if (result.exit_code != 1) return false;
  row.kind = Kind::kAssertions;
  row.detail = result.failed_assertions.empty() ? "the run stalled\n" : joined(result.failed_assertions);
  return true;
}

void keep(const std::string& folder, const std::string& name, const std::string& engine,
          const BatchResult& result, RecordRow& row, Problems& problems) {
  const bool bad = ran_badly(result, row);
  if (row.kind == Kind::kNotRun) return;
  if (!bad) row.kind = Kind::kRecorded;
  const auto write = [&](const std::string& path, std::string_view text) {
    const auto written = codec::write_file(path, text);
    if (!written) problems.push_back(written.problems().front());
  };
  write(golden(folder, name + ".digest"), engine + ' ' + result.digest + '\n');
  const bool readable = result.steps < kReadableSteps;
  std::error_code ignored;
  fs::remove(golden(folder, name + (readable ? ".trace" : ".jsonl")), ignored);
  if (!readable) {
    const auto kept = codec::compress_file(result.trace, golden(folder, name + ".trace"));
    if (!kept) problems.push_back(kept.problems().front());
  } else if (const auto steps = steps_of(result.trace)) {
    write(golden(folder, name + ".jsonl"), *steps);
  } else {
    problems.push_back(steps.problems().front());
  }
}

struct Golden {
  std::string engine;
  std::string digest;
};

Result<Golden> read_golden(const std::string& path) {
  const auto text = read_text(path, kMaxText);
  if (!text) return text.problems();
  const std::size_t blank = text->find(' ');
  const std::size_t end = text->find('\n');
  if (blank == std::string::npos || end == std::string::npos || end < blank)
    return Problem{path, "this is no recorded digest", "one line: ENGINE sha256:..."};
  return Golden{text->substr(0, blank), text->substr(blank + 1, end - blank - 1)};
}

void compare(const std::string& folder, const std::string& name, const Golden& recorded,
             const BatchResult& result, RecordRow& row) {
  ran_badly(result, row);
  if (row.kind == Kind::kNotRun || result.digest == recorded.digest) return;
  row.kind = Kind::kChanged;
  row.detail += "digest " + result.digest + ", recorded " + recorded.digest + '\n';
  Result<std::string> found = std::string();
  const auto before = read_text(golden(folder, name + ".jsonl"), kMaxText);
  if (!before) {
    found = first_difference_to(golden(folder, name + ".trace"), result.trace);
  } else if (const auto after = steps_of(result.trace)) {
    found = first_difference(*before, *after);
  } else {
    found = after.problems();
  }
  row.detail += found ? *found : to_text(found.problems());
}

/// Goldens whose scenario has gone.
void add_orphans(const std::string& folder, const std::vector<std::string>& names,
                 std::vector<RecordRow>& rows) {
  const std::set<std::string> known(names.begin(), names.end());
  std::set<std::string> orphans;
  std::error_code error;
  for (fs::directory_iterator it(fs::path(folder) / "golden", error), end; !error && it != end;
       it.increment(error))
    if (!known.contains(it->path().stem())) orphans.insert(it->path().stem());
  for (const std::string& name : orphans)
    rows.push_back({name + ".json", Kind::kNoScenario, "", "golden/" + name + " has no scenario any more\n"});
}

void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\n') {
      out += ' ';  // XML has no way to say it.
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string_view name_of(RecordRow::Kind kind) {
  switch (kind) {
    case Kind::kRecorded:
      return "recorded";
    case Kind::kSame:
      return "same";
    case Kind::kChanged:
      return "changed";
    case Kind::kAssertions:
      return "assertions failed";
    case Kind::kNotRun:
      return "did not run";
    case Kind::kNoGolden:
      return "not recorded";
    case Kind::kNoScenario:
      break;
  }
  return "no scenario";
}

std::string first_difference(std::string_view before, std::string_view after) {
  const auto left = lines_of(before);
  const auto right = lines_of(after);
  std::size_t at = 0;
  while (at < left.size() && at < right.size() && left[at] == right[at]) ++at;
  if (at == left.size() && at == right.size()) return {};
  const std::vector<std::string> context(
      left.begin() + static_cast<std::ptrdiff_t>(at - std::min(at, kContext)),
      left.begin() + static_cast<std::ptrdiff_t>(at));
  return shown(at + 1, context, at < left.size() ? left[at] : std::string_view(),
               at < right.size() ? right[at] : std::string_view());
}

Result<std::vector<RecordRow>> record_folder(const RecordOptions& options) {
  const auto names = scenario_names(options.folder);
  if (!names) return names.problems();
  if (names->empty()) return Problem{options.folder, "no scenarios are there", "files NAME.json"};
  std::error_code error;
  fs::create_directories(fs::path(options.folder) / "golden", error);
  if (error) return Problem{options.folder + "/golden", "the folder cannot be made: " + error.message(), ""};
  std::vector<BatchItem> items;
  std::vector<RecordRow> rows;
  for (const std::string& name : *names) {
    items.push_back({(fs::path(options.folder) / (name + ".json")).string(), options.engine});
    rows.push_back({name + ".json", Kind::kNotRun, "", ""});
  }
  Problems problems;
  const Problems failures =
      run_batch(options.program, items, options.at_once, [&](std::size_t i, const BatchResult& r) {
        rows[i].kind = Kind::kRecorded;
        keep(options.folder, (*names)[i], options.engine, r, rows[i], problems);
      });
  problems.insert(problems.end(), failures.begin(), failures.end());
  if (!problems.empty()) return problems;
  return rows;
}

Result<std::vector<RecordRow>> verify_folder(const RecordOptions& options) {
  const auto names = scenario_names(options.folder);
  if (!names) return names.problems();
  std::vector<RecordRow> rows;
  std::vector<BatchItem> items;
  std::vector<Golden> goldens;
  std::vector<std::size_t> row_of;
  for (const std::string& name : *names) {
    const std::string path = golden(options.folder, name + ".digest");
    const auto recorded = read_golden(path);
    rows.push_back({name + ".json", Kind::kSame, "", ""});
    if (!recorded) {
      rows.back().kind = Kind::kNoGolden;
      rows.back().detail = path + ": " + recorded.problems().front().what + "; duet record makes it\n";
      continue;
    }
    items.push_back({(fs::path(options.folder) / (name + ".json")).string(), recorded->engine});
    goldens.push_back(*recorded);
    row_of.push_back(rows.size() - 1);
  }
  const Problems problems =
      run_batch(options.program, items, options.at_once, [&](std::size_t i, const BatchResult& r) {
        compare(options.folder, (*names)[row_of[i]], goldens[i], r, rows[row_of[i]]);
      });
  if (!problems.empty()) return problems;
  add_orphans(options.folder, *names, rows);
  if (rows.empty()) return Problem{options.folder, "no scenarios are there", "files NAME.json"};
  return rows;
}

std::string junit(const std::string& suite, const std::vector<RecordRow>& rows) {
  const auto bad = std::count_if(rows.begin(), rows.end(), [](const RecordRow& row) { return !row.good(); });
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"";
  escape(out, suite);
  out += "\" tests=\"" + std::to_string(rows.size()) + "\" failures=\"" + std::to_string(bad) + "\">\n";
  for (const RecordRow& row : rows) {
    out += "  <testcase classname=\"duet\" name=\"";
    escape(out, row.scenario);
    if (row.good()) {
      out += "\"/>\n";
      continue;
    }
    out += "\">\n    <failure message=\"";
    out += name_of(row.kind);
    out += "\">";
    escape(out, row.detail);
    out += "</failure>\n  </testcase>\n";
  }
  return out + "</testsuite>\n";
}

}  // namespace duet::sim
