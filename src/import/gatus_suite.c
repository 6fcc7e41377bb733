/*
 * gatus_suite.c - a suite of Gatus asks its endpoints one after the other, ends with the first that
 * fails, and hands values from one to the next. What only reads and needs no such value is a probe
 * that comes `after` those before it; what changes something belongs together with what undoes it,
 * and is left to a program (a probe of kind exec).
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "import/gatus_inside.h"

#define SUITE_MAX   100 /* endpoints of one */
#define INTERVAL_NS (60 * NS_PER_S)

static bool names_context(const struct yaml *y)
{
	if (y->kind == YAML_SCALAR)
		return strstr(y->text.p, "[CONTEXT]") != NULL;
	for (size_t i = 0; i < y->n; i++)
		if (names_context(y->items[i]))
			return true;
	return false;
}

/* A method that does more than to read, or a body for HTTP. */
static bool changes_something(const struct import_node *endpoint)
{
	static const char *const reading[] = {"GET", "HEAD", "OPTIONS"};
	const struct import_node method = import_get(endpoint, "method"),
				 body = import_get(endpoint, "body"),
				 url = import_get(endpoint, "url");
	const char *how = import_text(&method), *sent = import_text(&body);
	for (size_t i = 0; how && i < array_len(reading); i++)
		if (!strcasecmp(how, reading[i]))
			how = NULL;
	return how ||
	       (sent && *sent && import_text(&url) && !strncmp(import_text(&url), "http", 4));
}

/* --- a suite ---------------------------------------------------------------------------------- */

static const struct import_answer suite_keys[] = {
	{"enabled", IMPORT_NEEDLESS, "what is configured is asked"},
	{"timeout", IMPORT_NEEDLESS, "each probe has a timeout of its own"},
	{"context", IMPORT_DROPPED, "values do not go from one probe to another"},
};

/* Why no part of it becomes a probe; NULL: its endpoints are looked at one by one. */
static const char *why_not(const struct import_node *item, const struct import_node *list)
{
	const struct import_node name = import_get(item, "name");
	if (!import_text(&name) || !list->y || list->y->kind != YAML_LIST || !list->y->n)
		return "a suite needs `name` and `endpoints`";
	if (!gatus_is_on(item))
		return "it is switched off there";
	return list->y->n > SUITE_MAX ? "it has more than 100 endpoints" : NULL;
}

/* Its keys, once it is known what came of its endpoints. */
static void tell_suite(
	struct gatus *g, const struct import_node *item, const char *component, int64_t every_ns)
{
	const struct import_node name = import_get(item, "name"), group = import_get(item, "group"),
				 interval = import_get(item, "interval");
	const bool some = json_array_size(g->suite->before) > 0;
	int64_t ns;
	if (!some) {
		static const char *const keys[] = {"name", "group", "interval"};
		for (size_t i = 0; i < array_len(keys); i++) {
			const struct import_node n = import_get(item, keys[i]);
			import_tell(g->in, &n, IMPORT_DROPPED, "no probe came of it");
		}
		return;
	}
	import_tell(g->in, &name, IMPORT_CHANGED,
		"component %s, of probes that each run for themselves: what fails after another of "
		"them is told as following from it",
		component);
	if (g->suite->group)
		import_tell(g->in, &group, IMPORT_CARRIED, "group of its probes");
	if (!import_time(&interval, &ns))
		return;
	if (ns == every_ns)
		import_tell(g->in, &interval, IMPORT_CARRIED, "every of its probes");
	else
		import_tell(g->in, &interval, IMPORT_CHANGED, "every of its probes: 1s to 7d here");
}

/* One by one, so that each has its reason. */
static void take_endpoints(struct gatus *g, const struct import_node *list)
{
	bool changes = false;
	for (size_t i = 0; i < list->y->n; i++) {
		const struct import_node endpoint = import_item(list, i);
		changes |= changes_something(&endpoint);
	}
	for (size_t i = 0; i < list->y->n; i++) {
		const struct import_node endpoint = import_item(list, i);
		const char *why =
			names_context(endpoint.y)
				? "it needs what another endpoint stored ([CONTEXT]), and values do "
				  "not go from one probe to another"
			: changes_something(&endpoint)
				? "it changes something, and probes that each run for themselves do "
				  "not undo what others did"
			: changes ? "it belongs to steps of which one changes something"
				  : NULL;
		if (why)
			import_tell(g->in, &endpoint, IMPORT_DROPPED,
				"%s: let a probe of kind exec run a program that takes these steps",
				why);
		else
			gatus_endpoint(g, &endpoint);
	}
}

static int64_t every_of(const struct import_node *item)
{
	const struct import_node interval = import_get(item, "interval");
	int64_t ns = INTERVAL_NS;
	import_time(&interval, &ns);
	if (ns < IMPORT_EVERY_MIN_S * NS_PER_S)
		return IMPORT_EVERY_MIN_S * NS_PER_S;
	return ns > IMPORT_EVERY_MAX_S * NS_PER_S ? IMPORT_EVERY_MAX_S * NS_PER_S : ns;
}

void gatus_suite(struct gatus *g, const struct import_node *item)
{
	const struct import_node name = import_get(item, "name"), group = import_get(item, "group"),
				 list = import_get(item, "endpoints");
	const char *why = why_not(item, &list);
	if (why) {
		import_tell(g->in, item, IMPORT_DROPPED, "%s", why);
		return;
	}
	char *text = gatus_text(g, &name), *heading = gatus_text(g, &group);
	if (text) {
		char *component = gatus_component(g, text, heading);
		struct gatus_suite suite = {.name = text,
			.group = heading,
			.component = component,
			.every_ns = every_of(item),
			.before = json_array()};
		g->suite = &suite;
		take_endpoints(g, &list);
		tell_suite(g, item, component, suite.every_ns);
		import_answer(g->in, item, suite_keys, array_len(suite_keys));
		g->suite = NULL;
		json_decref(suite.before);
		free(component);
	} else {
		import_tell(g->in, item, IMPORT_DROPPED,
			"it cannot be named without its variables: set them and import again");
	}
	free(heading);
	free(text);
}
