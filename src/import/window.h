/*
 * window.h - windows of maintenance that are made. Thread: one at a time.
 */
#ifndef IMPORT_WINDOW_H
#define IMPORT_WINDOW_H

#include <jansson.h>

#include "import/source.h"

/* Whether this machine knows such a time zone, by a name that a configuration may have. */
bool import_is_zone(const char *name);
/* Into the configuration; takes the item. */
void import_add_window(struct import *in, json_t *item);

#endif
