// /api/v1/events
#include "live/api/answers.h"
#include "live/api/api.h"
#include "live/api/feed.h"
#include "live/driver/job_json.h"

namespace duet::live {
namespace {

/// So much may wait in a watcher's stream; what comes later waits in the log, which all share.
constexpr std::size_t most_buffered = 256 * 1024;

}  // namespace

void Api::Feed::begin(std::function<void()> gone) {
  gone_ = std::move(gone);
  stream_.on_closed(gone_);
  stream_.on_drained([this] { send(); });
  // What a client remembers if nothing happens before it comes back.
  const std::string last = id_of(next_ - 1);
  stream_.send({.id = last, .name = "hello", .data = R"({"next":")" + id_of(next_) + "\"}"});
  watcher_ = log_.watch([this](const ClusterEvent&) { send(); });
  send();
  if (stream_.closed()) asio::post(io_, gone_);
}

void Api::Feed::end() {
  if (watcher_ != 0) log_.unwatch(watcher_);
  watcher_ = 0;
  stream_.close();
}

void Api::Feed::send() {
  if (stream_.closed()) return;
  if (next_ < log_.first()) {
    stream_.send(
        {.id = "", .name = "too_old", .data = R"({"detail":"You read too slowly: events are missing."})"});
    stream_.close();
    asio::post(io_, gone_);  // not now: the log may be telling its watchers
    return;
  }
  for (; next_ < log_.next() && stream_.buffered() < most_buffered; ++next_) {
    const ClusterEvent& event = log_.at(next_);
    const std::string data = with_member(event.json, R"("at":")" + rfc3339(event.at) + "\"");
    if (!stream_.send({.id = id_of(next_), .name = event.type, .data = data})) return;
  }
}

void Api::follow_events(const http::Request& request, const http::Responder& respond) {
  EventLog& log = driver_.view().events();
  std::uint64_t next = log.next();
  auto since = request.headers.find("Last-Event-ID");
  if (!since) since = request.query_value("since");
  if (since) {
    const std::size_t dash = since->find('-');
    const auto number = dash == std::string_view::npos ? std::nullopt : number_of(since->substr(dash + 1));
    if (!number)
      return respond(http::problem(400, "This is no id of an event.",
                                   {{"?since", "ids look like " + log_id_ + "-17", ""}}));
    const bool ours = since->substr(0, dash) == log_id_;
    if (!ours || *number + 1 < log.first() || *number >= log.next())
      return respond(http::problem(
          410,
          ours ? "What came after this event is not all kept. List what there is, and watch from now on."
               : "This event is of an earlier controller. List what there is, and watch from now on.",
          {}, "urn:duet:problem:events-too-old"));
    next = *number + 1;
  }
  const auto feed = std::make_shared<Feed>(io_, log, respond.events(), log_id_, next);
  feeds_.insert(feed);
  feed->begin([this, alive = alive_, weak = std::weak_ptr<Feed>(feed)] {
    if (const auto gone = weak.lock(); gone && *alive) feeds_.erase(gone);
  });
}

void Api::add_events(http::RouteTable& table) {
  table.add({.path = "/api/v1/events",
             .operation_id = "watchEvents",
             .summary = "What happens, as server-sent events; after Last-Event-ID, or since, without a gap.",
             .tags = {"events"},
             .query = {{.name = "since", .description = "The id of the last event seen."}},
             .responses = {{.status = 200,
                            .description = "Events `job`, `task`, `node` and `pool`; 410 if too old.",
                            .content_type = "text/event-stream"}},
             .handler = [this](const http::Request& request, const http::Responder& respond) {
               follow_events(request, respond);
             }});
}

}  // namespace duet::live
