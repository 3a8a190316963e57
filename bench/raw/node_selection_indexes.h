// Candidates of node_selection.cpp with an index: segment tree, ordered set, buckets of bitmaps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "bench/raw/node_selection.h"

// ---------- D. segment (max) tree over free cpu & free mem:
// first fit / round robin (next fit) in O(log n) typical
struct SegTree {
  u32 N, P;
  std::vector<std::pair<i32, i32>> t;
  u32 cur = 0;
  SegTree(u32 n) : N(n) {
    P = 1;
    while (P < N) P *= 2;
    t.assign(2 * P, {-1, -1});
    for (u32 i = 0; i < N; i++) t[P + i] = {CPU, MEM};
    for (u32 i = P - 1; i; i--)
      t[i] = {std::max(t[2 * i].first, t[2 * i + 1].first), std::max(t[2 * i].second, t[2 * i + 1].second)};
  }
  bool ok(u32 x, Req r) const { return t[x].first >= r.c && t[x].second >= r.m; }
  int from(u32 s, Req r) {  // first leaf >= s that fits; iterative climb
    if (s >= N) return -1;
    u32 x = P + s;
    for (;;) {
      if (ok(x, r)) {
        if (x >= P) return (int)(x - P);
        x = 2 * x;
        continue;
      }
      while (x & 1) {
        x >>= 1;
        if (x <= 1) return -1;
      }
      if (x == 0) return -1;
      x++;
      if ((x & (x - 1)) == 0) return -1;
    }
  }
  int pick(Req r) {
    int k = from(cur, r);
    if (k < 0) k = from(0, r);
    if (k >= 0) cur = (u32)k + 1 < N ? (u32)k + 1 : 0;
    return k;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    u32 x = P + i;
    t[x].first += dc;
    t[x].second += dm;
    for (x >>= 1; x; x >>= 1) {
      std::pair<i32, i32> v{std::max(t[2 * x].first, t[2 * x + 1].first),
                            std::max(t[2 * x].second, t[2 * x + 1].second)};
      if (v == t[x]) break;
      t[x] = v;
    }
  }
};
struct RRScan {
  std::vector<i32> fc, fm;
  u32 N, cur = 0;
  RRScan(u32 n) : fc(n, CPU), fm(n, MEM), N(n) {}
  int pick(Req r) {
    for (u32 k = 0; k < N; k++) {
      u32 i = cur;
      cur = cur + 1 < N ? cur + 1 : 0;
      if (fc[i] >= r.c && fm[i] >= r.m) return (int)i;
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    fc[i] += dc;
    fm[i] += dm;
  }
};
// ---------- E. ordered set (std::set<(freecpu,id)>): best fit walk from lower_bound; worst fit from the back
template <bool BEST>
struct SetIdx {
  std::set<std::pair<i32, u32>> s;
  std::vector<i32> fc, fm;
  SetIdx(u32 N) : fc(N, CPU), fm(N, MEM) {
    for (u32 i = 0; i < N; i++) s.insert({CPU, i});
  }
  int pick(Req r) {
    if (BEST) {
      for (auto it = s.lower_bound({r.c, 0}); it != s.end(); ++it)
        if (fm[it->second] >= r.m) return (int)it->second;
    } else {
      for (auto it = s.rbegin(); it != s.rend() && it->first >= r.c; ++it)
        if (fm[it->second] >= r.m) return (int)it->second;
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    auto nh = s.extract({fc[i], i});
    fc[i] += dc;
    fm[i] += dm;
    nh.value() = {fc[i], i};
    s.insert(std::move(nh));
  }
};
// ---------- F. bucketed: 81 cpu buckets (100 mcpu) x hierarchical bitmap of node ids, per-bucket max-mem
// hint; deterministic lowest id in the best bucket
struct Bitmap {
  std::vector<u64> l0, l1, l2;
  void init(u32 N) {
    u32 a = (N + 63) / 64, b = (a + 63) / 64, c = (b + 63) / 64;
    l0.assign(a, 0);
    l1.assign(b, 0);
    l2.assign(c, 0);
  }
  void set(u32 i) {
    l0[i >> 6] |= 1ull << (i & 63);
    l1[i >> 12] |= 1ull << ((i >> 6) & 63);
    l2[i >> 18] |= 1ull << ((i >> 12) & 63);
  }
  void clr(u32 i) {
    if (!(l0[i >> 6] &= ~(1ull << (i & 63))))
      if (!(l1[i >> 12] &= ~(1ull << ((i >> 6) & 63)))) l2[i >> 18] &= ~(1ull << ((i >> 12) & 63));
  }
  int next(u32 i) const {  // first set >= i
    u32 w = i >> 6;
    if (w >= l0.size()) return -1;
    u64 x = l0[w] & (~0ull << (i & 63));
    if (x) return (int)(w * 64 + __builtin_ctzll(x));
    u32 j = w + 1;
    u32 v = j >> 6;
    if (v < l1.size()) {
      u64 y = (j & 63) ? l1[v] & (~0ull << (j & 63)) : l1[v];
      if (y) {
        u32 k = v * 64 + __builtin_ctzll(y);
        return (int)(k * 64 + __builtin_ctzll(l0[k]));
      }
      u32 g = v + 1, h = g >> 6;
      for (; h < l2.size(); h++) {
        u64 z = l2[h];
        if ((g >> 6) == h && (g & 63)) z &= (~0ull << (g & 63));
        if (z) {
          u32 a = h * 64 + __builtin_ctzll(z);
          u32 b = a * 64 + __builtin_ctzll(l1[a]);
          return (int)(b * 64 + __builtin_ctzll(l0[b]));
        }
      }
    }
    return -1;
  }
};
template <bool BEST>
struct Bucket {
  static constexpr int G = 100, K = CPU / G + 1;
  static constexpr int MG = 2048, MK = MEM / MG + 1;
  std::vector<i32> fc, fm;
  std::vector<Bitmap> b;
  u64 any[(K * MK + 63) / 64] = {};
  std::vector<u32> cnt;
  // 2-D buckets: (cpu bucket, mem bucket). Exact check only in the boundary mem bucket.
  int key(i32 c, i32 m) const { return (c / G) * MK + (m / MG); }
  Bucket(u32 N) : fc(N, CPU), fm(N, MEM), b(K * MK), cnt(K * MK, 0) {
    for (auto& x : b) x.init(N);
    for (u32 i = 0; i < N; i++) add(i);
  }
  void add(u32 i) {
    int k = key(fc[i], fm[i]);
    b[k].set(i);
    if (!cnt[k]++) any[k >> 6] |= 1ull << (k & 63);
  }
  void del(u32 i) {
    int k = key(fc[i], fm[i]);
    b[k].clr(i);
    if (!--cnt[k]) any[k >> 6] &= ~(1ull << (k & 63));
  }
  int nextAny(int k, int end) const {
    while (k < end) {
      u64 x = any[k >> 6] >> (k & 63);
      if (x) {
        int r = k + __builtin_ctzll(x);
        return r < end ? r : -1;
      }
      k = (k | 63) + 1;
    }
    return -1;
  }
  int pick(Req r) {
    int c0 = (r.c + G - 1) / G, m0 = r.m / MG;
    int step = BEST ? 1 : -1;
    for (int c = BEST ? c0 : K - 1; BEST ? c < K : c >= c0; c += step) {
      int e = (c + 1) * MK;
      for (int k = nextAny(c * MK + m0, e); k >= 0; k = nextAny(k + 1, e)) {
        if (k == c * MK + m0) {
          for (int i = b[k].next(0); i >= 0; i = b[k].next((u32)i + 1))
            if (fm[i] >= r.m) return i;
        } else
          return b[k].next(0);
      }
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    del(i);
    fc[i] += dc;
    fm[i] += dm;
    add(i);
  }
};
