/*
 * house_hosts.c - the document HOSTS, from the table of boots: see model.h.
 *
 * Nova tells members a digest of project and host in place of the host's name. Who knows the names
 * gets them back by making the same digests, of the projects in which scenarios ran.
 */

#include <string.h>

#include "base/digest.h"
#include "observe/boots.h"
#include "web/house_inside.h"

#define BOOTS_MAX    100000 /* of a cloud that are counted */
#define CLOUDS_MAX   50
#define PROJECTS_MAX 20
#define NAMES_MAX    20000 /* names times projects */

struct host {
	char *id, *zone, *name;
	unsigned good[MODEL_HOST_DAYS], failed[MODEL_HOST_DAYS];
	unsigned good_24h, failed_24h, failed_all;
	int64_t last_good_ms; /* 0: none */
	bool last_good;
	VEC(int64_t) ready_ms;
	json_t *last_failure; /* NULL: none */
};

struct gathering {
	int64_t now_ms;
	struct map hosts; /* id -> struct host *, owned */
	size_t seen;
	unsigned nowhere;
};

/* --- counting --------------------------------------------------------------------------------- */

static struct host *host_of(struct gathering *g, const struct boot_row *row)
{
	struct host *h = map_get(&g->hosts, row->host);
	if (!h) { /* newest first: its first one is its last */
		map_put(&g->hosts, row->host, h = mem_new(struct host));
		h->id = mem_strdup(row->host);
		h->last_good = row->good;
	}
	if (!h->zone && row->zone)
		h->zone = mem_strdup(row->zone);
	return h;
}

static json_t *failure_json(const struct boot_row *row)
{
	json_t *o = json_object();
	put_int(o, "at_ms", row->at_ms);
	put_text(o, "run", row->run);
	put_text(o, "step", row->step);
	put_text(o, "fault", row->fault);
	put_text(o, "cause", row->cause);
	return o;
}

static bool on_boot(void *arg, const struct boot_row *row)
{
	struct gathering *g = arg;
	const bool fresh = row->at_ms > g->now_ms - HOUSE_DAY_MS;
	const int64_t ago = g->now_ms / HOUSE_DAY_MS - row->at_ms / HOUSE_DAY_MS;
	g->seen++;
	if (!row->good && !boot_blames_cloud(row))
		return true;
	if (!row->host) {
		g->nowhere += fresh && !row->good;
		return true;
	}
	struct host *h = host_of(g, row);
	if (ago >= 0 && ago < MODEL_HOST_DAYS)
		(row->good ? h->good : h->failed)[MODEL_HOST_DAYS - 1 - ago]++;
	*(row->good ? &h->good_24h : &h->failed_24h) += fresh;
	h->failed_all += !row->good;
	if (row->good && !h->last_good_ms)
		h->last_good_ms = row->at_ms;
	if (row->good && row->ready_ms >= 0)
		vec_push(&h->ready_ms, row->ready_ms);
	if (!row->good && !h->last_failure)
		h->last_failure = failure_json(row);
	return true;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool on_project(void *arg, const struct facts_row *row)
{
	const char *project = facts_text(row, 0);
	if (project)
		json_array_append_new(arg, json_string(project));
	return true;
}

/* As nova's get_hostid() does: SHA-224 of the two, one behind the other, in hexadecimal. */
static char *host_id(const char *project, const char *name)
{
	uint8_t hash[SHA224_BYTES];
	char *both = mem_printf("%s%s", project, name);
	digest_sha224(both, strlen(both), hash);
	free(both);
	return hex_encode(hash, sizeof(hash));
}

static bool name_hosts(struct house_asked *a, struct gathering *g, const char *cloud)
{
	const struct facts_value v[] = {FACTS_T(cloud), FACTS_I(PROJECTS_MAX)};
	const json_t *names = json_object_get(a->doc, cloud), *project, *name;
	json_t *projects = json_array();
	size_t i, k, left = NAMES_MAX;
	const bool good =
		!names ||
		facts_query(a->facts,
			"SELECT DISTINCT project FROM scenario_run WHERE cloud = ? LIMIT ?", v,
			array_len(v), on_project, projects, &a->err);
	json_array_foreach (projects, i, project) {
		json_array_foreach (names, k, name) {
			if (!left)
				break;
			left--;
			char *id = host_id(json_string_value(project), json_string_value(name));
			struct host *h = map_get(&g->hosts, id);
			if (h && !h->name)
				h->name = mem_strdup(json_string_value(name));
			free(id);
		}
	}
	json_decref(projects);
	return good;
}

/* The host by its name where that is known. */
static json_t *common_json(struct house_asked *a, const struct gathering *g, const char *cloud)
{
	struct boots_common c;
	if (!boots_common(a->facts, cloud, a->now_ms, NULL, NULL, &c))
		return json_null();
	const struct host *h = !strcmp(c.dimension, "host") ? map_get(&g->hosts, c.value) : NULL;
	json_t *o = json_object();
	put_text(o, "dimension", c.dimension);
	put_text(o, "value", h && h->name ? h->name : c.value);
	put_int(o, "failed", c.failed);
	put_int(o, "came_up", c.came_up);
	put_int(o, "elsewhere", c.elsewhere);
	boots_common_fini(&c);
	return o;
}

/* --- the document ----------------------------------------------------------------------------- */

static int by_ms(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static json_t *median_json(struct host *h)
{
	const size_t n = h->ready_ms.n;
	if (!n)
		return json_null();
	qsort(h->ready_ms.p, n, sizeof(*h->ready_ms.p), by_ms);
	return json_integer((h->ready_ms.p[(n - 1) / 2] + h->ready_ms.p[n / 2]) / 2);
}

static json_t *days_of_host(const struct host *h, int64_t now_ms)
{
	json_t *all = json_array();
	for (int i = 0; i < MODEL_HOST_DAYS; i++)
		json_array_append_new(
			all, json_pack("{s:I, s:i, s:i}", "day",
				     (json_int_t)(now_ms / HOUSE_DAY_MS - MODEL_HOST_DAYS + 1 + i),
				     "good", (int)h->good[i], "failed", (int)h->failed[i]));
	return all;
}

static json_t *host_json(struct host *h, int64_t now_ms)
{
	json_t *o = json_object();
	put_text(o, "host", h->id);
	put_text(o, "name", h->name);
	put_text(o, "zone", h->zone);
	put(o, "last_good_ms", h->last_good_ms ? json_integer(h->last_good_ms) : json_null());
	put(o, "last_good", json_boolean(h->last_good));
	put_int(o, "good_24h", h->good_24h);
	put_int(o, "failed_24h", h->failed_24h);
	put(o, "median_ms", median_json(h));
	put(o, "days", days_of_host(h, now_ms));
	put(o, "last_failure", h->last_failure ? json_incref(h->last_failure) : json_null());
	return o;
}

/* With failures first, the newest before all; then those longest without a success. */
static int by_trouble(const void *a, const void *b)
{
	const struct host *x = *(struct host *const *)a, *y = *(struct host *const *)b;
	if (x->failed_24h != y->failed_24h)
		return x->failed_24h > y->failed_24h ? -1 : 1;
	if (x->failed_all != y->failed_all)
		return x->failed_all > y->failed_all ? -1 : 1;
	if (x->last_good_ms != y->last_good_ms)
		return x->last_good_ms < y->last_good_ms ? -1 : 1;
	return strcmp(x->id, y->id);
}

static void put_hosts(json_t *o, const struct gathering *g)
{
	VEC(struct host *) sorted = {0};
	json_t *hosts = json_array();
	MAP_EACH (&g->hosts, e) {
		vec_push(&sorted, e->value);
	}
	if (sorted.n)
		qsort(sorted.p, sorted.n, sizeof(*sorted.p), by_trouble);
	for (size_t i = 0; i < sorted.n && i < MODEL_HOSTS; i++)
		json_array_append_new(hosts, host_json(sorted.p[i], g->now_ms));
	put_int(o, "left_out", sorted.n > MODEL_HOSTS ? (int64_t)(sorted.n - MODEL_HOSTS) : 0);
	put(o, "hosts", hosts);
	vec_fini(&sorted);
}

static void gathering_fini(struct gathering *g)
{
	MAP_EACH (&g->hosts, e) {
		struct host *h = e->value;
		free(h->id);
		free(h->zone);
		free(h->name);
		vec_fini(&h->ready_ms);
		json_decref(h->last_failure);
		free(h);
	}
	map_fini(&g->hosts);
}

/* --- the question ----------------------------------------------------------------------------- */

/* The names by cloud: the lists may change while the worker reads. */
static int begin_hosts(struct house_asked *a)
{
	const struct house_lists *l = &a->house->lists;
	a->doc = json_object();
	for (size_t i = 0; i < l->host_count; i++) {
		json_t *names = json_object_get(a->doc, l->hosts[i].cloud);
		if (!names)
			put(a->doc, l->hosts[i].cloud, names = json_array());
		json_array_append_new(names, json_string(l->hosts[i].name));
	}
	return 0;
}

static bool on_cloud(void *arg, const struct facts_row *row)
{
	json_array_append_new(arg, json_string(facts_text(row, 0)));
	return true;
}

static bool read_cloud(struct house_asked *a, const char *cloud, int64_t since_ms)
{
	struct gathering g = {.now_ms = a->now_ms};
	const bool good = boots_read(a->facts, cloud, since_ms, BOOTS_MAX, on_boot, &g, &a->err) &&
			  name_hosts(a, &g, cloud);
	json_t *o = json_object();
	put_text(o, "cloud", cloud);
	put(o, "common", common_json(a, &g, cloud));
	put_int(o, "nowhere", g.nowhere);
	put_hosts(o, &g);
	json_array_append_new(json_object_get(a->read, "clouds"), o);
	if (g.seen == BOOTS_MAX)
		put(a->read, "more", json_true());
	gathering_fini(&g);
	return good;
}

static bool read_hosts(struct house_asked *a)
{
	const int64_t since_ms = a->now_ms - MODEL_HOST_DAYS * HOUSE_DAY_MS;
	const struct facts_value v[] = {FACTS_I(since_ms), FACTS_I(CLOUDS_MAX)};
	json_t *clouds = json_array();
	const json_t *cloud;
	size_t i;
	a->read = json_pack("{s:b, s:[]}", "more", 0, "clouds");
	bool good = facts_query(a->facts,
		"SELECT DISTINCT cloud FROM boot WHERE at >= ? ORDER BY cloud LIMIT ?", v,
		array_len(v), on_cloud, clouds, &a->err);
	json_array_foreach (clouds, i, cloud) {
		good = good && read_cloud(a, json_string_value(cloud), since_ms);
	}
	json_decref(clouds);
	return good;
}

static int end_hosts(struct house_asked *a)
{
	json_decref(a->doc);
	a->doc = json_incref(a->read);
	return 200;
}

const struct house_question hosts_question = {"hosts", true, begin_hosts, read_hosts, end_hosts};
