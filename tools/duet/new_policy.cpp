// From a kind and a name to the files of a new policy.
#include "tools/duet/new_policy.h"

#include <algorithm>
#include <utility>

#include "core/policy.h"

namespace duet::front {
namespace {

constexpr std::size_t kColumns = 110;
constexpr const char* kTablePath = "core/policies.cpp";

/// "two_words" and Queue -> "TwoWordsQueue".
std::string class_name(std::string_view name, std::string_view type) {
  std::string out;
  bool starts = true;
  for (const char c : name) {
    if (c != '_') out += starts && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    starts = c == '_';
  }
  return out += type;
}

std::string filled_in(std::string_view text, std::string_view name, std::string_view type) {
  std::string out(text);
  const auto replace = [&out](std::string_view what, std::string_view by) {
    for (auto at = out.find(what); at != std::string::npos; at = out.find(what, at + by.size()))
      out.replace(at, what.size(), by);
  };
  replace("@GTEST@", "#include <gtest/gtest.h>");
  replace("@NAME@", name);
  replace("@CLASS@", class_name(name, type));
  return out;
}

/// The line of the table, or the lines, as clang-format would have them.
std::string entry_text(const PolicyTemplate& t, const std::string& name) {
  const std::string open = "    PolicyEntry<" + std::string(t.type) + ">{";
  const std::vector<std::string> parts = {'"' + name + "\", ", '"' + std::string(t.summary) + "\", ",
                                          '"' + std::string(t.parameters) + "\", ", "make_" + name + "},"};
  std::string text = open;
  std::size_t column = open.size();
  for (const std::string& part : parts) {
    if (column + part.size() > kColumns + 1 && column > open.size()) {
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n' + std::string(open.size(), ' ');
      column = open.size();
    }
    text += part;
    column += part.size();
  }
  return text + '\n';
}

/// Where the next declaration of this kind goes, and its next entry; npos if the text is not as expected.
std::pair<std::size_t, std::size_t> places(std::string_view table, const PolicyTemplate& t) {
  constexpr auto kNone = std::string_view::npos;
  const auto last = table.rfind("\nDUET_POLICY(" + std::string(t.type) + ", ");
  const auto begins = table.find("\nconstexpr std::array " + std::string(t.table) + "{\n");
  const auto ends = begins == kNone ? kNone : table.find("\n};\n", begins);
  if (last == kNone || ends == kNone || last > begins) return {kNone, kNone};
  return {table.find('\n', last + 1) + 1, ends + 1};
}

}  // namespace

const std::vector<std::string>& policy_kinds() {
  static const std::vector<std::string> kinds = [] {
    std::vector<std::string> all;
    for (const PolicyTemplate& t : policy_templates()) all.emplace_back(t.kind);
    return all;
  }();
  return kinds;
}

Result<std::vector<NewFile>> new_policy(std::string_view kind, std::string_view name,
                                        std::string_view table) {
  const auto& all = policy_templates();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& t) { return t.kind == kind; });
  if (found == all.end()) return Problem{std::string(kind), "there is no such kind of policy", ""};
  const std::string named(name);
  if (const auto why = bad_policy_name(name); !why.empty())
    return Problem{named, "no policy can be called so: " + std::string(why), "two_words"};
  if (table.find(", make_" + named + ");") != std::string_view::npos ||
      table.find("{\"" + named + "\",") != std::string_view::npos)
    return Problem{named, "there is already a policy of this name: duet policies " + named, "another name"};
  const auto [declaration, entry] = places(table, *found);
  if (entry == std::string_view::npos)
    return Problem{kTablePath, "there is no table " + std::string(found->table) + " where this program looks",
                   "a source tree of the version that `duet version` names"};

  std::string changed(table);
  changed.insert(entry, entry_text(*found, named));  // The later place first: the other one stays.
  changed.insert(declaration, "DUET_POLICY(" + std::string(found->type) + ", make_" + named + ");\n");
  const std::string folder = "core/policy/" + std::string(kind) + '/';
  return std::vector<NewFile>{
      {folder + named + ".cpp", filled_in(found->policy, name, found->type), false},
      {"tests/unit/policy_" + named + ".cpp", filled_in(found->test, name, found->type), false},
      {kTablePath, std::move(changed), true}};
}

}  // namespace duet::front
