// What the commands for live clusters ask for, as plain values.
#pragma once

#include <cstdint>
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

/// What a task is to run, as options say it.
struct TaskOptions {
  std::vector<std::string> command;
  std::string name;
  std::vector<std::string> env;  ///< NAME=VALUE
  std::string directory;
  std::string scheduler;
  std::uint64_t cpu_m = 100;
  std::uint64_t memory_mib = 0;
  std::uint32_t ports = 0;
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
struct DeployCommand {
  Connection to;
  TaskOptions task;
  std::uint32_t replicas = 1;
  std::uint32_t balance = 0;  ///< Port of a balancer over them; 0: none.
  sim::Format format = sim::Format::kTable;
};
struct ScaleCommand {
  Connection to;
  std::string service;
  std::uint32_t replicas = 0;
};
struct StopCommand {
  Connection to;
  std::vector<std::string> ids;  ///< Jobs (17) or their only tasks (17.0).
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
