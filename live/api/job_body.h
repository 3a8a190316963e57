// Jobs as people submit them over HTTP: one JSON document becomes a specification, or all its mistakes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/model.h"
#include "core/result.h"
#include "live/http/schema.h"

namespace duet::live {

/// Adds "JobBody", "TaskBody" (a task in the words of /api/v1/tasks) and what they refer to.
void add_job_schemas(http::Schemas& schemas);

/// `document` has passed JobBody. Problems: what a schema cannot say, with JSON pointers.
Result<JobSpecPtr> job_of(const nlohmann::json& document);
/// `document` has passed TaskBody.
Result<JobSpecPtr> job_of_task(const nlohmann::json& document);

/// A pointer to the first image that `document` (either) asks for; empty if it asks for none.
std::string image_pointer(const nlohmann::json& document);

}  // namespace duet::live
