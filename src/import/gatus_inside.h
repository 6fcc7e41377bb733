/* gatus_inside.h - between the files of the importer of Gatus. */
#ifndef IMPORT_GATUS_INSIDE_H
#define IMPORT_GATUS_INSIDE_H

#include "import/probe.h"

struct gatus {
	struct import *in;
	struct map components; /* names that are taken; the values are of no meaning */
	bool webhook, mail;    /* there is an alarm of that kind */
};

/* What a scalar says with its variables in it, owned. NULL: it is not there, or (told) names
 * variables that nobody has set here. */
char *gatus_text(struct gatus *g, const struct import_node *n);

void gatus_endpoint(struct gatus *g, const struct import_node *item);
void gatus_external(struct gatus *g, const struct import_node *item);
void gatus_alerting(struct gatus *g, const struct import_node *alerting);
/* The list `alerts` of an endpoint. */
void gatus_alerts(struct gatus *g, const struct import_node *list);
void gatus_conditions(struct gatus *g, struct import_probe *p, const struct import_node *list);

#endif
