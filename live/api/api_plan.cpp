// /api/v1/plan
#include <nlohmann/json.hpp>

#include "live/api/answers.h"
#include "live/api/api.h"
#include "live/api/job_body.h"
#include "live/api/plan_json.h"

namespace duet::live {
namespace {

http::Response busy() {
  http::Response response = http::problem(503, "Too many plans are being made.");
  response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace

void Api::plan(const http::Request& request, const http::Responder& respond) {
  const auto spec = job_of(*request.document);
  if (!spec) return respond(http::problem(400, "The body is not as it should be.", spec.problems()));
  if (!driver_.available()) return respond(unavailable());
  if (!options_.containers && !image_pointer(*request.document).empty())
    return respond(http::json_response(refused_plan_json("no node of this cluster runs images")));
  const auto work = [this, spec = *spec, now = driver_.now()] {
    // Nobody else has this copy of the controller: what is done to it ends with its process.
    return plan_json(const_cast<Controller&>(machine()), spec, now);
  };
  const bool asked = dry_run_.ask(work, [respond](const std::optional<std::string>& answer) {
    respond(answer ? http::json_response(*answer) : http::problem(500, "The plan could not be made."));
  });
  if (!asked) respond(busy());
}

void Api::add_plan(http::RouteTable& table) {
  table.add({.method = http::Method::kPost,
             .path = "/api/v1/plan",
             .operation_id = "planJob",
             .summary = "What would happen to a job that is submitted now: where it would run, or why it "
                        "would wait. Nothing is changed.",
             .tags = {"jobs"},
             .request = "JobBody",
             .responses = {{.status = 200, .description = "The plan.", .schema = "Plan"}},
             .handler = [this](const http::Request& request, const http::Responder& respond) {
               plan(request, respond);
             }});
}

}  // namespace duet::live
