// The report: one page that says what came of a run or of a comparison, and shows it. It needs no network and
// no script; with scripts its charts can be zoomed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sim/compare/comparison.h"
#include "sim/report/run_view.h"

namespace duet::sim::report {

/// A picture that another program made.
struct Drawing {
  std::string title;
  std::string svg;   ///< Empty: there is only the note.
  std::string note;  ///< Why it is not there, or what it shows; plain text.
};

struct ReportOptions {
  std::vector<Drawing> drawings;
  bool interactive = true;  ///< False: neither script nor data for one.
};

/// The page. `comparison` without runs: the report of the one run in `views`. Else `views` are the runs to be
/// shown over time, one of each variant (and scenario), named after the variant. The same values give the
/// same bytes.
std::string report_html(const Comparison& comparison, const std::vector<RunView>& views,
                        const ReportOptions& options);

/// The same as a file, which appears whole or not at all.
Problems write_report(const Comparison& comparison, const std::vector<RunView>& views,
                      const std::string& path, const ReportOptions& options = {});

/// False if the program was built without the script: reports stay static then.
bool has_web_bundle();

}  // namespace duet::sim::report
