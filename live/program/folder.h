// The folder of a live program: its own alone, with the tokens and a note of where the program can be
// reached.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "live/secret.h"

namespace duet::live {

/// Held as long as this lives: no second program of the kind works in the folder.
class FolderHold {
 public:
  ~FolderHold();
  FolderHold(const FolderHold&) = delete;
  FolderHold& operator=(const FolderHold&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  friend Result<std::unique_ptr<FolderHold>> hold_folder(const std::string& path, const std::string& kind);
  FolderHold(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

/// Makes the folder, for its owner alone, if it is not there. Problems: it cannot be made or is another
/// user's, or another `kind` ("controller", "agent") works in it.
Result<std::unique_ptr<FolderHold>> hold_folder(const std::string& path, const std::string& kind);

/// The path of another program of ours, which lies where this one does.
std::string beside_this(const std::string& program);

/// The secret in that file; drawn and written (0600) if there is none. Problems: it cannot be read or
/// written, others may read it, it is too short.
Result<Secret> secret_in(const std::string& path);

}  // namespace duet::live
