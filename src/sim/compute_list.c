/*
 * compute_list.c - lists of servers: filters (what a member may not use is dropped, what nobody
 * knows is refused since 2.75), order, pages; with changes-since also those deleted meanwhile.
 */

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/network.h"
#include "sim/state.h"

#define SORT_KEYS_MAX 4

/* What may stand in the query. `doc` is the field that is compared whole or, with `regex`, searched
 * in; filters without a field have code of their own or are for administrators. */
static const struct filter {
	const char *name, *doc;
	bool regex;
	int since; /* from when a member may use it; -1: never, it is dropped */
} filters[] = {
	{"name", "name", true},
	{"status"},
	{"image"},
	{"flavor"},
	{"ip", NULL, true},
	{"ip6", NULL, true, 5},
	{"reservation_id", ".reservation_id", true},
	{"changes-since"},
	{"changes-before", NULL, false, 66},
	{"tags", NULL, false, 26},
	{"tags-any", NULL, false, 26},
	{"not-tags", NULL, false, 26},
	{"not-tags-any", NULL, false, 26},
	{"locked", "locked", false, 73},
	{"availability_zone", "OS-EXT-AZ:availability_zone", true, 83},
	{"config_drive", "config_drive", true, 83},
	{"key_name", "key_name", true, 83},
	{"created_at", "created", true, 83},
	{"launched_at", "OS-SRV-USG:launched_at", true, 83},
	{"terminated_at", "OS-SRV-USG:terminated_at", true, 83},
	{"power_state", "OS-EXT-STS:power_state", false, 83},
	{"task_state", "OS-EXT-STS:task_state", false, 83},
	{"vm_state", "OS-EXT-STS:vm_state", false, 83},
	{"progress", "progress", false, 83},
	{"user_id", "user_id", false, 83},
	{"hostname", "OS-EXT-SRV-ATTR:hostname", true, 90},
	{"project_id", NULL, false, -1},
	{"tenant_id", NULL, false, -1},
	{"launch_index", NULL, false, -1},
	{"image_ref", NULL, false, -1},
	{"kernel_id", NULL, true, -1},
	{"ramdisk_id", NULL, true, -1},
	{"host", NULL, false, -1},
	{"node", NULL, true, -1},
	{"display_name", NULL, true, -1},
	{"description", NULL, true, -1},
	{"display_description", NULL, true, -1},
	{"locked_by", NULL, true, -1},
	{"uuid", NULL, false, -1},
	{"root_device_name", NULL, true, -1},
	{"access_ip_v4", NULL, true, -1},
	{"access_ip_v6", NULL, true, -1},
	{"auto_disk_config", NULL, true, -1},
	{"deleted", NULL, false, -1},
	{"soft_deleted", NULL, false, -1},
	{"all_tenants", NULL, false, -1},
	{"sort_key", NULL, false, -1},
	{"sort_dir", NULL, false, -1},
	{"limit", NULL, false, -1},
	{"marker", NULL, false, -1},
};

static const struct filter *filter_of(const char *name)
{
	for (size_t i = 0; i < array_len(filters); i++)
		if (!strcmp(filters[i].name, name))
			return &filters[i];
	return NULL;
}

/* --- regular expressions --------------------------------------------------------------------- */

/* Nova's database has the digits of Perl ("\d"), POSIX has not. Case does not matter to it. */
static bool compile(regex_t *re, const char *pattern, bool from_start)
{
	struct buf b = BUF(BUF_LINE);

	if (from_start)
		buf_add_str(&b, "^(");
	for (const char *p = pattern; *p; p++) {
		if (p[0] == '\\' && p[1] == 'd') {
			buf_add_str(&b, "[0-9]");
			p++;
		} else {
			buf_add_char(&b, *p);
			if (p[0] == '\\' && p[1])
				buf_add_char(&b, *++p);
		}
	}
	if (from_start)
		buf_add_char(&b, ')');
	const bool good = *pattern && !b.over &&
			  regcomp(re, buf_str(&b), REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0;
	buf_fini(&b);
	return good;
}

static bool matches(const char *pattern, const char *text, bool from_start)
{
	regex_t re;

	if (!compile(&re, pattern, from_start))
		return false;
	const bool found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

/* --- checking the query ---------------------------------------------------------------------- */

static bool refuse(struct call *c, const struct pair *p, const char *what)
{
	call_fail(c, 400, NULL,
		"Invalid input for query parameters %s. Value: %s. '%s' is not a %s", p->name,
		p->value, p->value, what);
	return false;
}

static bool is_time(const char *text)
{
	int64_t us;
	char *zoned = mem_printf("%sZ", text);
	const bool good = clock_parse_rfc3339(text, &us) || clock_parse_rfc3339(zoned, &us);

	free(zoned);
	return good;
}

static bool known_status(const char *status)
{
	static const char *const known[] = {"ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT",
		"MIGRATING", "PASSWORD", "PAUSED", "REBOOT", "REBUILD", "RESCUE", "RESIZE",
		"REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SOFT_DELETED",
		"SUSPENDED", "VERIFY_RESIZE"};

	for (size_t i = 0; i < array_len(known); i++)
		if (!strcasecmp(known[i], status))
			return true;
	return false;
}

static bool check_pair(struct call *c, const struct pair *p, bool detail)
{
	const struct filter *f = filter_of(p->name);
	regex_t re;

	if (!f && since(c, 75)) {
		call_fail(c, 400, NULL, "'%s' does not match any of the regexes: '^_'", p->name);
		return false;
	}
	if (f && f->regex) {
		if (!compile(&re, p->value, false))
			return refuse(c, p, "'regex'");
		regfree(&re);
	}
	if (!strncmp(p->name, "changes-", 8) && !is_time(p->value))
		return refuse(c, p, "'date-time'");
	if (!strcmp(p->name, "status") && !known_status(p->value) && since(c, 38)) {
		call_fail(c, 400, NULL, "Invalid status value");
		return false;
	}
	if (!strcmp(p->name, "status") && !strcasecmp(p->value, "DELETED")) {
		call_fail(c, 403, NULL, "Only administrators may list deleted instances");
		return false;
	}
	if (!strcmp(p->name, "all_tenants") && strcmp(p->value, "0") &&
		strcasecmp(p->value, "false")) {
		compute_forbid(c, detail ? "servers:detail:get_all_tenants"
					 : "servers:index:get_all_tenants");
		return false;
	}
	return true;
}

/* --- filters --------------------------------------------------------------------------------- */

static int64_t time_us(const char *text)
{
	int64_t us = 0;

	if (!clock_parse_rfc3339(text, &us)) {
		char *zoned = mem_printf("%sZ", text);
		if (!clock_parse_rfc3339(zoned, &us))
			us = 0;
		free(zoned);
	}
	return us;
}

static bool fits_tags(const struct object *o, const char *name, const char *wanted)
{
	struct slice rest = slice_of(wanted), tag;
	bool all = true, any = false;

	while (slice_next(&rest, ',', &tag)) {
		const bool has = json_has_text(json_object_get(o->doc, "tags"), tag);
		all = all && has;
		any = any || has;
	}
	const bool fits = slice_ends(slice_of(name), "any") ? any : all;
	return strncmp(name, "not-", 4) ? fits : !fits;
}

static bool fits_ip(struct call *c, const struct object *o, const char *wanted, bool six)
{
	json_t *ip;
	size_t i;

	VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
		const struct object *port = nic_port(c->sim, nic);
		json_array_foreach (port ? json_object_get(port->doc, "fixed_ips") : NULL, i, ip) {
			const char *text = json_str(ip, "ip_address");
			if ((strchr(text, ':') != NULL) == six && matches(wanted, text, true))
				return true;
		}
	}
	return false;
}

static bool fits_doc(const struct object *o, const struct filter *f, const char *wanted)
{
	const json_t *v = json_object_get(o->doc, f->doc);

	if (json_is_boolean(v))
		return json_is_true(v) == (!strcasecmp(wanted, "true") || !strcmp(wanted, "1"));
	if (json_is_integer(v))
		return json_integer_value(v) == strtoll(wanted, NULL, 10);
	if (!json_is_string(v))
		return false;
	return f->regex ? matches(wanted, json_string_value(v), false)
			: !strcmp(wanted, json_string_value(v));
}

static bool fits_status(const struct call *c, const struct object *o)
{
	VEC_EACH (&c->arguments, struct pair, p)
		if (!strcmp(p->name, "status") && !strcasecmp(p->value, object_str(o, "status")))
			return true;
	return false;
}

static bool fits_pair(struct call *c, const struct object *o, const struct pair *p)
{
	const struct filter *f = filter_of(p->name);
	const struct server *s = server_of(o);

	if (!f || f->since < 0 || !since(c, f->since))
		return true;
	if (f->doc)
		return fits_doc(o, f, p->value);
	if (!strcmp(f->name, "status"))
		return fits_status(c, o);
	if (!strcmp(f->name, "image"))
		return !strcmp(s->image, p->value);
	if (!strcmp(f->name, "flavor"))
		return !strcmp(s->flavor, p->value);
	if (!strncmp(f->name, "ip", 2))
		return fits_ip(c, o, p->value, f->name[2] == '6');
	if (!strcmp(f->name, "changes-since"))
		return time_us(object_str(o, "updated")) >= time_us(p->value);
	if (!strcmp(f->name, "changes-before"))
		return time_us(object_str(o, "updated")) <= time_us(p->value);
	return fits_tags(o, f->name, p->value);
}

static bool fits(struct call *c, const struct object *o)
{
	if (strcmp(o->project, c->project))
		return false;
	VEC_EACH (&c->arguments, struct pair, p)
		if (!fits_pair(c, o, p))
			return false;
	return true;
}

/* --- order ----------------------------------------------------------------------------------- */

struct order {
	const char *keys[SORT_KEYS_MAX];
	int signs[SORT_KEYS_MAX];
	size_t n;
};

/* Names of nova's columns and where their values stand; NULL: the same for all servers here. */
static const struct {
	const char *key, *doc;
} columns[] = {{"created_at", NULL}, {"updated_at", "updated"}, {"uuid", "id"},
	{"display_name", "name"}, {"display_description", "description"},
	{"vm_state", "OS-EXT-STS:vm_state"}, {"task_state", "OS-EXT-STS:task_state"},
	{"power_state", "OS-EXT-STS:power_state"}, {"launched_at", "OS-SRV-USG:launched_at"},
	{"terminated_at", "OS-SRV-USG:terminated_at"},
	{"availability_zone", "OS-EXT-AZ:availability_zone"}, {"key_name", "key_name"},
	{"hostname", "OS-EXT-SRV-ATTR:hostname"}, {"user_id", "user_id"},
	{"project_id", "tenant_id"}, {"config_drive", "config_drive"},
	{"access_ip_v4", "accessIPv4"}, {"access_ip_v6", "accessIPv6"}, {"progress", "progress"},
	{"locked", "locked"}, {"image_ref", ".image"}, {"instance_type_id", ".flavor"}};

static bool read_order(struct call *c, struct order *order)
{
	size_t dirs = 0;

	VEC_EACH (&c->arguments, struct pair, p) {
		if (strcmp(p->name, "sort_key") || order->n == SORT_KEYS_MAX)
			continue;
		size_t i = 0;
		while (i < array_len(columns) && strcmp(columns[i].key, p->value))
			i++;
		if (i < array_len(columns)) {
			order->keys[order->n++] = p->value;
		} else if (!strcmp(p->value, "host") || !strcmp(p->value, "node")) {
			call_fail(c, 403, NULL, "Only administrators can sort servers by %s",
				p->value);
			return false;
		} else if (since(c, 75)) {
			return refuse(c, p, "valid sort key");
		}
	}
	if (order->n == 0)
		order->keys[order->n++] = "created_at";
	for (size_t i = 0; i < order->n; i++)
		order->signs[i] = -1;
	VEC_EACH (&c->arguments, struct pair, p)
		if (!strcmp(p->name, "sort_dir") && dirs < order->n)
			for (size_t i = dirs++; i < order->n; i++)
				order->signs[i] = strcmp(p->value, "asc") ? -1 : 1;
	return true;
}

static int compare_field(const struct object *a, const struct object *b, const char *key)
{
	for (size_t i = 0; i < array_len(columns); i++) {
		if (strcmp(columns[i].key, key))
			continue;
		if (!columns[i].doc)
			break;
		const json_t *x = json_object_get(a->doc, columns[i].doc);
		if (json_is_integer(x))
			return (int)(json_int(a->doc, columns[i].doc, 0) -
				     json_int(b->doc, columns[i].doc, 0));
		return strcmp(object_str(a, columns[i].doc), object_str(b, columns[i].doc));
	}
	return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

static int compare(const void *x, const void *y, void *arg)
{
	const struct object *a = *(struct object *const *)x, *b = *(struct object *const *)y;
	const struct order *order = arg;

	for (size_t i = 0; i < order->n; i++) {
		const int diff = order->signs[i] * compare_field(a, b, order->keys[i]);
		if (diff)
			return diff;
	}
	return order->signs[0] * compare_field(a, b, "created_at");
}

/* --- the list -------------------------------------------------------------------------------- */

/* A deleted server lives on as a document; for the time of a list it is an object again. */
static struct object *ghost(struct sim *sim, json_t *doc)
{
	struct object *o = mem_new(struct object);
	struct server *s = mem_new(struct server);

	o->kind = KIND_SERVER;
	o->sim = sim;
	o->doc = doc;
	o->more = s;
	o->ordinal = (uint64_t)json_int(doc, ".ordinal", 0);
	snprintf(o->id, sizeof(o->id), "%s", json_str(doc, "id"));
	snprintf(o->project, sizeof(o->project), "%s", json_str(doc, "tenant_id"));
	snprintf(s->image, sizeof(s->image), "%s", json_str(doc, ".image"));
	snprintf(s->flavor, sizeof(s->flavor), "%s", json_str(doc, ".flavor"));
	return o;
}

static void answer_list(struct call *c, const struct object_list *l, bool detail)
{
	json_t *views = json_array(), *answer = json_pack("{s:o}", "servers", views);

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(
			views, detail ? server_view(c, l->p[i], VIEW_ALL | VIEW_DETAIL)
				      : json_pack("{s:s, s:s, s:o}", "id", l->p[i]->id, "name",
						object_str(l->p[i], "name"), "links",
						compute_links(c, "servers", l->p[i]->id, true)));
	page_links(c, l, NULL, answer, "servers_links");
	call_json(c, 200, answer);
}

static void list(struct call *c, bool detail)
{
	struct object_list found = {0}, ghosts = {0};
	struct order order = {0};
	json_t *doc;
	size_t i;

	VEC_EACH (&c->arguments, struct pair, p)
		if (!check_pair(c, p, detail))
			return;
	if (!read_order(c, &order))
		return;
	OBJECT_EACH (c->sim, KIND_SERVER, o)
		if (object_listed(o) && fits(c, o))
			vec_push(&found, o);
	if (call_query(c, "changes-since") || (since(c, 66) && call_query(c, "changes-before")))
		json_array_foreach (c->sim->deleted_servers, i, doc) {
			vec_push(&ghosts, ghost(c->sim, doc));
			if (fits(c, ghosts.p[ghosts.n - 1]))
				vec_push(&found, ghosts.p[ghosts.n - 1]);
		}
	if (found.n > 1)
		qsort_r(found.p, found.n, sizeof(*found.p), compare, &order);
	if (page_cut(c, &found, NULL))
		answer_list(c, &found, detail);
	VEC_EACH (&ghosts, struct object *, o) {
		free((*o)->more);
		free(*o);
	}
	vec_fini(&ghosts);
	vec_fini(&found);
}

void servers_list(struct call *c)
{
	list(c, false);
}

void servers_detail(struct call *c)
{
	list(c, true);
}
