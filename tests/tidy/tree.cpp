// Reading the tree, and the little lexing the rules need.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/tidy/tidy.h"

namespace duet::tidy {
namespace {

bool is_skipped_folder(std::string_view name) {
  return name == "build" || name.starts_with("build-") || (name.starts_with('.') && name != ".ci");
}

}  // namespace

std::vector<File> read_tree(const std::filesystem::path& root) {
  std::vector<File> tree;
  for (auto entry = std::filesystem::recursive_directory_iterator(root); entry != end(entry); ++entry) {
    if (entry->is_directory()) {
      if (is_skipped_folder(entry->path().filename().string())) entry.disable_recursion_pending();
      continue;
    }
    std::ifstream in(entry->path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const bool is_binary = text.view().substr(0, 4096).find('\0') != std::string_view::npos;
    if (!is_binary) tree.push_back({entry->path().lexically_relative(root).generic_string(), text.str()});
  }
  std::ranges::sort(tree, {}, &File::path);
  return tree;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<std::string> code_lines(std::string_view text) {
  std::string code(text);
  for (std::size_t i = 0; i < code.size();) {
    const auto blank_to = [&](std::size_t end) {
      for (end = std::min(end, code.size()); i < end; ++i) {
        if (code[i] != '\n') code[i] = ' ';
      }
    };
    const std::string_view rest = std::string_view(code).substr(i);
    if (rest.starts_with("//")) {
      blank_to(code.find('\n', i));
    } else if (rest.starts_with("/*")) {
      const auto end = code.find("*/", i + 2);
      blank_to(end == std::string::npos ? end : end + 2);
    } else if (rest.starts_with("R\"")) {
      const auto open = code.find('(', i);
      if (open == std::string::npos) break;
      const std::string close = ")" + code.substr(i + 2, open - i - 2) + "\"";
      const auto end = code.find(close, open);
      blank_to(end == std::string::npos ? end : end + close.size());
    } else if (code[i] == '"' ||
               (code[i] == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(code[i - 1]))))) {
      const char quote = code[i];
      auto end = i + 1;
      while (end < code.size() && code[end] != quote && code[end] != '\n') end += code[end] == '\\' ? 2 : 1;
      blank_to(end + 1);
    } else {
      ++i;
    }
  }
  return lines_of(code);
}

bool is_source(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cpp"); }

std::string complaint(const File& file, std::size_t line, std::string_view what) {
  return file.path + ":" + std::to_string(line) + ": " + std::string(what);
}

}  // namespace duet::tidy
