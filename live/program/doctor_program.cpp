#include "live/program/doctor_program.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "live/log.h"
#include "live/program/arguments.h"

namespace duet::live {
namespace {

void print_table(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.what.size());
  for (const Finding& finding : findings) {
    std::printf("%-7s  %-*s  %s\n", name(finding.grade), static_cast<int>(width), finding.what.c_str(),
                finding.is.c_str());
    if (!finding.to_do.empty())
      std::printf("         %-*s  = %s\n", static_cast<int>(width), "", finding.to_do.c_str());
  }
}

void print_json(const std::vector<Finding>& findings, bool runs) {
  nlohmann::ordered_json all;
  all["runs"] = runs;
  all["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    nlohmann::ordered_json one = {{"what", finding.what}, {"grade", name(finding.grade)}, {"is", finding.is}};
    if (!finding.to_do.empty()) one["to_do"] = finding.to_do;
    all["findings"].push_back(std::move(one));
  }
  std::printf("%s\n", all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

}  // namespace

const char* name(Finding::Grade grade) {
  switch (grade) {
    case Finding::Grade::kOk:
      return "ok";
    case Finding::Grade::kWarn:
      return "warn";
    case Finding::Grade::kMissing:
      break;
  }
  return "missing";
}

int doctor_main(int argc, const char* const* argv) {
  Arguments arguments(argc, argv);
  DoctorOptions options;
  options.data = arguments.text("data", "duet-data");
  const auto listen = arguments.endpoint("listen", {"127.0.0.1", 8080});
  const auto agents = arguments.endpoint("agents", {"127.0.0.1", 7070});
  const std::string output = arguments.among("output", "table", {"table", "json"});
  std::error_code ignored;
  options.programs = arguments.text(
      "programs", std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string());
  if (const Problems problems = arguments.finish(); !problems.empty()) {
    log::write(log::Level::kError, "duet doctor", problems);
    return 2;
  }
  options.listen_host = listen.host;
  options.listen_port = listen.port;
  options.agents_host = agents.host;
  options.agents_port = agents.port;
  const std::vector<Finding> findings = examine(options);
  const bool runs =
      std::ranges::none_of(findings, [](const Finding& f) { return f.grade == Finding::Grade::kMissing; });
  if (output == "json")
    print_json(findings, runs);
  else
    print_table(findings);
  return runs ? 0 : 1;
}

}  // namespace duet::live
