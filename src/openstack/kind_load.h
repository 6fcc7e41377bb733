/* kind_load.h - kinds/NAME.yaml into rows; between kind.c and kind_load.c. */
#ifndef OPENSTACK_KIND_LOAD_H
#define OPENSTACK_KIND_LOAD_H

#include "openstack/kind.h"

/* The row of that name, a new empty one if there is none. */
struct kind *kinds_row(struct kinds *k, const char *name);
/* Takes the text for the life of k; returns it. */
char *kinds_keep(struct kinds *k, char *text);
void kinds_load_file(struct kinds *k, const char *path, struct error_list *errors);

#endif
