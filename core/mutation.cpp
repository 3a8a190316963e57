#include "core/mutation.h"

namespace duet {
#ifdef DUET_MUTATIONS
namespace {
Mutant active = Mutant::kNone;
}
Mutant active_mutant() { return active; }
void set_active_mutant(Mutant mutant) { active = mutant; }
#endif
}  // namespace duet
