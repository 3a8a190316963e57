#include "live/api/answers.h"

#include <charconv>

namespace duet::live {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<JobId> job_id_of(std::string_view text) {
  const auto number = number_of(text);
  return number ? std::optional(JobId{*number}) : std::nullopt;
}

std::optional<TaskId> task_id_of(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto job = job_id_of(text.substr(0, dot));
  const auto index = number_of(text.substr(dot + 1));
  if (!job || !index || *index > UINT32_MAX) return std::nullopt;
  return TaskId{*job, static_cast<std::uint32_t>(*index)};
}

http::Response no_such(std::string_view what, std::string_view name) {
  return http::problem(404, "There is no " + std::string(what) + " `" + std::string(name) + "`.");
}

http::Response unavailable() {
  http::Response response = http::problem(503,
                                          "The store fails, so nothing can be promised. Ask again; with an "
                                          "Idempotency-Key nothing is done twice.");
  response.headers.add("Retry-After", "1");
  return response;
}

http::Response refused(const Answer& answer, const Controller& machine) {
  if (answer.unavailable) return unavailable();
  const bool known = answer.job == JobId{} || machine.jobs().was_given(answer.job);
  return http::problem(known ? 409 : 404, "This was refused: " + answer.refusal + ".");
}

std::string with_member(std::string_view object, std::string_view member) {
  return "{" + std::string(member) + (object == "{}" ? "" : ",") + std::string(object.substr(1));
}

}  // namespace duet::live
