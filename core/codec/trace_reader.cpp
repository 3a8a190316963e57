#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/codec/compress.h"
#include "core/codec/trace_file.h"
#include "core/mutation.h"

namespace duet::codec {

/// Bytes of a file or of memory, in order; what is compressed comes out as it was.
struct TraceReader::Source {
  std::FILE* stream = nullptr;  ///< Null: memory.
  std::string_view memory;
  std::string why;  ///< Of a failure to read.

  static Result<std::unique_ptr<Source>> of_file(const std::string& path) {
    auto source = std::make_unique<Source>();
    source->stream = std::fopen(path.c_str(), "rb");
    if (source->stream == nullptr)
      return Problem{path, "cannot be read: " + std::generic_category().message(errno), ""};
    source->begin();
    return source;
  }

  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source() {
    if (stream != nullptr) std::fclose(stream);
  }
  /// Finds out whether the bytes are compressed. To be called once, first.
  void begin() {
    chunk_.resize(kCompressedMagic.size());
    chunk_.resize(stored(chunk_.data(), chunk_.size()));
    ahead_ = {reinterpret_cast<const char*>(chunk_.data()), chunk_.size()};
    if (ahead_ == kCompressedMagic) decompression_.emplace();
  }
  /// Up to `room` bytes; 0 at the end or after a failure.
  std::size_t read(std::uint8_t* to, std::size_t room) {
    if (!decompression_) return ahead_.empty() ? stored(to, room) : take(ahead_, to, room);
    while (true) {
      const std::size_t n = decompression_->put(ahead_, to, room);
      if (decompression_->damaged()) why = "the compressed file is damaged";
      if (n > 0 || decompression_->damaged()) return n;
      DUET_CHECK(ahead_.empty());
      chunk_.resize(std::size_t{64} * 1024);
      chunk_.resize(stored(chunk_.data(), chunk_.size()));
      if (chunk_.empty()) return 0;
      ahead_ = {reinterpret_cast<const char*>(chunk_.data()), chunk_.size()};
    }
  }

 private:
  static std::size_t take(std::string_view& from, std::uint8_t* to, std::size_t room) {
    const std::size_t n = std::min(room, from.size());
    if (n != 0) std::memcpy(to, from.data(), n);
    from.remove_prefix(n);
    return n;
  }
  std::size_t stored(std::uint8_t* to, std::size_t room) {
    if (stream == nullptr) return take(memory, to, room);
    errno = 0;
    const std::size_t n = std::fread(to, 1, room, stream);
    if (n == 0 && std::ferror(stream) != 0) why = std::generic_category().message(errno);
    return n;
  }

  std::optional<Decompression> decompression_;
  std::vector<std::uint8_t> chunk_;
  std::string_view ahead_;  ///< What is left of the chunk.
};

void TraceReader::Close::operator()(Source* source) const { delete source; }

namespace {

/// Small enough that what was read is still in the cache when it is hashed.
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::string_view kMagic = "duet-trace ";
/// No first line is longer: magic, format, length, hash.
constexpr std::size_t kFirstLine = 80;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Cuts "NUMBER<stop>" off the front of `line`.
template <class T>
bool take_number(std::string_view& line, T& number, char stop) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{} || end == line.data() + line.size() || *end != stop) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

}  // namespace

TraceReader::TraceReader(std::unique_ptr<Source, Close> source, std::string name, ReadOptions options)
    : source_(std::move(source)), name_(std::move(name)), options_(options) {
  if (mutated(Mutant::kChainUnchecked)) options_.check_hashes = false;
}

Result<TraceReader> TraceReader::open(const std::string& path, ReadOptions options) {
  return open_segments({path}, options);
}

Result<TraceReader> TraceReader::open_segments(const std::vector<std::string>& paths, ReadOptions options) {
  DUET_CHECK(!paths.empty());
  auto source = Source::of_file(paths.front());
  if (!source) return source.problems();
  std::unique_ptr<Source, Close> owned(source->release());
  TraceReader reader(std::move(owned), paths.front(), options);
  reader.rest_.assign(paths.rbegin(), paths.rend() - 1);
  if (paths.size() > 1) reader.sha_all_.emplace();
  if (auto problem = reader.read_header()) return *problem;
  if (paths.size() > 1 && !reader.header_.segment)
    return Problem{paths.front(), "is not a segment of a run", "the segments of one run"};
  return reader;
}

Result<TraceReader> TraceReader::from_memory(std::string_view bytes, std::string name, ReadOptions options) {
  std::unique_ptr<Source, Close> source(new Source);
  source->memory = bytes;
  source->begin();
  TraceReader reader(std::move(source), std::move(name), options);
  if (auto problem = reader.read_header()) return *problem;
  return reader;
}

Problem TraceReader::at(const std::string& what) const {
  const std::string reason = source_->why.empty() ? what : "cannot be read: " + source_->why;
  return Problem{name_, "at byte " + std::to_string(offset_) + ": " + reason, ""};
}

Problem TraceReader::broken(const Frame& frame, const std::string& what) const {
  return Problem{
      name_,
      "frame " + std::to_string(frame.number) + " at byte " + std::to_string(frame.offset) + ": " + what, ""};
}

/// Makes at least `wanted` bytes lie ahead. False if the trace ends before. Memory grows with what was
/// really read.
bool TraceReader::fill(std::size_t wanted) {
  while (buffer_.size() - begin_ < wanted) {
    if (begin_ > 0) {
      if (in_body_) hash({buffer_.data() + unhashed_, begin_ - unhashed_});
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = unhashed_ = 0;
    }
    const std::size_t have = buffer_.size();
    buffer_.resize(have + std::max(kChunk, have));
    const std::size_t n = source_->read(buffer_.data() + have, buffer_.size() - have);
    buffer_.resize(have + n);
    if (n == 0) return false;
  }
  return true;
}

void TraceReader::consume(std::size_t n) {
  begin_ += n;
  offset_ += n;
}

Result<TraceHeader> TraceReader::parse_header() {
  fill(kFirstLine);
  if (!source_->why.empty()) return at("");
  std::string_view line = text_of(ahead()).substr(0, kFirstLine);
  if (line.starts_with('{')) {
    return Problem{name_, "is a trace in JSON Lines, which is for reading only",
                   "the binary form, trace.duet"};
  }
  if (!line.starts_with(kMagic))
    return Problem{name_, "is not a trace of Duet", "a file that starts with \"duet-trace\""};
  line.remove_prefix(kMagic.size());
  std::uint32_t format = 0;
  std::uint64_t length = 0;
  if (!take_number(line, format, ' ')) return at("the first line is damaged");
  if (format != kTraceFormat) {
    return Problem{
        name_, "is a trace of format " + std::to_string(format),
        "format " + std::to_string(kTraceFormat) + ", the only one that this version of Duet reads"};
  }
  if (!take_number(line, length, ' ') || line.find('\n') == line.npos) return at("the first line is damaged");
  const std::string_view all = text_of(ahead());
  const std::string written(all.substr(0, all.find('\n') + 1));
  consume(written.size());
  if (length > SIZE_MAX / 4 || !fill(static_cast<std::size_t>(length) + 1))
    return at("the header is cut off");
  const auto json = ahead().first(static_cast<std::size_t>(length));
  // Written anew and compared, so that no other spelling of the same numbers passes.
  const bool altered = written != first_line(text_of(json)) || ahead()[json.size()] != '\n';
  if (options_.check_hashes && altered) return at("the header was altered");
  auto header = header_from_json(text_of(json));
  if (!header) {
    const Problem& first = header.problems().front();
    return at("the header's " + (first.where.empty() ? "text" : first.where) + " " + first.what);
  }
  consume(json.size() + 1);
  body_at_ = offset_;
  unhashed_ = begin_;
  in_body_ = true;
  return header;
}

std::optional<Problem> TraceReader::read_header() {
  auto header = parse_header();
  if (!header) return header.problems().front();
  header_ = std::move(*header);
  if (const auto& segment = header_.segment) {
    segment_ = segment->number;
    chain_ = segment->chain;
    last_ = segment->last;
  }
  return std::nullopt;
}

/// Goes on to the next file, which must continue what was read.
std::optional<Problem> TraceReader::next_segment() {
  const std::string before = std::exchange(name_, std::move(rest_.back()));
  rest_.pop_back();
  auto source = Source::of_file(name_);
  if (!source) return source.problems().front();
  source_.reset(source->release());
  buffer_.clear();
  begin_ = unhashed_ = 0;
  offset_ = 0;
  auto header = parse_header();
  if (!header) return header.problems().front();
  const auto problem = [&](const std::string& what) { return Problem{name_, what, {}}; };
  if (!header->segment || header->segment->run != header_.segment->run)
    return problem("is not of the same run as " + before);
  const std::uint64_t expected = *segment_ + 1;
  if (header->segment->number != expected)
    return problem("is segment " + std::to_string(header->segment->number) + " of its run, and segment " +
                   std::to_string(expected) + " is missing");
  const TraceSegment continued{header_.segment->run, expected, steps_before() + steps_, chain_, last_};
  const bool same = *header->segment == continued;
  header->segment = header_.segment;
  if (options_.check_hashes && (!same || *header != header_))
    return problem("does not continue " + before + ": one of them was altered");
  segment_ = expected;
  steps_in_file_ = 0;
  return std::nullopt;
}

void TraceReader::hash(std::span<const std::uint8_t> bytes) {
  sha_.update(bytes);
  if (sha_all_) sha_all_->update(bytes);
}

Result<bool> TraceReader::next(Frame& frame) {
  if (done_) return false;
  done_ = true;  // unless all goes well
  std::uint64_t length = 0;
  std::size_t digits = 0;
  for (;;) {
    fill(kMaxVarint);
    frame = Frame{.number = steps_before() + steps_ + 1,
                  .offset = offset_,
                  .machine = 0,
                  .now = {},
                  .content = {},
                  .size = 0};
    const std::uint8_t* payload = get_varint(ahead().data(), ahead().data() + ahead().size(), length);
    if (payload == nullptr) return cut(frame);
    digits = static_cast<std::size_t>(payload - ahead().data());
    if (digits != varint_size(length))
      return torn_at(digits - 1) ? finish_without_end() : broken(frame, "is not a step");
    if (length != 0) break;
    if (auto problem = read_footer()) return *problem;
    if (rest_.empty()) return false;
    if (auto problem = next_segment()) return *problem;
  }
  if (length > SIZE_MAX / 4 || !fill(digits + static_cast<std::size_t>(length) + kLink)) return cut(frame);
  const auto bytes = ahead().subspan(digits, static_cast<std::size_t>(length));
  const std::uint64_t chain = xxh3(bytes, chain_);
  if (options_.check_hashes && static_cast<std::uint32_t>(chain) != load_u32(bytes.data() + bytes.size())) {
    if (torn_at(digits + bytes.size() + kLink - 1)) return finish_without_end();
    return broken(frame, "the chain of hashes breaks here: something was altered");
  }
  chain_ = chain;
  DecodeContext context;
  Decoder decoder(bytes, context);
  Duration since_last{0};
  if (!decoder.get(frame.machine) || !decoder.get(since_last)) return broken(frame, "is not a step");
  if (frame.machine > header_.agents.size())
    return broken(frame, "is of a machine that the header does not list");
  last_ = instant_ns(static_cast<std::int64_t>(static_cast<std::uint64_t>(to_ns(last_)) +
                                               static_cast<std::uint64_t>(since_last.count())));
  frame.now = last_;
  frame.content = decoder.rest();
  frame.size = digits + bytes.size() + kLink;
  consume(frame.size);
  ++steps_;
  ++steps_in_file_;
  done_ = false;
  return true;
}

Result<bool> TraceReader::cut(const Frame& frame) {
  if (!source_->why.empty()) return broken(frame, at("").what);
  if (options_.unfinished && rest_.empty()) return finish_without_end();
  return broken(frame, "the trace is cut off here");
}

/// True if the file may lack its end and holds nothing but zeros from there on, `end` bytes ahead: some file
/// systems put them where the power went before the bytes came.
bool TraceReader::torn_at(std::size_t end) {
  if (!options_.unfinished || !rest_.empty()) return false;
  std::size_t wanted = ahead().size() + 1;
  while (fill(wanted)) wanted = ahead().size() + 1;
  return std::ranges::all_of(ahead().subspan(end), [](std::uint8_t byte) { return byte == 0; });
}

Result<bool> TraceReader::finish_without_end() {
  hash({buffer_.data() + unhashed_, begin_ - unhashed_});
  in_body_ = false;
  const std::uint64_t body = bytes_before_ + offset_ - body_at_;
  summary_ = {hex(sha_all_ ? sha_all_->finish() : sha_.finish()), steps_, body};
  unfinished_ = "the run did not end: read up to step " + std::to_string(steps_before() + steps_);
  if (!options_.why_unfinished.empty())
    *unfinished_ += "; its recorder had stopped: " + options_.why_unfinished;
  return false;
}

std::optional<Problem> TraceReader::read_footer() {
  const std::uint64_t body = offset_ - body_at_;
  hash({buffer_.data() + unhashed_, begin_ - unhashed_});
  in_body_ = false;
  consume(1);
  if (!fill(kEnd - 1)) {
    if (options_.unfinished && rest_.empty() && source_->why.empty()) {
      // Killed while it wrote its end: all steps are there.
      summary_ = {hex(sha_all_ ? sha_all_->finish() : sha_.finish()), steps_, bytes_before_ + body};
      unfinished_ =
          "the run ended with step " + std::to_string(steps_before() + steps_) + ", and its end is cut off";
      return std::nullopt;
    }
    return at("the footer is cut off");
  }
  const auto footer = ahead().first(kEnd - 1);
  const Sha256Digest digest = sha_.finish();
  if (options_.check_hashes) {
    if (load_u64(footer.data() + 48) != xxh3(footer.first(48), chain_)) return at("the footer was altered");
    if (load_u64(footer.data()) != steps_in_file_ || load_u64(footer.data() + 8) != body)
      return at("the footer tells of another number of steps or bytes");
    if (std::memcmp(footer.data() + 16, digest.data(), digest.size()) != 0)
      return at("the digest is not that of the body: something was altered");
  }
  consume(kEnd - 1);
  if (fill(1)) return at("something follows the end of the trace");
  if (!source_->why.empty()) return at("");
  bytes_before_ += body;
  if (rest_.empty()) summary_ = {hex(sha_all_ ? sha_all_->finish() : digest), steps_, bytes_before_};
  return std::nullopt;
}

// ---- Steps

template <class M>
bool decode(const Frame& frame, Step<M>& step) {
  step.context = DecodeContext{.base = frame.now, .ids = {}, .spec = nullptr, .text = nullptr};
  Decoder decoder(frame.content, step.context);
  const bool ok = decoder.get(step.event);
  step.commands = decoder.rest();
  return ok;
}

template <class M>
bool decode_commands(const Step<M>& step, typename M::Commands& commands, std::vector<std::size_t>* sizes) {
  commands.clear();
  if (sizes != nullptr) sizes->clear();
  DecodeContext context = step.context;
  Decoder decoder(step.commands, context);
  std::uint64_t count = 0;
  if (!decoder.get_number(count) || count > decoder.left()) return false;
  for (; count > 0; --count) {
    const std::size_t before = decoder.left();
    if (!decoder.get(commands.emplace_back())) return false;
    if (sizes != nullptr) sizes->push_back(before - decoder.left());
  }
  return decoder.left() == 0;
}

template <class M>
void encode_commands(ByteBuffer& to, const EncodeContext& context, const typename M::Commands& commands) {
  Encoder encoder(to, context);
  encoder.put_number(commands.size());
  for (const auto& command : commands) encoder.put(command);
  encoder.finish();
}

template bool decode<Controller>(const Frame&, Step<Controller>&);
template bool decode<Agent>(const Frame&, Step<Agent>&);
template bool decode_commands<Controller>(const Step<Controller>&, controller::Commands&,
                                          std::vector<std::size_t>*);
template bool decode_commands<Agent>(const Step<Agent>&, agent::Commands&, std::vector<std::size_t>*);
template void encode_commands<Controller>(ByteBuffer&, const EncodeContext&, const controller::Commands&);
template void encode_commands<Agent>(ByteBuffer&, const EncodeContext&, const agent::Commands&);

}  // namespace duet::codec
