/*
 * try_probe.h - `glasshouse try NAME -c FILE`: one run of a probe of a configuration.
 */
#ifndef CLI_TRY_PROBE_H
#define CLI_TRY_PROBE_H

#include <stdbool.h>

/* Runs it, once a family, and prints what was measured and what each condition saw. Returns the
 * exit code: 0 good, 1 not good, 2 it could not be run. */
int try_probe(const char *config, const char *name, bool json);

#endif
