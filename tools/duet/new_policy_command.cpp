// duet policies new: a policy to start from, in a source tree of Duet.
#include <filesystem>

#include "core/codec/atomic_file.h"
#include "core/policy.h"
#include "sim/diagnostics.h"
#include "sim/terminal.h"
#include "sim/text_file.h"
#include "tools/duet/new_policy.h"
#include "tools/duet/options.h"
#include "tools/duet/output_file.h"

namespace duet::front {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTable = std::uint64_t{1} << 20;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() > fs::file_type::not_found;
}

/// All that stands in the way of writing these files.
Problems in_the_way(const fs::path& root, const std::vector<NewFile>& files) {
  Problems problems;
  for (const NewFile& file : files) {
    const fs::path path = root / file.path;
    if (!file.changed && is_there(path))
      problems.push_back({path.string(), "exists already, and nothing is overwritten", "another name"});
    if (!fs::is_directory(path.parent_path()))
      problems.push_back({path.parent_path().string(), "there is no such folder", ""});
  }
  return problems;
}

/// Writes all, or takes back what it wrote. The table comes last: until then nothing refers to the others.
Problems write_all(const fs::path& root, const std::vector<NewFile>& files) {
  std::vector<fs::path> written;
  for (const NewFile& file : files) {
    const fs::path path = root / file.path;
    const auto done = codec::write_file(path.string(), file.text);
    if (done) {
      if (!file.changed) written.push_back(path);
      continue;
    }
    std::error_code ignored;
    for (const fs::path& one : written) fs::remove(one, ignored);
    return done.problems();
  }
  return {};
}

}  // namespace

int run(const NewPolicyCommand& command) {
  const fs::path root = command.dir.empty() ? fs::path(".") : fs::path(command.dir);
  const fs::path table_path = root / "core" / "policies.cpp";
  Problems problems;
  if (const auto why = bad_policy_name(command.name); !why.empty())
    problems.push_back(
        {sim::printable(command.name), "no policy can be called so: " + std::string(why), "two_words"});
  if (!is_there(table_path) || !is_there(root / "core" / "policy.h")) {
    problems.push_back({root.string(), "is not a source tree of Duet: it has no core/policies.cpp",
                        "--dir with the folder of the sources; a project of your own begins as a copy of "
                        "examples/own-policy (docs/write-a-policy.md)"});
  }
  if (!problems.empty()) return refuse(problems);
  const auto table = sim::read_text(table_path.string(), kMaxTable);
  if (!table) return refuse(table.problems());
  const auto files = new_policy(command.kind, command.name, *table);
  if (!files) return refuse(files.problems());
  if (problems = in_the_way(root, *files); !problems.empty()) return refuse(problems);
  if (problems = write_all(root, *files); !problems.empty()) return refuse(problems);

  std::string text;
  for (const NewFile& file : *files)
    text += (file.changed ? "changed " : "wrote   ") + (root / file.path).lexically_normal().string() + '\n';
  text +=
      "next: write what it decides, and its test; then\n"
      "  cmake --preset dev && cmake --build --preset dev && ctest --preset quick -R 'Policy|Contract'\n"
      "and a line in docs/policies.md (docs/write-a-policy.md leads through it)\n";
  return sim::print(text) ? sim::kExitOk : sim::kExitUsage;
}

}  // namespace duet::front
