// duet record, duet verify: a user's own regression test.
#include <algorithm>

#include "core/codec/atomic_file.h"
#include "sim/record.h"
#include "sim/terminal.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"
#include "tools/duet/programs.h"

namespace duet::front {
namespace {

std::string report(const std::vector<sim::RecordRow>& rows, Format format) {
  sim::Table table{{"scenario", "result", "digest"}, {}};
  if (format != Format::kTable) table.columns.emplace_back("detail");
  for (const sim::RecordRow& row : rows) {
    table.rows.push_back({row.scenario, name_of(row.kind), row.digest});
    if (format != Format::kTable) table.rows.back().emplace_back(row.detail);
  }
  return to_text(table, format);
}

int show(const std::vector<sim::RecordRow>& rows, Format format) {
  for (const sim::RecordRow& row : rows)
    if (!row.good()) sim::say(row.scenario + ": " + std::string(name_of(row.kind)) + '\n' + row.detail);
  if (!sim::print(report(rows, format))) return sim::kExitUsage;
  const bool good =
      std::all_of(rows.begin(), rows.end(), [](const sim::RecordRow& row) { return row.good(); });
  return good ? sim::kExitOk : sim::kExitNegative;
}

}  // namespace

int run(const RecordCommand& command) {
  const auto rows = sim::record_folder({command.folder, own_path(), command.engine});
  if (!rows) return refuse(rows.problems());
  const int code = show(*rows, command.format);
  if (code == sim::kExitOk) sim::say("next: " + sim::shell_words({"duet", "verify", command.folder}) + '\n');
  return code;
}

int run(const VerifyCommand& command) {
  const auto rows = sim::verify_folder({command.folder, own_path()});
  if (!rows) return refuse(rows.problems());
  if (!command.junit.empty()) {
    const auto written = codec::write_file(command.junit, junit(command.folder, *rows));
    if (!written) return refuse(written.problems());
  }
  return show(*rows, command.format);
}

}  // namespace duet::front
