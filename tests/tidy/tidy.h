// Tidy: what a reader, or a review, should never have to point at. Each rule is a pure function of a file's
// path and text, so that tests can feed it bad snippets.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace duet::tidy {

/// A file of the tree: its path relative to the root, with forward slashes, and its text.
struct File {
  std::string path;
  std::string text;
};

/// Reads every text file under `root`, in order of path, skipping build trees and hidden folders (but not
/// .ci).
std::vector<File> read_tree(const std::filesystem::path& root);

/// Each complaint reads "path:line: what is wrong and what would be right".
using Complaints = std::vector<std::string>;

Complaints check_includes(const File& file);     // who may include whom (docs/adr/0001-pure-core.md)
Complaints check_identifiers(const File& file);  // in core/: clocks, randomness, threads, hash order, I/O
Complaints check_shape(const File& file);        // sizes, unfinished business, private paths, one H1 per page
Complaints check_scenarios(
    const std::vector<File>& tree);  // scenarios/README.md has a sentence on each scenario
/// The tests that docs/behaviours.md names exist; each test named after a behaviour (S1_07_...) stands there.
Complaints check_behaviours(const std::vector<File>& tree);

/// All of the above over a whole tree.
Complaints check_tree(const std::vector<File>& tree);

/// The lines of a source text with comments and the insides of string literals blanked out.
std::vector<std::string> code_lines(std::string_view text);
std::vector<std::string> lines_of(std::string_view text);
bool is_source(std::string_view path);  // .h or .cpp
std::string complaint(const File& file, std::size_t line, std::string_view what);

}  // namespace duet::tidy
