/*
 * house_graphite.h - shared by house_graphite.c (what Graphite's users ask) and
 * house_graphite_text.c (what they get to see).
 */
#ifndef WEB_HOUSE_GRAPHITE_H
#define WEB_HOUSE_GRAPHITE_H

#include "base/zone.h"
#include "web/house_inside.h"

#define GRAPHITE_QUERIES 20 /* of /metrics/expand at once */

struct graphite_asked {     /* own of a question */
	const char *format; /* borrowed of its arguments */
	bool no_nulls;
	char *zone_name;
	struct graphite_lines *lines; /* of a render */
	json_t *names[GRAPHITE_QUERIES];
	size_t name_count;
	struct error err; /* what is wrong with the question */
};

/* A document of model.h's DOCUMENT; owned. Too large a text is an error document. */
json_t *graphite_document(int status, const char *type, const struct buf *text);
json_t *graphite_error_document(const struct error *err);
json_t *graphite_render_document(const struct graphite_asked *g);
json_t *graphite_json_document(const json_t *value);

#endif
