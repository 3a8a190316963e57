// What the commands for live clusters ask for, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/table.h"

namespace duet::front {

/// Which cluster, and by what right.
struct Connection {
  std::string url;         ///< Empty: DUET_URL, or what the folder says.
  std::string data;        ///< Empty: see data_folder().
  std::string token_file;  ///< Empty: DUET_TOKEN, or the folder's.
};

/// up, down, controller, agent: another program does it.
struct ProgramCommand {
  std::string program;             ///< Of libexec/.
  std::vector<std::string> words;  ///< As that program takes them.
};

/// duet install-names
struct InstallNamesCommand {
  std::string folder;
};

/// What a task is to run, as options say it.
struct TaskOptions {
  std::vector<std::string> command;
  std::string name;
  std::vector<std::string> env;  ///< NAME=VALUE
  std::string directory;
  std::string scheduler;
  std::uint64_t cpu_m = 100;
  std::uint64_t memory_mib = 0;
  std::optional<std::uint32_t> ports{};
  std::uint32_t retries = 0;
  double timeout_s = 0;
  bool exclusive = false;
  std::string health;     ///< http:/PATH, tcp, exec:PROGRAM ARGUMENT...; http:1:/PATH: its second port.
  double interval_s = 0;  ///< As the next ones: 0 = the controller's default.
  double probe_timeout_s = 0;
  double start_period_s = 0;
  std::uint32_t failures = 0;
  std::string restart;    ///< always, on_failure, never; empty: the default.
  double backoff_s = -1;  ///< Below 0: the default.
};

struct RunCommand {
  Connection to;
  TaskOptions task;
  std::string file;         ///< A job or task document instead.
  std::uint32_t count = 1;  ///< Equal tasks.
  std::string key;          ///< Idempotency key; empty: none.
  bool wait = false;        ///< Until it has ended; its result is ours.
  sim::Format format = sim::Format::kTable;
};
/// The replicas are the workers of a pool.
struct PoolOptions {
  std::string name;  ///< Empty: they are none.
  std::uint32_t least = 0;
  std::uint32_t most = 0;  ///< 0: as many as replicas.
  double full_percent = 80;
  std::uint32_t queue_limit = 0;
  bool pull = false;
};
struct DeployCommand {
  Connection to;
  TaskOptions task;
  PoolOptions pool;
  std::optional<std::uint32_t> replicas{};  ///< Nothing: one, or what the service has.
  std::uint32_t balance = 0;                ///< Port of a balancer over them; 0: none.
  sim::Format format = sim::Format::kTable;
};
/// An operation, for a worker of a pool.
struct SubmitCommand {
  Connection to;
  std::string operation;
  std::vector<std::string> members;  ///< NAME=VALUE of its data.
  std::string data;                  ///< All of its data, as JSON.
  std::string pool;                  ///< Empty: the only one there is.
  std::uint32_t count = 1;
  std::uint32_t retries = 0;
  double timeout_s = 0;
  std::string key;
  bool wait = false;  ///< Until it has ended; its result is printed.
  sim::Format format = sim::Format::kTable;
};
struct ScaleCommand {
  Connection to;
  std::string service;
  std::uint32_t replicas = 0;
};
struct StopCommand {
  Connection to;
  std::vector<std::string> ids;  ///< Jobs (17, or their names) or their only tasks (17.0).
};
struct DrainCommand {
  Connection to;
  std::string node;
  bool evict = false;
  bool undo = false;
};
/// status, node, job and services: lists of what there is.
struct ListCommand {
  enum class What : std::uint8_t { kTasks, kNodes, kJobs, kServices };
  Connection to;
  What what = What::kTasks;
  std::string id;      ///< Of a job or node; empty: all.
  bool all = false;    ///< Ended ones, too.
  bool wide = false;   ///< More columns.
  bool watch = false;  ///< Again whenever something changes.
  sim::Format format = sim::Format::kTable;
};
/// What would happen to a job.
struct PlanCommand {
  Connection to;
  std::string file;
  sim::Format format = sim::Format::kTable;
};
/// Nodes and tasks with what they use.
struct TopCommand {
  Connection to;
  double every_s = 2;
  std::uint64_t count = 0;  ///< How often; 0: until it is ended, or once without a terminal.
  sim::Format format = sim::Format::kTable;
};
struct LogsCommand {
  Connection to;
  std::string task;
  bool errors = false;
  bool follow = false;
  std::uint64_t last = 0;  ///< Bytes; 0: all.
};
struct EventsCommand {
  Connection to;
  std::string since;
  bool json = false;  ///< JSON Lines.
};

}  // namespace duet::front
