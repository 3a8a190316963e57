#include "own_policies.h"

#include <array>

namespace duet {
Result<std::unique_ptr<Scheduler>> make_most_memory(const Params&);
}

namespace {

constexpr std::array kSchedulers{
    duet::PolicyEntry<duet::Scheduler>{"most_memory", "The node with the most memory free, in bytes.", "",
                                       duet::make_most_memory},
};

}  // namespace

duet::OwnPolicies own_policies() {
  duet::OwnPolicies own;
  own.schedulers = kSchedulers;
  return own;
}
