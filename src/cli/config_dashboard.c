/*
 * config_dashboard.c - status dashboards of CloudMon that are told what we announce.
 */

#include <string.h>

#include "cli/config_reader.h"

struct dashboard_item { /* what one map says */
	char *name, *cloudmon, *contact;
	int64_t version;
	const struct yaml *secret, *token, *attributes, *names;
};

#define ITEM(name, type, field) name, type, offsetof(struct dashboard_item, field)
static const struct key dashboard_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "default: cloudmon and the address"},
	{ITEM("cloudmon", KEY_TEXT, cloudmon), .max = 2048, .help = "before /v1 or /v2"},
	{ITEM("version", KEY_INT, version), .min = 1, .max = 2, .help = "of its API"},
	{ITEM("contact", KEY_TEXT, contact), .help = "an address that maintenances are told with"},
	{ITEM("secret", KEY_NODE, secret), .help = "that signs tokens: file:PATH or env:NAME"},
	{ITEM("token", KEY_NODE, token), .help = "instead: file:PATH or env:NAME"},
	{ITEM("attributes", KEY_MAP, attributes), .help = "of components there"},
	{ITEM("names", KEY_MAP, names), .help = "of components there, by id"},
};
#undef ITEM

/* --- reading ---------------------------------------------------------------------------------- */

static struct dashboard_draft *earlier(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name");
	VEC_EACH (&r->dashboards, struct dashboard_draft, d) {
		if (name && d->name && slice_is(name->text, d->name) && d->touched != r->file)
			return d;
	}
	return NULL;
}

/* {name: text}; later files add to it. */
static void read_map(
	struct config_reader *r, const struct yaml *map, const char *what, bool ids, json_t *into)
{
	for (size_t i = 0; map && i < map->n; i++) {
		const struct yaml *key = map->keys[i], *value = map->items[i];
		if (ids && !config_component_id(key->text)) {
			config_wrong(r, key, "a dashboard: %s: \"%.80s\" is no id such as compute",
				what, key->text.p);
		} else if (value->kind != YAML_SCALAR || !value->text.n ||
			   value->text.n > CONFIG_LINE_MAX) {
			config_wrong(r, value, "a dashboard: %s: %.80s must be a text", what,
				key->text.p);
		} else {
			char *k = slice_dup(key->text);
			json_object_set_new(into, k, json_stringn(value->text.p, value->text.n));
			free(k);
		}
	}
}

static void take(char **into, char **from)
{
	if (!*from)
		return;
	free(*into);
	*into = *from;
	*from = NULL;
}

static void take_item(struct config_reader *r, struct dashboard_draft *d,
	struct dashboard_item *item, const struct yaml *map)
{
	const struct yaml *y = config_text(map, "name");
	if (y)
		config_check_line(r, y, "a dashboard's name");
	y = config_text(map, "cloudmon");
	if (y && !config_check_url(r, y, "a dashboard: cloudmon"))
		d->broken = true;
	take(&d->name, &item->name);
	take(&d->url, &item->cloudmon);
	y = config_text(map, "contact");
	if (y && !config_check_mailbox(r, y, "a dashboard: contact"))
		d->broken = true;
	take(&d->contact, &item->contact);
	if (item->version)
		d->version = item->version;
	if (item->secret)
		config_read_secret(r, item->secret, "a dashboard: secret", &d->secret);
	if (item->token)
		config_read_secret(r, item->token, "a dashboard: token", &d->token);
	read_map(r, item->attributes, "attributes", false, d->attributes);
	read_map(r, item->names, "names", true, d->names);
}

static void read_one(struct config_reader *r, const struct yaml *map)
{
	struct dashboard_item item = {0};
	struct dashboard_draft *d = earlier(r, map);
	if (!d && !config_room(r, map))
		return;
	if (!d) {
		d = vec_add(&r->dashboards);
		d->at = config_place(r, map);
		d->version = 2;
		d->attributes = json_object();
		d->names = json_object();
	}
	d->touched = r->file;
	if (!keys_read(map, r->file, "a dashboard", dashboard_keys, array_len(dashboard_keys),
		    &item, r->errors))
		d->broken = true;
	take_item(r, d, &item, map);
	keys_release(dashboard_keys, array_len(dashboard_keys), &item);
}

void config_read_dashboards(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "a dashboard"))
			read_one(r, list->items[i]);
}

/* --- finishing -------------------------------------------------------------------------------- */

static void check(struct config_reader *r, const struct dashboard_draft *d)
{
	if (d->broken)
		return;
	if (!d->url)
		config_wrong_at(
			r, &d->at, "a dashboard needs cloudmon, the address before /v1 or /v2");
	if (d->contact && d->version == 1)
		config_wrong_at(r, &d->at,
			"a dashboard of version 1 knows no maintenance: leave out contact, or"
			" say version: 2");
	if (d->secret.from && d->token.from)
		config_wrong_at(r, &d->at, "a dashboard has a secret or a token, not both");
}

void config_finish_dashboards(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	c->dashboards = mem_new_array(r->dashboards.n + 1, sizeof(*c->dashboards));
	VEC_EACH (&r->dashboards, struct dashboard_draft, d) {
		struct config_dashboard *to = &c->dashboards[c->dashboard_count++];
		size_t n = d->url ? strlen(d->url) : 0;
		check(r, d);
		while (n && d->url[n - 1] == '/')
			d->url[--n] = 0;
		if (!d->name)
			d->name = mem_printf("cloudmon %s", d->url ? d->url : "");
		if (map_put(&seen, d->name, d))
			config_wrong_at(r, &d->at,
				"two dashboards are called \"%.80s\"; give one another name",
				d->name);
		to->dashboard = (struct dashboard){.name = d->name,
			.url = d->url ? d->url : mem_strdup(""),
			.version = (int)d->version,
			.contact = d->contact,
			.attributes = d->attributes,
			.names = d->names};
		to->secret = d->secret;
		to->token = d->token;
		*d = (struct dashboard_draft){0};
	}
	map_fini(&seen);
}

/* --- the end ---------------------------------------------------------------------------------- */

void config_dashboards_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->dashboards, struct dashboard_draft, d) {
		free(d->name);
		free(d->url);
		free(d->contact);
		free(d->secret.from);
		free(d->token.from);
		json_decref(d->attributes);
		json_decref(d->names);
	}
	vec_fini(&r->dashboards);
}

void config_dashboard_free(struct config_dashboard *d)
{
	free((char *)(uintptr_t)d->dashboard.name);
	free((char *)(uintptr_t)d->dashboard.url);
	free((char *)(uintptr_t)d->dashboard.contact);
	json_decref((json_t *)(uintptr_t)d->dashboard.attributes);
	json_decref((json_t *)(uintptr_t)d->dashboard.names);
	free(d->secret.from);
	free(d->token.from);
	secret_unref(d->secret.value);
	secret_unref(d->token.value);
}

json_t *config_dashboards_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->dashboard_count; i++) {
		const struct config_dashboard *d = &c->dashboards[i];
		json_t *j = json_pack("{s:s, s:s, s:i}", "name", d->dashboard.name, "cloudmon",
			d->dashboard.url, "version", d->dashboard.version);
		if (d->dashboard.contact)
			json_object_set_new(j, "contact", json_string(d->dashboard.contact));
		if (d->secret.from)
			json_object_set_new(j, "secret", json_string(d->secret.from));
		if (d->token.from)
			json_object_set_new(j, "token", json_string(d->token.from));
		json_object_set(j, "attributes", (json_t *)(uintptr_t)d->dashboard.attributes);
		json_object_set(j, "names", (json_t *)(uintptr_t)d->dashboard.names);
		json_array_append_new(all, j);
	}
	return all;
}
