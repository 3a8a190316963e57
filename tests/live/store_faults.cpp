// The durable store when the disk fails, the power goes, the process is killed or bits turn: what was
// acknowledged is there afterwards, or the store says that it is damaged, and where.
#include <csignal>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>

#include "live/store/wal_check.h"
#include "tests/live/faulty_vfs.h"

namespace duet::test {
namespace {

using live::Store;

constexpr std::uint64_t kSeed = 11;

class StoreFaults : public testing::Test {
 protected:
  std::unique_ptr<Store> open(const std::string& path, const std::string& vfs = {}) {
    auto opened = live::open_sqlite_store(io_, path, {.limits = {}, .checkpoint_pages = 8, .vfs = vfs});
    EXPECT_TRUE(opened) << words(opened.problems());
    return std::move(*opened);
  }
  std::string why_not(const std::string& path) {
    auto store = open(path, faulty_.name());
    const auto loaded = store->load();
    return loaded ? "it loads" : words(loaded.problems());
  }
  /// An empty store, at the cost of a copy.
  void make_empty(const std::string& path) {
    const std::string model = folder_.path("empty-model");
    if (!std::filesystem::exists(model)) EXPECT_TRUE(open(model)->load());
    write_text(path, file_text(model));
  }
  /// A store with this many batches of the script, in which nothing was moved from the log to the file.
  void make_files(const std::string& path, std::size_t batches) {
    make_empty(path);
    auto opened = live::open_sqlite_store(
        io_, path, {.limits = {}, .checkpoint_pages = 1'000'000, .vfs = faulty_.name()});
    auto& store = **opened;
    ASSERT_TRUE(store.load());
    StoreScript script(kSeed);
    for (std::size_t i = 0; i < batches; ++i) ASSERT_EQ(commit(io_, store, script.next()), Problems{});
    for (const char* end : {"", "-wal"}) write_text(folder_.path("saved") + end, file_text(path + end));
  }
  /// The state that is found, of those after each batch; -1: refused; -2: none of them.
  int state_found(const std::string& path) {
    auto store = open(path, faulty_.name());
    const auto loaded = store->load();
    if (!loaded) {
      EXPECT_NE(loaded.problems().front().where.find(folder_.path()), std::string::npos) << "names a file";
      return -1;
    }
    const auto found = std::ranges::find(contents_, content(*loaded));
    return found == contents_.end() ? -2 : static_cast<int>(found - contents_.begin());
  }

  TempFolder folder_;
  live::asio::io_context io_{1};
  FaultyVfs faulty_{"faulty"};
  std::vector<std::string> contents_ = contents_after(kSeed, 40);
};

/// Every write and every sync fails once: the commit says so, and afterwards all or nothing of it is there.
class StoreFaultAt : public StoreFaults, public testing::WithParamInterface<FaultyVfs::Fault> {
 protected:
  static constexpr std::size_t kBatches = 12;

  /// Commits the whole script; where a commit fails, loads and goes on. True if the fault came.
  bool survive(const std::string& path, std::uint64_t at) {
    make_empty(path);
    auto store = open(path, faulty_.name());
    EXPECT_TRUE(store->load());
    StoreScript script(kSeed);
    std::vector<live::Batch> batches;
    for (std::size_t i = 0; i < kBatches; ++i) batches.push_back(script.next());
    faulty_.arm(GetParam(), at);
    bool fired = false;
    for (std::size_t i = 0; i < kBatches;) {
      const Problems problems = commit(io_, *store, batches[i]);
      if (problems.empty()) {
        ++i;
        continue;
      }
      fired = faulty_.fired();
      EXPECT_TRUE(fired) << words(problems);
      EXPECT_EQ(problems.front().where, path);
      EXPECT_NE(commit(io_, *store, batches[i]), Problems{}) << "only load() helps";
      faulty_.arm(FaultyVfs::Fault::kNone, 0);
      const auto loaded = store->load();
      EXPECT_TRUE(loaded) << words(loaded.problems());
      const bool there = content(*loaded) == contents_[i + 1];
      EXPECT_TRUE(there || content(*loaded) == contents_[i]) << "fault " << at << ", batch " << i;
      i += there ? 1 : 0;
    }
    store.reset();  // Its last checkpoint, behind the last answer, may be what fails.
    fired = fired || faulty_.fired();
    faulty_.arm(FaultyVfs::Fault::kNone, 0);
    EXPECT_EQ(state_found(path), static_cast<int>(kBatches));
    return fired;
  }
};

TEST_P(StoreFaultAt, AnyCallIsToldAndNothingIsHalf) {
  std::uint64_t at = 1;
  while (survive(folder_.path("s" + std::to_string(at)), at) && !HasFailure()) ++at;
  EXPECT_GT(at, kBatches) << "a fault in each batch at least";
}

TEST_P(StoreFaultAt, LoadingIsToldAndRepeated) {
  std::uint64_t at = 0;
  for (bool fired = true; fired && !HasFailure();) {
    const std::string path = folder_.path("l" + std::to_string(++at));
    make_files(path, kBatches);
    for (const char* end : {"", "-wal"}) write_text(path + end, file_text(folder_.path("saved") + end));
    auto store = open(path, faulty_.name());
    faulty_.arm(GetParam(), at);
    const auto failed = store->load();
    fired = faulty_.fired();
    EXPECT_EQ(!failed, fired);
    faulty_.arm(FaultyVfs::Fault::kNone, 0);
    const auto loaded = store->load();
    ASSERT_TRUE(loaded) << words(loaded.problems());
    EXPECT_EQ(content(*loaded), contents_[kBatches]);
  }
  EXPECT_GT(at, 1U);
}

std::string fault_name(const testing::TestParamInfo<FaultyVfs::Fault>& info) {
  constexpr const char* kNames[] = {"None", "Error", "Full", "Short", "Sync"};
  return kNames[static_cast<std::size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Each, StoreFaultAt,
                         testing::Values(FaultyVfs::Fault::kError, FaultyVfs::Fault::kFull,
                                         FaultyVfs::Fault::kShort, FaultyVfs::Fault::kSync),
                         fault_name);

/// The power goes at every moment; what was not synced is there in part.
TEST_F(StoreFaults, APowerCutLosesNothingThatWasAcknowledged) {
  constexpr std::size_t kBatches = 12;
  bool cut = true;
  for (std::uint64_t at = 1; cut && !HasFailure(); ++at) {
    const std::string path = folder_.path("p" + std::to_string(at));
    const std::string left = folder_.path("cut" + std::to_string(at));
    std::filesystem::create_directory(left);
    make_empty(path);
    auto store = open(path, faulty_.name());
    ASSERT_TRUE(store->load());
    faulty_.cut(at, left, at);
    StoreScript script(kSeed);
    int acknowledged = 0;
    for (std::size_t i = 0; i < kBatches && !faulty_.was_cut(); ++i) {
      acknowledged = static_cast<int>(i);
      ASSERT_EQ(commit(io_, *store, script.next()), Problems{});
    }
    store.reset();
    cut = faulty_.was_cut();
    if (!cut) break;
    const int state = state_found(left + "/p" + std::to_string(at));
    EXPECT_GE(state, acknowledged) << "cut " << at;
    EXPECT_LE(state, acknowledged + 1) << "cut " << at;
    std::filesystem::remove_all(left);
  }
  EXPECT_FALSE(cut);
}

/// How many places to try: a few by default, all in a long run.
std::size_t step_through(std::size_t size, std::size_t samples) {
  return std::getenv("DUET_EVERY_BIT") != nullptr ? 1 : std::max<std::size_t>(1, size / samples);
}

TEST_F(StoreFaults, ATurnedBitIsRefusedOrChangesNothing) {
  constexpr int kBatches = 12;
  make_files(folder_.path("whole"), kBatches);
  const std::string path = folder_.path("turned");
  for (const std::string end : {"", "-wal"}) {
    const std::string whole = file_text(folder_.path("saved") + end);
    const std::size_t last = whole.size() - 2 * (4096 + 24);  // The last transaction is there at the latest.
    int refused = 0;
    for (std::size_t at = 0; at < whole.size() * 8; at += 1 + 8 * step_through(whole.size(), 300)) {
      for (const char* other : {"", "-wal"})
        write_text(path + other, file_text(folder_.path("saved") + other));
      std::string turned = whole;
      turned[at / 8] = static_cast<char>(turned[at / 8] ^ (1 << at % 8));
      write_text(path + end, turned);
      const int state = state_found(path);
      refused += state == -1;
      // Only the end of the log, which looks as if it had not been written to its end, may be left.
      const bool at_end = !end.empty() && at / 8 >= last;
      EXPECT_TRUE(state == kBatches || state == -1 || (at_end && state >= kBatches - 2))
          << "state " << state << ", bit " << at << " of" << end;
    }
    EXPECT_GT(refused, 0);
  }
}

TEST_F(StoreFaults, ACutFileIsRefusedAndACutLogIsShorter) {
  constexpr int kBatches = 12;
  make_files(folder_.path("whole"), kBatches);
  const std::string path = folder_.path("short");
  const std::string file = file_text(folder_.path("saved"));
  const std::string log = file_text(folder_.path("saved-wal"));
  int before = kBatches;
  for (std::size_t size = log.size() + 1; size-- > 0;) {
    if (size % step_through(log.size(), 200) != 0) continue;
    write_text(path, file);
    write_text(path + "-wal", log.substr(0, size));
    const int state = state_found(path);
    EXPECT_LE(state, before) << size;
    EXPECT_GE(state, 0) << size;
    before = state;
  }
  EXPECT_EQ(before, 0);
  // All of it in the file, none in the log.
  { ASSERT_TRUE(open(folder_.path("whole"), faulty_.name())->load()); }
  const std::string all = file_text(folder_.path("whole"));
  int refused = 0;
  for (std::size_t size = 0; size < all.size(); size += step_through(all.size(), 200)) {
    std::filesystem::remove(path + "-wal");
    write_text(path, all.substr(0, size));
    const int state = state_found(path);
    refused += state == -1;
    // What is cut off its last page may be empty.
    EXPECT_TRUE(state == -1 || (state == kBatches && size > all.size() - 4096)) << size;
  }
  EXPECT_GT(refused, 100);
}

TEST_F(StoreFaults, SaysWhatItCutOffAndWhatIsDamaged) {
  make_files(folder_.path("whole"), 12);
  const std::string log = file_text(folder_.path("saved-wal"));
  write_text(folder_.path("log"), log.substr(0, log.size() - 100));
  const auto torn = live::check_wal(folder_.path("log"));
  ASSERT_TRUE(torn);
  EXPECT_GT(torn->torn, 0U);
  std::string turned = log;
  turned[32 + 24 + 100] ^= 1;
  write_text(folder_.path("log"), turned);
  const auto damaged = live::check_wal(folder_.path("log"));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.problems().front().where, folder_.path("log"));
  EXPECT_EQ(damaged.problems().front().what,
            "at byte 32: page 1 of the log is damaged, and what was stored after it is not");
  // The same through the store: a warning for one, a refusal for the other.
  const std::string path = folder_.path("s");
  write_text(path, file_text(folder_.path("saved")));
  write_text(path + "-wal", log.substr(0, log.size() - 100));
  auto store = open(path);
  const auto loaded = store->load();
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_TRUE(loaded->warnings.front().starts_with(path + "-wal: ")) << loaded->warnings.front();
  EXPECT_TRUE(store->load()->warnings.empty()) << "it was cut off";
}

/// Runs SQL on a store that nobody has open.
void alter(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(database);
}

TEST_F(StoreFaults, NamesWhatIsWrongWithARecord) {
  const auto altered = [&](const char* name, const char* sql) {
    const std::string path = folder_.path(name);
    {
      auto store = open(path);
      EXPECT_TRUE(store->load());
      TaskRecord task;
      task.task = {JobId{17}, 0};
      EXPECT_EQ(
          commit(io_, *store,
                 {{JobRecord{JobId{17}, {}, false, 0, service_of(1, "ann")}, task}, {{JobId{3}, {}, "{}"}}}),
          Problems{});
    }
    alter(path, sql);
    const std::string why = why_not(path);
    return why.starts_with(path) ? why.substr(path.size()) : why;
  };
  const std::string remedy =
      "; a copy of the file from before the damage; or move it away to start with an empty store";
  EXPECT_EQ(altered("hash", "UPDATE records SET hash=hash+1 WHERE kind=4"),
            ": is damaged: the hash of task 17.0 is wrong" + remedy);
  EXPECT_EQ(altered("job", "DELETE FROM records WHERE kind=3"),
            ": is damaged: task 17.0 is there, and its job is not" + remedy);
  EXPECT_EQ(altered("task", "DELETE FROM records WHERE kind=4"),
            ": is damaged: its 1 records are not the 2 of its last change, number 1" + remedy);
  EXPECT_EQ(altered("head", "DELETE FROM records WHERE kind=0"),
            ": is damaged: its 2 records are not the 0 of its last change, number 0" + remedy);
  EXPECT_EQ(altered("history", "UPDATE history SET json=x'00'"),
            ": is damaged: the hash of the history of job 3 is wrong" + remedy);
  EXPECT_EQ(
      altered("newer", "UPDATE store SET format=3"),
      ": is a store of format 3; format 2, the newest that this version of Duet reads; or a newer Duet");
  EXPECT_EQ(
      altered("older", "UPDATE store SET format=1"),
      ": is a store of format 1, of an earlier version of Duet; format 2; that version, or another folder");
  EXPECT_EQ(altered("tables", "DROP TABLE store"),
            ": is not a store of Duet: it lacks its tables; another file");
  EXPECT_EQ(altered("nothing", "SELECT 1"), "it loads");
}

TEST_F(StoreFaults, RefusesWhatIsNoStore) {
  const std::string path = folder_.path("text");
  write_text(path, std::string(5000, 'x'));
  EXPECT_TRUE(why_not(path).starts_with(path + ": cannot be opened: file is not a database; "))
      << why_not(path);
  write_text(folder_.path("empty"), "");
  EXPECT_TRUE(
      why_not(folder_.path("empty")).starts_with(folder_.path("empty") + ": is damaged: it is empty"));
  write_text(folder_.path("gone-wal"), "log");
  EXPECT_TRUE(
      why_not(folder_.path("gone")).starts_with(folder_.path("gone") + ": is missing, though its log"));
  const auto nowhere = live::open_sqlite_store(io_, folder_.path("no/where"));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(words(nowhere.problems()),
            folder_.path("no/where.lock") +
                ": cannot be made: No such file or directory; a folder that exists "
                "and that Duet may write to");
}

TEST_F(StoreFaults, OneControllerAtATime) {
  const std::string path = folder_.path("store");
  auto first = open(path);
  ASSERT_TRUE(first->load());
  const auto second = live::open_sqlite_store(io_, path);
  ASSERT_FALSE(second);
  EXPECT_EQ(words(second.problems()),
            path + ": is in use by another controller, process " + std::to_string(::getpid()) +
                "; one controller for a store: end that one first, or give this one another folder");
  first.reset();
  EXPECT_TRUE(open(path)->load());
}

TEST_F(StoreFaults, AFullDiskIsToldAndGoneWhenThereIsRoom) {
  const std::string path = folder_.path("store");
  auto store = open(path);
  ASSERT_TRUE(store->load());
  StoreScript script(kSeed);
  std::size_t done = 0;
  {
    const FileLimit limit(40'000);
    Problems problems;
    for (; problems.empty() && done < 40; done += problems.empty())
      problems = commit(io_, *store, script.next());
    ASSERT_FALSE(problems.empty());
    EXPECT_EQ(problems.front().where, path);
  }
  const auto loaded = store->load();
  ASSERT_TRUE(loaded) << words(loaded.problems());
  EXPECT_TRUE(content(*loaded) == contents_[done] || content(*loaded) == contents_[done + 1]);
  EXPECT_EQ(commit(io_, *store, script.next()), Problems{});
}

/// A process that commits the script and says so after each answer, until it is killed.
[[noreturn]] void commit_and_tell(const std::string& path, int fd) {
  live::asio::io_context io(1);
  auto store = live::open_sqlite_store(io, path, {.limits = {}, .checkpoint_pages = 8});
  if (!store || !(*store)->load()) ::_exit(1);
  StoreScript script(kSeed);
  for (;;) {
    if (!commit(io, **store, script.next()).empty()) ::_exit(2);
    if (::write(fd, "!", 1) != 1) ::_exit(3);
  }
}

TEST_F(StoreFaults, AKilledControllerHasLostNothingThatItAcknowledged) {
  for (int round = 1; round <= 6; ++round) {
    const std::string path = folder_.path("k" + std::to_string(round));
    int pipe[2] = {};
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_and_tell(path, pipe[1]);
    ::close(pipe[1]);
    char told = 0;
    int acknowledged = 0;
    while (acknowledged < 5 * round && ::read(pipe[0], &told, 1) == 1) ++acknowledged;
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &told, 1) == 1) ++acknowledged;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    contents_ = contents_after(kSeed, static_cast<std::size_t>(acknowledged) + 2);
    const int state = state_found(path);
    EXPECT_GE(state, acknowledged);
    EXPECT_LE(state, acknowledged + 1);
  }
}

}  // namespace
}  // namespace duet::test
