// The controller, live: requests and messages become events, its commands become records, answers and
// messages.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/controller.h"
#include "core/trace.h"
#include "live/driver/cluster_view.h"
#include "live/driver/driver_watcher.h"
#include "live/driver/pump.h"
#include "live/store/store.h"

namespace duet::live {

/// What became of a request.
struct Answer {
  JobId job;                 ///< The job it made or concerns; 0 if none.
  std::string refusal;       ///< Empty if it was accepted.
  bool unavailable = false;  ///< The store fails: nobody knows, ask again later.
};

struct ControllerDriverOptions {
  ControllerConfig config;
  Store* store = nullptr;                    ///< Must outlive the driver, as the recorder.
  StepSink<Controller>* recorder = nullptr;  ///< Null: nothing is recorded.
  DriverWatcher* watcher = nullptr;          ///< Null: nobody looks on. Must outlive the driver.
  Instant zero{};                            ///< What its instants count from; the Unix epoch.
  std::function<void(LinkId, const msg::ToAgent&)> send;
  std::function<void(std::string)> warn;  ///< Something the operator should know.
};

class ControllerDriver {
 public:
  using Answered = std::function<void(const Answer&)>;

  ControllerDriver(asio::io_context& io, ControllerDriverOptions options);
  ~ControllerDriver() { *alive_ = false; }

  /// Reads the store and takes over what it holds. To be called once, first. Problems: the store's.
  Problems start();

  /// Queue a request. `answered` is called once, when what it did is durable; not at all if the driver ends
  /// before.
  void submit(JobSpecPtr spec, std::optional<controller::IdempotencyKey> once, Answered answered);
  void cancel(JobId job, Answered answered);
  void scale(JobId job, std::uint32_t count, Answered answered);
  void update(JobId job, JobSpecPtr spec, Answered answered);
  void drain(NodeId node, bool evict, Answered answered);
  void undrain(NodeId node, Answered answered);

  void received(LinkId link, msg::FromAgent message);

  /// The machine gives way to a new one that takes over from the store, as soon as all is durable: from there
  /// on a recording can be replayed without what came before. Nobody notices but the agents, which register
  /// again.
  void hand_over() { handing_over_ = true, pump_.schedule(); }

  /// For reading only: what is not durable yet may be seen here.
  const Controller& machine() const { return machine_->machine(); }
  ClusterView& view() { return view_; }
  const ClusterView& view() const { return view_; }
  Store& store() { return *options_.store; }
  /// The store works and holds all that was accepted.
  bool available() const { return state_ == State::kWorking; }
  Instant now() const { return pump_.clock().shown(); }
  const Pump::HeldUp& held_up() const { return pump_.held_up(); }

 private:
  enum class State : std::uint8_t { kNew, kWorking, kStoreFailed };
  using Output = std::variant<controller::Send, controller::Reply, ClusterEvent>;

  template <class Event>
  void request(Event event, Answered answered);
  bool play(Instant now);
  void step(Instant now, const controller::Event& event);
  void keep(Instant now, controller::Command& command);
  void note(Instant now, const controller::Notice& notice);
  void show(Instant now, const controller::Notice& notice, const JobSpecPtr& spec);
  void commit();
  void committed(const Problems& problems);
  void release(std::vector<Output> outputs);
  void store_failed(const Problems& problems);
  void try_again();
  void take_over(Loaded loaded, bool first);

  asio::io_context& io_;
  ControllerDriverOptions options_;
  State state_ = State::kNew;
  std::optional<Traced<Controller>> machine_;
  ClusterView view_;
  Pump pump_;
  asio::steady_timer retry_;

  std::deque<controller::Event> inbox_;
  bool adopting_ = false;          ///< What the step in progress tells of may have begun long ago.
  bool touched_ = false;           ///< Something but a Wake was played since the last Wake.
  controller::Commands commands_;  ///< Of the step in progress; kept for its storage.
  std::map<RequestId, Answered> waiting_;
  std::uint64_t last_request_ = 0;

  Batch batch_;                     ///< Not yet handed to the store.
  std::vector<Output> outputs_;     ///< To be released when batch_, and all before it, is durable.
  std::vector<Output> committing_;  ///< When the commit in flight is.
  bool in_flight_ = false;
  std::size_t records_in_flight_ = 0;
  std::chrono::steady_clock::time_point commit_began_{};
  bool handing_over_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace duet::live
