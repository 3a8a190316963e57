// Any bytes as the folder of a run, or of a comparison with one run that is drawn: a page of bounded size, or
// mistakes. The input is files, each behind a line "@NAME"; what it does not have is a small run's.
#include "sim/report/report.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/check.h"
#include "sim/compare/comparison_json.h"

namespace {

namespace fs = std::filesystem;
using namespace duet::sim;

struct File {
  std::string_view name;
  std::string_view text;
};
constexpr std::array kFiles = {
    File{"summary.json", R"({"scenario": "s", "engine": "loop", "seed": 1, "end_s": 9, "ended": "done",
      "metrics": {"jobs": 2, "makespan_s": 9}, "assertions": [{"assertion": "jobs == 2", "holds": true}]})"},
    File{"run_info.json", R"({"command_line": "duet sim s.json", "duet_version": "1"})"},
    File{"nodes.csv",
         "node,type,cores,threads_per_core,reserved_cores,zones\nn0,t,2,2,0,A B\nn1,t,300,1,1,\n"},
    File{"jobs.csv",
         "job_id,submission_time,final_state,waiting_time\na,0.0,COMPLETED_SUCCESSFULLY,0.0\nb,1.0,FAILED,2."
         "5\n"},
    File{"tasks.csv",
         "task_id,job_id,node,slot,attempts,state,outcome,start,end,threads,kind\n"
         "1.0,a,n0,A:0-1 "
         "B:1,1,succeeded,succeeded,0.0,5.0,3,rigid\n2.0,b,n1,,2,failed,lost,3.5,9.0,4,worker\n"},
    File{"attempts.csv",
         "task_id,attempt,node,slot,outcome,start,end,threads\n2.0,1,n0,0,failed,1.0,2.0,1\n"},
    File{"node_states.csv", "time,node,state\n0.0,n0,ready\n0.0,n1,ready\n4.0,n1,down\n"},
};

/// Its folder, which goes when the program ends.
const fs::path& folder() {
  static const fs::path path = [] {
    std::string pattern = "/dev/shm/duet-fuzz-XXXXXX";
    DUET_CHECK(mkdtemp(pattern.data()) != nullptr);
    return fs::path(pattern);
  }();
  [[maybe_unused]] static const int registered = std::atexit([] {
    std::error_code ignored;
    fs::remove_all(folder(), ignored);
  });
  return path;
}

/// What stands in `input` behind the line "@NAME", up to the next such line.
bool part_of(std::string_view input, std::string_view name, std::string_view& part) {
  const std::string heading = "@" + std::string(name) + '\n';
  const std::size_t at = input.find(heading);
  if (at == std::string_view::npos) return false;
  part = input.substr(at + heading.size());
  part = part.substr(0, part.find("\n@"));
  return true;
}

void write(std::string_view name, std::string_view text) {
  std::ofstream out(folder() / name, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const File& file : kFiles) {
    std::string_view text = file.text;
    part_of(input, file.name, text);
    write(file.name, text);
  }
  const auto view = report::load_run_view(folder().string());
  if (!view) {
    DUET_CHECK(!view.problems().empty());
    return 0;
  }
  Comparison comparison;
  if (std::string_view text; part_of(input, "comparison.json", text)) {
    auto parsed = parse_comparison(std::string(text), "comparison.json");
    if (parsed) comparison = std::move(*parsed);
  }
  // What an input of a few thousand bytes says fits on a page: lanes, rows and cells are bounded.
  constexpr std::size_t kLargestPage = 8'000'000;
  for (const bool interactive : {false, true}) {
    report::ReportOptions options;
    options.interactive = interactive;
    const std::string page = report::report_html(comparison, {*view}, options);
    DUET_CHECK(page.ends_with("</html>\n") && page.size() < kLargestPage);
  }
  return 0;
}
