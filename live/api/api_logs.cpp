// /api/v1/tasks/{id}/logs: piece by piece from the node, as fast as the client reads.
#include <chrono>

#include "live/api/answers.h"
#include "live/api/api.h"

namespace duet::live {
namespace {

constexpr std::uint32_t piece_size = 256 * 1024;
/// A log that is followed is asked for so often.
constexpr auto follow_pause = std::chrono::milliseconds(200);

}  // namespace

/// One client of one log. What it waits for keeps it alive.
class Api::LogTail : public std::enable_shared_from_this<Api::LogTail> {
 public:
  LogTail(Api& api, LogQuestion question, bool follow, http::Responder respond)
      : api_(api),
        api_alive_(api.alive_),
        question_(std::move(question)),
        follow_(follow),
        respond_(std::move(respond)),
        timer_(api.io_) {}

  void ask() {
    question_.at_most = piece_size;
    api_.options_.read_log(question_, [self = shared_from_this()](Result<LogPiece> piece) {
      if (*self->api_alive_) self->take(piece);
    });
  }

 private:
  void take(const Result<LogPiece>& piece) {
    if (!piece && !begun_) {
      respond_(http::problem(404, "The log cannot be read: " + piece.problems().front().what + "."));
      return;
    }
    // The agent may be replaced meanwhile; whoever follows wants the rest, not an end that looks whole.
    if (!piece) return follow_ ? ask_later() : stream_.close();
    if (!begun_) {
      begun_ = true;
      stream_ = respond_.stream("text/plain; charset=utf-8");
    }
    question_.from_end = false;
    question_.from = piece->from + piece->bytes.size();
    if (!stream_.write(piece->bytes) && stream_.closed()) return;
    const bool at_end = piece->bytes.empty();
    if (at_end && (piece->ended || !follow_)) return stream_.close();
    if (at_end) return ask_later();
    if (stream_.buffered() == 0) return ask();
    // The stream holds this until it has drained, or is closed.
    stream_.on_drained([self = shared_from_this()] {
      self->stream_.on_drained(nullptr);
      if (*self->api_alive_) self->ask();
    });
  }

  void ask_later() {
    timer_.expires_after(follow_pause);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && *self->api_alive_ && !self->stream_.closed()) self->ask();
    });
  }

  Api& api_;
  std::shared_ptr<bool> api_alive_;
  LogQuestion question_;
  bool follow_;
  http::Responder respond_;
  http::Stream stream_;
  bool begun_ = false;
  asio::steady_timer timer_;
};

void Api::read_log(const http::Request& request, const http::Responder& respond) {
  const auto id = task_id_of(request.parameter("id"));
  const JobView* job = id ? driver_.view().job(id->job) : nullptr;
  if (job == nullptr || id->index >= job->tasks.size())
    return respond(no_such("task", request.parameter("id")));
  const TaskView& task = job->tasks[id->index];
  const auto asked = number_of(request.query_value("attempt").value_or(""));
  if (task.attempt == 0) return respond(http::problem(409, "The task has not been started yet."));
  if (asked && *asked != task.attempt)
    return respond(http::problem(404, "Only the log of the last attempt, " + std::to_string(task.attempt) +
                                          ", can be found from here."));
  if (!options_.read_log) return respond(http::problem(404, "This controller has no logs."));
  const auto last = number_of(request.query_value("last").value_or(""));
  LogQuestion question;
  question.node = machine().cluster().node(task.node).name;
  question.attempt = {*id, task.attempt};
  question.errors = request.query_value("stream") == "stderr";
  question.from_end = last.has_value();
  question.from = last ? *last : number_of(request.query_value("from").value_or("0")).value_or(0);
  const bool follow = request.query_value("follow") == "true";
  std::make_shared<LogTail>(*this, std::move(question), follow, respond)->ask();
}

}  // namespace duet::live
