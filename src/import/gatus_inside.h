/* gatus_inside.h - between the files of the importer of Gatus. */
#ifndef IMPORT_GATUS_INSIDE_H
#define IMPORT_GATUS_INSIDE_H

#include "import/probe.h"

struct gatus_suite {                          /* whose endpoints are being taken */
	const char *name, *group, *component; /* group NULL: none */
	int64_t every_ns;
	json_t *before; /* names of its probes so far */
};

struct gatus {
	struct import *in;
	struct gatus_suite *suite; /* NULL: endpoints stand for themselves */
	struct map components;     /* names that are taken; the values are of no meaning */
	bool webhook, mail;        /* there is an alarm of that kind */
};

/* What a scalar says with its variables in it, owned. NULL: it is not there, or (told) names
 * variables that nobody has set here. */
char *gatus_text(struct gatus *g, const struct import_node *n);

bool gatus_is_on(const struct import_node *item); /* not `enabled: false` */
/* The name of a component: the text, or, of equal ones from the second on, with its group (may be
 * NULL) in front. Owned. */
char *gatus_component(struct gatus *g, const char *text, const char *group);
/* Of a suite too, while `suite` says so. */
void gatus_endpoint(struct gatus *g, const struct import_node *item);
void gatus_suite(struct gatus *g, const struct import_node *item);
void gatus_external(struct gatus *g, const struct import_node *item);
void gatus_alerting(struct gatus *g, const struct import_node *alerting);
/* The list `alerts` of an endpoint. */
void gatus_alerts(struct gatus *g, const struct import_node *list);
/* One window of `maintenance:` for these probes (names), or why there is none. */
void gatus_window(struct gatus *g, const struct import_node *map, const char *wanted,
	const char *title, const json_t *probes);
/* The list `maintenance-windows` of an endpoint whose probe is there. */
void gatus_windows(struct gatus *g, const struct import_node *item, const struct import_probe *p);
/* The key `maintenance` of the top, of all probes: when they are all there. */
void gatus_maintenance(struct gatus *g, const struct import_node *root);
void gatus_conditions(struct gatus *g, struct import_probe *p, const struct import_node *list);

#endif
