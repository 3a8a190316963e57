// What all routes of the API share: ids out of paths, and the answers to what cannot be done.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "live/driver/controller_driver.h"
#include "live/http/message.h"

namespace duet::live {

/// "17"; nothing for anything else.
std::optional<JobId> job_id_of(std::string_view text);
/// "17.0".
std::optional<TaskId> task_id_of(std::string_view text);
/// A number without sign or anything behind it.
std::optional<std::uint64_t> number_of(std::string_view text);

http::Response no_such(std::string_view what, std::string_view name);
/// The store fails: 503, to be asked again.
http::Response unavailable();
/// Why the controller refused something about a job: 404 if there never was such a job, else 409.
http::Response refused(const Answer& answer, const Controller& machine);

/// `"name":value,` put at the front of a JSON object's text.
std::string with_member(std::string_view object, std::string_view member);

}  // namespace duet::live
