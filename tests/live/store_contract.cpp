// What every store must do: keep the last record of each key, forget what has ended, answer from outside.
#include <sys/resource.h>

#include "core/codec/hash.h"
#include "tests/live/store_support.h"

namespace duet::test {
namespace {

using live::Batch;
using live::HistoryRow;
using live::Store;

class StoreContract : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Store> make(live::StoreLimits limits = {}) {
    if (GetParam() == "memory") return live::make_memory_store(io_, limits);
    auto opened = live::open_sqlite_store(io_, folder_.path("store.db"), {.limits = limits});
    EXPECT_TRUE(opened) << words(opened.problems());
    EXPECT_TRUE((*opened)->load());
    return std::move(*opened);
  }
  /// Another store over what this one left, where it leaves anything; else itself.
  std::unique_ptr<Store> again(std::unique_ptr<Store> store, live::StoreLimits limits = {}) {
    if (GetParam() == "memory") return store;
    store.reset();
    return make(limits);
  }
  static std::vector<Record> records(Store& store) {
    auto loaded = store.load();
    EXPECT_TRUE(loaded);
    EXPECT_TRUE(loaded->warnings.empty());
    return loaded->records;
  }
  static Record task(std::uint64_t job, std::uint32_t index, std::uint32_t attempt) {
    TaskRecord record;
    record.task = {JobId{job}, index};
    record.attempt = attempt;
    return record;
  }
  static Record job(std::uint64_t id) {
    return JobRecord{JobId{id}, instant_ns(5), false, 0, service_of(2, "ann")};
  }

  TempFolder folder_;
  live::asio::io_context io_{1};
};

TEST_P(StoreContract, NamesItself) { EXPECT_EQ(make()->name(), GetParam()); }

TEST_P(StoreContract, KeepsEveryKindInOrder) {
  auto store = make();
  NodeRecord node{NodeId{300}, "a", Epoch{4}, true, {}};
  node.offer.capacity.cpu_m = 2 * kThread;
  const std::vector<Record> expected = {NodeRecord{NodeId{2}, "b", {}, false, {}},
                                        node,
                                        EndRecord{JobId{3}, JobState::kFailed},
                                        job(5),
                                        job(260),
                                        task(5, 1, 9),
                                        task(260, 0, 1),
                                        KeyRecord{"a key", JobId{5}, 77, instant_ns(5)},
                                        KeyRecord{"b", JobId{3}, 78, kNever}};
  Batch batch;
  for (auto it = expected.rbegin(); it != expected.rend(); ++it) batch.records.push_back(*it);
  ASSERT_EQ(commit(io_, *store, batch), Problems{});
  store = again(std::move(store));
  EXPECT_EQ(content(records(*store), {}), content(expected, {}));
}

TEST_P(StoreContract, LaterReplacesEarlierInABatchAndAcross) {
  auto store = make();
  ASSERT_EQ(commit(io_, *store, {{job(1), task(1, 0, 1), task(1, 0, 2)}, {}}), Problems{});
  EXPECT_EQ(content(records(*store), {}), content({job(1), task(1, 0, 2)}, {}));
  ASSERT_EQ(commit(io_, *store, {{task(1, 0, 3)}, {}}), Problems{});
  store = again(std::move(store));
  EXPECT_EQ(content(records(*store), {}), content({job(1), task(1, 0, 3)}, {}));
}

TEST_P(StoreContract, AnEndLeavesTheHighestIdOnly) {
  auto store = make();
  ASSERT_EQ(
      commit(io_, *store,
             {{job(1), task(1, 0, 1), job(2), task(2, 0, 1), task(2, 1, 1), job(3), task(3, 0, 1)}, {}}),
      Problems{});
  const Record end = EndRecord{JobId{2}, JobState::kSucceeded};
  ASSERT_EQ(commit(io_, *store, {{end}, {}}), Problems{});
  EXPECT_EQ(content(records(*store), {}), content({end, job(1), job(3), task(1, 0, 1), task(3, 0, 1)}, {}));
  ASSERT_EQ(commit(io_, *store, {{EndRecord{JobId{1}, JobState::kFailed}}, {}}), Problems{});
  store = again(std::move(store));
  EXPECT_EQ(content(records(*store), {}), content({end, job(3), task(3, 0, 1)}, {}));
  // One that came and went in the same batch leaves nothing either.
  const Record last = EndRecord{JobId{4}, JobState::kCancelled};
  ASSERT_EQ(commit(io_, *store, {{job(4), task(4, 0, 1), last}, {}}), Problems{});
  EXPECT_EQ(content(records(*store), {}), content({last, job(3), task(3, 0, 1)}, {}));
}

TEST_P(StoreContract, ForgetsKeysThatStandForNothing) {
  auto store = make();
  const Record kept = KeyRecord{"kept", JobId{1}, 2, instant_ns(3)};
  ASSERT_EQ(commit(io_, *store, {{kept, KeyRecord{"gone", JobId{1}, 2, instant_ns(3)}}, {}}), Problems{});
  ASSERT_EQ(commit(io_, *store, {{KeyRecord{"gone", {}, 0, {}}, KeyRecord{"never", {}, 0, {}}}, {}}),
            Problems{});
  store = again(std::move(store));
  EXPECT_EQ(content(records(*store), {}), content({kept}, {}));
}

TEST_P(StoreContract, HistoryIsReadFromItsEnd) {
  const live::StoreLimits limits{.kept = 4, .loaded = 2};
  auto store = make(limits);
  const auto row = [](std::uint64_t job, std::int64_t ended) {
    return HistoryRow{JobId{job}, instant_ns(ended), "{\"id\":" + std::to_string(job) + "}"};
  };
  ASSERT_EQ(commit(io_, *store, {{}, {row(7, 70), row(1, 100), row(3, 30)}}), Problems{});
  ASSERT_EQ(commit(io_, *store, {{}, {row(5, 50)}}), Problems{});
  store = again(std::move(store), limits);
  auto loaded = store->load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->history, (std::vector{row(5, 50), row(7, 70)}));
  EXPECT_EQ(*store->history(JobId{5}, 10), (std::vector{row(3, 30), row(1, 100)}));
  EXPECT_EQ(*store->history(JobId{8}, 3), (std::vector{row(7, 70), row(5, 50), row(3, 30)}));
  EXPECT_EQ(*store->history(JobId{1}, 3), std::vector<HistoryRow>{});
  // The one that ended first goes, whatever its id; what is stored again, counts once.
  ASSERT_EQ(commit(io_, *store, {{}, {row(5, 55), row(9, 90)}}), Problems{});
  store = again(std::move(store), limits);
  EXPECT_EQ(*store->history(JobId{~0ULL}, 10),
            (std::vector{row(9, 90), row(7, 70), row(5, 55), row(1, 100)}));
}

TEST_P(StoreContract, AnEmptyBatchIsAnsweredToo) {
  auto store = make();
  EXPECT_EQ(commit(io_, *store, {}), Problems{});
  EXPECT_EQ(records(*store).size(), 0U);
}

TEST_P(StoreContract, KeepsWhatALongScriptLeaves) {
  constexpr std::size_t kBatches = 300;
  auto store = make();
  StoreScript script(7);
  for (std::size_t i = 0; i < kBatches; ++i) ASSERT_EQ(commit(io_, *store, script.next()), Problems{});
  store = again(std::move(store));
  EXPECT_EQ(content(*store->load()), contents_after(7, kBatches).back());
}

TEST_P(StoreContract, GoesWithABatchUnderWay) {
  bool answered = false;
  {
    auto store = make();
    store->commit({{job(1)}, {}}, [&](Problems) { answered = true; });
  }
  io_.restart();
  io_.poll();
  EXPECT_FALSE(answered);
  if (GetParam() == "sqlite") EXPECT_EQ(records(*make()).size(), 1U) << "the batch was written whole";
}

TEST_P(StoreContract, ACommitMayFollowFromTheAnswer) {
  auto store = make();
  StoreScript script(3);
  int left = 5;
  std::function<void(Problems)> next = [&](const Problems& problems) {
    EXPECT_EQ(problems, Problems{});
    if (--left > 0) store->commit(script.next(), next);
  };
  store->commit(script.next(), next);
  io_.restart();
  io_.run_for(std::chrono::seconds(30));
  EXPECT_EQ(left, 0);
  EXPECT_EQ(content(*store->load()), contents_after(3, 5).back());
}

TEST(StoreRows, BytesArePinned) {
  // If this fails, the format of stores has changed: then kStoreFormat must change too, and stores of the one
  // before must be brought up to date when they are loaded.
  ThreadSet threads;
  threads.insert(2);
  const std::vector<Record> records = {
      NodeRecord{NodeId{300}, "a", Epoch{4}, true, {}}, EndRecord{JobId{3}, JobState::kFailed},
      JobRecord{JobId{5}, instant_ns(5), false, 1, service_of(2, "ann")},
      TaskRecord{{JobId{5}, 1}, TaskState::kRunning, 2, 1, 1, 0, NodeId{7}, {}, threads, instant_ns(1000)},
      KeyRecord{"k", JobId{5}, 77, instant_ns(5)}};
  std::string all;
  for (const Record& record : records) {
    const live::RowKey key = live::row_key(record);
    std::string value;
    live::append_row_value(value, record);
    all += std::to_string(static_cast<int>(key.kind)) + " " + codec::hex(codec::as_bytes(key.bytes)) + " " +
           codec::hex(codec::as_bytes(value)) + "\n";
    EXPECT_TRUE(live::record_of_row(key, value));
    value.pop_back();
    EXPECT_FALSE(live::record_of_row(key, value));
  }
  EXPECT_EQ(all,
            "1 000000000000012c 026209036111010303010101\n"
            "2  030d03\n"
            "3 0000000000000005 "
            "0015150003010107616e6e010305421f010100010103010f736c656570203100010101010101010101010000\n"
            "4 000000000000000500000001 01150302050303011d0013421f\n"
            "5 6b 04036b159b15\n");
  EXPECT_EQ(live::row_hash(live::RowKind::kJob, "a", "b"), 11548326313619824756U);
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract, testing::Values("memory", "sqlite"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace duet::test
