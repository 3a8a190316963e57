// Candidates of node_selection.cpp that look at every node: naive, in arrays, in explicit vectors, with
// scores; and one that looks at two random ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "bench/raw/node_selection.h"

// ---------- A. naive AoS linear scan (heap objects via pointers, like most small orchestrators)
struct NodeAoS {
  char pad[64];
  i32 fc, fm;
  u32 id;
  char pad2[52];
};
struct NaiveBest {
  std::vector<NodeAoS*> n;
  std::vector<NodeAoS> store;
  NaiveBest(u32 N) : store(N) {
    for (u32 i = 0; i < N; i++) {
      store[i].fc = CPU;
      store[i].fm = MEM;
      store[i].id = i;
      n.push_back(&store[i]);
    }
  }
  int pick(Req r) {
    int b = -1;
    i32 bk = std::numeric_limits<i32>::max();
    for (auto* p : n) {
      if (p->fc >= r.c && p->fm >= r.m) {
        i32 k = p->fc - r.c;
        if (k < bk) {
          bk = k;
          b = p->id;
        }
      }
    }
    return b;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    store[i].fc += dc;
    store[i].fm += dm;
  }
};
// ---------- B. SoA linear scan, auto-vectorised, key = free cpu after placement
// (best fit: min; worst fit: max)
template <bool BEST>
struct SoAScan {
  std::vector<i32> fc, fm;
  u32 N;
  SoAScan(u32 n) : fc((n + 15) / 16 * 16, -1), fm((n + 15) / 16 * 16, -1), N(n) {
    for (u32 i = 0; i < N; i++) {
      fc[i] = CPU;
      fm[i] = MEM;
    }
  }
  int pick(Req r) {  // block min, then locate inside the winning block
    const i32 *c = fc.data(), *m = fm.data();
    u32 n = (u32)fc.size();
    constexpr u32 B = 256;
    i32 bk = std::numeric_limits<i32>::max();
    u32 bb = ~0u;
    for (u32 s = 0; s < n; s += B) {
      u32 e = std::min(n, s + B);
      i32 k = std::numeric_limits<i32>::max();
      for (u32 i = s; i < e; i++) {
        i32 v = BEST ? c[i] : -c[i];
        bool ok = (c[i] >= r.c) & (m[i] >= r.m);
        v = ok ? v : std::numeric_limits<i32>::max();
        k = v < k ? v : k;
      }
      if (k < bk) {
        bk = k;
        bb = s;
      }
    }
    if (bb == ~0u) return -1;
    u32 e = std::min(n, bb + B);
    for (u32 i = bb; i < e; i++)
      if (c[i] >= r.c && m[i] >= r.m && (BEST ? c[i] : -c[i]) == bk) return (int)i;
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    fc[i] += dc;
    fm[i] += dm;
  }
};
// ---------- B2. explicit 8-lane vector SoA scan, packs (key<<?): min key then locate
typedef i32 v8 __attribute__((vector_size(32)));
typedef float f8 __attribute__((vector_size(32)));
template <bool BEST>
struct VecScan {
  std::vector<i32> fc, fm;
  u32 N, P;
  i32* c;
  i32* m;
  VecScan(u32 n)
      : fc((n + 63) / 64 * 64 + 16, -1), fm((n + 63) / 64 * 64 + 16, -1), N(n), P((n + 63) / 64 * 64) {
    c = (i32*)(((uintptr_t)fc.data() + 31) & ~31ull);
    m = (i32*)(((uintptr_t)fm.data() + 31) & ~31ull);
    for (u32 i = 0; i < N; i++) {
      c[i] = CPU;
      m[i] = MEM;
    }
  }
  int pick(Req r) {
    constexpr i32 INF = std::numeric_limits<i32>::max();
    v8 rc = v8{} + r.c, rm = v8{} + r.m, inf = v8{} + INF;
    i32 bk = INF;
    u32 bb = ~0u;
    u32 B = P <= 1024 ? 64 : 512;
    for (u32 s = 0; s < P; s += B) {
      u32 e = std::min(P, s + B);
      v8 k0 = inf, k1 = inf;
      for (u32 i = s; i < e; i += 16) {
        v8 a = *(v8*)(c + i), b = *(v8*)(c + i + 8), x = *(v8*)(m + i), y = *(v8*)(m + i + 8);
        v8 ok0 = (a >= rc) & (x >= rm), ok1 = (b >= rc) & (y >= rm);
        v8 va = BEST ? a : -a, vb = BEST ? b : -b;
        va = ok0 ? va : inf;
        vb = ok1 ? vb : inf;
        k0 = va < k0 ? va : k0;
        k1 = vb < k1 ? vb : k1;
      }
      k0 = k0 < k1 ? k0 : k1;
      i32 k = INF;
      for (int j = 0; j < 8; j++) k = k0[j] < k ? k0[j] : k;
      if (k < bk) {
        bk = k;
        bb = s;
      }
    }
    if (bb == ~0u) return -1;
    u32 e = std::min(P, bb + B);
    v8 kk = v8{} + (BEST ? bk : -bk);
    for (u32 i = bb; i < e; i += 8) {
      v8 a = *(v8*)(c + i), x = *(v8*)(m + i);
      v8 ok = (a == kk) & (x >= rm);
      for (int j = 0; j < 8; j++)
        if (ok[j]) return (int)(i + j);
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    c[i] += dc;
    m[i] += dm;
  }
};
struct VecEpvm {
  std::vector<i32> fc, fm;
  std::vector<float> fx, fy;
  u32 N, P;
  i32* c;
  i32* m;
  float* x;
  float* y;
  template <class T>
  static T* al(T* p) {
    return (T*)(((uintptr_t)p + 31) & ~31ull);
  }
  float tc[CPU / 50 + 1], tm[MEM / 32 + 1];
  VecEpvm(u32 n) : N(n), P((n + 63) / 64 * 64) {
    fc.assign(P + 16, -1);
    fm.assign(P + 16, -1);
    fx.assign(P + 16, 0);
    fy.assign(P + 16, 0);
    c = al(fc.data());
    m = al(fm.data());
    x = al(fx.data());
    y = al(fy.data());
    for (int i = 0; i <= CPU / 50; i++) tc[i] = exp2f(8.f * (1.f - (float)(i * 50) / (float)CPU));
    for (int i = 0; i <= MEM / 32; i++) tm[i] = exp2f(8.f * (1.f - (float)(i * 32) / (float)MEM));
    for (u32 i = 0; i < N; i++) {
      c[i] = CPU;
      m[i] = MEM;
      set(i);
    }
  }
  void set(u32 i) {
    x[i] = tc[c[i] / 50];
    y[i] = tm[m[i] / 32];
  }
  int pick(Req r) {
    float ac = exp2f(8.f * (float)r.c / CPU) - 1.f, am = exp2f(8.f * (float)r.m / MEM) - 1.f;
    v8 rc = v8{} + r.c, rm = v8{} + r.m;
    f8 A = f8{} + ac, M = f8{} + am, inf = f8{} + 1e30f;
    float bk = 1e30f;
    u32 bb = ~0u;
    u32 B = P <= 1024 ? 64 : 512;
    for (u32 s = 0; s < P; s += B) {
      u32 e = std::min(P, s + B);
      f8 k0 = inf;
      for (u32 i = s; i < e; i += 8) {
        v8 ok = (*(v8*)(c + i) >= rc) & (*(v8*)(m + i) >= rm);
        f8 v = A * *(f8*)(x + i) + M * *(f8*)(y + i);
        v = ok ? v : inf;
        k0 = v < k0 ? v : k0;
      }
      float k = 1e30f;
      for (int j = 0; j < 8; j++) k = k0[j] < k ? k0[j] : k;
      if (k < bk) {
        bk = k;
        bb = s;
      }
    }
    if (bb == ~0u) return -1;
    u32 e = std::min(P, bb + B);
    f8 kk = f8{} + bk;
    for (u32 i = bb; i < e; i += 8) {
      v8 ok = (*(v8*)(c + i) >= rc) & (*(v8*)(m + i) >= rm);
      f8 v = A * *(f8*)(x + i) + M * *(f8*)(y + i);
      v8 eq = ok & (v == kk);
      for (int j = 0; j < 8; j++)
        if (eq[j]) return (int)(i + j);
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    c[i] += dc;
    m[i] += dm;
    set(i);
  }
};
// ---------- C. E-PVM SoA: min marginal cost  sum_r (2^(u_r') - 2^(u_r)) ; table of 2^(k/256); float score
struct SoAEpvm {
  std::vector<i32> fc, fm;
  std::vector<float> ec, em;
  u32 N;
  SoAEpvm(u32 n)
      : fc((n + 15) / 16 * 16, -1),
        fm((n + 15) / 16 * 16, -1),
        ec((n + 15) / 16 * 16, 0),
        em((n + 15) / 16 * 16, 0),
        N(n) {
    for (u32 i = 0; i < N; i++) {
      fc[i] = CPU;
      fm[i] = MEM;
      set(i);
    }
  }
  void set(u32 i) {
    ec[i] = exp2f(8.f * (1.f - (float)fc[i] / (float)CPU));
    em[i] = exp2f(8.f * (1.f - (float)fm[i] / (float)MEM));
  }
  int pick(Req r) {
    float ac = exp2f(8.f * (float)r.c / CPU) - 1.f,
          am =
              exp2f(8.f * (float)r.m / MEM) - 1.f;  // marginal cost = 2^u*(2^du-1): one multiply per resource
    const i32 *c = fc.data(), *m = fm.data();
    const float *x = ec.data(), *y = em.data();
    u32 n = (u32)fc.size();
    constexpr u32 B = 256;
    float bk = 1e30f;
    u32 bb = ~0u;
    for (u32 s = 0; s < n; s += B) {
      u32 e = std::min(n, s + B);
      float k = 1e30f;
      for (u32 i = s; i < e; i++) {
        float v = ac * x[i] + am * y[i];
        bool ok = (c[i] >= r.c) & (m[i] >= r.m);
        v = ok ? v : 1e30f;
        k = v < k ? v : k;
      }
      if (k < bk) {
        bk = k;
        bb = s;
      }
    }
    if (bb == ~0u) return -1;
    u32 e = std::min(n, bb + B);
    for (u32 i = bb; i < e; i++)
      if (c[i] >= r.c && m[i] >= r.m && (ac * x[i] + am * y[i]) == bk) return (int)i;
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    fc[i] += dc;
    fm[i] += dm;
    set(i);
  }
};
// E-PVM naive: exp2 per node per decision
struct NaiveEpvm {
  std::vector<NodeAoS> store;
  NaiveEpvm(u32 N) : store(N) {
    for (u32 i = 0; i < N; i++) {
      store[i].fc = CPU;
      store[i].fm = MEM;
      store[i].id = i;
    }
  }
  int pick(Req r) {
    int b = -1;
    double bk = 1e300;
    for (auto& p : store) {
      if (p.fc >= r.c && p.fm >= r.m) {
        double u = 1 - p.fc / (double)CPU, u2 = 1 - (p.fc - r.c) / (double)CPU, w = 1 - p.fm / (double)MEM,
               w2 = 1 - (p.fm - r.m) / (double)MEM;
        double k = std::pow(256.0, u2) - std::pow(256.0, u) + std::pow(256.0, w2) - std::pow(256.0, w);
        if (k < bk) {
          bk = k;
          b = p.id;
        }
      }
    }
    return b;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    store[i].fc += dc;
    store[i].fm += dm;
  }
};
// ---------- G. power-of-two / sampled (K8s percentageOfNodesToScore-like; Sparrow-like d=2 worst fit)
struct Po2 {
  std::vector<i32> fc, fm;
  u32 N;
  u64 s = 7;
  Po2(u32 n) : fc(n, CPU), fm(n, MEM), N(n) {}
  int pick(Req r) {
    for (int t = 0; t < 64; t++) {
      u64 x = splitmix(s);
      u32 a = (u32)((x & 0xffffffff) * N >> 32), b = (u32)((x >> 32) * N >> 32);
      bool oa = fc[a] >= r.c && fm[a] >= r.m, ob = fc[b] >= r.c && fm[b] >= r.m;
      if (oa && (!ob || fc[a] >= fc[b])) return (int)a;
      if (ob) return (int)b;
    }
    return -1;
  }
  void upd(u32 i, i32 dc, i32 dm) {
    fc[i] += dc;
    fm[i] += dm;
  }
};
