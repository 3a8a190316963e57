// duet-agent: see live/program/agent_program.h.
#include "live/program/agent_program.h"

int main(int argc, char** argv) { return duet::live::agent_main(argc, argv); }
