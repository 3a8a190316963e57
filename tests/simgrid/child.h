// Runs a piece of a test in a process of its own: SimGrid can run once in each.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace duet::sim {

/// Calls `body` in a child and returns what it returns. A failed expectation in the child fails the test
/// here.
inline std::string output_of_child(const std::function<std::string()>& body) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    const std::string output = body();
    std::fflush(nullptr);
    for (std::size_t sent = 0; sent < output.size();) {
      const ssize_t n = write(ends[1], output.data() + sent, output.size() - sent);
      if (n <= 0) _exit(2);
      sent += static_cast<std::size_t>(n);
    }
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  close(ends[1]);
  std::string output;
  char buffer[65536];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    output.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "child ended with status " << status;
  return output;
}

inline void run_in_child(const std::function<void()>& body) {
  output_of_child([&] {
    body();
    return std::string();
  });
}

}  // namespace duet::sim
