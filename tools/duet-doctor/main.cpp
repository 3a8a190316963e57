// duet-doctor: see live/program/doctor_program.h.
#include "live/program/doctor_program.h"

int main(int argc, char** argv) { return duet::live::doctor_main(argc, argv); }
