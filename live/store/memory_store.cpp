#include "live/store/memory_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/check.h"
#include "core/record_store.h"

namespace duet::live {
namespace {

class MemoryStore final : public Store {
 public:
  MemoryStore(asio::io_context& io, StoreLimits limits) : io_(io), limits_(limits) {
    DUET_CHECK(limits_.kept > 0);
  }
  ~MemoryStore() override { *alive_ = false; }

  std::string_view name() const override { return "memory"; }

  Result<Loaded> load() override {
    Loaded loaded;
    loaded.records = records_.records();
    const std::size_t skip = rows_.size() - std::min(rows_.size(), limits_.loaded);
    for (auto it = std::next(rows_.begin(), static_cast<std::ptrdiff_t>(skip)); it != rows_.end(); ++it)
      loaded.history.push_back(it->second);
    return loaded;
  }

  void commit(Batch batch, std::function<void(Problems)> done) override {
    DUET_CHECK(done_ == nullptr);
    for (const Record& record : batch.records) records_.put(record);
    for (HistoryRow& row : batch.history) keep(std::move(row));
    done_ = std::move(done);
    boost::asio::post(io_, [this, alive = alive_] {
      if (*alive) std::exchange(done_, nullptr)({});
    });
  }

  Result<std::vector<HistoryRow>> history(JobId before, std::size_t count) override {
    std::vector<HistoryRow> found;
    for (auto it = rows_.lower_bound(before); it != rows_.begin() && found.size() < count;)
      found.push_back((--it)->second);
    return found;
  }

 private:
  void keep(HistoryRow row) {
    if (const auto it = rows_.find(row.job); it != rows_.end()) ends_.erase({it->second.ended, row.job});
    ends_.emplace(row.ended, row.job);
    const JobId job = row.job;
    rows_[job] = std::move(row);
    if (rows_.size() <= limits_.kept) return;
    rows_.erase(ends_.begin()->second);
    ends_.erase(ends_.begin());
  }

  asio::io_context& io_;
  StoreLimits limits_;
  RecordStore records_;
  std::map<JobId, HistoryRow> rows_;
  std::set<std::pair<Instant, JobId>> ends_;
  std::function<void(Problems)> done_;
  /// Tells a handler that is still queued that the store is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Store> make_memory_store(asio::io_context& io, StoreLimits limits) {
  return std::make_unique<MemoryStore>(io, limits);
}

}  // namespace duet::live
