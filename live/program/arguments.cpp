#include "live/program/arguments.h"

#include <algorithm>

namespace duet::live {

Arguments::Arguments(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (!word.starts_with("--") || word.size() == 2) {
      problems_.push_back({std::string(word), "is no option", "--name value"});
      continue;
    }
    word.remove_prefix(2);
    std::string name(word);
    std::string value;
    if (const auto equals = word.find('='); equals != std::string_view::npos) {
      name = word.substr(0, equals);
      value = word.substr(equals + 1);
    } else if (i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--")) {
      value = argv[++i];
    }
    if (!words_.emplace(name, value).second) problems_.push_back({"--" + name, "is there twice", {}});
  }
}

const std::string* Arguments::take(std::string_view name) {
  used_[std::string(name)] = true;
  const auto at = words_.find(name);
  return at == words_.end() ? nullptr : &at->second;
}

std::string Arguments::text(std::string_view name, std::string otherwise) {
  const std::string* word = take(name);
  if (word == nullptr) return otherwise;
  if (word->empty()) problems_.push_back({"--" + std::string(name), "has no value", {}});
  return *word;
}

std::optional<std::string> Arguments::text_if_given(std::string_view name) {
  const std::string* word = take(name);
  return word == nullptr ? std::nullopt : std::optional(*word);
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                std::uint64_t most) {
  const std::string* word = take(name);
  if (word == nullptr) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), value);
  if (error == std::errc{} && end == word->data() + word->size() && value >= least && value <= most)
    return value;
  problems_.push_back({"--" + std::string(name), "'" + *word + "' will not do",
                       "a whole number, " + std::to_string(least) + " to " + std::to_string(most)});
  return otherwise;
}

std::string Arguments::among(std::string_view name, std::string otherwise,
                             const std::vector<std::string>& choices) {
  std::string word = text(name, std::move(otherwise));
  if (std::find(choices.begin(), choices.end(), word) != choices.end()) return word;
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  problems_.push_back({"--" + std::string(name), "there is no '" + word + "'", "one of " + list});
  return word;
}

Arguments::Endpoint Arguments::endpoint(std::string_view name, const Endpoint& otherwise) {
  const std::string* word = take(name);
  if (word == nullptr) return otherwise;
  Endpoint found = otherwise;
  std::string_view port = *word;
  const auto colon = port.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = port.substr(0, colon);
    port.remove_prefix(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (!host.empty()) found.host = host;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), found.port);
  if (error == std::errc{} && end == port.data() + port.size()) return found;
  problems_.push_back(
      {"--" + std::string(name), "'" + *word + "' is no address", "HOST:PORT, such as 127.0.0.1:8080"});
  return otherwise;
}

std::optional<Arguments::Endpoint> Arguments::endpoint_if_given(std::string_view name,
                                                                const Endpoint& otherwise) {
  const std::string* word = take(name);
  if (word == nullptr) return std::nullopt;
  return word->empty() ? otherwise : endpoint(name, otherwise);
}

Arguments::Endpoint Arguments::controller(std::string_view name, const Endpoint& otherwise, bool& over_http) {
  constexpr std::string_view kHttp = "http://";
  const auto at = words_.find(name);
  over_http = at != words_.end() && at->second.starts_with(kHttp);
  if (!over_http) return endpoint(name, otherwise);
  std::string& word = at->second;
  word.erase(0, kHttp.size());
  while (word.ends_with('/')) word.pop_back();
  if (word.find(':') == std::string::npos || word.ends_with(']')) word += ":80";
  return endpoint(name, otherwise);
}

bool Arguments::flag(std::string_view name) {
  const std::string* word = take(name);
  if (word != nullptr && !word->empty())
    problems_.push_back({"--" + std::string(name), "takes no value", {}});
  return word != nullptr;
}

Problems Arguments::finish() {
  for (const auto& [name, value] : words_)
    if (!used_.contains(name)) problems_.push_back({"--" + name, "is no option of this program", {}});
  return std::move(problems_);
}

}  // namespace duet::live
