/*
 * cloudmon_element.c - what EPmon asks of the services of a catalog becomes rows of our own table
 * of that (docs/endpoints.md). An element without addresses switches a service off. The table is
 * one for all clouds, so of several elements for a service each adds what the others do not have.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "import/cloudmon_inside.h"

#define TIMEOUT      "5s" /* EPmon's */
#define ROW_NAME_MAX 70

/* --- rows ------------------------------------------------------------------------------------- */

/* The service's own type, of which the type may be another name. */
static const char *own_type(const char *type)
{
	const struct endpoint_service *known = endpoint_service_find(type);
	return known ? known->type : type;
}

static bool is_type(const char *type)
{
	for (const char *p = type; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return *type && strlen(type) <= ROW_NAME_MAX - 10;
}

static char *row_name(struct cloudmon *c, const char *type, const char *path)
{
	struct buf name = BUF(BUF_LINE);
	buf_printf(&name, "%s.", type);
	const size_t before = name.n;
	for (const char *p = path; *p && *p != '?' && name.n < ROW_NAME_MAX; p++)
		if (isalnum((unsigned char)*p) || strchr("_.", *p))
			buf_add_char(&name, (char)tolower((unsigned char)*p));
		else if (name.n > before && name.p[name.n - 1] != '-')
			buf_add_char(&name, '-');
	while (name.n > before && name.p[name.n - 1] == '-')
		buf_cut(&name, name.n - 1);
	if (name.n == before)
		buf_add_str(&name, "top");
	const size_t base = name.n;
	for (unsigned i = 2; json_object_get(c->in->endpoints, buf_str(&name)) ||
			     endpoint_table_find(c->table, buf_str(&name));
		i++) {
		buf_cut(&name, base);
		buf_printf(&name, "-%u", i);
	}
	return buf_take(&name);
}

/* A row of ours, made or of the table, that asks the service for that path. */
static const char *asked_already(struct cloudmon *c, const char *type, const char *path)
{
	const char *name;
	json_t *row;
	json_object_foreach (c->in->endpoints, name, row) {
		const char *its = json_string_value(json_object_get(row, "service"));
		if (its && !strcmp(its, type) &&
			!strcmp(json_string_value(json_object_get(row, "path")), path))
			return name;
	}
	const size_t bare = strcspn(path, "?");
	for (size_t i = 0; i < endpoint_table_count(c->table); i++) {
		const struct endpoint_row *r = endpoint_table_at(c->table, i);
		if (r->service && !strcmp(r->service, type) && r->at == ENDPOINT_VERSION &&
			r->path && bare > 1 && strcspn(r->path, "?") == bare &&
			!strncmp(r->path, path, bare))
			return r->name;
	}
	return NULL;
}

static bool is_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return (*path == '/' || *path == '?') && strlen(path) <= 2000;
}

static void take_url(
	struct cloudmon *c, const char *element, const char *service, const struct import_node *n)
{
	const char *path = import_text(n), *type = own_type(service);
	if (!path || !is_path(path)) {
		import_tell(c->in, n, IMPORT_DROPPED, "expected a path such as /servers");
		return;
	}
	const char *same = asked_already(c, type, path);
	if (same) {
		import_tell(c->in, n, IMPORT_CHANGED, "endpoint %s: asks for it already", same);
		return;
	}
	char *name = row_name(c, type, path);
	json_t *row = json_pack("{s:s, s:s, s:b, s:s}", "service", type, "path", path, "token", 1,
		"timeout", TIMEOUT);
	struct cloudmon_component *component = cloudmon_component(c, service);
	component = component ? component : cloudmon_component(c, element);
	if (component) {
		json_object_set_new(row, "component", json_string(component->name));
		if (component->category)
			json_object_set_new(row, "category", json_string(component->category));
	}
	json_object_set_new(c->in->endpoints, name, row);
	import_tell(c->in, n, IMPORT_CARRIED, "endpoint %s", name);
	free(name);
}

/* --- off -------------------------------------------------------------------------------------- */

static void switch_off(struct cloudmon *c, const char *type)
{
	bool known = false;
	for (size_t i = 0; i < endpoint_table_count(c->table); i++) {
		const struct endpoint_row *r = endpoint_table_at(c->table, i);
		if (!r->service || strcmp(r->service, own_type(type)) != 0 ||
			!strcmp(r->name, ENDPOINT_TOKEN))
			continue;
		json_object_set_new(c->in->endpoints, r->name, json_false());
		known = true;
	}
	if (!known) {
		char *root = mem_printf("%s.root", type);
		json_object_set_new(c->in->endpoints, root, json_false());
		free(root);
	}
}

/* --- elements --------------------------------------------------------------------------------- */

/* One service: `urls` relative to it, or none to have it left alone. */
static void take_service(struct cloudmon *c, const struct import_node *item, const char *element,
	const char *type, const struct import_node *urls)
{
	if (!is_type(type)) {
		import_tell(c->in, item, IMPORT_DROPPED, "\"%.80s\" is no type of a catalog", type);
		return;
	}
	for (size_t i = 0; i < import_size(urls); i++) {
		const struct import_node n = import_item(urls, i);
		take_url(c, element, type, &n);
	}
	if (import_size(urls))
		return;
	if (map_get(&c->asked, own_type(type))) {
		import_tell(c->in, item, IMPORT_NEEDLESS,
			"another element asks %s, and so nobody asks its root", type);
		return;
	}
	switch_off(c, type);
	import_tell(c->in, item, IMPORT_CARRIED, "nothing is asked of %s: off", type);
}

static bool is_chosen(const struct cloudmon *c, const struct import_node *element)
{
	return !c->matrix || (element->key && map_get(&c->chosen, element->key->text.p));
}

void cloudmon_elements_look(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node elements = import_get(root, "elements");
	for (size_t i = 0; i < import_size(&elements); i++) {
		const struct import_node item = import_item(&elements, i);
		if (item.key)
			map_put(&c->elements, item.key->text.p, c);
	}
}

static void look_again(struct cloudmon *c, const struct import_node *elements)
{
	for (size_t i = 0; i < import_size(elements); i++) {
		const struct import_node item = import_item(elements, i),
					 type = import_get(&item, "service_type"),
					 urls = import_get(&item, "urls");
		if (import_text(&type) && import_size(&urls) && is_chosen(c, &item))
			map_put(&c->asked, own_type(import_text(&type)), c);
	}
}

void cloudmon_elements(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {
		{"sdk_proxy", IMPORT_NEEDLESS, "paths begin at the address in the catalog"}};
	const struct import_node elements = import_get(root, "elements");
	look_again(c, &elements);
	for (size_t i = 0; i < import_size(&elements); i++) {
		const struct import_node item = import_item(&elements, i),
					 type = import_get(&item, "service_type"),
					 urls = import_get(&item, "urls");
		if (!item.key || !import_text(&type)) {
			import_tell(
				c->in, &item, IMPORT_DROPPED, "an element needs `service_type`");
		} else if (!is_chosen(c, &item)) {
			import_tell(
				c->in, &item, IMPORT_DROPPED, "no entry of the matrix names it");
		} else {
			import_tell(c->in, &type, IMPORT_CARRIED, "service of its rows");
			import_answer(c->in, &item, keys, array_len(keys));
			take_service(c, &item, item.key->text.p, import_text(&type), &urls);
		}
	}
}

/* --- the runtime configuration ---------------------------------------------------------------- */

static void take_overrides(struct cloudmon *c, const struct import_node *overrides)
{
	static const struct import_answer keys[] = {
		{"service", IMPORT_NEEDLESS, "paths begin at the address in the catalog"}};
	for (size_t i = 0; i < import_size(overrides); i++) {
		const struct import_node item = import_item(overrides, i),
					 urls = import_get(&item, "urls");
		if (!item.key)
			continue;
		import_answer(c->in, &item, keys, array_len(keys));
		if (import_size(&urls))
			map_put(&c->asked, own_type(item.key->text.p), c);
		take_service(c, &item, item.key->text.p, item.key->text.p, &urls);
	}
}

static void set_every(struct cloudmon *c, const struct import_node *n, json_t *cloud)
{
	int64_t s;
	char text[UNITS_TEXT];
	if (!import_whole(n, &s) || s < 1 || s > 86400)
		return;
	json_object_set_new(cloud, "every", json_string(units_time_whole(s * NS_PER_S, text)));
	import_tell(c->in, n, IMPORT_CHANGED,
		"every of the cloud: a constant rate, where it was a pause between two rounds");
}

static void take_cloud(
	struct cloudmon *c, const struct import_node *item, const struct import_node *interval)
{
	json_t *named = import_text(item) ? cloudmon_cloud(c, import_text(item)) : NULL;
	if (named) {
		set_every(c, interval, named);
		import_tell(c->in, item, IMPORT_CARRIED, "cloud %s", import_text(item));
		return;
	}
	for (size_t i = 0; i < import_size(item); i++) {
		const struct import_node one = import_item(item, i),
					 own = import_get(&one, "interval"),
					 overrides = import_get(&one, "service_override");
		json_t *cloud = one.key ? cloudmon_cloud(c, one.key->text.p) : NULL;
		if (!cloud)
			continue;
		set_every(c, interval, cloud);
		set_every(c, &own, cloud);
		take_overrides(c, &overrides);
		if (one.y->kind == YAML_SCALAR || !one.y->n)
			import_tell(c->in, &one, IMPORT_CARRIED, "cloud %s", one.key->text.p);
	}
}

void cloudmon_epmon(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {
		{"zone", IMPORT_DROPPED,
			"say `location`: one instance for each place to observe from"},
		{"socket", IMPORT_NEEDLESS, "what is in force changes by SIGHUP"},
		{"measurement", IMPORT_NEEDLESS, "series have names of their own"}};
	static const struct import_answer beside[] = {
		{"clouds", IMPORT_DROPPED, "log-ins stand in clouds.yaml: write them there"},
		{"metrics", IMPORT_DROPPED,
			"numbers are kept here; `metrics` says where else they go"}};
	const struct import_node epmon = import_get(root, "epmon"),
				 clouds = import_get(&epmon, "clouds"),
				 interval = import_get(&epmon, "interval");
	if (!epmon.y)
		return;
	import_answer(c->in, &epmon, keys, array_len(keys));
	import_answer(c->in, root, beside, array_len(beside));
	for (size_t i = 0; i < import_size(&clouds); i++) {
		const struct import_node item = import_item(&clouds, i);
		take_cloud(c, &item, &interval);
	}
}
