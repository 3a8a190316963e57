// Operations: what workers execute. Each is one file of this folder and one line of table.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "core/time.h"

namespace duet::live::operations {

/// How much an operation is expected to be, before anybody has executed it.
struct Cost {
  std::int64_t iterations = 0;  ///< Of monte_carlo_pi, that would take as long on one thread; 0: none.
  Duration lasts{0};            ///< For what takes time but no processor; else 0.
};

/// One piece of work, cut into chunks of some milliseconds: between two of them it can be cancelled, and
/// others get their turn. What comes out depends on its data only, not on which threads execute which chunks.
class Operation {
 public:
  virtual ~Operation() = default;

  virtual Cost cost() const = 0;
  /// At least 1.
  virtual std::uint64_t chunks() const = 0;
  /// Each chunk depends on those before it: they are executed one by one, ascending. Else several at a time,
  /// from several threads, in any order.
  virtual bool in_order() const { return false; }
  /// Executes one chunk. Called once for each.
  virtual void run(std::uint64_t chunk) = 0;
  /// Before the first chunk this long passes, in which nothing is computed.
  virtual Duration pause() const { return Duration{0}; }
  /// JSON, at most kLongestResult bytes; called once, after all chunks.
  virtual std::string result() const = 0;
};

inline constexpr std::size_t kLongestResult = 65536;

/// The most iterations that operations take.
inline constexpr std::int64_t kMostIterations = 10'000'000'000;

struct Entry {
  std::string_view name;
  std::string_view summary;
  std::string_view example;  ///< Of its data, JSON.
  /// Problems name members of the data: "/iterations".
  Result<std::unique_ptr<Operation>> (*make)(const nlohmann::json& data);
};

/// All there are, ascending by name.
std::span<const Entry> all();
/// Null if there is none of that name.
const Entry* find(std::string_view name);
/// An operation, or what is wrong with what was asked for: "/operation", "/data/iterations".
Result<std::unique_ptr<Operation>> make(std::string_view name, const nlohmann::json& data);

/// Reads the members of an operation's data; what nobody asked for is a mistake.
class DataReader {
 public:
  explicit DataReader(const nlohmann::json& data);

  /// Must be there. A whole number; 1e6 is one.
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most);
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most = std::numeric_limits<std::int64_t>::max());
  double number(std::string_view name, double least, double most);
  std::string text_or(std::string_view name, std::string otherwise, std::size_t longest);
  /// All mistakes. To be asked when everything was read.
  Problems finish();

 private:
  const nlohmann::json* take(std::string_view name);
  std::int64_t checked(std::string_view name, const nlohmann::json& value, std::int64_t least,
                       std::int64_t most);

  const nlohmann::json& data_;
  std::set<std::string, std::less<>> known_;
  Problems problems_;
};

}  // namespace duet::live::operations
