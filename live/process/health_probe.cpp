#include "live/process/health_probe.h"

#include <array>
#include <csignal>
#include <string_view>
#include <utility>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace duet::live {
namespace {

/// What a status line may be long, with its end.
constexpr std::size_t kStatusLine = 512;

/// "HTTP/1.1 204 No Content" and the like.
bool is_success(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return false;
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  const bool ends = line.size() == 12 || line[12] == ' ' || line[12] == '\r';
  return line[9] == '2' && digit(10) && digit(11) && ends;
}

class SocketProbe final : public HealthProbe {
 public:
  SocketProbe(asio::io_context& io, Question question, std::function<void(bool)> done)
      : question_(std::move(question)), done_(std::move(done)), socket_(io), timer_(io) {}
  ~SocketProbe() override { *alive_ = false; }
  bool is_over() const override { return over_; }

  void begin() {
    timer_.expires_after(question_.timeout);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
      if (*alive && !error) end(false);
    });
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), question_.port);
    socket_.async_connect(there, [this, alive = alive_](const boost::system::error_code& error) {
      if (!*alive || over_) return;
      if (error || question_.what.kind == HealthQuestion::Kind::kTcp) return end(!error);
      ask();
    });
  }

 private:
  void ask() {
    text_ = "GET " + question_.what.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(question_.port) +
            "\r\nUser-Agent: duet-health\r\nAccept: */*\r\nConnection: close\r\n\r\n";
    asio::async_write(socket_, asio::buffer(text_),
                      [this, alive = alive_](const boost::system::error_code& error, std::size_t) {
                        if (!*alive || over_) return;
                        if (error) return end(false);
                        text_.clear();
                        read();
                      });
  }

  /// The first line is the answer; nobody needs the rest.
  void read() {
    socket_.async_read_some(
        asio::buffer(bytes_),
        [this, alive = alive_](const boost::system::error_code& error, std::size_t count) {
          if (!*alive || over_) return;
          if (error) return end(false);
          text_.append(bytes_.data(), count);
          if (const auto at = text_.find('\n'); at != std::string::npos)
            return end(is_success(std::string_view(text_).substr(0, at)));
          if (text_.size() > kStatusLine) return end(false);
          read();
        });
  }

  void end(bool healthy) {
    if (std::exchange(over_, true)) return;
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    done_(healthy);
  }

  const Question question_;
  const std::function<void(bool)> done_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::string text_;
  std::array<char, kStatusLine> bytes_{};
  bool over_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Reads a pipe to its end, and forgets what it read: its writer must not be held back.
class Drain {
 public:
  explicit Drain(asio::io_context& io) : pipe_(io) {}
  ~Drain() { close(); }
  void begin(Fd fd) {
    pipe_.assign(fd.release());
    read();
  }
  void close() {
    if (pipe_.is_open()) ::close(pipe_.release());
  }

 private:
  void read() {
    pipe_.async_read_some(asio::buffer(bytes_), [this, alive = std::weak_ptr<bool>(alive_)](
                                                    const boost::system::error_code& error, std::size_t) {
      if (alive.lock() && !error) read();
    });
  }

  asio::posix::stream_descriptor pipe_;
  std::array<char, 4096> bytes_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class ProgramProbe final : public HealthProbe {
 public:
  ProgramProbe(asio::io_context& io, Question question, std::function<void(bool)> done)
      : question_(std::move(question)), done_(std::move(done)), pidfd_(io), out_(io), err_(io), timer_(io) {}
  ~ProgramProbe() override {
    *alive_ = false;
    kill();
    if (pidfd_.is_open()) ::close(pidfd_.release());
  }
  std::int64_t pid() const override { return pid_; }
  bool is_starting() const override { return starting_; }
  bool is_over() const override { return over_ && pid_ == 0 && !starting_; }

  void begin(Spawner& spawner) {
    timer_.expires_after(question_.timeout);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
      if (!*alive || error) return;
      kill();
      end(false);
    });
    SpawnOrder order = question_.program;
    order.argv = question_.what.argv;
    starting_ = true;
    spawner.spawn(std::move(order), [this, alive = alive_](Result<std::shared_ptr<Spawned>> result) {
      if (!*alive) {
        // Nobody is there any more who would end it.
        if (result) syscall(SYS_pidfd_send_signal, (*result)->pidfd.get(), SIGKILL, nullptr, 0);
        return;
      }
      starting_ = false;
      if (!result) return end(false);
      Spawned& spawned = **result;
      pid_ = spawned.pid;
      pidfd_.assign(spawned.pidfd.release());
      out_.begin(std::move(spawned.out));
      err_.begin(std::move(spawned.err));
      if (over_) kill();
      watch();
    });
  }

 private:
  void watch() {
    pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this, alive = alive_](const boost::system::error_code& error) {
                        if (*alive && !error) reap();
                      });
  }

  void reap() {
    siginfo_t info{};
    if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0)
      return watch();
    pid_ = 0;
    ::close(pidfd_.release());
    end(info.si_code == CLD_EXITED && info.si_status == 0);
  }

  /// It leads a session of its own, and so a process group: its children go with it.
  void kill() const {
    if (pid_ != 0) ::kill(static_cast<pid_t>(-pid_), SIGKILL);
  }

  void end(bool healthy) {
    if (std::exchange(over_, true)) return;
    timer_.cancel();
    out_.close();
    err_.close();
    done_(healthy);
  }

  const Question question_;
  const std::function<void(bool)> done_;
  std::int64_t pid_ = 0;
  bool starting_ = false;
  asio::posix::stream_descriptor pidfd_;
  Drain out_;
  Drain err_;
  asio::steady_timer timer_;
  bool over_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<HealthProbe> HealthProbe::start(asio::io_context& io, Spawner& spawner, Question question,
                                                std::function<void(bool healthy)> done) {
  if (question.what.kind == HealthQuestion::Kind::kExec) {
    auto probe = std::make_unique<ProgramProbe>(io, std::move(question), std::move(done));
    probe->begin(spawner);
    return probe;
  }
  auto probe = std::make_unique<SocketProbe>(io, std::move(question), std::move(done));
  probe->begin();
  return probe;
}

}  // namespace duet::live
