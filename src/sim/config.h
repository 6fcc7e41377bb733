/*
 * config.h - the faults file: what the simulated cloud is like. The form is in docs/sim.md.
 */
#ifndef SIM_CONFIG_H
#define SIM_CONFIG_H

#include <stdbool.h>

#include "base/error.h"

struct sim;

/* Reads the file into the sim's times, quota, services and faults. */
bool config_read(struct sim *s, const char *path, struct error *err) must_check;
void config_defaults(struct sim *s);

#endif
