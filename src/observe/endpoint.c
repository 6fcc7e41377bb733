/*
 * endpoint.c - the probes of one cloud: the log-in from the first moment, the rest as the catalog
 * says; see endpoint.h.
 *
 * The catalog comes with each answer to the log-in, and from the session's own. It is laid beside
 * the probes there are: what is new is added, what points elsewhere is made anew, what is not
 * there any more is told as missing for a while and then taken off.
 */

#include "observe/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "observe/component.h"
#include "observe/endpoint_inside.h"

#define EVERY_NS   (30 * NS_PER_S)
#define TIMEOUT_NS (10 * NS_PER_S)
#define SLOW_NS    (2 * NS_PER_S)
#define MISSING_NS (3600 * NS_PER_S)
/* A run may wait for a token before it is sent; its end is never later than two rates. */
#define OVERLAP 3

/* --- telling ---------------------------------------------------------------------------------- */

static void on_tell(struct timer *t)
{
	struct endpoints *e = t->arg;
	e->changed(e->arg);
}

/* On the next turn, so that whoever hears it may do as he likes. */
static void tell_changed(struct endpoints *e)
{
	e->list.n = 0;
	for (size_t i = 0; i < e->probes.n; i++)
		vec_push(&e->list, e->probes.p[i]->view);
	if (e->changed)
		timer_start(e->loop, &e->tell, 0, on_tell, e);
}

size_t endpoints_list(const struct endpoints *e, const struct endpoint_probe **ret)
{
	*ret = e->list.p;
	return e->list.n;
}

bool endpoints_know_catalog(const struct endpoints *e)
{
	return e->know_catalog;
}

/* --- one probe -------------------------------------------------------------------------------- */

static int64_t either(int64_t a, int64_t b)
{
	return a > 0 ? a : b;
}

static struct job *add_job(struct endpoints *e, struct probe *p)
{
	const struct cloud_config *g = cloud_configuration(e->cloud);
	char *name = mem_printf("%s%s%s/%s", g->name, g->region ? "/" : "",
		g->region ? g->region : "", p->want.name);
	const struct job_options o = {.name = name,
		.every_ns = p->view.every_ns,
		.soon = true,
		.overlap = OVERLAP,
		.run = endpoint_run_start,
		.arg = p};
	struct job *job = schedule_add(e->schedule, &o);
	free(name);
	return job;
}

/* The region of the log-in is what is configured: it must be the same before keystone answers. */
static struct series *series_of(struct endpoints *e, const struct probe *p)
{
	const struct cloud_config *g = cloud_configuration(e->cloud);
	const struct series_tag tags[] = {{"cloud", g->name},
		{"region", p->login ? g->region : cloud_region(e->cloud)},
		{"component", p->component}, {"probe", p->want.name}, {"service", p->want.service}};
	char *name = mem_printf("endpoint.%s", p->want.name);
	const struct series_key key = {.kind = SERIES_PROBE,
		.unit = "us",
		.location = e->location,
		.name = name,
		.tags = tags,
		.tag_count = array_len(tags)};
	struct series *s = e->series ? series_get(e->series, &key) : NULL;
	free(name);
	return s;
}

/* Takes over the texts of `w`. */
static void add_probe(struct endpoints *e, struct endpoint_want *w, bool login)
{
	struct probe *p = mem_new(struct probe);
	p->owner = e;
	p->want = *w;
	*w = (struct endpoint_want){0};
	p->login = login;
	p->kept = true;
	p->component = component_id(e->prefix, p->want.component_name);
	const int64_t every = either(p->want.every_ns, e->every_ns);
	const int64_t timeout = either(p->want.timeout_ns, e->timeout_ns);
	p->view = (struct endpoint_probe){.name = p->want.name,
		.service = p->want.service,
		.component = p->component,
		.component_name = p->want.component_name,
		.category = p->want.category,
		.url = p->want.url,
		.every_ns = every,
		.timeout_ns = timeout < every ? timeout : every,
		.slow_ns = either(p->want.slow_ns, e->slow_ns)};
	p->series = series_of(e, p);
	p->job = add_job(e, p);
	vec_push(&e->probes, p);
}

static void remove_probe(struct endpoints *e, size_t i)
{
	struct probe *p = e->probes.p[i];
	vec_remove(&e->probes, i);
	endpoint_runs_cancel(p);
	schedule_remove(p->job);
	vec_fini(&p->runs);
	endpoint_want_fini(&p->want);
	free(p->component);
	free(p);
}

/* --- the catalog ------------------------------------------------------------------------------ */

static bool same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* The probe that asks just this, if there is one. */
static struct probe *find(struct endpoints *e, const struct endpoint_want *w)
{
	for (size_t i = 0; i < e->probes.n; i++) {
		struct probe *p = e->probes.p[i];
		if (!p->login && same(p->want.name, w->name) && same(p->want.url, w->url) &&
			same(p->want.component_name, w->component_name))
			return p;
	}
	return NULL;
}

/* One of that name which asks something else. */
static void remove_named(struct endpoints *e, const char *name)
{
	for (size_t i = e->probes.n; i > 0; i--)
		if (!e->probes.p[i - 1]->login && same(e->probes.p[i - 1]->want.name, name))
			remove_probe(e, i - 1);
}

/* What the catalog does not hold is missing, and goes when it has been so for long. */
static bool pass_over_missing(struct endpoints *e)
{
	const int64_t now = loop_now_ns(e->loop);
	bool gone = false;
	for (size_t i = e->probes.n; i > 0; i--) {
		struct probe *p = e->probes.p[i - 1];
		if (p->login || p->kept) {
			p->missing_since_ns = 0;
		} else if (!p->missing_since_ns) {
			p->missing_since_ns = now ? now : 1;
		} else if (now - p->missing_since_ns >= MISSING_NS) {
			remove_probe(e, i - 1);
			gone = true;
		}
	}
	return gone;
}

void endpoints_look(struct endpoints *e)
{
	struct endpoint_wants wants;
	json_t *catalog = cloud_catalog(e->cloud);
	bool different = !e->know_catalog;
	e->know_catalog = true;
	endpoint_plan(e->table, catalog, cloud_project_id(e->cloud), &wants);
	for (size_t i = 0; i < e->probes.n; i++)
		e->probes.p[i]->kept = false;
	for (size_t i = 0; i < wants.list.n; i++) {
		struct endpoint_want *w = &wants.list.p[i];
		struct probe *p = find(e, w);
		if (p) {
			p->kept = true;
			continue;
		}
		remove_named(e, w->name);
		add_probe(e, w, false);
		different = true;
	}
	different = pass_over_missing(e) || different;
	endpoint_wants_fini(&wants);
	json_decref(catalog);
	if (different)
		tell_changed(e);
}

/* --- its life --------------------------------------------------------------------------------- */

static void add_login(struct endpoints *e)
{
	const struct endpoint_row *row = endpoint_table_find(e->table, ENDPOINT_TOKEN);
	const struct endpoint_service *s = endpoint_service_find(row->service);
	const char *component = row->component ? row->component : s->component;
	struct endpoint_want w = {.name = mem_strdup(row->name),
		.service = mem_strdup(row->service),
		.component_name = mem_strdup(component),
		.category =
			mem_strdup(row->category ? row->category : endpoint_category(component)),
		.url = cloud_login_url(e->cloud),
		.every_ns = row->every_ns,
		.timeout_ns = row->timeout_ns,
		.slow_ns = row->slow_ns};
	add_probe(e, &w, true);
}

/* All errors at once are endpoint_table_load()'s to tell; here the first one has to do. */
static struct endpoint_table *load_table(struct error *err)
{
	struct error_list errors = {0};
	struct endpoint_table *t = endpoint_table_load(endpoint_dirs(), &errors);
	if (!t && err) {
		*err = errors.p[0];
		const size_t more = errors.n - 1 + errors.dropped, n = strlen(err->msg);
		if (more)
			snprintf(err->msg + n, sizeof(err->msg) - n, " (and %zu more)", more);
	}
	error_list_fini(&errors);
	return t;
}

struct endpoints *endpoints_new(struct schedule *s, struct cloud *c, struct http_client *probes,
	struct series_store *series, const struct endpoint_options *o, observation_signal *seen,
	void (*changed)(void *arg), void *arg, struct error *err)
{
	struct endpoint_table *table = load_table(err);
	if (!table)
		return NULL;
	struct endpoints *e = mem_new(struct endpoints);
	e->schedule = s;
	e->loop = schedule_loop(s);
	e->cloud = c;
	e->client = probes;
	e->series = series;
	e->table = table;
	e->location = mem_strdup(o->location ? o->location : "");
	e->prefix = mem_strdup(o->component_prefix);
	e->every_ns = either(o->every_ns, EVERY_NS);
	e->timeout_ns = either(o->timeout_ns, TIMEOUT_NS);
	e->slow_ns = either(o->slow_ns, SLOW_NS);
	e->seen = seen;
	e->measured = o->measured;
	e->measured_arg = o->measured_arg;
	e->changed = changed;
	e->arg = arg;
	add_login(e);
	tell_changed(e);
	endpoint_token_renew(e);
	return e;
}

void endpoints_free(struct endpoints *e)
{
	if (!e)
		return;
	while (e->probes.n)
		remove_probe(e, e->probes.n - 1);
	endpoint_token_cancel(e);
	timer_cancel(&e->tell);
	vec_fini(&e->probes);
	vec_fini(&e->list);
	endpoint_table_free(e->table);
	free(e->location);
	free(e->prefix);
	free(e);
}
