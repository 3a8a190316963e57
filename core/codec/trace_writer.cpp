#include <type_traits>
#include <utility>

#include "core/codec/json_text.h"
#include "core/codec/render.h"
#include "core/codec/trace_file.h"

namespace duet::codec {

namespace {

/// What is hashed and handed on at once: small enough to be in the cache still.
constexpr std::size_t kBlock = 16 * 1024;

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string first_line(std::string_view json) {
  std::string line = "duet-trace ";
  append_number(line, kTraceFormat);
  line += ' ';
  append_number(line, json.size());
  line += ' ';
  append_hex(line, xxh3(as_bytes(json)));
  return line += '\n';
}

Result<std::unique_ptr<TraceWriter>> TraceWriter::create(TraceHeader header, const TraceOutput& output) {
  std::unique_ptr<TraceWriter> writer(new TraceWriter);
  writer->kind_ = output.kind_;
  writer->memory_ = output.memory_;
  if (!output.path_.empty()) {
    auto file = AtomicFile::create(output.path_);
    if (!file) return file.problems();
    writer->file_.emplace(std::move(*file));
  } else if (output.kind_ != TraceOutput::Kind::kNone && output.memory_ == nullptr) {
    return Problem{"", "a trace needs the name of a file", ""};
  }
  writer->start(std::move(header));
  return writer;
}

void TraceWriter::start(TraceHeader header) {
  if (kind_ == TraceOutput::Kind::kNone) return;
  const std::string start = trace_start(std::move(header));
  if (kind_ == TraceOutput::Kind::kFile) return put(start);
  const std::size_t json = start.find('\n') + 1;
  put("{\"header\":" + start.substr(json, start.size() - 1 - json) + "}\n");
}

void TraceWriter::put(std::string_view text) {
  if (file_) {
    file_->write(text);
  } else {
    memory_->append(text);
  }
}

template <class Event, class Commands>
void TraceWriter::append(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
                         std::size_t first) {
  frames_.add(body_, machine, now, event, commands, first);
  if (kind_ == TraceOutput::Kind::kJsonl) append_line(machine, now, event, commands, first);
  if (body_.size() >= kBlock) flush();
}

[[gnu::noinline]] void TraceWriter::flush() {
  sha_.update(body_.span());
  if (kind_ == TraceOutput::Kind::kFile) put(as_text(body_.span()));
  flushed_ += body_.size();
  body_.clear();
}

template <class Event, class Commands>
[[gnu::noinline]] void TraceWriter::append_line(MachineIndex machine, Instant now, const Event& event,
                                                const Commands& commands, std::size_t first) {
  using M = std::conditional_t<std::is_same_v<Event, controller::Event>, Controller, Agent>;
  line_.clear();
  render_step<M>(line_, steps(), machine, now, event, std::span(commands).subspan(first));
  line_ += '\n';
  put(line_);
}

void TraceWriter::record(MachineIndex machine, Instant now, const controller::Event& event,
                         const controller::Commands& commands, std::size_t first) {
  append(machine, now, event, commands, first);
}
void TraceWriter::record(MachineIndex machine, Instant now, const agent::Event& event,
                         const agent::Commands& commands, std::size_t first) {
  append(machine, now, event, commands, first);
}

Result<TraceSummary> TraceWriter::finish() {
  flush();
  const Sha256Digest digest = sha_.finish();
  TraceSummary summary{hex(digest), steps(), flushed_};
  if (kind_ == TraceOutput::Kind::kFile) {
    put(as_text(trace_end(steps(), flushed_, digest, frames_.chain())));
  } else if (kind_ == TraceOutput::Kind::kJsonl) {
    put(end_line(summary));
  }
  if (file_) {
    if (auto committed = file_->commit(); !committed) return committed.problems();
  }
  return summary;
}

std::string end_line(const TraceSummary& summary) {
  std::string line = "{\"end\":{\"steps\":";
  append_number(line, summary.steps);
  return line + ",\"digest\":\"" + summary.digest + "\"}}\n";
}

template <class M>
void render_step(std::string& out, std::uint64_t number, MachineIndex machine, Instant now,
                 const typename M::Event& event, std::span<const typename M::Command> commands) {
  out += "{\"step\":";
  append_number(out, number);
  out += ",\"at_ns\":";
  append_number(out, to_ns(now));
  out += ",\"machine\":";
  append_number(out, machine);
  out += ",\"event\":";
  render(out, event);
  out += ",\"commands\":[";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i != 0) out += ',';
    render(out, commands[i]);
  }
  out += "]}";
}

template void render_step<Controller>(std::string&, std::uint64_t, MachineIndex, Instant,
                                      const controller::Event&, std::span<const controller::Command>);
template void render_step<Agent>(std::string&, std::uint64_t, MachineIndex, Instant, const agent::Event&,
                                 std::span<const agent::Command>);

}  // namespace duet::codec
