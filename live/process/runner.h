// What runs attempts for an agent, in a process of its own: it outlives the agent, and the next one finds
// here what runs and what has ended meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/process/attempt.h"
#include "live/process/invocation.h"
#include "live/process/runner_options.h"
#include "live/wire/framed_socket.h"

namespace duet::live {

class Runner {
 public:
  /// `ended` is called from the io_context when this has nothing more to do: it was told to end, or nobody
  /// came for long enough.
  Runner(asio::io_context& io, RunnerOptions options, std::function<void()> ended);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Takes the folder for itself, ends what an earlier runner left there, and listens on FOLDER/runner.sock.
  /// A Problem if another runner has the folder.
  Result<bool> begin();
  /// As ShutDown of a client: everything ends, politely and after `grace` by force, and then this.
  void shut_down(Duration grace);
  /// What limits attempts here, for people.
  const std::string& words() const { return words_; }

 private:
  using Acceptor = asio::local::stream_protocol::acceptor;

  Result<bool> take_folder();
  void end_left_overs();
  void accept();
  void welcome(wire::FramedSocket::Socket socket);
  void client_left();
  void receive(std::span<const std::uint8_t> bytes);
  void on(const runner::List& request);
  void on(const runner::Launch& request);
  void on(const agent::Terminate& request);
  void on(const agent::Forget& request);
  void on(const msg::Keep& request);
  void on(const runner::Sample& request);
  void on(const agent::Probe& request);
  void on(const runner::ShutDown& request);
  void send(const runner::Answer& answer);
  void attempt_ended(AttemptId id);
  void invoke(const agent::Launch& order);
  void invocation_ended(AttemptId id);
  void ask_for(AttemptId worker);
  bool has_operations(AttemptId worker) const;
  std::vector<std::int64_t> orphans_for(AttemptId asking) const;
  bool is_program(std::int64_t pid) const;
  bool runs_something() const;
  void end_if_done();
  void reap();
  void tick();
  template <class Look>
  void in_turn(AttemptId& last, std::chrono::microseconds budget, Look look);

  asio::io_context& io_;
  const RunnerOptions options_;
  const std::function<void()> ended_;
  std::optional<TaskUser> user_;
  Fd lock_;
  Fd folder_;
  std::string words_;
  std::unique_ptr<TaskFolders> folders_;
  std::unique_ptr<LogWriter> logs_;
  std::unique_ptr<ControlGroups> groups_;
  std::unique_ptr<Spawner> spawner_;  // Before the groups that its threads use, when these go.
  std::optional<Ports> ports_;
  std::map<AttemptId, std::unique_ptr<Attempt>> attempts_;
  AttemptId looked_at_{};  ///< The last one whose processes were looked at.
  AttemptId measured_{};   ///< The last one whose processor time was read.
  std::map<AttemptId, std::unique_ptr<Invocation>> invocations_;  ///< Operations of those that are workers.
  Acceptor acceptor_;
  std::shared_ptr<wire::FramedSocket> client_;
  bool shutting_down_ = false;
  asio::steady_timer grace_;
  asio::steady_timer ticks_;
  std::int64_t idle_s_ = -1;  ///< Nobody came since so many ticks; the first is when it begins.
};

}  // namespace duet::live
