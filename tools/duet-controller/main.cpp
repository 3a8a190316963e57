// duet-controller: see live/program/controller_program.h.
#include "live/program/controller_program.h"

int main(int argc, char** argv) { return duet::live::controller_main(argc, argv); }
