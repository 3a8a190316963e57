// SimGrid's own throughput: N independent single-core jobs on H hosts, from one queue in order.
//   raw_simgrid_jobs MODE HOSTS JOBS [CORES]
// actor    one worker actor per core pulls the next job from a shared index (no messages) and executes it
// sleep    the same, but it sleeps instead (no processor model)
// cb       no actors: asynchronous executions, each started from the completion callback of the one before
// spawn    a master creates a new actor per job
// waitany  one actor, wait_any over all running executions
// mbox     master and workers with mailboxes: dispatch and completion messages over the network model
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <random>
#include <unordered_map>

#include <simgrid/s4u.hpp>
#include <sys/resource.h>

namespace sg = simgrid::s4u;

int main(int argc, char** argv) {
  sg::Engine e(&argc, argv);
  std::string mode = argv[1];
  int H = atoi(argv[2]), N = atoi(argv[3]);
  int C = argc > 4 ? atoi(argv[4]) : 1;
  auto* z = sg::create_full_zone("z");
  std::vector<sg::Host*> hs;
  auto* lo = z->create_split_duplex_link("bb", 1.25e8)->set_latency(1e-4);
  for (int i = 0; i < H; i++) {
    auto* h = z->create_host("h" + std::to_string(i), 2.4e9);
    h->set_core_count(C);
    h->seal();
    hs.push_back(h);
  }
  auto* m = z->create_host("master", 2.4e9);
  m->seal();
  if (mode == "mbox")
    for (auto* h : hs) {
      z->add_route(m->get_netpoint(), h->get_netpoint(), nullptr, nullptr,
                   {{lo, sg::LinkInRoute::Direction::UP}}, true);
    }
  z->seal();
  std::mt19937_64 g(1);
  std::vector<double> fl(N);
  for (auto& f : fl) f = 2.4e9 * (1.0 + static_cast<double>(g() % 100000) / 1000.0);
  int next = 0, done = 0;
  std::unordered_map<void*, sg::ExecPtr> cur;
  std::vector<sg::ExecPtr> ring(64);
  if (mode == "actor" || mode == "sleep") {
    for (auto* h : hs)
      for (int c = 0; c < C; c++)
        sg::Actor::create("w", h, [&, h] {
          while (next < N) {
            int j = next++;
            if (mode == "actor")
              sg::this_actor::execute(fl[j]);
            else
              sg::this_actor::sleep_for(fl[j] / 2.4e9);
            done++;
          }
        });
  } else if (mode == "spawn") {
    sg::Actor::create("m", m, [&] {
      auto sem = sg::Semaphore::create(0);
      std::vector<int> fr;
      for (int i = 0; i < H * C; i++) fr.push_back(i % H);
      int run = 0;
      while (next < N || run) {
        while (next < N && !fr.empty()) {
          int k = fr.back();
          fr.pop_back();
          int j = next++;
          run++;
          sg::Actor::create("j", hs[k], [&, k, j] {
            sg::this_actor::execute(fl[j]);
            fr.push_back(k);
            done++;
            run--;
            sem->release();
          });
        }
        if (run) sem->acquire();
      }
    });
  } else if (mode == "waitany") {
    sg::Actor::create("m", m, [&] {
      std::vector<sg::ExecPtr> r;
      std::vector<int> w;
      for (int i = 0; i < H * C && next < N; i++) {
        r.push_back(sg::Exec::init()->set_flops_amount(fl[next++])->set_host(hs[i % H]));
        r.back()->start();
      }
      while (!r.empty()) {
        auto k = sg::Exec::wait_any(r);
        auto* h = r[k]->get_host();
        done++;
        if (next < N) {
          r[k] = sg::Exec::init()->set_flops_amount(fl[next++])->set_host(h);
          r[k]->start();
        } else {
          r[k] = r.back();
          r.pop_back();
        }
      }
    });
  } else if (mode == "cb") {
    sg::Exec::on_completion_cb([&](sg::Activity const& a) {
      auto const* x = dynamic_cast<sg::Exec const*>(&a);
      if (!x) return;
      done++;
      if (next < N) {
        auto nx = sg::Exec::init();
        nx->set_flops_amount(fl[next++]);
        nx->set_host(x->get_host());
        nx->start();
        auto& sl = ring[done % 64];
        sl = cur[(void*)x];
        cur.erase((void*)x);
        cur[(void*)nx.get()] = nx;
      }
    });
    for (int i = 0; i < H * C && next < N; i++) {
      auto x = sg::Exec::init();
      x->set_flops_amount(fl[next++]);
      x->set_host(hs[i % H]);
      x->start();
      cur[(void*)x.get()] = x;
    }
  } else if (mode == "mbox") {
    static std::vector<int> ids;
    auto* mm = sg::Mailbox::by_name("master");
    for (int i = 0; i < H; i++)
      sg::Actor::create("w", hs[i], [&, i] {
        auto* mb = sg::Mailbox::by_name("h" + std::to_string(i));
        for (;;) {
          int* p = mb->get<int>();
          int j = *p;
          delete p;
          if (j < 0) return;
          sg::this_actor::execute(fl[j]);
          mm->put(new int(i), 100);
        }
      });
    sg::Actor::create("m", m, [&] {
      int run = 0;
      std::vector<sg::Mailbox*> mb;
      for (int i = 0; i < H; i++) mb.push_back(sg::Mailbox::by_name("h" + std::to_string(i)));
      for (int i = 0; i < H && next < N; i++) {
        mb[i]->put_init(new int(next++), 100)->detach();
        run++;
      }
      while (run) {
        int* p = mm->get<int>();
        int i = *p;
        delete p;
        done++;
        run--;
        if (next < N) {
          mb[i]->put_init(new int(next++), 100)->detach();
          run++;
        }
      }
      for (auto* b : mb) b->put_init(new int(-1), 1)->detach();
    });
  }
  auto t0 = std::chrono::steady_clock::now();
  e.run();
  double T = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
  struct rusage ru;
  getrusage(RUSAGE_SELF, &ru);
  printf("%-8s H=%-5d cores=%d N=%-7d done=%-7d simclock=%.1f wall=%.3fs %.0f jobs/s rss=%.1fMB\n",
         mode.c_str(), H, C, N, done, sg::Engine::get_clock(), T, done / T,
         static_cast<double>(ru.ru_maxrss) / 1024.0);
}
