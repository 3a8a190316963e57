// Traces: every step of every machine of a run, written compactly and read back with suspicion.
//
// A trace file is, in this order:
//   "duet-trace 6 LENGTH HASH\n"      text: format, bytes of the header, XXH3-64 of them in hexadecimal
//   header, "\n"                      LENGTH bytes: one line of JSON (trace_header.h)
//   body: frames, each
//     length                          varint (bytes.h), at least 1: of the payload
//     payload                         machine, instant less that of the frame before (zigzag), event, number
//                                     of commands, commands (encode.h); instants are relative to the frame's
//     link                            4 bytes: the low half of the chain value, which is XXH3-64 of the
//                                     payload, seeded with the chain value before (first: 0)
//   0                                 the varint: no more frames
//   frames, bytes of the body         8 bytes each
//   digest                            32 bytes: SHA-256 of the body
//   seal                              8 bytes: XXH3-64 of the three before, seeded with the last chain value
// All numbers are little endian. The digest leaves the header out, so that another version of Duet with the
// same decisions has the same digest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/agent.h"
#include "core/codec/atomic_file.h"
#include "core/codec/bytes.h"
#include "core/codec/decode.h"
#include "core/codec/encode.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/hash.h"
#include "core/codec/trace_header.h"
#include "core/controller.h"
#include "core/result.h"
#include "core/trace.h"

namespace duet::codec {

/// The first line of a trace whose header is `json`, with its line break.
std::string first_line(std::string_view json);

struct TraceSummary {
  std::string digest;  ///< SHA-256 of the body, hexadecimal.
  std::uint64_t steps = 0;
  std::uint64_t bytes = 0;  ///< Of the body in its binary form.
  bool operator==(const TraceSummary&) const = default;
};

/// Where a trace goes.
class TraceOutput {
 public:
  /// Binary, into a file that appears when the trace is complete.
  static TraceOutput file(std::string path) { return {Kind::kFile, std::move(path), nullptr}; }
  /// JSON Lines instead: the header, one line per step, {"end":...} with the digest of the binary form.
  static TraceOutput jsonl(std::string path) { return {Kind::kJsonl, std::move(path), nullptr}; }
  /// Binary, appended to `to`, which must outlive the writer.
  static TraceOutput memory(std::string& to) { return {Kind::kFile, {}, &to}; }
  /// JSON Lines, appended to `to`.
  static TraceOutput jsonl_memory(std::string& to) { return {Kind::kJsonl, {}, &to}; }
  /// Nowhere: only the digest is wanted.
  static TraceOutput digest_only() { return {Kind::kNone, {}, nullptr}; }

 private:
  friend class TraceWriter;
  enum class Kind : std::uint8_t { kNone, kFile, kJsonl };
  TraceOutput(Kind kind, std::string path, std::string* memory)
      : kind_(kind), path_(std::move(path)), memory_(memory) {}

  Kind kind_;
  std::string path_;
  std::string* memory_;
};

/// Records steps of the machines that the header lists. Allocates nothing per step once its buffers have
/// grown. A failure to write is remembered, recording goes on without effect, and finish() reports it.
class TraceWriter final : public StepSink<Controller>, public StepSink<Agent> {
 public:
  /// Opens the output and writes the header; the Problem names the path and the system's reason.
  static Result<std::unique_ptr<TraceWriter>> create(TraceHeader header, const TraceOutput& output);

  void record(MachineIndex machine, Instant now, const controller::Event& event,
              const controller::Commands& commands, std::size_t first) override;
  void record(MachineIndex machine, Instant now, const agent::Event& event, const agent::Commands& commands,
              std::size_t first) override;

  /// Writes the footer and makes the file appear. To be called once; without it no file appears.
  Result<TraceSummary> finish();
  /// True if something could not be written: a long run may as well stop.
  bool failed() const { return file_ && file_->failure().has_value(); }
  std::uint64_t steps() const { return frames_.steps(); }

 private:
  TraceWriter() = default;
  void start(TraceHeader header);
  template <class Event, class Commands>
  void append(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
              std::size_t first);
  template <class Event, class Commands>
  void append_line(MachineIndex machine, Instant now, const Event& event, const Commands& commands,
                   std::size_t first);
  void flush();
  void put(std::string_view text);

  TraceOutput::Kind kind_ = TraceOutput::Kind::kNone;
  std::string* memory_ = nullptr;
  std::optional<AtomicFile> file_;
  ByteBuffer body_;  ///< Frames not yet in the digest and the output.
  std::string line_;
  Sha256 sha_;
  FrameEncoder frames_;
  std::uint64_t flushed_ = 0;  ///< Bytes of the body before `body_`.
};

/// One step as it stands in the file. Its bytes live until the reader's next().
struct Frame {
  std::uint64_t number = 0;  ///< From 1.
  std::uint64_t offset = 0;  ///< Of the frame's first byte in the file.
  MachineIndex machine = 0;  ///< At most as many as the header has agents.
  Instant now{};
  std::span<const std::uint8_t> content;  ///< Event, number of commands, commands.
  std::size_t size = 0;                   ///< Bytes of the whole frame.
  bool of_controller() const { return machine == 0; }
};

/// A frame's event and, undecoded, its commands: their number and themselves.
template <class M>
struct Step {
  typename M::Event event;
  std::span<const std::uint8_t> commands;
  DecodeContext context;  ///< As it stands before the commands.
};

/// Decodes the event of a frame of machine M's kind. False if the bytes are no such thing.
template <class M>
bool decode(const Frame& frame, Step<M>& step);
/// Decodes the commands of a step, which must fill it exactly. `sizes`, if not null, gets the bytes of each.
template <class M>
bool decode_commands(const Step<M>& step, typename M::Commands& commands,
                     std::vector<std::size_t>* sizes = nullptr);
/// The commands as a step carries them: their number and themselves.
template <class M>
void encode_commands(ByteBuffer& to, const EncodeContext& context, const typename M::Commands& commands);

/// A step as one line of JSON, without a line break.
template <class M>
void render_step(std::string& out, std::uint64_t number, MachineIndex machine, Instant now,
                 const typename M::Event& event, std::span<const typename M::Command> commands);

/// The last line of a trace in JSON Lines, with its line break.
std::string end_line(const TraceSummary& summary);

struct ReadOptions {
  /// Without the checks, altered traces are read as far as they make sense: for fuzzing what lies behind
  /// them.
  bool check_hashes = true;
  /// The file may lack its end: of a run that goes on, or was killed, or whose machine lost its power.
  bool unfinished = false;
  std::string why_unfinished{};  ///< Known from elsewhere; may be empty.
};

/// Reads a trace, plain or compressed, frame by frame and checks it on the way: chain, digest, footer,
/// nothing behind it.
/// Whatever the bytes are, it reports and does not crash; memory stays within a few times the longest
/// frame.
class TraceReader {
 public:
  static Result<TraceReader> open(const std::string& path, ReadOptions options = {});
  /// `bytes` must outlive the reader; `name` stands for the path in messages.
  static Result<TraceReader> from_memory(std::string_view bytes, std::string name = "trace",
                                         ReadOptions options = {});

  /// The segments of one run, in their order, as one trace. Only the last one may lack its end, if `options`
  /// allow it.
  static Result<TraceReader> open_segments(const std::vector<std::string>& paths, ReadOptions options = {});

  const std::string& name() const { return name_; }
  const TraceHeader& header() const { return header_; }
  /// The next frame; false at the end, when footer and digest have been found right. After a Problem, which
  /// names the frame and its byte offset, there is nothing more to read.
  Result<bool> next(Frame& frame);
  /// The footer; of several segments, what it would be if they were one; of what lacks its end, what it would
  /// be if it had ended there. Valid once next() returned false.
  const TraceSummary& summary() const { return summary_; }
  /// In words, that the end was missing, once next() returned false.
  const std::optional<std::string>& unfinished() const { return unfinished_; }
  /// Steps of the run before the first that can be read: their segments are gone.
  std::uint64_t steps_before() const { return header_.segment ? header_.segment->steps : 0; }

  /// A Problem about a frame of this trace.
  Problem broken(const Frame& frame, const std::string& what) const;

 private:
  struct Source;
  struct Close {
    void operator()(Source* source) const;
  };

  TraceReader(std::unique_ptr<Source, Close> source, std::string name, ReadOptions options);
  std::optional<Problem> read_header();
  Result<TraceHeader> parse_header();
  std::optional<Problem> next_segment();
  std::optional<Problem> read_footer();
  Result<bool> cut(const Frame& frame);
  Result<bool> finish_without_end();
  bool torn_at(std::size_t end);
  void hash(std::span<const std::uint8_t> bytes);
  bool fill(std::size_t wanted);
  void consume(std::size_t n);
  Problem at(const std::string& what) const;
  std::span<const std::uint8_t> ahead() const { return {buffer_.data() + begin_, buffer_.size() - begin_}; }

  std::unique_ptr<Source, Close> source_;
  std::string name_;
  ReadOptions options_;
  TraceHeader header_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;     ///< First byte of the buffer not consumed.
  std::size_t unhashed_ = 0;  ///< First byte of the buffer not yet in the digest.
  bool in_body_ = false;
  std::uint64_t offset_ = 0;   ///< Of begin_ in the file.
  std::uint64_t body_at_ = 0;  ///< Offset of the body.
  std::uint64_t chain_ = 0;
  std::uint64_t steps_ = 0;          ///< Of all segments read, without those before the first.
  std::uint64_t steps_in_file_ = 0;  ///< Of the present one.
  Instant last_{};
  Sha256 sha_;                            ///< Of the present file.
  std::optional<Sha256> sha_all_;         ///< Of all segments, if there are several.
  std::uint64_t bytes_before_ = 0;        ///< Of the bodies of the segments before the present one.
  std::vector<std::string> rest_;         ///< Segments to be read, the next one last.
  std::optional<std::uint64_t> segment_;  ///< Number of the present one.
  TraceSummary summary_;
  std::optional<std::string> unfinished_;
  bool done_ = false;
};

}  // namespace duet::codec
