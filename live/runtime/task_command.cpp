#include "live/runtime/task_command.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "core/codec/json_text.h"

namespace duet::live {
namespace {

using CommandJson = nlohmann::json;

constexpr std::size_t kMaxPayload = std::size_t{1} << 20;
constexpr std::uint32_t kMaxPorts = 64;

/// A member's place as a JSON pointer: "/env/A~1B" of the member "A/B".
std::string pointer_to(std::string_view parent, std::string_view name) {
  std::string out(parent);
  out += '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

/// Reads the document and remembers members that stand there twice, which the library would pass over.
CommandJson parse_strictly(std::string_view payload, Problems& problems) {
  struct Open {
    std::set<std::string> names;
    std::string last;
  };
  std::vector<Open> open;
  const auto watch = [&](int, CommandJson::parse_event_t event, CommandJson& parsed) {
    using Event = CommandJson::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) open.emplace_back();
    if (event == Event::object_end || event == Event::array_end) open.pop_back();
    if (event == Event::key) {
      open.back().last = parsed.get<std::string>();
      if (!open.back().names.insert(open.back().last).second) {
        std::string where;
        for (const Open& level : open) where = pointer_to(where, level.last);
        problems.push_back({where, "stands there twice", "each member once"});
      }
    }
    return true;
  };
  return CommandJson::parse(payload.begin(), payload.end(), watch, false);
}

constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 60;

class CommandReader {
 public:
  explicit CommandReader(Problems& problems) : problems_(problems) {}

  TaskCommand read(const CommandJson& json) {
    TaskCommand command;
    if (!json.is_object()) {
      wrong("", "is not an object", R"(such as {"argv":["sleep","60"]})");
      return command;
    }
    for (const auto& [name, value] : json.items()) {
      const std::string where = pointer_to("", name);
      if (name == "argv") {
        read_argv(where, value, command);
      } else if (name == "env") {
        read_env(where, value, command);
      } else if (name == "directory") {
        command.directory = word(where, value);
        if (!command.directory.empty() && command.directory.front() != '/')
          wrong(where, "is not an absolute path", "a path that begins with /, or none for a fresh folder");
      } else if (name == "balance") {
        if (value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 &&
            value.get<std::uint64_t>() <= 65535)
          command.balance = value.get<std::uint32_t>();
        else
          wrong(where, "is " + value.dump(), "a port: a whole number from 1 to 65535");
      } else if (name == "health") {
        read_health(where, value, command.health);
      } else if (name == "image") {
        command.image = word(where, value);
      } else if (name == "memory_bytes") {
        if (value.is_number_unsigned() && value.get<std::uint64_t>() <= kMostMemory)
          command.memory_bytes = value.get<std::int64_t>();
        else
          wrong(where, "is " + value.dump(), "a whole number of bytes");
      } else if (name == "labels") {
        read_labels(where, value, command);
      } else if (name == "ports") {
        read_ports(where, value, command);
      } else if (name == "worker") {
        read_worker(where, value, command);
      } else {
        wrong(where, "is not known",
              "argv, balance, directory, env, health, image, labels, memory_bytes, ports, worker");
      }
    }
    check_whole(json, command);
    return command;
  }

 private:
  void wrong(std::string where, std::string what, std::string right) {
    problems_.push_back({std::move(where), std::move(what), std::move(right)});
  }

  /// A string that can be handed to a program.
  std::string word(const std::string& where, const CommandJson& value) {
    if (!value.is_string()) {
      wrong(where, std::string("is ") + value.type_name(), "a string");
      return {};
    }
    auto text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) wrong(where, "holds a byte 0", "text without it");
    return text;
  }

  void read_argv(const std::string& where, const CommandJson& value, TaskCommand& command) {
    if (!value.is_array())
      return wrong(where, std::string("is ") + value.type_name(),
                   "the program and its arguments, in an array");
    for (std::size_t i = 0; i < value.size(); ++i)
      command.argv.push_back(word(where + "/" + std::to_string(i), value[i]));
    if (!command.argv.empty() && command.argv.front().empty() && value.front().is_string())
      wrong(where + "/0", "is empty", "the name of a program");
  }

  void read_env(const std::string& where, const CommandJson& value, TaskCommand& command) {
    if (!value.is_object())
      return wrong(where, std::string("is ") + value.type_name(), "an object of strings");
    for (const auto& [name, text] : value.items()) {
      const std::string at = pointer_to(where, name);
      if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
        wrong(at, "cannot be the name of a variable", "a name without = and without a byte 0");
      if (name.starts_with("DUET_")) wrong(at, "begins with DUET_", "another name: Duet sets these itself");
      command.env.emplace_back(name, word(at, text));
    }
    std::ranges::sort(command.env);
  }

  void read_labels(const std::string& where, const CommandJson& value, TaskCommand& command) {
    if (!value.is_object())
      return wrong(where, std::string("is ") + value.type_name(), "an object of strings");
    for (const auto& [name, text] : value.items())
      command.labels.emplace_back(name, word(pointer_to(where, name), text));
  }

  void read_ports(const std::string& where, const CommandJson& value, TaskCommand& command) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxPorts)
      return wrong(where, "is " + value.dump(), "a whole number from 0 to " + std::to_string(kMaxPorts));
    command.ports = value.get<std::uint32_t>();
  }

  void read_worker(const std::string& where, const CommandJson& value, TaskCommand& command) {
    if (!value.is_object())
      return wrong(where, std::string("is ") + value.type_name(), R"(an object such as {"pull":true})");
    WorkerCommand& worker = command.worker.emplace();
    for (const auto& [name, flag] : value.items()) {
      const bool known = name == "pull" || name == "slot_port";
      if (!known) wrong(pointer_to(where, name), "is not known", "pull, slot_port");
      if (known && !flag.is_boolean()) wrong(pointer_to(where, name), "is " + flag.dump(), "true or false");
      if (known && flag.is_boolean()) (name == "pull" ? worker.pull : worker.slot_port) = flag.get<bool>();
    }
  }

  void read_health(const std::string& where, const CommandJson& value, HealthQuestion& health) {
    using Kind = HealthQuestion::Kind;
    if (!value.is_object())
      return wrong(where, std::string("is ") + value.type_name(), R"(such as {"http":"/health"})");
    for (const auto& [name, part] : value.items()) {
      const std::string at = pointer_to(where, name);
      const bool asks = name == "http" || name == "tcp" || name == "exec";
      if (asks && health.kind != Kind::kNone) wrong(at, "is one too many", "one of http, tcp, exec");
      if (name == "http") {
        health.kind = Kind::kHttp;
        health.path = word(at, part);
        const bool visible = std::ranges::all_of(health.path, [](char c) { return c > ' ' && c < '\x7f'; });
        if (!health.path.starts_with('/') || !visible)
          wrong(at, "is no path", "one that begins with /, without spaces, such as /health");
      } else if (name == "tcp") {
        health.kind = Kind::kTcp;
        if (part != true) wrong(at, "is " + part.dump(), "true");
      } else if (name == "exec") {
        health.kind = Kind::kExec;
        if (!part.is_array() || part.empty())
          wrong(at, "is no program", "a program and its arguments, in an array");
        for (std::size_t i = 0; part.is_array() && i < part.size(); ++i)
          health.argv.push_back(word(at + "/" + std::to_string(i), part[i]));
        if (!health.argv.empty() && health.argv.front().empty()) wrong(at + "/0", "is empty", "a program");
      } else if (name == "port") {
        if (part.is_number_unsigned() && part.get<std::uint64_t>() < kMaxPorts)
          health.port = part.get<std::uint32_t>();
        else
          wrong(at, "is " + part.dump(), "0 for PORT, 1 for PORT1, ...");
      } else {
        wrong(at, "is not known", "http, tcp or exec, and port");
      }
    }
    if (health.kind == Kind::kNone) wrong(where, "asks nothing", "one of http, tcp, exec");
  }

  void check_health(const TaskCommand& command) {
    using Kind = HealthQuestion::Kind;
    const bool port = command.health.kind == Kind::kHttp || command.health.kind == Kind::kTcp;
    const std::uint32_t ports = command.worker ? std::max(command.ports, 1U) : command.ports;
    if (port && command.health.port >= ports)
      wrong("/health/port", "is port " + std::to_string(command.health.port) + " of " + std::to_string(ports),
            "more \"ports\", so that there is one to ask");
    if (command.health.kind == Kind::kExec && command.health.port != 0)
      wrong("/health/port", "says nothing", "only with http or tcp");
  }

  void check_whole(const CommandJson& json, const TaskCommand& command) {
    const bool program = json.contains("argv") && !(json["argv"].is_array() && json["argv"].empty());
    if (!program && command.image.empty() && !command.worker)
      wrong("/argv", "is empty, and there is no image", "the program and its arguments");
    check_health(command);
    if (command.balance > 0 && command.ports == 0)
      wrong("/balance", "has nothing to lead to", "\"ports\": 1, so that replicas listen on PORT");
    for (std::uint32_t i = 0; i < command.ports; ++i) {
      const std::string name = i == 0 ? "PORT" : "PORT" + std::to_string(i);
      const auto same = [&](const auto& variable) { return variable.first == name; };
      if (std::ranges::any_of(command.env, same))
        wrong("/env/" + name, "is set by \"ports\"", "another name, or fewer ports");
    }
  }

  Problems& problems_;
};

void append_pairs(std::string& out, const std::vector<std::pair<std::string, std::string>>& pairs) {
  out += '{';
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i > 0) out += ',';
    codec::append_string(out, pairs[i].first);
    out += ':';
    codec::append_string(out, pairs[i].second);
  }
  out += '}';
}

void append_words(std::string& out, const std::vector<std::string>& words) {
  out += '[';
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ',';
    codec::append_string(out, words[i]);
  }
  out += ']';
}

void append_health(std::string& out, const HealthQuestion& health) {
  using Kind = HealthQuestion::Kind;
  out += '{';
  bool first = true;
  if (health.kind == Kind::kExec) {
    codec::append_key(out, first, "exec");
    append_words(out, health.argv);
  } else if (health.kind == Kind::kHttp) {
    codec::append_key(out, first, "http");
    codec::append_string(out, health.path);
  }
  if (health.port > 0) {
    codec::append_key(out, first, "port");
    codec::append_number(out, health.port);
  }
  if (health.kind == Kind::kTcp) {
    codec::append_key(out, first, "tcp");
    out += "true";
  }
  out += '}';
}

}  // namespace

std::string to_payload(const TaskCommand& command) {
  std::string out = "{";
  bool first = true;
  if (!command.argv.empty()) {
    codec::append_key(out, first, "argv");
    append_words(out, command.argv);
  }
  if (command.balance > 0) {
    codec::append_key(out, first, "balance");
    codec::append_number(out, command.balance);
  }
  if (!command.directory.empty()) {
    codec::append_key(out, first, "directory");
    codec::append_string(out, command.directory);
  }
  if (!command.env.empty()) {
    codec::append_key(out, first, "env");
    append_pairs(out, command.env);
  }
  if (command.health.kind != HealthQuestion::Kind::kNone) {
    codec::append_key(out, first, "health");
    append_health(out, command.health);
  }
  if (!command.image.empty()) {
    codec::append_key(out, first, "image");
    codec::append_string(out, command.image);
  }
  if (!command.labels.empty()) {
    codec::append_key(out, first, "labels");
    append_pairs(out, command.labels);
  }
  if (command.memory_bytes > 0) {
    codec::append_key(out, first, "memory_bytes");
    codec::append_number(out, command.memory_bytes);
  }
  if (command.ports > 0) {
    codec::append_key(out, first, "ports");
    codec::append_number(out, command.ports);
  }
  if (command.worker) {
    codec::append_key(out, first, "worker");
    const WorkerCommand& worker = *command.worker;
    out += '{';
    if (worker.pull) out += R"("pull":true)";
    if (worker.pull && worker.slot_port) out += ',';
    if (worker.slot_port) out += R"("slot_port":true)";
    out += '}';
  }
  return out + "}";
}

Result<TaskCommand> command_from_payload(std::string_view payload) {
  if (payload.size() > kMaxPayload)
    return Problem{"", "has " + std::to_string(payload.size()) + " bytes", "1 MiB at most"};
  Problems problems;
  const CommandJson json = parse_strictly(payload, problems);
  if (json.is_discarded()) return Problem{"", "is not JSON", R"(such as {"argv":["sleep","60"]})"};
  TaskCommand command = CommandReader(problems).read(json);
  if (!problems.empty()) return problems;
  return command;
}

}  // namespace duet::live
