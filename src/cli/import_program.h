/*
 * import_program.h - `glasshouse import PROGRAM PATH...`: what another program observes, as probes.
 */
#ifndef CLI_IMPORT_PROGRAM_H
#define CLI_IMPORT_PROGRAM_H

#include "import/importer.h"

/* argv[0] is the program's name. Returns the exit status. Thread: main. */
int import_program(const struct importer *importer, int argc, char **argv);

#endif
