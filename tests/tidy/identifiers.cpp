// What the core may not name: everything that would make two runs differ, or reach for the world.
#include <algorithm>
#include <array>
#include <cctype>

#include "tests/tidy/tidy.h"

namespace duet::tidy {
namespace {

struct Ban {
  std::string_view name;  // qualified as it must not appear; a leading '*' stands for any beginning
  std::string_view instead;
};

constexpr std::string_view clock_advice = "time comes in with the event, as `now` (core/time.h)";
constexpr std::string_view random_advice = "a stream of core/rng.h, one per purpose";
constexpr std::string_view order_advice = "std::map, or a dense array by id: hash order leaks into decisions";
constexpr std::string_view thread_advice = "nothing: a machine is a value and drivers own the threads";
constexpr std::string_view world_advice = "an event or a command: the core calls nobody";

constexpr std::array bans = {
    Ban{"*system_clock", clock_advice},
    Ban{"*steady_clock", clock_advice},
    Ban{"*high_resolution_clock", clock_advice},
    Ban{"std::time", clock_advice},
    Ban{"std::clock", clock_advice},
    Ban{"gettimeofday", clock_advice},
    Ban{"clock_gettime", clock_advice},
    Ban{"rand", random_advice},
    Ban{"std::rand", random_advice},
    Ban{"srand", random_advice},
    Ban{"std::srand", random_advice},
    Ban{"std::random_device", random_advice},
    Ban{"std::mt19937", random_advice},
    Ban{"std::mt19937_64", random_advice},
    Ban{"*_distribution", "the integer draws of core/rng.h: the standard ones differ between libraries"},
    Ban{"std::shuffle", "Rng's shuffle: the standard one differs between libraries"},
    Ban{"std::ranges::shuffle", "Rng's shuffle: the standard one differs between libraries"},
    Ban{"std::unordered_map", order_advice},
    Ban{"std::unordered_set", order_advice},
    Ban{"std::unordered_multimap", order_advice},
    Ban{"std::unordered_multiset", order_advice},
    Ban{"std::thread", thread_advice},
    Ban{"std::jthread", thread_advice},
    Ban{"std::async", thread_advice},
    Ban{"std::mutex", thread_advice},
    Ban{"std::atomic", thread_advice},
    Ban{"std::condition_variable", thread_advice},
    Ban{"thread_local", thread_advice},
    Ban{"getenv", world_advice},
    Ban{"std::getenv", world_advice},
    Ban{"printf", world_advice},
    Ban{"std::printf", world_advice},
    Ban{"std::fprintf", world_advice},
    Ban{"fprintf", world_advice},
    Ban{"std::puts", world_advice},
    Ban{"std::cout", world_advice},
    Ban{"std::cerr", world_advice},
    Ban{"std::ifstream", world_advice},
    Ban{"std::ofstream", world_advice},
    Ban{"std::fopen", world_advice},
    Ban{"std::filesystem", world_advice},
    Ban{"std::this_thread", thread_advice},
};

constexpr std::array banned_headers = {"filesystem", "fstream", "future", "iostream",      "mutex",
                                       "random",     "thread",  "atomic", "unordered_map", "unordered_set"};

bool names_exactly(const Ban& ban, std::string_view word) {
  return ban.name.starts_with('*') ? word.ends_with(ban.name.substr(1)) : word == ban.name;
}

/// Whether `word`, or what it begins with (`std::filesystem` of `std::filesystem::path`), is banned.
bool names(const Ban& ban, std::string_view word) {
  for (auto end = word.find("::"); end != std::string_view::npos; end = word.find("::", end + 2)) {
    if (names_exactly(ban, word.substr(0, end))) return true;
  }
  return names_exactly(ban, word);
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':'; }

/// The (qualified) identifiers of a line of code, but not members of something: `x.time` and `p->clock` are
/// ours.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < line.size();) {
    if (!in_word(line[i])) {
      ++i;
      continue;
    }
    const auto begin = i;
    while (i < line.size() && in_word(line[i])) ++i;
    const bool is_member = begin > 0 && (line[begin - 1] == '.' || line.substr(0, begin).ends_with("->"));
    auto word = line.substr(begin, i - begin);
    while (word.starts_with(':')) word.remove_prefix(1);
    if (!is_member && !word.empty()) found.push_back(word);
  }
  return found;
}

bool is_core(std::string_view path) {
  // check.cpp is where a broken invariant says so and the process ends.
  return path.starts_with("core/") && !path.starts_with("core/codec/") && path != "core/check.cpp";
}

}  // namespace

Complaints check_identifiers(const File& file) {
  if (!is_source(file.path) || !is_core(file.path)) return {};
  Complaints complaints;
  std::size_t number = 0;
  for (const std::string& line : code_lines(file.text)) {
    ++number;
    if (line.starts_with("#include")) {
      for (const std::string_view header : banned_headers) {
        if (line.find("<" + std::string(header) + ">") != std::string::npos) {
          complaints.push_back(complaint(file, number, "core may not include <" + std::string(header) + ">"));
        }
      }
      continue;
    }
    for (const std::string_view word : words(line)) {
      const auto ban = std::ranges::find_if(bans, [&](const Ban& b) { return names(b, word); });
      if (ban == bans.end()) continue;
      complaints.push_back(complaint(
          file, number, "core may not use " + std::string(word) + "; instead: " + std::string(ban->instead)));
    }
  }
  return complaints;
}

}  // namespace duet::tidy
