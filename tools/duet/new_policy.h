// A new policy in a source tree of Duet: its file, its line in the table, its test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace duet::front {

/// The kinds, as `duet policies` names them and as folders of core/policy/ are called.
const std::vector<std::string>& policy_kinds();

struct NewFile {
  std::string path;  ///< From the root of the tree.
  std::string text;
  bool changed = false;  ///< There was one, and this is what it becomes.
};
/// The files of a policy `name` of `kind`, to be written in this order; the last is the table with its new
/// line. `table` is the text of core/policies.cpp. The policy decides plainly, but compiles, passes the
/// contract tests, and its own test passes.
Result<std::vector<NewFile>> new_policy(std::string_view kind, std::string_view name, std::string_view table);

/// The policy and its test, with @NAME@, @CLASS@ and @GTEST@ (its header) still to be replaced.
struct PolicyTemplate {
  std::string_view kind;
  std::string_view type;        ///< duet::Queue, ...
  std::string_view table;       ///< kQueues, ...
  std::string_view function;    ///< queue_policies, ...
  std::string_view parameters;  ///< As PolicyEntry has them.
  std::string_view summary;     ///< Ends with a full stop.
  std::string_view policy;
  std::string_view test;
};
const std::vector<PolicyTemplate>& policy_templates();

}  // namespace duet::front
