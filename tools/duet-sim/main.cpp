// duet-sim: one run on the SimGrid engine, told by duet what to do.
#include "sim/simgrid/simgrid_main.h"

int main(int argc, char** argv) { return duet::sim::simgrid_main(argc, argv); }
