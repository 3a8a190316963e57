// Result<T>: a value, or the user's mistakes with where they are and what would be right.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"

namespace duet {

/// One mistake in what a user gave us.
struct Problem {
  std::string where;  ///< JSON pointer, parameter name, or line; empty when the whole input is meant.
  std::string what;   ///< What is wrong.
  std::string right;  ///< What would be right; empty when `what` already says it.
  bool operator==(const Problem&) const = default;
};

using Problems = std::vector<Problem>;

template <class T>
class Result {
 public:
  Result(T value) : state_(std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Problems problems) : state_(std::move(problems)) {
    DUET_CHECK(!this->problems().empty());
  }                                                                  // NOLINT
  Result(Problem problem) : state_(Problems{std::move(problem)}) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  T& value() {
    DUET_CHECK(state_.index() == 0);
    return std::get<0>(state_);
  }
  const T& value() const {
    DUET_CHECK(state_.index() == 0);
    return std::get<0>(state_);
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Problems& problems() const {
    DUET_CHECK(state_.index() == 1);
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Problems> state_;
};

}  // namespace duet
