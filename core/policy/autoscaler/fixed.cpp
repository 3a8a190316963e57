// Groups keep the size the user gave them.
#include "core/params.h"
#include "core/policy.h"

namespace duet {
namespace {

class Fixed final : public Autoscaler {
 public:
  Desired decide(Instant, const GroupView& group) override { return {group.configured, "as configured"}; }
};

}  // namespace

Result<std::unique_ptr<Autoscaler>> make_fixed(const Params& params) {
  return make_plain<Autoscaler, Fixed>(params);
}

}  // namespace duet
