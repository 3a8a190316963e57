// Tasks as processes: the runtime of an agent that talks to a runner, which it starts if there is none.
#pragma once

#include <memory>
#include <string>

#include "live/asio.h"
#include "live/process/runner_options.h"
#include "live/process/topology.h"
#include "live/runtime/runtime.h"

namespace duet::live {

struct ProcessOptions {
  std::string runner_program;  ///< Path of duet-runner.
  Topology topology;           ///< Of the node: which processors its threads are.
  RunnerOptions runner;        ///< Used if one has to be started; `folder` also to find one.
};

/// Runs each attempt as a process of the node's runner. What its payload says (live/runtime/task_command.h);
/// without a payload it sleeps for its duration, or does nothing. An operation is handed to its worker, over
/// HTTP on the worker's first port (live/process/invocation.h). Images are refused with a reason. Attempts
/// stay when this goes; the next one on the same folder finds them.
class ProcessRuntime : public Runtime {
 public:
  /// What limits attempts here, for people; known when open() is done.
  virtual const std::string& words() const = 0;
};
std::unique_ptr<ProcessRuntime> make_process_runtime(asio::io_context& io, ProcessOptions options,
                                                     Runtime::Hooks hooks);

}  // namespace duet::live
