#include "live/api/reply_schemas.h"

namespace duet::live {
namespace {

constexpr std::string_view task_schema = R"({"type": "object",
  "required": ["id", "job", "name", "state", "attempt"],
  "properties": {
    "id": {"type": "string", "description": "JOB.INDEX"},
    "job": {"type": "integer"},
    "name": {"type": "string"},
    "status": {"type": "string", "description": "The same as state; not in jobs."},
    "state": {"type": "string",
      "enum": ["pending", "starting", "running", "stopping", "succeeded", "failed", "cancelled", "idle"]},
    "attempt": {"type": "integer", "description": "Number of the last attempt; 0 before the first."},
    "node": {"type": "string", "description": "Of the last attempt."},
    "placed_at": {"type": "string", "format": "date-time"},
    "started_at": {"type": "string", "format": "date-time"},
    "ended_at": {"type": "string", "format": "date-time"},
    "ready": {"type": "boolean",
      "description": "It runs and passed its health check, if it has one; only of those that run."},
    "retry_at": {"type": "string", "format": "date-time", "description": "It failed, and waits until then."},
    "failures": {"type": "integer",
      "description": "Attempts that failed by themselves; of a replica, in a row."},
    "estimate_s": {"type": "number", "description": "What it was expected to run when it was placed."},
    "last_end": {"$ref": "#/components/schemas/LastEnd"},
    "outcome": {"type": "string", "description": "How the last attempt that ended did so."},
    "exit_code": {"type": "integer", "description": "0..255, or minus the signal."},
    "reason": {"type": "string"},
    "worker": {"type": "string", "description": "Of an operation: the attempt that executes it."},
    "result": {"description": "Of an operation that succeeded: what it has found."},
    "pid": {"type": "integer"},
    "cpus": {"type": "array", "items": {"type": "integer"}},
    "ports": {"type": "array", "items": {"type": "integer"}},
    "cpu_s": {"type": "number", "description": "Processor time so far."},
    "cpu_in_use_m": {"type": "integer", "description": "Millicores in use lately, as measured."},
    "memory_bytes": {"type": "integer"},
    "strayed": {"type": "integer",
      "description": "Of one that runs: its processes that may run on other processors than its own."},
    "warning": {"type": "string", "description": "Why it waits, if no node could ever hold it."}}})";

constexpr std::string_view job_schema = R"({"type": "object",
  "required": ["id", "name", "kind", "state", "submitted_at", "tasks_total"],
  "properties": {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "user": {"type": "string"},
    "kind": {"type": "string", "enum": ["rigid", "bag", "dag", "service"]},
    "state": {"type": "string", "enum": ["pending", "running", "succeeded", "failed", "cancelled"]},
    "priority": {"type": "integer"},
    "retries": {"type": "integer", "description": "Absent if there is no limit."},
    "restart": {"type": "string", "enum": ["always", "on_failure", "never"]},
    "backoff_s": {"type": "number"},
    "scheduler": {"type": "string"},
    "submitted_at": {"type": "string", "format": "date-time"},
    "started_at": {"type": "string", "format": "date-time"},
    "ended_at": {"type": "string", "format": "date-time"},
    "desired_replicas": {"type": "integer"},
    "workers": {"type": "object", "description": "Of a pool: its rules."},
    "tasks_total": {"type": "integer"},
    "warning": {"type": "string", "description": "Why it waits, if no node could ever hold a task of it."},
    "groups": {"type": "array", "items": {"type": "object"}},
    "tasks": {"type": "array", "description": "The first 1000; not in lists.",
      "items": {"$ref": "#/components/schemas/Task"}}}})";

constexpr std::string_view node_schema = R"({"type": "object",
  "required": ["name", "state", "draining", "tasks", "capacity", "allocated", "slots", "free_slots"],
  "properties": {
    "name": {"type": "string"},
    "state": {"type": "string", "enum": ["unknown", "ready", "suspect", "fenced", "down"]},
    "draining": {"type": "boolean"},
    "tasks": {"type": "integer", "description": "That hold room there."},
    "capacity": {"$ref": "#/components/schemas/Amount"},
    "allocated": {"$ref": "#/components/schemas/Amount"},
    "in_use": {"$ref": "#/components/schemas/Amount"},
    "slots": {"type": "integer"},
    "free_slots": {"type": "integer"},
    "address": {"type": "string"},
    "port": {"type": "integer"},
    "pid": {"type": "integer"},
    "version": {"type": "string"},
    "topology": {"type": "string", "description": "How slots map to processors."},
    "limits": {"type": "string", "description": "What enforces limits there."}}})";

constexpr std::string_view service_schema = R"({"type": "object",
  "required": ["id", "name", "version", "desired_replicas", "restart", "running_replicas", "ready_replicas",
    "endpoints"],
  "properties": {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "version": {"type": "integer", "description": "Counts its updates."},
    "desired_replicas": {"type": "integer"},
    "restart": {"type": "string", "enum": ["always", "on_failure", "never"]},
    "running_replicas": {"type": "integer"},
    "ready_replicas": {"type": "integer", "description": "That run and passed their health checks."},
    "failures": {"type": "integer", "description": "In a row, of the replica that has most."},
    "last_end": {"$ref": "#/components/schemas/LastEnd"},
    "endpoints": {"type": "array", "items": {"type": "object",
      "required": ["task", "node", "address", "ports", "started_at"],
      "properties": {
        "task": {"type": "string"},
        "node": {"type": "string"},
        "address": {"type": "string"},
        "ports": {"type": "array", "items": {"type": "integer"}},
        "started_at": {"type": "string", "format": "date-time"}}}}}})";

constexpr std::string_view status_schema = R"({"type": "object",
  "required": ["desired_replicas", "actual_replicas", "replicas"],
  "properties": {
    "desired_replicas": {"type": "integer"},
    "actual_replicas": {"type": "integer"},
    "replicas": {"type": "array", "items": {"type": "object",
      "required": ["id", "node_ip", "port", "uptime", "started_at"],
      "properties": {
        "id": {"type": "string", "description": "replica-N"},
        "node_ip": {"type": "string"},
        "port": {"type": "integer"},
        "uptime": {"type": "string", "description": "2m10s"},
        "started_at": {"type": "integer", "description": "Unix time, in seconds."}}}}}})";

constexpr std::string_view explanation_schema = R"({"type": "object",
  "required": ["task", "name", "state", "queue", "scheduler", "standing", "held_back"],
  "properties": {
    "task": {"type": "string"},
    "name": {"type": "string"},
    "state": {"type": "string"},
    "queue": {"type": "string"},
    "scheduler": {"type": "string"},
    "standing": {"type": "object", "description": "Why it waits, and what is ahead of it."},
    "held_back": {"type": "array", "items": {"type": "object"}},
    "measure": {"type": "string", "description": "What the scores are."},
    "nodes": {"type": "array", "items": {"type": "object", "required": ["name", "fits", "against"],
      "properties": {
        "name": {"type": "string"},
        "fits": {"type": "boolean"},
        "against": {"type": "array", "items": {"type": "object"}},
        "score": {"type": "number"},
        "rank": {"type": "integer", "description": "1 is the best."}}}}}})";

constexpr std::string_view plan_schema = R"({"type": "object",
  "required": ["accepted", "tasks_total", "tasks_placed"],
  "properties": {
    "accepted": {"type": "boolean"},
    "refusal": {"type": "string", "description": "Why it would be refused."},
    "queue": {"type": "string"},
    "scheduler": {"type": "string"},
    "tasks_total": {"type": "integer"},
    "tasks_placed": {"type": "integer", "description": "Those that would start now."},
    "nodes": {"type": "array", "items": {"type": "object", "required": ["name", "tasks"], "properties": {
      "name": {"type": "string"}, "tasks": {"type": "integer"}}}},
    "placements": {"type": "array", "description": "The first 1000.", "items": {"type": "object",
      "required": ["task", "node", "threads"], "properties": {
        "task": {"type": "integer"},
        "node": {"type": "string"},
        "threads": {"type": "array", "items": {"type": "integer"}}}}},
    "waiting": {"$ref": "#/components/schemas/Explanation"}}})";

std::string list_of(const std::string& name) {
  return R"({"type": "array", "items": {"$ref": "#/components/schemas/)" + name + "\"}}";
}

}  // namespace

void add_reply_schemas(http::Schemas& schemas) {
  schemas.add("Task", task_schema);
  schemas.add("Job", job_schema);
  schemas.add("Node", node_schema);
  schemas.add("Service", service_schema);
  schemas.add("Status", status_schema);
  schemas.add("Explanation", explanation_schema);
  schemas.add("Plan", plan_schema);
  schemas.add("About", R"({"type": "object", "required": ["name", "version"], "properties": {
    "name": {"type": "string", "enum": ["duet"]}, "version": {"type": "string"},
    "agents_port": {"type": "integer"}, "agents_need_token": {"type": "boolean"}}})");
  schemas.add("Amount", R"({"type": "object", "required": ["cpu_m", "memory_bytes"], "properties": {
    "cpu_m": {"type": "integer", "description": "Millicores."}, "memory_bytes": {"type": "integer"}}})");
  schemas.add("LastEnd", R"({"type": "object", "required": ["outcome", "exit_code", "at"],
    "description": "How the last attempt that is over ended.",
    "properties": {
      "task": {"type": "string", "description": "JOB.INDEX#ATTEMPT, of services."},
      "attempt": {"type": "integer", "description": "Its number, of tasks."},
      "outcome": {"type": "string", "enum": ["succeeded", "failed", "timed_out", "killed", "launch_failed",
        "lost", "unhealthy"]},
      "exit_code": {"type": "integer"},
      "reason": {"type": "string"},
      "at": {"type": "string", "format": "date-time"}}})");
  for (const char* name : {"Task", "Node", "Service"}) schemas.add(std::string(name) + "List", list_of(name));
  schemas.add("JobList", R"({"type": "object", "required": ["jobs"], "properties": {
    "jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}},
    "next_cursor": {"type": "string", "description": "For the next list; absent on the last."}}})");
  schemas.add("Replicas", R"({"type": "object", "required": ["replicas"], "additionalProperties": false,
    "properties": {"replicas": {"type": "integer", "minimum": 0, "maximum": 1000000}}})");
  schemas.add("Deployed", R"({"type": "object", "required": ["desired_replicas"],
    "properties": {"desired_replicas": {"type": "integer"}}})");
  schemas.add("Drain", R"({"type": "object", "additionalProperties": false, "properties": {
    "evict": {"type": "boolean", "description": "End its tasks, and run them elsewhere. Default false."}}})");
}

}  // namespace duet::live
