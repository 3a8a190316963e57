// Sizes, unfinished business, private paths, headings; and the scenarios' page.
#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <set>

#include "tests/tidy/tidy.h"

namespace duet::tidy {
namespace {

constexpr std::size_t max_lines = 500;
constexpr std::size_t max_columns = 110;

// Written in halves, so that this file does not trip over itself.
constexpr std::array unfinished = {
    "FIX"
    "ME",
    "TO"
    "DO",
    "XX"
    "X",
    "HA"
    "CK"};
// Absolute paths of somebody's machine.
constexpr std::array private_paths = {
    "/ho"
    "me/",
    "/wo"
    "rk/",
    "/ro"
    "ot/",
    "/Us"
    "ers/"};

bool is_code(std::string_view path) {
  return is_source(path) || path.ends_with(".sh") || path.ends_with(".awk") || path.ends_with(".cmake") ||
         path.ends_with("CMakeLists.txt");
}

bool is_prose(std::string_view path) { return path.ends_with(".md"); }

/// Code points, not bytes: a column is what one sees.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool has_word(std::string_view line, std::string_view word) {
  const auto is_letter = [&](std::size_t i) {
    return i < line.size() && std::isalnum(static_cast<unsigned char>(line[i]));
  };
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())) return true;
  }
  return false;
}

void check_headings(const File& file, const std::vector<std::string>& lines, Complaints& complaints) {
  std::size_t headings = 0;
  bool fenced = false;
  for (const std::string& line : lines) {
    if (line.starts_with("```")) fenced = !fenced;
    if (!fenced && line.starts_with("# ")) ++headings;
  }
  if (headings != 1) {
    complaints.push_back(complaint(file, 1, "a page has one H1 heading, not " + std::to_string(headings)));
  }
}

}  // namespace

Complaints check_shape(const File& file) {
  if (!is_code(file.path) && !is_prose(file.path)) return {};
  Complaints complaints;
  const auto lines = lines_of(file.text);
  if (is_prose(file.path)) {
    check_headings(file, lines, complaints);
  } else if (lines.size() > max_lines) {
    complaints.push_back(
        complaint(file, lines.size(), "more than " + std::to_string(max_lines) + " lines: split it"));
  }
  if (!file.text.empty() && !file.text.ends_with('\n'))
    complaints.push_back(complaint(file, lines.size(), "no newline at the end"));
  std::size_t number = 0;
  for (const std::string& line : lines) {
    ++number;
    if (is_code(file.path) && columns(line) > max_columns) {
      complaints.push_back(complaint(file, number, "more than " + std::to_string(max_columns) + " columns"));
    }
    for (const std::string_view word : unfinished) {
      if (has_word(line, word))
        complaints.push_back(complaint(file, number, "unfinished: finish it, or file an issue"));
    }
    for (const std::string_view path : private_paths) {
      if (line.find(path) != std::string::npos)
        complaints.push_back(complaint(file, number, "a path of one machine"));
    }
  }
  return complaints;
}

Complaints check_scenarios(const std::vector<File>& tree) {
  const auto page = std::ranges::find(tree, "scenarios/README.md", &File::path);
  Complaints complaints;
  for (const File& file : tree) {
    if (!file.path.starts_with("scenarios/") || file.path.ends_with("README.md")) continue;
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (page == tree.end() || page->text.find(name) == std::string::npos) {
      complaints.push_back(complaint(file, 1, "give it a sentence in scenarios/README.md"));
    }
  }
  return complaints;
}

Complaints check_behaviours(const std::vector<File>& tree) {
  static const std::regex test(R"(TEST(?:_F|_P)?\((\w+), (\w+)\))");
  static const std::regex named(R"(`([A-Z]\w+\.\w+)`)");
  std::set<std::string> tests;
  std::vector<std::pair<const File*, std::string>> of_behaviours;
  for (const File& file : tree) {
    if (!file.path.starts_with("tests/") || !file.path.ends_with(".cpp")) continue;
    for (std::sregex_iterator it(file.text.begin(), file.text.end(), test), end; it != end; ++it) {
      const std::string name = (*it)[1].str() + "." + (*it)[2].str();
      tests.insert(name);
      const std::string own = (*it)[2].str();
      if (own.size() > 6 && own[0] == 'S' && own[2] == '_' && own[5] == '_' && std::isdigit(own[1]) != 0)
        of_behaviours.emplace_back(&file, name);
    }
  }
  const auto page = std::ranges::find(tree, "docs/behaviours.md", &File::path);
  const std::string text = page == tree.end() ? "" : page->text;
  Complaints complaints;
  for (std::sregex_iterator it(text.begin(), text.end(), named), end; it != end; ++it)
    if (!tests.contains((*it)[1].str()))
      complaints.push_back(complaint(*page, 1, "there is no test " + (*it)[1].str()));
  for (const auto& [file, name] : of_behaviours)
    if (text.find("`" + name + "`") == std::string::npos)
      complaints.push_back(complaint(*file, 1, "name " + name + " in docs/behaviours.md"));
  return complaints;
}

Complaints check_tree(const std::vector<File>& tree) {
  Complaints all = check_scenarios(tree);
  std::ranges::move(check_behaviours(tree), std::back_inserter(all));
  for (const File& file : tree) {
    for (const auto rule : {check_includes, check_identifiers, check_shape}) {
      std::ranges::move(rule(file), std::back_inserter(all));
    }
  }
  return all;
}

}  // namespace duet::tidy
