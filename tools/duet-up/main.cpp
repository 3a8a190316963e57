// duet-up: see live/program/up_program.h. `duet-up down` ends what another one started.
#include <string_view>

#include "live/program/up_program.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "down") return duet::live::down_main(argc - 1, argv + 1);
  return duet::live::up_main(argc, argv);
}
