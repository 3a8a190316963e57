// Jobs, tasks and events as JSON for people and programs: REST, the event stream, the history.
#pragma once

#include <string>
#include <string_view>

#include "core/controller.h"
#include "live/driver/cluster_view.h"

namespace duet::live {

/// "2026-11-22T15:40:07.123Z".
std::string rfc3339(Instant at);

/// "17.0", "17.0#2".
std::string id_text(TaskId id);
std::string id_text(AttemptId id);

/// The longest list of tasks that to_json() writes; the counts are always of all.
inline constexpr std::size_t kTasksShown = 1000;

/// One object. `view` knows names of nodes, ports and pids. Lists leave the tasks out.
std::string to_json(const JobView& job, const ClusterView& view, const Controller& machine,
                    bool with_tasks = true);
std::string to_json(const JobView& job, std::uint32_t task, const ClusterView& view,
                    const Controller& machine);

/// {"job":17,"state":"running"} and so on, by the kind of notice.
std::string to_json(const controller::Notice& notice, const Controller& machine);
/// "job", "task", "node", "pool".
std::string_view type_of(const controller::Notice& notice);

}  // namespace duet::live
