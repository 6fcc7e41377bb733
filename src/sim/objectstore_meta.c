/*
 * objectstore_meta.c - metadata of accounts, containers and objects: headers that are kept and
 * given back. The limits are those that swift has by default.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/objectstore.h"

#define NAME_MAX_META  128
#define VALUE_MAX_META 256
#define COUNT_MAX      90
#define OVERALL_MAX    4096
#define PREFIX_TEXT    32

/* What follows the prefix "x-KIND-meta-" (or "x-remove-…"), or NULL. */
static const char *part_of(const char *name, const char *kind, bool removes)
{
	char prefix[PREFIX_TEXT];
	const int n =
		snprintf(prefix, sizeof(prefix), "x-%s%s-meta-", removes ? "remove-" : "", kind);

	return !strncmp(name, prefix, (size_t)n) ? name + n : NULL;
}

static bool refuse(struct call *c, char *text)
{
	call_text(c, 400, "text/plain", text);
	free(text);
	return false;
}

/* swift says the name as it came to it: with a capital. */
static char *shown(const char *kind, const char *name)
{
	char *text = mem_printf("x-%s-meta-%s", kind, name),
	     *at = text + strlen(text) - strlen(name);

	*at = (char)toupper((unsigned char)*at);
	return text;
}

static bool pair_good(struct call *c, const char *kind, const char *name, const char *value)
{
	char *text = shown(kind, name);
	bool good = true;

	if (!*name)
		good = refuse(c, mem_strdup("Metadata name cannot be empty"));
	else if (strlen(name) > NAME_MAX_META)
		good = refuse(c, mem_printf("Metadata name too long: %s", text));
	else if (strlen(value) > VALUE_MAX_META)
		good = refuse(
			c, mem_printf("Metadata value longer than %d: %s", VALUE_MAX_META, text));
	free(text);
	return good;
}

static bool all_good(struct call *c, const char *kind)
{
	size_t count = 0, overall = 0;

	VEC_EACH (&c->sent, struct pair, p) {
		const char *name = part_of(p->name, kind, false);

		if (!name)
			continue;
		if (!pair_good(c, kind, name, p->value))
			return false;
		count++;
		overall += strlen(name) + strlen(p->value);
	}
	if (count > COUNT_MAX)
		return refuse(c, mem_printf("Too many metadata items; max %d", COUNT_MAX));
	if (overall > OVERALL_MAX)
		return refuse(c, mem_printf("Total metadata too large; max %d", OVERALL_MAX));
	return true;
}

json_t *objectstore_meta(struct call *c, const char *kind)
{
	if (!all_good(c, kind))
		return NULL;
	json_t *meta = json_object();
	objectstore_meta_merge(c, kind, meta);
	return meta;
}

void objectstore_meta_merge(struct call *c, const char *kind, json_t *meta)
{
	VEC_EACH (&c->sent, struct pair, p) {
		const char *set = part_of(p->name, kind, false),
			   *removed = part_of(p->name, kind, true);

		if (set && *p->value)
			json_object_set_new(meta, set, json_string(p->value));
		else if (set || removed)
			json_object_del(meta, set ? set : removed);
	}
}

/* "x-object-meta-bee-two" to "X-Object-Meta-Bee-Two" */
static void capitalize(char *name)
{
	for (char *p = name; *p; p++)
		if (p == name || p[-1] == '-')
			*p = (char)toupper((unsigned char)*p);
}

void objectstore_meta_show(struct call *c, const char *kind, const json_t *meta)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)meta, key, value) {
		char *name = mem_printf("x-%s-meta-%s", kind, key);
		capitalize(name);
		call_header(c, name, "%s", json_string_value(value));
		free(name);
	}
}
