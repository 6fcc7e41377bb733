/*
 * running_probes.c - the user's own probes: opened, told to the judge, and compared at a reload.
 *
 * They have a client of their own, which opens as many connections as there are probes: a target
 * that hangs keeps nobody else waiting for one. Their schedule is one of their own too: their names
 * are the user's, and the jobs that operators are shown do not grow with them.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

#include "observe/component.h"
#include "observe/exec/helper.h"

#define CONNECTIONS 20000 /* all probes that there may be, in both families */

static void on_helper(void *arg, const char *text)
{
	running_say(arg, "probes: %s", text);
}

bool running_helper(struct running *r, struct error *err)
{
	r->helper = helper_new(r->loop, on_helper, r, err);
	return r->helper != NULL;
}

bool running_probes_open(struct running *r, struct error *err)
{
	const struct http_client_options fresh = {.fresh = true, .connections = CONNECTIONS};
	const struct session *s = &r->session;
	r->probe_client = http_client_new(s->loop, &fresh, err);
	if (!r->probe_client)
		return false;
	r->working = mem_printf("%s/exec", s->state);
	r->location = mem_strdup(r->now->config->location);
	r->all_probes = probes_new();
	r->probes = MAP_BORROWING;
	r->probe_schedule = schedule_new(s->loop);
	r->probe_tools = (struct probe_tools){.loop = s->loop,
		.schedule = r->probe_schedule,
		.http = r->probe_client,
		.resolver = s->resolver,
		.pinger = s->pinger,
		.ssh = s->ssh,
		.series = r->series,
		.probes = r->all_probes,
		.random = &random_system,
		.helper = r->helper,
		.working = r->working,
		.ingest = &r->ingest,
		.location = r->location,
		.instance = s->instance,
		.seen = running_seen,
		.seen_arg = r,
		.measured = running_measured,
		.measured_arg = r};
	return true;
}

/* --- one -------------------------------------------------------------------------------------- */

static void expect(struct watched_probe *w, const struct probe_about *about)
{
	for (size_t i = 0; i < array_len(w->probe) && w->probe[i]; i++)
		judge_expect(
			w->running->judge, &(struct judge_probe){.probe = probe_name(w->probe[i]),
						   .every_ns = about->every_ns,
						   .timeout_ns = about->timeout_ns});
}

static void close_one(struct watched_probe *w, bool for_good)
{
	struct judge *j = w->running->judge;
	for (size_t i = 0; i < array_len(w->probe) && w->probe[i]; i++) {
		if (for_good) {
			judge_unexpect(j, &(struct judge_probe){.probe = probe_name(w->probe[i])});
			metrics_forget_probe(w->running->metrics, probe_name(w->probe[i]));
		}
		probe_close(w->probe[i]);
	}
	generation_unref(w->generation);
	free(w);
}

static struct watched_probe *open_one(
	struct running *r, const struct probe_config *row, struct error *err)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct probe_about *about = probe_config_about(row);
	char *id = about->component ? component_id(NULL, about->component) : mem_strdup("");
	struct watched_probe *w = mem_new_array(1, sizeof(*w) + strlen(id) + 1);
	w->running = r;
	w->generation = generation_ref(r->now);
	w->row = row;
	memcpy(w->component, id, strlen(id) + 1);
	free(id);
	for (size_t i = 0; i < (about->twice ? 2 : 1); i++) {
		w->probe[i] = probe_open(&r->probe_tools, row, w->component,
			about->twice ? families[i] : AF_UNSPEC, err);
		if (!w->probe[i]) {
			close_one(w, true);
			return NULL;
		}
	}
	expect(w, about);
	return w;
}

/* Files that are no good now: no reason to watch nothing, since each run looks again and says it. */
void running_probes_files(struct running *r, struct error_list *errors)
{
	const struct config *c = r->now->config;
	for (size_t i = 0; i < c->probe_count; i++)
		probe_config_files(c->probes[i], errors);
}

static void say_files(struct running *r)
{
	struct error_list errors = {0};
	char text[ERROR_TEXT + 300];
	running_probes_files(r, &errors);
	for (size_t i = 0; i < errors.n; i++)
		running_say(r, "%s", error_text(&errors.p[i], text, sizeof(text)));
	if (errors.dropped)
		running_say(r, "and %zu more", errors.dropped);
	error_list_fini(&errors);
}

/* --- all -------------------------------------------------------------------------------------- */

static void open_into(struct running *r, const struct probe_config *row, struct error_list *errors)
{
	struct error err = {0};
	struct watched_probe *w = open_one(r, row, &err);
	if (w)
		map_put(&r->probes, probe_config_about(row)->name, w);
	else
		error_list_add(errors, &err);
}

bool running_probes_start(struct running *r, struct error_list *errors)
{
	const struct config *c = r->now->config;
	const size_t before = errors->n + errors->dropped;
	for (size_t i = 0; i < c->probe_count; i++)
		open_into(r, c->probes[i], errors);
	say_files(r);
	return errors->n + errors->dropped == before;
}

/* One whose secret may be another now is opened again: its text says nothing of that. */
static bool stays(const struct watched_probe *w, const struct probe_config *row)
{
	return row && !probe_config_has_secrets(row) &&
	       !strcmp(probe_config_text(w->row), probe_config_text(row));
}

static bool keeps_names(const struct watched_probe *w, const struct probe_config *row)
{
	return row && probe_config_about(w->row)->twice == probe_config_about(row)->twice;
}

void running_probes_reload(struct running *r, struct error_list *errors)
{
	const struct config *next = r->now->config;
	struct map rows = {0};
	for (size_t i = 0; i < next->probe_count; i++)
		map_put(&rows, probe_config_about(next->probes[i])->name, next->probes[i]);
	MAP_EACH (&r->probes, e) {
		struct watched_probe *w = e->value;
		const struct probe_config *row = map_get(&rows, e->key);
		if (stays(w, row))
			continue;
		map_remove(&r->probes, e->key);
		close_one(w, !keeps_names(w, row));
	}
	for (size_t i = 0; i < next->probe_count; i++)
		if (!map_get(&r->probes, probe_config_about(next->probes[i])->name))
			open_into(r, next->probes[i], errors);
	map_fini(&rows);
}

void running_probes_close(struct running *r)
{
	MAP_EACH (&r->probes, e)
		close_one(e->value, false);
	map_fini(&r->probes);
	probes_free(r->all_probes);
	schedule_free(r->probe_schedule);
	http_client_free(r->probe_client);
	helper_free(r->helper);
	free(r->working);
	free(r->location);
}
