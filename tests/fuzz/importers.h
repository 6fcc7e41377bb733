/* importers.h - what the targets of the importers share. */
#ifndef TESTS_FUZZ_IMPORTERS_H
#define TESTS_FUZZ_IMPORTERS_H

#include "fuzz.h"

/* Whatever the document holds: an error with a text, or a configuration that is read without one,
 * and a note on every key and value of the document. */
void importer_holds(const char *importer, struct slice text);

#endif
