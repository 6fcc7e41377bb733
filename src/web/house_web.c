/*
 * house_web.c - the house's documents handed to the doors of web.h.
 */

#include "web/house_inside.h"

static void to_web(void *arg, enum audience audience, json_t *site, const char *probes)
{
	web_publish(arg, audience, site, probes);
}

void house_publish_to(struct house *h, struct web *w)
{
	house_publish_with(h, to_web, w);
}

static void to_answer(void *arg, int status, json_t *document)
{
	web_answer(arg, status, document);
}

void house_query(struct house *h, const char *what, const json_t *args, enum audience audience,
	struct web_answer *answer)
{
	house_ask(h, what, args, audience, to_answer, answer);
}
