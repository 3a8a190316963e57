// The small files that control groups and /proc consist of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duet::live {

/// All of a file; empty if it cannot be read.
std::string read_small(const std::string& path);
/// From its beginning, of an open file; empty on failure. At most 4 KiB.
std::string read_again(int fd);
/// Writes with one call. False, with errno, if that fails.
bool write_small(const std::string& path, std::string_view text);
/// The number behind "key " in lines of "key number".
std::optional<std::int64_t> number_of_key(std::string_view text, std::string_view key);
/// The whole numbers of a text, whatever stands between them.
std::vector<std::int64_t> numbers_in(std::string_view text);
/// Kills the processes of this group one by one, none that got the number of one of them meanwhile.
void kill_members(const std::string& group_folder);
/// Sends SIGKILL to `pid` if `is_meant` says so, which is asked when its number can no longer become
/// another's.
void kill_if(std::int64_t pid, const std::function<bool()>& is_meant);

}  // namespace duet::live
