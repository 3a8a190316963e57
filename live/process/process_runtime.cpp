#include "live/process/process_runtime.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/codec/decode.h"
#include "live/child_process.h"
#include "live/process/fd.h"
#include "live/process/runner_messages.h"
#include "live/wire/framed_socket.h"

namespace duet::live {
namespace {

/// Between two tries to reach a runner that is just beginning, and how long those go on.
constexpr auto kTryAgain = std::chrono::milliseconds(5);
constexpr auto kPatienceToReach = std::chrono::seconds(10);

class RunnerClient final : public ProcessRuntime {
 public:
  RunnerClient(asio::io_context& io, ProcessOptions options, Hooks hooks)
      : io_(io), options_(std::move(options)), hooks_(std::move(hooks)), timer_(io) {}
  ~RunnerClient() override {
    *alive_ = false;
    if (channel_) channel_->close();
  }

  const std::string& words() const override { return words_; }
  void open(Opened done) override;
  void launch(const agent::Launch& order) override;
  void terminate(const agent::Terminate& order) override { send(order); }
  void probe(const agent::Probe& order) override { send(order); }
  void keep(const msg::Keep& order) override { send(order); }
  void forget(AttemptId attempt) override { send(agent::Forget{attempt}); }
  void sample(std::function<void(std::vector<AttemptFacts>)> done) override;
  void shut_down(Duration grace, std::function<void()> done) override;

 private:
  using Clock = std::chrono::steady_clock;

  void reach();
  bool connect();
  void start_runner();
  void try_again();
  void nothing_sampled(std::function<void(std::vector<AttemptFacts>)> done);
  void opened(Result<std::vector<agent::Adopted>> result);
  void send(const runner::Request& request) {
    if (channel_) channel_->send(request);
  }
  void receive(std::span<const std::uint8_t> bytes);
  void on(const runner::Listed& answer);
  void on(const agent::Started& answer) { hooks_.event(answer); }
  void on(const agent::Exited& answer) { hooks_.event(answer); }
  void on(const agent::Asked& answer) { hooks_.event(answer); }
  void on(const agent::Probed& answer) { hooks_.event(answer); }
  void on(const AttemptFacts& answer) { hooks_.fact(answer); }
  void on(const runner::Samples& answer);
  void on(const runner::Replaced&) { why_ = "another agent has taken over the tasks of this node"; }
  void closed(const std::string& why);

  asio::io_context& io_;
  const ProcessOptions options_;
  const Hooks hooks_;
  asio::steady_timer timer_;
  std::unique_ptr<ChildProcess> starter_;
  bool started_ = false;  ///< A runner, in this try to open.
  Clock::time_point patience_ends_{};
  std::shared_ptr<wire::FramedSocket> channel_;
  Opened opened_;
  bool open_ = false;
  std::string words_;
  std::string why_;  ///< The connection is about to end.
  std::function<void()> shut_down_;
  std::uint64_t samples_ = 0;
  std::map<std::uint64_t, std::function<void(std::vector<AttemptFacts>)>> sampling_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

void RunnerClient::open(Opened done) {
  opened_ = std::move(done);
  open_ = false;
  started_ = false;
  if (channel_) std::exchange(channel_, nullptr)->close();
  why_.clear();
  patience_ends_ = Clock::now() + kPatienceToReach;
  // Later: `done` is not called before this returns.
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive) reach();
  });
}

void RunnerClient::reach() {
  if (connect()) return send(runner::List{});
  if (!started_) return start_runner();
  if (Clock::now() < patience_ends_) return try_again();
  opened(Problem{options_.runner.folder + "/runner.sock", "answers nobody",
                 "see " + options_.runner.folder + "/runner.log"});
}

void RunnerClient::try_again() {
  timer_.expires_after(kTryAgain);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (*alive && !error) reach();
  });
}

bool RunnerClient::connect() {
  const Fd folder(::open(options_.runner.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return false;
  asio::local::stream_protocol::socket socket(io_);
  boost::system::error_code error;
  // To a Unix socket this does not wait for the other side.
  socket.connect({runner::socket_path(folder.get())}, error);
  if (error) return false;
  channel_ = wire::FramedSocket::make(wire::FramedSocket::Socket(std::move(socket)));
  channel_->start({[this](auto bytes) { receive(bytes); }, [this](const std::string& why) { closed(why); }});
  return true;
}

void RunnerClient::start_runner() {
  started_ = true;
  std::vector<std::string> argv = {options_.runner_program};
  for (std::string& argument : to_arguments(options_.runner)) argv.push_back(std::move(argument));
  auto starter = ChildProcess::start(io_, argv, [this](std::int32_t code) {
    // The object is in this call.
    boost::asio::post(io_, [gone = std::shared_ptr<ChildProcess>(std::move(starter_))] {});
    if (code == 0) return reach();
    opened(Problem{options_.runner_program,
                   "could not start a runner (exit code " + std::to_string(code) + ")",
                   "see " + options_.runner.folder + "/runner.log"});
  });
  if (!starter) return opened(starter.problems());
  starter_ = std::move(*starter);
}

void RunnerClient::opened(Result<std::vector<agent::Adopted>> result) {
  open_ = static_cast<bool>(result);
  if (!open_ && channel_) std::exchange(channel_, nullptr)->close();
  const auto done = std::exchange(opened_, nullptr);
  if (done) done(std::move(result));
}

void RunnerClient::receive(std::span<const std::uint8_t> bytes) {
  runner::Answer answer;
  if (!codec::decode_exactly(bytes, answer)) {
    why_ = "its runner says what is not understood: it is of another release";
    channel_->close();
    return closed(why_);
  }
  std::visit([this](const auto& body) { on(body); }, answer);
}

void RunnerClient::on(const runner::Listed& answer) {
  if (!answer.refusal.empty()) return opened(Problem{"runner", answer.refusal, ""});
  words_ = answer.words;
  opened(answer.adopted);
  // Not within the call above: the agent has to boot first.
  boost::asio::post(io_, [this, alive = alive_, facts = answer.facts] {
    for (const AttemptFacts& one : facts)
      if (*alive) hooks_.fact(one);
  });
}

void RunnerClient::on(const runner::Samples& answer) {
  const auto it = sampling_.find(answer.number);
  if (it == sampling_.end()) return;
  const auto done = std::move(it->second);
  sampling_.erase(it);
  done(answer.facts);
}

void RunnerClient::closed(const std::string& why) {
  channel_.reset();
  for (auto& [number, done] : std::exchange(sampling_, {})) nothing_sampled(std::move(done));
  if (const auto done = std::exchange(shut_down_, nullptr)) {
    open_ = false;
    return done();
  }
  if (why_.empty()) why_ = "its runner has ended (" + why + ")";
  if (opened_ && why_.find("release") == std::string::npos && Clock::now() < patience_ends_) {
    // It was just ending when it was reached.
    started_ = false;
    return try_again();
  }
  if (opened_) return opened(Problem{"runner", why_, ""});
  if (std::exchange(open_, false)) hooks_.lost(why_);
}

void RunnerClient::launch(const agent::Launch& order) {
  send(runner::Launch{order, options_.topology.processors_of(order.threads)});
}

/// Whoever measures again and again waits for an answer.
void RunnerClient::nothing_sampled(std::function<void(std::vector<AttemptFacts>)> done) {
  boost::asio::post(io_, [alive = alive_, done = std::move(done)] {
    if (*alive) done({});
  });
}

void RunnerClient::sample(std::function<void(std::vector<AttemptFacts>)> done) {
  if (!channel_) return nothing_sampled(std::move(done));
  sampling_[++samples_] = std::move(done);
  send(runner::Sample{samples_});
}

void RunnerClient::shut_down(Duration grace, std::function<void()> done) {
  if (!channel_) {
    boost::asio::post(io_, [done = std::move(done), alive = alive_] {
      if (*alive) done();
    });
    return;
  }
  shut_down_ = std::move(done);
  send(runner::ShutDown{grace});
}

}  // namespace

std::unique_ptr<ProcessRuntime> make_process_runtime(asio::io_context& io, ProcessOptions options,
                                                     Runtime::Hooks hooks) {
  return std::make_unique<RunnerClient>(io, std::move(options), std::move(hooks));
}

}  // namespace duet::live
