// Jobs by what people call them: a number, a task's id, or a name.
#pragma once

#include <optional>
#include <string>

#include "tools/duet/live_client.h"

namespace duet::front {

/// What a word on the command line means.
struct JobWord {
  std::string job;      ///< "17"
  std::string index;    ///< "0", of 17.0 or web.0; empty: none was named.
  std::string attempt;  ///< "2", of 17.0#2; empty: none was named.
};

/// 17, 17.0, 17.0#2, or the same with a job's name. Of several jobs of that name those that have not ended
/// count, unless `ended_too`; then of only ended ones the latest. Nothing: it was said what is wrong, and the
/// exit code is in `code`.
std::optional<JobWord> find_job(LiveClient& client, const std::string& word, bool ended_too, int& code);

}  // namespace duet::front
