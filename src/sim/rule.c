/*
 * rule.c - the rules a good client keeps, see sim_violations().
 *
 * Who deletes is not said in a request, so it is learned: the first marked object a user makes in a
 * project tells which instance that user is there. A user that was seen as two instances proves
 * nothing any more; planted objects are foreign to everybody.
 */

#include <string.h>

#include "base/json.h"
#include "sim/call.h"
#include "sim/state.h"

#define VIOLATIONS_MAX 10000
#define MARK           "glasshouse "

static void violation(struct call *c, const char *rule, char *text)
{
	if (json_array_size(c->sim->violations) < VIOLATIONS_MAX)
		json_array_append_new(
			c->sim->violations, json_pack("{s:s, s:I, s:s, s:s, s:s}", "rule", rule,
						    "request", (json_int_t)c->number, "method",
						    c->method, "path", c->path, "text", text));
	free(text);
}

static const char *mark_in(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && !strncmp(s, MARK, strlen(MARK)) ? s : NULL;
}

/* A mark stands in the description, in the metadata, in a property or among the tags; what an
 * object knows of another one (the image it was made from) is not its own. */
static const char *find_mark(const json_t *doc)
{
	const char *key, *found;
	json_t *value, *inner;
	size_t i;

	json_object_foreach ((json_t *)doc, key, value) {
		if (*key == '.')
			continue;
		if ((found = mark_in(value)))
			return found;
		const char *k;
		if (!strcmp(key, "metadata"))
			json_object_foreach (value, k, inner)
				if ((found = mark_in(inner)))
					return found;
		if (json_is_array(value))
			json_array_foreach (value, i, inner)
				if ((found = mark_in(inner)))
					return found;
	}
	return NULL;
}

/* Who a user is in a project: NULL not known yet, "" several. */
static const char *instance_of(const struct call *c)
{
	char key[2 * PROJECT_TEXT + 1];

	snprintf(key, sizeof(key), "%s/%s", c->project, c->user);
	return map_get(&c->sim->instances, key);
}

static void learn(struct call *c, const char *instance)
{
	char key[2 * PROJECT_TEXT + 1];
	const char *known = instance_of(c);

	if (known && !strcmp(known, instance))
		return;
	snprintf(key, sizeof(key), "%s/%s", c->project, c->user);
	free(map_put(&c->sim->instances, key, mem_strdup(known ? "" : instance)));
}

/* Servers that one request asked for carry one mark. */
static bool of_one_request(const struct object *a, const struct object *b)
{
	const char *reservation = object_str(a, ".reservation_id");
	return a->kind == KIND_SERVER && *reservation &&
	       !strcmp(reservation, object_str(b, ".reservation_id"));
}

void rule_created(struct call *c, struct object *o)
{
	const char *mark = c->inside ? NULL : find_mark(o->doc);

	if (c->inside)
		return;
	record_keep(&c->sim->record.made,
		json_pack("{s:s, s:s, s:s, s:s?}", "kind", kind_word(o->kind), "id", o->id, "name",
			object_str(o, "name"), "mark", mark));
	if (!mark) {
		const char *who = instance_of(c);
		o->instance = who && *who ? mem_strdup(who) : NULL;
		return;
	}
	const char *instance = mark + strlen(MARK);
	o->mark = mem_strdup(mark);
	o->instance = mem_strndup(instance, strcspn(instance, " "));
	learn(c, o->instance);
	OBJECT_EACH (c->sim, o->kind, other) {
		if (other == o || other->gone || !other->mark || strcmp(other->mark, o->mark) ||
			strcmp(other->project, o->project) || other->made_by != MADE_BY_API ||
			of_one_request(o, other))
			continue;
		violation(c, "double_create",
			mem_printf("%s %s has the mark \"%s\" of the living %s %s",
				kind_word(o->kind), o->id, o->mark, kind_word(o->kind), other->id));
		return;
	}
}

void rule_changed(struct call *c, struct object *o, bool deleted)
{
	const char *who = instance_of(c), *what = deleted ? "deleted" : "changed";

	if (o->made_by == MADE_BY_PLANT) {
		o->touched = true;
		violation(c, "foreign",
			mem_printf("the planted %s %s was %s", kind_word(o->kind), o->id, what));
	} else if (o->instance && who && *who && strcmp(who, o->instance)) {
		violation(c, "foreign",
			mem_printf("%s %s of instance %s was %s by instance %s", kind_word(o->kind),
				o->id, o->instance, what, who));
	}
}

void rule_no_token(struct call *c)
{
	violation(c, "no_token", mem_printf("%s %s without a token", c->method, c->path));
}
