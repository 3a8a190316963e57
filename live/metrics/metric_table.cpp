#include "live/metrics/metric_table.h"

#include <array>

namespace duet::live {
namespace {

using Kind = MetricEntry::Kind;

constexpr auto kCounter = Kind::kCounter;
constexpr auto kGauge = Kind::kGauge;
constexpr auto kHistogram = Kind::kHistogram;
constexpr auto kSummary = Kind::kSummary;

constexpr std::array kTable = {
    // The names of an older orchestrator service, which its users' dashboards know.
    MetricEntry{"orchestrator_jobs_total", kCounter, "status",
                "Jobs that ended: completed, failed or cancelled."},
    MetricEntry{"orchestrator_active_workers", kGauge, "", "Workers of pools that run."},
    MetricEntry{"orchestrator_tasks_queued", kGauge, "", "Tasks that wait for a place."},
    MetricEntry{"orchestrator_job_duration_seconds", kHistogram, "",
                "From a job's submission to its end; services have none."},
    MetricEntry{"orchestrator_task_retry", kSummary, "",
                "Further attempts of tasks (its _count), and how long each had waited since the one before."},

    MetricEntry{"duet_build_info", kGauge, "version, compiler", "Always 1; its labels tell."},
    MetricEntry{"duet_jobs", kGauge, "state", "Jobs that live."},
    MetricEntry{"duet_tasks", kGauge, "state", "Tasks of jobs that live."},
    MetricEntry{"duet_nodes", kGauge, "state", "Nodes."},
    MetricEntry{"duet_nodes_draining", kGauge, "", "Nodes that get nothing new."},
    MetricEntry{"duet_node_cpu_cores", kGauge, "node, kind",
                "Processors of a node in hardware threads: its capacity, allocated, and measured in use by "
                "tasks."},
    MetricEntry{"duet_node_memory_bytes", kGauge, "node, kind", "The same for its memory."},
    MetricEntry{"duet_service_replicas", kGauge, "service, kind", "Replicas that are desired, and that run."},
    MetricEntry{"duet_service_cpu_cores", kGauge, "service, kind",
                "Processors of a service's replicas that run: requested, and measured in use."},
    MetricEntry{"duet_service_cpu_error_ratio", kGauge, "service",
                "How far the measured use is from what was requested, as a share of the latter."},

    MetricEntry{"duet_placements_total", kCounter, "", "Attempts that were given a place."},
    MetricEntry{"duet_attempts_ended_total", kCounter, "outcome", "Attempts that ended, and how."},
    MetricEntry{"duet_restarts_total", kCounter, "kind", "Attempts after a task's first, by kind of job."},
    MetricEntry{"duet_task_wait_seconds", kHistogram, "",
                "From a task's submission, or the end of its last attempt, to its place."},
    MetricEntry{"duet_task_launch_seconds", kHistogram, "", "From a place to the report that it runs."},
    MetricEntry{"duet_task_run_seconds", kHistogram, "", "From that report to that of the end."},
    MetricEntry{"duet_passes_total", kCounter, "", "Scheduling passes."},
    MetricEntry{"duet_pass_entries_total", kCounter, "", "Queue entries that passes tried to start."},
    MetricEntry{"duet_pass_seconds", kHistogram, "", "How long a step with a scheduling pass took."},
    MetricEntry{"duet_requests_total", kCounter, "request, result",
                "Requests that the controller decided: accepted or refused."},
    MetricEntry{"duet_estimate_error_ratio", kGauge, "",
                "Median error of the run times that the estimator predicted lately."},
    MetricEntry{"duet_round_late_seconds", kHistogram, "",
                "How late rounds began that the timer called for."},
    MetricEntry{"duet_held_up_total", kCounter, "", "Times the loop was held up for more than 0.1 s."},
    MetricEntry{"duet_held_up_seconds_total", kCounter, "", "How long in all."},

    MetricEntry{"duet_agents_connected", kGauge, "", "Agents that have a connection."},
    MetricEntry{"duet_agent_bytes_total", kCounter, "direction",
                "Bytes on the connections with agents: in and out."},
    MetricEntry{"duet_messages_received_total", kCounter, "message", "Messages of agents, by kind."},
    MetricEntry{"duet_messages_sent_total", kCounter, "message", "Messages to agents, by kind."},
    MetricEntry{"duet_messages_fenced_total", kCounter, "", "Messages of earlier registrations, refused."},
    MetricEntry{"duet_messages_stale_total", kCounter, "", "Messages about attempts that are over."},
    MetricEntry{"duet_suspicions_total", kCounter, "", "Times a node became suspect."},
    MetricEntry{"duet_nodes_lost_total", kCounter, "", "Times a node was given up."},

    MetricEntry{"duet_commits_total", kCounter, "result", "Commits to the store: durable or failed."},
    MetricEntry{"duet_commit_records_total", kCounter, "", "Records that became durable."},
    MetricEntry{"duet_commit_seconds", kHistogram, "", "How long a commit took."},
    MetricEntry{"duet_store_working", kGauge, "", "1 while requests can be accepted, else 0."},
    MetricEntry{"duet_recorder_bytes", kGauge, "", "Files of the flight recorder."},
    MetricEntry{"duet_recorder_waiting_bytes", kGauge, "", "What the disk has not taken yet."},
    MetricEntry{"duet_recorder_steps_total", kCounter, "", "Steps that were recorded."},
    MetricEntry{"duet_recorder_working", kGauge, "", "1 while steps are recorded, else 0."},

    MetricEntry{"duet_http_requests_total", kCounter, "route, method, code",
                "Requests over HTTP; the route is none where there is no such."},
    MetricEntry{"duet_http_request_seconds", kHistogram, "route",
                "From a request's last byte to its answer."},
    MetricEntry{"duet_http_connections", kGauge, "", "Open connections, streams included."},
    MetricEntry{"duet_event_watchers", kGauge, "", "Who follows the events."},

    MetricEntry{"process_cpu_seconds_total", kCounter, "", "Processor time of this program."},
    MetricEntry{"process_resident_memory_bytes", kGauge, "", "Its memory."},
    MetricEntry{"process_virtual_memory_bytes", kGauge, "", "Its address space."},
    MetricEntry{"process_open_fds", kGauge, "", "Its descriptors."},
    MetricEntry{"process_max_fds", kGauge, "", "How many it may have."},
    MetricEntry{"process_start_time_seconds", kGauge, "", "When it began, in Unix time."},
};

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"counter", "gauge", "histogram", "summary"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

std::span<const MetricEntry> metric_table() { return kTable; }

std::string metric_markdown() {
  std::string text = "| metric | kind | labels | |\n|---|---|---|---|\n";
  for (const MetricEntry& entry : kTable) {
    text += "| `" + std::string(entry.name) + "` | " + std::string(name_of(entry.kind)) + " | ";
    text += std::string(entry.labels) + " | " + std::string(entry.help) + " |\n";
  }
  return text;
}

}  // namespace duet::live
