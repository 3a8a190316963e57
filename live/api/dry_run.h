// What would happen if: asked of a copy of this whole process, which ends with the answer.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "live/asio.h"

namespace duet::live {

/// Questions are asked one after the other. All on the thread of the io_context.
class DryRun {
 public:
  /// What to do in the copy: there it may change anything of this process but what other threads hold, and
  /// nothing of it is ever seen here. It must not log, and not use the io_context.
  using Work = std::function<std::string()>;
  /// Nothing: the copy could not be made, died, or took too long.
  using Done = std::function<void(std::optional<std::string>)>;

  explicit DryRun(asio::io_context& io);
  /// Ends the copy that works; nobody is told.
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  /// False if too many questions wait already.
  bool ask(Work work, Done done);

 private:
  struct Question {
    Work work;
    Done done;
  };
  void begin();
  void read();
  void end(bool asked);

  static constexpr std::size_t kMostWaiting = 16;
  static constexpr auto kLongest = std::chrono::seconds(10);

  std::deque<Question> waiting_;  ///< The first is the one that is worked on.
  asio::posix::stream_descriptor pipe_;
  asio::steady_timer patience_;
  int copy_ = 0;  ///< Its process id; 0: none.
  std::string answer_;
  std::string buffer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
