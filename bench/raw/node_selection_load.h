// The steady state in which the candidates of node_selection.cpp are measured: the cluster is held near a
// target utilisation by releasing the oldest placement (a ring).
#pragma once

#include <cstddef>
#include <vector>

#include "bench/raw/node_selection.h"

template <class S>
class HeldCluster {
 public:
  /// At most `per_node` placements for each node: with 4, that is reached at 65 % of CPU, before the target.
  explicit HeldCluster(u32 nodes, u32 per_node = 4)
      : s_(nodes), ring_((std::size_t)nodes * per_node + 16), reqs_(4096) {
    u64 seed = 42;
    for (auto& r : reqs_) r = mkreq(seed);
    limit_ = (u64)(0.80 * (double)nodes * CPU);
    fill(nodes);
  }
  /// One decision: select and allocate, after releasing what is above the target.
  void decide() {
    while ((used_cpu_ >= limit_ || full()) && used_ > 0) release();
    if (!place() && used_ > 0) release();
  }
  u64 fails() const { return fails_; }
  double utilisation(u32 nodes) const { return (double)used_cpu_ / ((double)nodes * CPU); }

 private:
  struct Placed {
    u32 node;
    Req r;
  };
  bool full() const { return used_ + 1 >= ring_.size(); }
  void hold(u32 node, Req r) {
    s_.upd(node, -r.c, -r.m);
    ring_[head_++ % ring_.size()] = {node, r};
    used_++;
    used_cpu_ += (u64)r.c;
  }
  bool place() {
    Req r = reqs_[next_++ & 4095];
    int k = s_.pick(r);
    if (k < 0) {
      fails_++;
      return false;
    }
    hold((u32)k, r);
    return true;
  }
  void release() {
    Placed p = ring_[tail_++ % ring_.size()];
    used_--;
    used_cpu_ -= (u64)p.r.c;
    s_.upd(p.node, p.r.c, p.r.m);
  }
  /// Around and around, whatever the candidate would choose: naive ones would take minutes.
  void fill(u32 nodes) {
    std::vector<i32> fc(nodes, CPU), fm(nodes, MEM);
    u32 cur = 0;
    while (used_cpu_ < limit_ && !full()) {
      Req r = reqs_[next_++ & 4095];
      u32 k = 0;
      while (k < nodes && !(fc[cur] >= r.c && fm[cur] >= r.m)) {
        cur = cur + 1 < nodes ? cur + 1 : 0;
        k++;
      }
      if (k == nodes) break;
      fc[cur] -= r.c;
      fm[cur] -= r.m;
      hold(cur, r);
      cur = cur + 1 < nodes ? cur + 1 : 0;
    }
  }

  S s_;
  std::vector<Placed> ring_;
  std::vector<Req> reqs_;
  std::size_t head_ = 0, tail_ = 0, used_ = 0, next_ = 0;
  u64 used_cpu_ = 0, limit_ = 0, fails_ = 0;
};
