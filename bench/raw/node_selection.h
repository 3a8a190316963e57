// What the candidates of node_selection.cpp share: a request for CPU (millicores) and memory (MiB).
#pragma once

#include <cstdint>

using u32 = uint32_t;
using u64 = uint64_t;
using i32 = int32_t;
inline u64 splitmix(u64& s) {
  u64 z = (s += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
constexpr i32 CPU = 8000, MEM = 32768;
struct Req {
  i32 c, m;
};
inline Req mkreq(u64& s) {
  static const i32 cs[] = {100, 250, 500, 1000, 2000, 4000};
  u64 r = splitmix(s);
  i32 c = cs[r % 6];
  i32 m = (i32)(128 + (r >> 8) % 4096);
  return {c, m};
}
