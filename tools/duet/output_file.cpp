#include "tools/duet/output_file.h"

#include "sim/terminal.h"

namespace duet::front {
namespace {

class StandardOutput final : public codec::TextSink {
 public:
  void write(std::string_view text) override {
    buffer_ += text;
    if (buffer_.size() > kEnough) flush();
  }
  bool flush() {
    if (ok_ && !buffer_.empty()) ok_ = sim::print(buffer_);
    buffer_.clear();
    return ok_;
  }

 private:
  static constexpr std::size_t kEnough = 64 * 1024;
  std::string buffer_;
  bool ok_ = true;
};

}  // namespace

int refuse(const Problems& problems) {
  sim::say(sim::to_text(problems));
  return sim::kExitUsage;
}

int write_to(const std::string& path, const std::function<Failure(codec::TextSink&)>& fill) {
  if (path.empty() || path == "-") {
    StandardOutput out;
    const Failure failure = fill(out);
    const bool written = out.flush();
    if (!failure.empty()) return refuse(failure);
    return written ? sim::kExitOk : sim::kExitUsage;
  }
  auto file = codec::AtomicFile::create(path);
  if (!file) return refuse(file.problems());
  const Failure failure = fill(*file);
  if (!failure.empty()) return refuse(failure);
  const auto size = file->commit();
  if (!size) return refuse(size.problems());
  sim::say("wrote " + path + '\n');
  return sim::kExitOk;
}

}  // namespace duet::front
