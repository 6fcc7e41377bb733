/*
 * running_lists.c - what there is to judge and to show: the components of all catalogs and
 * scenarios with what the configuration says of them, and the lists of the page.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "observe/component.h"
#include "observe/endpoint_table.h"

#define TEXT_BLOCK (16u << 10)

struct found {
	char *id;
	const char *name, *category, *cloud, *region; /* borrowed */
	bool hidden;
};

struct running_lists {
	struct house_site site;
	VEC(struct house_probe) probes;
	VEC(struct house_scenario) scenarios;
	VEC(struct house_possible) possible;
	VEC(struct house_host) hosts;
	VEC(char *) owned; /* blocks full of texts */
	char *free;        /* what is left of the last one */
	size_t left;
};

struct making {
	struct running *running;
	struct running_lists *lists;
	VEC(struct found) found;
	struct map by_id;                  /* id -> index + 1 in `found` */
	const struct watched_cloud *cloud; /* the one being looked at */
};

/* Texts of probes are short and many: side by side they take a third of what each would alone. */
static const char *keep_copy(struct running_lists *l, const char *text)
{
	const size_t n = text ? strlen(text) + 1 : 1;
	if (n > l->left) {
		l->left = n > TEXT_BLOCK ? n : TEXT_BLOCK;
		l->free = mem_alloc(l->left);
		vec_push(&l->owned, l->free);
	}
	char *copy = memcpy(l->free, text ? text : "", n);
	l->free += n;
	l->left -= n;
	return copy;
}

/* --- components ------------------------------------------------------------------------------ */

static const char *cloud_title(const struct watched_cloud *c)
{
	return c->row->title ? c->row->title : c->row->name;
}

static struct found *find(struct making *m, const char *id)
{
	const uintptr_t at = (uintptr_t)map_get(&m->by_id, id);
	return at ? &m->found.p[at - 1] : NULL;
}

/* What the configuration says of the component goes over it. Takes its id. */
static void add_component(struct making *m, struct found f)
{
	const struct config *c = m->running->now->config;
	char *id = f.id;
	if (find(m, id)) {
		free(id);
		return;
	}
	for (size_t i = 0; i < c->component_count; i++) {
		const struct config_component *o = &c->components[i];
		if (strcmp(o->id, id))
			continue;
		f.name = o->name ? o->name : f.name;
		f.category = o->category ? o->category : f.category;
		f.region = o->region ? o->region : f.region;
		f.hidden = o->hidden;
	}
	vec_push(&m->found, f);
	map_put(&m->by_id, id, (void *)(uintptr_t)m->found.n);
}

/* Of a cloud. Takes id. */
static void add_found(struct making *m, char *id, const char *name, const char *category)
{
	const bool several = m->running->now->config->cloud_count > 1;
	const struct found f = {.id = id,
		.name = name,
		.category = category,
		.cloud = several ? cloud_title(m->cloud) : "",
		.region = m->cloud->config->region ? m->cloud->config->region : ""};
	add_component(m, f);
}

static void add_named(void *arg, const char *name)
{
	struct making *m = arg;
	add_found(m, component_id(m->cloud->prefix, name), name, endpoint_category(name));
}

/* Until a catalog has been read, only the log-in is probed, and what the cloud has is what it had
 * when it was last seen. */
static bool is_known(const struct running *r)
{
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		const bool known = !(*c)->endpoints || endpoints_know_catalog((*c)->endpoints);
		if (!(*c)->leaving && !known)
			return false;
	}
	return true;
}

static void tell_judge(struct making *m)
{
	struct judge *j = m->running->judge;
	const bool known = is_known(m->running);
	for (size_t i = judge_component_count(j); i-- > 0;) {
		const struct component *c = judge_component_at(j, i);
		const struct found *f = find(m, c->id);
		if (f ? f->hidden : known)
			judge_component_remove(j, c->id);
	}
	VEC_EACH (&m->found, struct found, f) {
		const struct component c = {f->id, f->name, f->category, f->cloud, f->region};
		if (!f->hidden)
			judge_component(j, &c);
		free(f->id);
	}
	vec_fini(&m->found);
	map_fini(&m->by_id);
}

/* Components that are not there explain nothing, so all that could be is told. */
static void tell_rests(struct running *r)
{
	VEC(char *) prefixes = {0};
	struct error err = {0};
	VEC_EACH (&r->clouds, struct watched_cloud *, c)
		if (!(*c)->leaving)
			vec_push(&prefixes, (*c)->prefix);
	struct config_rests all = config_rests(r->now->config, prefixes.p, prefixes.n);
	if (!judge_depend(r->judge, all.rests.p, all.rests.n, &err))
		running_say(r, "judge: depends: %s", err.msg);
	config_rests_fini(&all);
	vec_fini(&prefixes);
}

/* --- probes and scenarios -------------------------------------------------------------------- */

static void add_cloud(struct making *m, const struct watched_cloud *c)
{
	struct running_lists *l = m->lists;
	const struct endpoint_probe *p;
	const size_t n = c->endpoints ? endpoints_list(c->endpoints, &p) : 0;
	m->cloud = c;
	for (size_t i = 0; i < n; i++) {
		add_found(m, mem_strdup(p[i].component), p[i].component_name, p[i].category);
		vec_push(&l->probes,
			((struct house_probe){
				.name = keep_copy(l, p[i].name),
				.kind = strcmp(p[i].name, "token") ? "endpoint" : "token",
				.cloud = keep_copy(l, cloud_title(c)),
				.component = keep_copy(l, p[i].component),
				.method = strcmp(p[i].name, "token") ? "GET" : "POST",
				.target = keep_copy(l, p[i].url),
				.every_ms = p[i].every_ns / NS_PER_MS,
			}));
	}
	for (char **host = c->row->hosts; host && *host; host++)
		vec_push(&l->hosts,
			((struct house_host){keep_copy(l, c->row->name), keep_copy(l, *host)}));
}

static void add_probe(struct making *m, const struct watched_probe *w)
{
	struct running_lists *l = m->lists;
	const struct probe_about *about = probe_config_about(w->row);
	if (*w->component) {
		const char *category =
			about->category ? about->category : endpoint_category(about->component);
		const struct found f = {.id = mem_strdup(w->component),
			.name = about->component,
			.category = category,
			.cloud = "",
			.region = about->region ? about->region : ""};
		add_component(m, f);
	}
	for (size_t i = 0; i < array_len(w->probe) && w->probe[i]; i++)
		vec_push(&l->probes, ((struct house_probe){
					     .name = keep_copy(l, probe_name(w->probe[i])),
					     .kind = about->kind,
					     .cloud = "",
					     .component = keep_copy(l, w->component),
					     .method = "",
					     .target = keep_copy(l, about->target),
					     .every_ms = about->every_ns / NS_PER_MS,
				     }));
}

static bool is_there(struct making *m, const struct cloudmon_health *h)
{
	VEC_EACH (&m->found, struct found, f)
		if (running_flags_about(m->running->flag_rules, h, f->name, f->region))
			return true;
	return false;
}

/* What CloudMon's rules are about and nobody else has named. */
static void add_flags(struct making *m)
{
	const struct cloudmon_rules *rules = m->running->flag_rules;
	for (size_t i = 0; rules && i < cloudmon_health_count(rules); i++) {
		const struct cloudmon_health *h = cloudmon_health_at(rules, i);
		if (!h->component_name || is_there(m, h))
			continue;
		struct found f = {.name = h->component_name, .category = h->category, .cloud = ""};
		f.id = running_flags_id(rules, h, &f.region);
		add_component(m, f);
	}
}

static void add_scenario(struct making *m, const struct watched_scenario *s)
{
	struct running_lists *l = m->lists;
	const char *title = s->scenario->title ? s->scenario->title : s->scenario->name;
	m->cloud = s->cloud;
	outline_components(s->scenario, add_named, m);
	vec_push(&l->scenarios, ((struct house_scenario){
					.name = keep_copy(l, s->name),
					.scenario = keep_copy(l, s->scenario->name),
					.title = keep_copy(l, title),
					.cloud = keep_copy(l, s->cloud->row->name),
					.every_ms = s->row->every_ns / NS_PER_MS,
					.deadline_ms = s->scenario->deadline_ns / NS_PER_MS,
					.makes = (const char *const *)s->makes,
				}));
}

/* What nobody but an outpost watches. */
static void add_outpost(void *arg, const char *location, const json_t *about)
{
	struct making *m = arg;
	size_t i;
	json_t *c;
	json_array_foreach (json_object_get(about, "components"), i, c) {
		const struct found f = {.id = mem_strdup(json_str(c, "id")),
			.name = json_str(c, "name"),
			.category = json_str(c, "category"),
			.cloud = json_str(c, "cloud"),
			.region = json_str(c, "region")};
		add_component(m, f);
	}
}

/* --- what is not allowed yet ----------------------------------------------------------------- */

static bool is_allowed(const struct running *r, const char *name)
{
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!strcmp((*s)->scenario->name, name))
			return true;
	}
	return false;
}

static void add_shipped(struct making *m)
{
	struct running_lists *l = m->lists;
	if (!m->running->shipped)
		m->running->shipped = running_shipped_read(m->running->session.kinds);
	VEC_EACH (&m->running->shipped->all, struct shipped, s) {
		if (!is_allowed(m->running, s->name))
			vec_push(&l->possible, ((struct house_possible){keep_copy(l, s->name),
						       keep_copy(l, s->title),
						       keep_copy(l, s->makes), s->objects}));
	}
}

/* --- all of it ------------------------------------------------------------------------------- */

static void fill_site(struct running *r, struct running_lists *l)
{
	const struct config *c = r->now->config;
	l->site = (struct house_site){
		.name = c->site_name       ? c->site_name
			: r->clouds.n == 1 ? cloud_title(r->clouds.p[0])
					   : "Status",
		.url = c->site_url ? c->site_url : "",
		.timezone = c->timezone ? c->timezone : "UTC",
		.location = c->location ? c->location : "",
		.instance = r->session.instance,
		.languages = (const char *const *)c->languages,
		.about = c->about,
		.simulated = r->options.simulated,
		.maintenance_counts = r->now->config->maintenance_counts,
	};
}

void running_lists_free(struct running_lists *l)
{
	if (!l)
		return;
	VEC_EACH (&l->owned, char *, block) {
		free(*block);
	}
	vec_fini(&l->owned);
	vec_fini(&l->probes);
	vec_fini(&l->scenarios);
	vec_fini(&l->possible);
	vec_fini(&l->hosts);
	free(l);
}

void running_lists_make(struct running *r)
{
	struct running_lists *before = r->lists;
	struct making m = {.running = r, .lists = mem_new(struct running_lists)};
	fill_site(r, m.lists);
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		if (!(*c)->leaving)
			add_cloud(&m, *c);
	}
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!(*s)->leaving)
			add_scenario(&m, *s);
	}
	MAP_EACH (&r->probes, e)
		add_probe(&m, e->value);
	add_flags(&m);
	add_shipped(&m);
	outposts_each(r->outposts, add_outpost, &m);
	tell_judge(&m);
	tell_rests(r);
	const struct house_lists lists = {
		.probes = m.lists->probes.p,
		.probe_count = m.lists->probes.n,
		.scenarios = m.lists->scenarios.p,
		.scenario_count = m.lists->scenarios.n,
		.possible = m.lists->possible.p,
		.possible_count = m.lists->possible.n,
		.hosts = m.lists->hosts.p,
		.host_count = m.lists->hosts.n,
	};
	r->lists = m.lists;
	house_configure(r->house, &m.lists->site, &lists);
	house_changed(r->house);
	running_lists_free(before);
	running_outposts_lists(r);
}
