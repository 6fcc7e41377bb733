/*
 * house_probes.c - what SITE says of the probes: it changes with the configuration alone, and may
 * be long, so it is made then, as text that goes into every document until the next.
 */

#include <string.h>

#include "web/house_inside.h"

static json_t *probe_json(const struct house_probe *p)
{
	json_t *j = json_object();
	put_text(j, "name", p->name);
	put_text(j, "kind", p->kind);
	put_text(j, "cloud", p->cloud);
	put_text(j, "component", p->component);
	put_int(j, "every_ms", p->every_ms);
	put_text(j, "method", p->method);
	return j;
}

static void count_kind(json_t *kinds, struct map *seen, const struct house_probe *p)
{
	char *key = mem_printf("%s\n%s\n%lld", p->kind, p->cloud, (long long)p->every_ms);
	json_t *j = map_get(seen, key);
	if (!j) {
		j = json_object();
		put_text(j, "kind", p->kind);
		put_text(j, "cloud", p->cloud);
		put_int(j, "every_ms", p->every_ms);
		json_array_append_new(kinds, j);
		map_put(seen, key, j);
	}
	put_int(j, "count", json_int(j, "count", 0) + 1);
	free(key);
}

/* As text; where they are others than before, SITE is another. Takes them. */
static void keep_text(struct house *h, enum audience audience, json_t *probes)
{
	char *text = json_text(probes), *before = h->probes[audience];
	if (before && strcmp(before, text) != 0)
		h->revision[audience]++;
	h->probes[audience] = text;
	free(before);
	json_decref(probes);
}

void site_probes_make(struct house *h)
{
	const struct house_lists *l = &h->lists;
	struct map seen = {0};
	json_t *everybodys = json_array(), *operators = json_array();
	json_decref(h->probe_kinds);
	h->probe_kinds = json_array();
	for (size_t i = 0; i < l->probe_count; i++) {
		count_kind(h->probe_kinds, &seen, &l->probes[i]);
		if (i >= MODEL_PROBES)
			continue;
		json_t *all = probe_json(&l->probes[i]), *whole = json_copy(all);
		put_text(whole, "target", l->probes[i].target);
		json_array_append_new(operators, whole);
		json_array_append_new(everybodys, all);
	}
	keep_text(h, AUDIENCE_OPERATORS, operators);
	keep_text(h, AUDIENCE_PUBLIC, everybodys);
	map_fini(&seen);
}

void site_probes_forget(struct house *h)
{
	json_decref(h->probe_kinds);
	for (size_t a = 0; a < array_len(h->probes); a++)
		free(h->probes[a]);
}
