#include "tools/duet/flag_set.h"

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "sim/diagnostics.h"

namespace duet::front {
namespace {

bool is_whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

const Flag* FlagSet::find(std::string_view name) const {
  const auto at = std::ranges::find(flags_, name, &Flag::name);
  return at == flags_.end() ? nullptr : &*at;
}

const std::string& FlagSet::value(std::string_view name) const {
  const auto at = values_.find(name);
  if (at != values_.end()) return at->second;
  const Flag* flag = find(name);
  DUET_CHECK(flag != nullptr);
  return flag->standard;
}

Problem FlagSet::unknown(const std::string& shown, std::string_view name) const {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  return {shown, "there is no such flag", sim::did_you_mean(std::string(name), names, "--help lists them")};
}

void FlagSet::set(const Flag& flag, const std::string& shown, std::string value, Problems& problems) {
  if (flag.type.empty() && value != "true" && value != "false")
    return problems.push_back({shown, "'" + value + "' is no value of a switch", "true or false"});
  if (flag.type == "int" && !is_whole_number(value))
    return problems.push_back({shown, "'" + value + "' is no number", "such as " + flag.standard});
  values_[flag.name] = std::move(value);  // The last one counts.
}

/// -x, -x=v, -x v, and the same with two dashes. Returns the index of the next word.
std::size_t FlagSet::take(const std::vector<std::string>& words, std::size_t at, Problems& problems) {
  const std::string& word = words[at];
  std::string_view name = word;
  name.remove_prefix(name.starts_with("--") ? 2 : 1);
  const auto equals = name.find('=');
  const std::string shown = word.substr(0, word.find('='));
  const Flag* flag = find(name.substr(0, equals));
  const bool help = name == "help" || name == "h";
  if (flag == nullptr && help) {
    wants_help_ = true;
  } else if (flag == nullptr) {
    problems.push_back(unknown(shown, name.substr(0, equals)));
  } else if (equals != std::string_view::npos) {
    set(*flag, shown, std::string(name.substr(equals + 1)), problems);
  } else if (flag->type.empty()) {
    set(*flag, shown, "true", problems);
  } else if (at + 1 < words.size()) {
    set(*flag, shown, words[++at], problems);
  } else {
    problems.push_back({shown, "has no value", shown + "=" + flag->type});
  }
  return at + 1;
}

/// -p 5555, -p=5555, -p5555, and switches in one word.
std::size_t FlagSet::take_letters(const std::vector<std::string>& words, std::size_t at, Problems& problems) {
  std::string_view letters = std::string_view(words[at]).substr(1);
  while (!letters.empty()) {
    const char letter = letters.front();
    const std::string shown = std::string("-") + letter;
    letters.remove_prefix(1);
    const auto flag = std::ranges::find(flags_, letter, &Flag::letter);
    if (flag == flags_.end()) {
      if (letter == 'h')
        wants_help_ = true;
      else
        problems.push_back({shown, "there is no such flag", "--help lists them"});
      if (letter != 'h') break;
    } else if (flag->type.empty()) {
      set(*flag, shown, "true", problems);
    } else if (!letters.empty()) {
      if (letters.front() == '=') letters.remove_prefix(1);
      set(*flag, shown, std::string(letters), problems);
      break;
    } else if (at + 1 < words.size()) {
      set(*flag, shown, words[++at], problems);
    } else {
      problems.push_back({shown, "has no value", shown + " " + flag->type});
    }
  }
  return at + 1;
}

Problems FlagSet::parse(const std::vector<std::string>& words) {
  Problems problems;
  for (std::size_t at = 0; at < words.size();) {
    const std::string& word = words[at];
    const bool dashed = word.size() > 1 && word.front() == '-';
    if (word == "--" || (!dashed && style_ == Style::kGo)) {
      rest_.insert(rest_.end(), words.begin() + static_cast<std::ptrdiff_t>(at + (word == "--" ? 1 : 0)),
                   words.end());
      break;
    }
    if (!dashed) {
      rest_.push_back(word);
      ++at;
    } else if (style_ == Style::kGo || word.starts_with("--")) {
      at = take(words, at, problems);
    } else {
      at = take_letters(words, at, problems);
    }
  }
  return problems;
}

std::string FlagSet::usage() const {
  std::string text;
  std::size_t widest = 0;
  std::vector<std::string> heads;
  for (const Flag& flag : flags_) {
    std::string head = style_ == Style::kGo ? "  -" : std::string("  ");
    if (style_ == Style::kPosix)
      head += flag.letter != '\0' ? std::string("-") + flag.letter + ", --" : "    --";
    head += flag.name + (flag.type.empty() ? "" : ' ' + flag.type);
    widest = std::max(widest, head.size());
    heads.push_back(std::move(head));
  }
  for (std::size_t i = 0; i < flags_.size(); ++i) {
    text += heads[i] + std::string(widest + 3 - heads[i].size(), ' ') + flags_[i].help;
    if (!flags_[i].standard.empty()) text += " (default " + flags_[i].standard + ')';
    text += '\n';
  }
  return text;
}

}  // namespace duet::front
