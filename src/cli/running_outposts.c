/*
 * running_outposts.c - both halves of outposts: what we report to a house, and who reports to us.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "observe/component.h"

/* --- what we report --------------------------------------------------------------------------- */

static void on_said(void *arg, const char *text)
{
	struct running *r = arg;
	running_say(r, "%s", text);
	if (r->house)
		house_changed(r->house);
}

static void open_reporter(struct running *r)
{
	const struct config *c = r->now->config;
	const struct reporter_options o = {.to = c->upstream.to,
		.token = c->upstream.token.value,
		.location = c->location,
		.instance = r->session.instance,
		.tell = on_said,
		.arg = r};
	r->reporter = reporter_new(r->session.loop, r->session.api, r->series, &o);
}

void running_outposts_seen(struct running *r, const struct observation *o)
{
	if (r->reporter)
		reporter_seen(r->reporter, o);
}

static void add_probe(
	json_t *list, const char *cloud, const char *name, int64_t every_ns, int64_t timeout_ns)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I}", "cloud", cloud, "probe", name,
					    "every_ms", (json_int_t)(every_ns / NS_PER_MS),
					    "timeout_ms", (json_int_t)(timeout_ns / NS_PER_MS)));
}

/* As the judge was told of them. */
static json_t *probes_here(const struct running *r)
{
	json_t *list = json_array();
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		const struct endpoint_probe *p;
		const size_t n = (*c)->endpoints ? endpoints_list((*c)->endpoints, &p) : 0;
		for (size_t i = 0; i < n; i++)
			add_probe(list, (*c)->row->name, p[i].name, p[i].every_ns, p[i].timeout_ns);
	}
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!(*s)->leaving)
			add_probe(list, (*s)->cloud->row->name, (*s)->name, (*s)->row->every_ns,
				(*s)->scenario->deadline_ns + (*s)->scenario->teardown_ns);
	}
	MAP_EACH (&r->probes, e) {
		const struct watched_probe *w = e->value;
		const struct probe_about *about = probe_config_about(w->row);
		for (size_t i = 0; i < array_len(w->probe) && w->probe[i]; i++)
			add_probe(list, "", probe_name(w->probe[i]), about->every_ns,
				about->timeout_ns);
	}
	MAP_EACH (&r->alert_probes, e)
		add_probe(list, "", e->key, ALERTS_TELL_NS, 0);
	return list;
}

static json_t *components_here(const struct running *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < judge_component_count(r->judge); i++) {
		const struct component *c = judge_component_at(r->judge, i);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", c->id, "name", c->name,
				"category", c->category, "cloud", c->cloud, "region", c->region));
	}
	return list;
}

/* --- what outposts report --------------------------------------------------------------------- */

static void on_seen(void *arg, const struct observation *o)
{
	struct running *r = arg;
	judge_take(r->judge, o); /* past our witnesses: theirs have seen it */
}

static void on_about(void *arg)
{
	struct running *r = arg;
	if (r->opened)
		running_lists_make(r);
}

static void on_trouble(void *arg, const char *location, const char *why)
{
	struct running *r = arg;
	if (why)
		running_say(r, "outpost %s: %s", location, why);
	else
		running_say(r, "outpost %s: nothing is wrong any more", location);
	running_location(r, location, LOCATION_REPORTS, why);
}

void running_stored(void *arg)
{
	struct running *r = arg;
	if (r->outposts)
		outposts_stored(r->outposts);
}

static void on_taken(void *arg, const struct outposts_answer *a)
{
	json_t *document = json_pack(
		"{s:I, s:b}", "accepted", (json_int_t)a->accepted, "want_about", a->want_about);
	if (*a->why)
		json_object_set_new(document, "error", json_string(a->why));
	web_answer(arg, 200, json_pack("{s:i, s:o}", "status", a->status, "document", document));
}

void running_parcel(
	void *arg, const char *location, struct parcel *parcel, struct web_answer *answer)
{
	struct running *r = arg;
	if (r->opened && r->outposts && !r->stopping) {
		outposts_take(r->outposts, location, parcel, on_taken, answer);
		return;
	}
	parcel_free(parcel);
	running_answer(answer, 503, "the house is not open");
}

/* --- what the judge is told of them ----------------------------------------------------------- */

struct telling {
	struct running *running;
	struct map probes; /* "location\ncloud\nprobe" -> itself, of all outposts */
};

static void expect_its(void *arg, const char *location, const json_t *about)
{
	struct telling *t = arg;
	size_t i;
	json_t *p;
	json_array_foreach (json_object_get(about, "probes"), i, p) {
		const struct judge_probe probe = {.location = location,
			.cloud = json_str(p, "cloud"),
			.probe = json_str(p, "probe"),
			.every_ns = json_int(p, "every_ms", 0) * NS_PER_MS,
			.timeout_ns = json_int(p, "timeout_ms", 0) * NS_PER_MS};
		char *key = mem_printf("%s\n%s\n%s", location, probe.cloud, probe.probe);
		judge_expect(t->running->judge, &probe);
		map_put(&t->probes, key, t);
		free(key);
	}
}

static void expect_no_more(struct judge *j, const char *key)
{
	const char *cloud = strchr(key, '\n') + 1, *probe = strchr(cloud, '\n') + 1;
	char *location = mem_strndup(key, (size_t)(cloud - 1 - key));
	char *of = mem_strndup(cloud, (size_t)(probe - 1 - cloud));
	judge_unexpect(j, &(struct judge_probe){location, of, probe, 0, 0});
	free(location);
	free(of);
}

static void expect(struct running *r)
{
	struct telling t = {.running = r};
	outposts_each(r->outposts, expect_its, &t);
	MAP_EACH (&r->outpost_probes, e)
		if (!map_get(&t.probes, e->key))
			expect_no_more(r->judge, e->key);
	map_fini(&r->outpost_probes);
	r->outpost_probes = t.probes;
}

void running_outposts_lists(struct running *r)
{
	if (r->outposts)
		expect(r);
	if (r->reporter)
		reporter_about(r->reporter, json_pack("{s:o, s:o}", "components",
						    components_here(r), "probes", probes_here(r)));
}

/* --- opening ---------------------------------------------------------------------------------- */

static void configure(struct running *r)
{
	const struct config *c = r->now->config;
	const char **locations = mem_new_array(c->outpost_count + 1, sizeof(*locations));
	struct web_outpost *tokens = mem_new_array(c->outpost_count + 1, sizeof(*tokens));
	for (size_t i = 0; i < c->outpost_count; i++) {
		locations[i] = c->outposts[i].location;
		tokens[i] =
			(struct web_outpost){c->outposts[i].location, c->outposts[i].token.value};
	}
	outposts_configure(r->outposts, locations, c->outpost_count);
	web_set_outposts(r->web, tokens, c->outpost_count);
	free(locations);
	free(tokens);
}

bool running_outposts(struct running *r, struct error *err)
{
	const struct outposts_options o = {
		.seen = on_seen, .about = on_about, .trouble = on_trouble, .arg = r};
	r->outposts = outposts_new(r->session.loop, r->session.facts, r->series, &o, err);
	if (!r->outposts)
		return false;
	configure(r);
	if (r->now->config->upstream.to)
		open_reporter(r);
	house_outposts(r->house, r->outposts, r->reporter);
	return true;
}

void running_outposts_reload(struct running *r)
{
	const struct config_upstream *u = &r->now->config->upstream;
	configure(r);
	if (r->reporter && u->to)
		reporter_set_token(r->reporter, u->token.value);
}

void running_outposts_site(const struct running *r, json_t *site)
{
	char text[CLOCK_TEXT];
	if (r->outposts)
		json_object_set_new(site, "outposts", outposts_json(r->outposts));
	if (!r->reporter)
		return;
	const struct reporter_state s = reporter_state(r->reporter);
	const struct outbox_state box = outbox_state(r->series);
	json_object_set_new(site, "report",
		json_pack("{s:s, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I}", "to",
			r->now->config->upstream.to ? r->now->config->upstream.to : "", "trouble",
			s.why, "taken_at",
			s.taken_ms ? clock_rfc3339(s.taken_ms * 1000, text) : NULL, "samples",
			(json_int_t)s.samples, "waiting", (json_int_t)box.samples, "bytes",
			(json_int_t)box.bytes, "too_old", (json_int_t)box.too_old, "too_many",
			(json_int_t)box.too_many));
}

void running_outposts_close(struct running *r)
{
	reporter_free(r->reporter);
	r->reporter = NULL;
	outposts_free(r->outposts);
	r->outposts = NULL;
	map_fini(&r->outpost_probes);
}
