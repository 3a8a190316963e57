// One watcher of the events: from the log, at the pace at which it reads, without a gap.
#pragma once

#include <memory>
#include <string>

#include "live/api/api.h"

namespace duet::live {

class Api::Feed : public std::enable_shared_from_this<Api::Feed> {
 public:
  /// `next`: the number of the first event to send.
  Feed(asio::io_context& io, EventLog& log, http::Stream stream, std::string log_id, std::uint64_t next)
      : io_(io), log_(log), stream_(std::move(stream)), log_id_(std::move(log_id)), next_(next) {}
  ~Feed() { end(); }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// `gone` is called, later, when this is of no use any more.
  void begin(std::function<void()> gone);
  void end();

 private:
  void send();
  std::string id_of(std::uint64_t number) const { return log_id_ + "-" + std::to_string(number); }

  asio::io_context& io_;
  EventLog& log_;
  std::function<void()> gone_;
  http::Stream stream_;
  std::string log_id_;
  std::uint64_t next_;
  EventLog::WatcherId watcher_ = 0;
};

}  // namespace duet::live
