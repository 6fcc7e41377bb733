/*
 * running.c - see running.h.
 */

#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/limits.h"
#include "net/tls.h"

#define ALIVE_NS (10 * NS_PER_S)

void running_say(struct running *r, const char *fmt, ...)
{
	char text[CLOCK_TEXT];
	struct buf line = BUF(BUF_LINE);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	if (isatty(STDOUT_FILENO)) {
		clock_rfc3339(clock_unix_us(&clock_system), text);
		printf("%.8s  %s\n", text + 11, buf_str(&line));
		fflush(stdout);
	} else {
		log_event(LOG_NOTICE, "run", "said", "%s", buf_str(&line), NULL);
	}
	buf_fini(&line);
}

/* --- configurations -------------------------------------------------------------------------- */

struct generation *generation_ref(struct generation *g)
{
	g->refs++;
	return g;
}

void generation_unref(struct generation *g)
{
	if (!g || --g->refs)
		return;
	config_free(g->config);
	free(g);
}

static bool add_scenarios(
	struct config *c, const struct running_options *o, struct error_list *errors)
{
	for (const char *const *name = o->scenarios; name && *name; name++) {
		const size_t before = c->scenario_count;
		if (!config_add_scenario(c, *name, errors))
			return false;
		if (o->scenario_every_ns && c->scenario_count > before)
			c->scenarios[before].every_ns = o->scenario_every_ns;
	}
	return true;
}

static bool complete(struct config *c, const struct running_options *o, struct error_list *errors)
{
	for (const char *const *name = o->clouds; name && *name; name++)
		if (!config_add_cloud(c, *name, errors))
			return false;
	/* Who has probes need not have a cloud; else it is the one every other client would take.
	 */
	if (!c->cloud_count && !c->probe_count) {
		struct cloud_config *only = cloud_config_load(NULL, errors);
		const bool good = only && config_add_cloud(c, only->name, errors);
		cloud_config_free(only);
		if (!good)
			return false;
	}
	return add_scenarios(c, o, errors);
}

struct config *running_config(const struct running_options *o, struct error_list *errors)
{
	char *path = config_find(o->config);
	struct config *c = config_load(path, errors);
	free(path);
	if (!c || complete(c, o, errors))
		return c;
	config_free(c);
	return NULL;
}

/* --- the wiring ------------------------------------------------------------------------------ */

static void on_passed(void *arg, const struct observation *o)
{
	struct running *r = arg;
	running_outposts_seen(r, o);
	judge_take(r->judge, o);
}

void running_seen(void *arg, const struct observation *o)
{
	struct running *r = arg;
	witnesses_pass(r->witnesses, o, on_passed, r);
}

static void on_blind(void *arg, bool blind, const char *why)
{
	struct running *r = arg;
	judge_blind(r->judge, blind, why);
	if (r->reporter)
		reporter_blind(r->reporter, blind, why);
	running_blind(r, BLIND_CONNECTIVITY, "", !blind ? NULL : why ? why : "no witness answers");
	if (blind)
		running_say(r, "blind: %s", why ? why : "no witness answers");
	else
		running_say(r, "our own connectivity is back");
	house_changed(r->house);
}

static void on_verdict(void *arg, const struct verdict *from, const struct verdict *to)
{
	struct running *r = arg;
	if (from->id || to->health != HEALTH_OPERATIONAL)
		running_say(r, "%s is %s: %s", to->component, health_name(to->health), to->text);
	alarms_wake(r->alarms);
	running_suspect_wake(r);
	house_changed(r->house);
}

static void on_refused(void *arg, const struct verdict *now)
{
	struct running *r = arg;
	running_say(r, "%s is %s, which is not stored: %s", now->component,
		health_name(now->health), now->text);
	house_changed(r->house);
}

static void on_trouble(void *arg, const struct error *why)
{
	struct running *r = arg;
	if (why)
		running_say(r, "results are not stored: %s", why->msg);
	else
		running_say(r, "results are stored again");
	/* An alarm is durable before it is sent: where the disk takes nothing at all it comes when
	 * the disk does again, and only the dead man's switch tells in time. */
	running_blind(r, BLIND_STORE, "", why ? why->msg : NULL);
}

static void on_crowded(void *arg, const struct error *why)
{
	if (why)
		running_say(arg, "results of the hour stay in memory: %s", why->msg);
	else
		running_say(arg, "results of the hour leave memory again");
}

static void add_job(void *arg, const struct job_state *s)
{
	json_t *jobs = arg;
	json_array_append_new(jobs,
		json_pack("{s:s, s:I, s:I, s:i, s:i, s:I, s:I, s:f, s:s?}", "name", s->name,
			"every_ms", (json_int_t)(s->every_ns / NS_PER_MS), "next_ms",
			(json_int_t)(s->next_unix_us / 1000), "running", (int)s->running, "open",
			(int)s->open, "runs", (json_int_t)s->runs, "skips", (json_int_t)s->skips,
			"worst_late_ms", (double)s->worst_late_ns / 1e6, "why", s->why));
}

static void add_jobs(void *arg, json_t *site)
{
	struct running *r = arg;
	json_t *jobs = json_array();
	if (r->schedule)
		schedule_each(r->schedule, add_job, jobs);
	json_object_set_new(site, "jobs", jobs);
	running_ingest_site(r, site);
	running_outposts_site(r, site);
	if (r->suspects)
		json_object_set_new(site, "suspects", suspects_json(r->suspects));
	if (r->dashboards)
		json_object_set_new(site, "dashboards", dashboards_json(r->dashboards));
	if (r->blindness)
		json_object_set_new(site, "blindness", blindness_json(r->blindness));
}

static void on_query(void *arg, const char *what, const json_t *args, enum audience audience,
	struct web_answer *answer)
{
	struct running *r = arg;
	if (r->alerts && !strcmp(what, "alerts") && audience == AUDIENCE_OPERATORS)
		web_answer(answer, 200, alerts_json(r->alerts));
	else if (r->opened && !strcmp(what, "blackbox") && audience == AUDIENCE_OPERATORS)
		running_blackbox(r, args, answer);
	else if (r->house)
		house_query(r->house, what, args, audience, answer);
	else
		web_answer(answer, 503, NULL);
}

static void on_command(void *arg, const char *what, const json_t *args, const char *principal,
	struct web_answer *answer)
{
	struct running *r = arg;
	if (r->opened &&
		(running_pushed(r, what, args, answer) || running_declared(r, what, args, answer)))
		return;
	if (!strcmp(what, "reload") && r->opened)
		web_answer(answer, 200, running_reload(r));
	else
		web_answer(answer, 404, NULL);
}

/* Pushes to the dead-man's switch go out only while we both observe and store. */
static void on_alive(struct timer *t)
{
	struct running *r = t->arg;
	alarms_alive(r->alarms, !r->stopping && series_status(r->series).storing &&
					!judge_is_blind(r->judge, NULL));
	running_blind_look(r);
	timer_start(r->session.loop, &r->alive, ALIVE_NS, on_alive, r);
}

/* --- opening --------------------------------------------------------------------------------- */

/* Two of them would tell each change twice and run each scenario twice. */
static bool lock_state(struct running *r, struct error *err)
{
	char *path = mem_printf("%s/run.lock", r->session.state);
	r->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool good = r->lock_fd >= 0;
	if (!good)
		error_sys(err, errno, "%s", path);
	else if (flock(r->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		good = false;
		error_set(err, ERROR_CONFIG,
			"another `glasshouse run` uses %s; give this one its own with --state",
			r->session.state);
	}
	free(path);
	return good;
}

/* What the command line says goes before; NULL: none. */
static const char *address_of(const char *option, const char *configured)
{
	return option ? option : *configured ? configured : NULL;
}

/* First of all: its process makes its pages ready while the rooms open. */
static bool open_web(struct running *r, struct error *err)
{
	const struct config *c = r->now->config;
	const struct web_options options = {
		.public_address = address_of(r->options.public_address, c->public_address),
		.intake_address = address_of(r->options.intake_address, c->intake_address),
		.intake_has_token = c->intake_token.from != NULL,
		.isolate = c->isolate,
		.threads = c->threads,
	};
	const struct web_house house = {.query = on_query,
		.command = on_command,
		.points = running_points,
		.parcel = running_parcel,
		.arg = r};
	r->loop = loop_new(NULL, err);
	r->web = !r->loop ? NULL : web_new(r->loop, &options, &house, err);
	return r->web != NULL;
}

bool running_alarms(struct running *r, const struct config *c, struct error *err)
{
	const struct alarm_site site = {
		.name = c->site_name ? c->site_name : "glasshouse",
		.url = c->site_url ? c->site_url : "",
		.instance = r->session.instance,
		.location = c->location ? c->location : "",
	};
	VEC(struct alarm) list = {0};
	for (size_t i = 0; i < c->alarm_count; i++)
		vec_push(&list, c->alarms[i].alarm);
	bool good = true;
	if (r->alarms)
		good = alarms_configure(r->alarms, &site, list.p, list.n, err);
	else
		r->alarms = alarms_new(r->session.loop, r->session.facts, r->session.api, r->mailer,
			&site, list.p, list.n, err);
	vec_fini(&list);
	return good && r->alarms;
}

/* A location that says nothing, or fails alone, is what we are blind of. */
static void on_location(void *arg, const struct judge_location *l)
{
	struct running *r = arg;
	if (l->text)
		running_say(r, "%s", l->text);
	else
		running_say(
			r, "%s is heard and believed again", *l->name ? l->name : "this location");
	running_location(r, l->name, LOCATION_JUDGED, l->text);
}

static bool open_rooms(struct running *r, struct error *err)
{
	struct session *s = &r->session;
	const struct config *c = r->now->config;
	const struct series_options series = {.raw_days = c->raw_days,
		.ten_minute_days = c->ten_minute_days,
		.hour_days = c->hour_days,
		.trouble = on_trouble,
		.crowded = on_crowded,
		.trouble_arg = r,
		.outbox_bytes = c->upstream.to ? c->upstream.spool : 0,
		.stored = running_stored};
	const struct judge_options judge = {.confirm = c->confirm,
		.minimum_ns = c->minimum_ns,
		.quorum = c->quorum,
		.flap_changes = c->flap_changes,
		.flap_within_ns = c->flap_within_ns,
		.flap_quiet_ns = c->flap_quiet_ns,
		.refused = on_refused,
		.location = on_location};
	if (!lock_state(r, err))
		return false;
	r->series = series_open(s->state, s->loop, &series, err);
	r->mailer = r->series ? mailer_new(s->loop, err) : NULL;
	if (!r->mailer)
		return false;
	r->figures = figures_new(r->series);
	r->judge = judge_new(s->loop, s->facts, r->series, &judge, on_verdict, r, err);
	if (!r->judge || !running_alarms(r, c, err) || !running_metrics(r, c, err) ||
		!running_reports(r, c, err))
		return false;
	r->house = house_new(s->loop, s->facts, r->series, r->judge, r->alarms, add_jobs, r);
	hold_clean(s->state, s->journal);
	house_measures(r->house, r->metrics);
	r->graphite = graphite_new(s->loop, r->series, err);
	if (!r->graphite)
		return false;
	house_graphite(r->house, r->graphite);
	if (!running_events(r, err) || !running_suspect(r, c, err) || !running_blindness(r, err) ||
		!running_dashboards(r, c, err))
		return false;
	house_events(r->house, r->events);
	cloudmon_trees(&r->cloudmon, r->graphite);
	house_flags(r->house, &r->cloudmon);
	if (!running_ingest(r, err))
		return false;
	house_ingest(r->house, r->ingest);
	r->schedule = schedule_new(s->loop);
	r->witnesses = witnesses_new(r->schedule, s->probes, s->resolver, s->pinger,
		(const char *const *)c->witnesses, on_blind, r, err);
	return r->witnesses && running_outposts(r, err) && running_probes_open(r, err) &&
	       running_watch(r, err);
}

static bool open_clouds(struct running *r, struct error_list *errors)
{
	const struct config *c = r->now->config;
	for (size_t i = 0; i < c->cloud_count; i++) {
		struct watched_cloud *w = watched_cloud_open(r, &c->clouds[i], i == 0, errors);
		if (w)
			vec_push(&r->clouds, w);
	}
	for (size_t i = 0; !errors->n && i < c->scenario_count; i++) {
		struct watched_scenario *s = watched_scenario_open(r, &c->scenarios[i], errors);
		if (s)
			vec_push(&r->scenarios, s);
	}
	return errors->n == 0 && running_probes_start(r, errors);
}

/* Alerts are for components, so these come first. */
static bool open_alerts(struct running *r, struct error_list *errors)
{
	struct error err = {0};
	if (!running_flags(r, r->now->config, errors))
		return false;
	running_lists_make(r);
	running_flags_start(r);
	if (running_alerts(r, &err) && running_maintenance(r, r->now->config, &err))
		return true;
	error_list_add(errors, &err);
	return false;
}

/* Where it listens: the address as given, the port as it became. */
static void say_one(const char *what, const char *address, unsigned port)
{
	const char *colon = address ? strrchr(address, ':') : NULL;
	if (port && colon)
		printf("%-10s http://%.*s:%u/\n", what, (int)(colon - address), address, port);
}

static void say_where(struct running *r)
{
	const struct running_options *o = &r->options;
	const struct config *c = r->now->config;
	say_one("page:", o->public_address ? o->public_address : c->public_address,
		web_public_port(r->web));
	say_one("operators:", o->intake_address ? o->intake_address : c->intake_address,
		web_intake_port(r->web));
	running_ingest_say(r);
	fflush(stdout);
}

static void open_all(struct running *r, struct error_list *errors)
{
	const struct running_options *o = &r->options;
	const struct config *c = r->now->config;
	struct error err = {0};
	if (!open_web(r, &err)) {
		error_list_add(errors, &err);
		return;
	}
	if (!running_helper(r, &err)) {
		error_list_add(errors, &err);
		return;
	}
	/* Only now, that the processes which meet strangers and start programs are others. */
	if (!config_secrets(r->now->config, errors))
		return;
	if (c->intake_token.value)
		web_set_token(r->web, c->intake_token.value);
	const struct session_options so = {
		.state = o->state ? o->state : c->state,
		.instance = o->instance ? o->instance : c->instance,
		.loop = r->loop,
	};
	if (!session_open_tools(&r->session, &so))
		return;
	if (open_rooms(r, &err))
		r->opened = open_clouds(r, errors) && open_alerts(r, errors);
	else
		error_list_add(errors, &err);
}

struct running *running_open(const struct running_options *options)
{
	struct error_list errors = {0};
	struct running *r = mem_new(struct running);
	r->options = *options;
	r->lock_fd = -1;
	limits_raise_descriptors();
	limits_widen_descriptors();
	struct config *c = running_config(options, &errors);
	if (c) {
		r->now = mem_new(struct generation);
		*r->now = (struct generation){c, 1};
		open_all(r, &errors);
	}
	session_print_errors(&errors);
	error_list_fini(&errors);
	if (!r->opened) {
		running_close(r);
		return NULL;
	}
	if (tls_memory_in_use() == TLS_MEMORY_LATE)
		running_say(r, TLS_MEMORY_TOO_LATE);
	running_rules(r);
	house_publish_to(r->house, r->web);
	running_suspect_wake(r);
	running_dashboards_wake(r);
	timer_start(r->session.loop, &r->alive, 0, on_alive, r);
	mem_trim(); /* of what the files took while they were read */
	return r;
}

/* --- the end --------------------------------------------------------------------------------- */

void running_run(struct running *r)
{
	say_where(r); /* only now: who reads it may end us by a signal */
	do {
		while (r->reopen && !r->ended) /* a reload may come while the old one ends */
			running_ingest_reopen(r);
	} while (!loop_run_until(r->session.loop, &r->ended) && r->reopen);
}

void running_stop(struct running *r)
{
	if (r->stopping) {
		running_say(r, "teardown given up: what is left stays in the ledger");
		r->ended = true;
		loop_stop(r->session.loop);
		return;
	}
	size_t open = 0;
	r->stopping = true;
	schedule_stop(r->schedule);
	schedule_stop(r->probe_schedule);
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		open += (*s)->gone ? 0 : patrol_open((*s)->patrol);
	}
	if (open)
		running_say(
			r, "stopping: %zu runs are taken down first; again to give that up", open);
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		watched_scenario_leave(*s, r->now->config->stop_ns);
	}
	r->ended = r->to_stop == 0;
	if (r->ended)
		loop_stop(r->session.loop);
}

void running_close(struct running *r)
{
	if (!r)
		return;
	timer_cancel(&r->alive);
	timer_cancel(&r->reap);
	running_watch_end(r);
	/* The loop may turn meanwhile, and asks those that are there what they wait for. */
	while (r->scenarios.n)
		watched_scenario_free(vec_pop(&r->scenarios));
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		watched_cloud_free(*c);
	}
	vec_fini(&r->scenarios);
	vec_fini(&r->clouds);
	running_blackbox_close(r);
	running_probes_close(r);
	running_metrics_end(r);
	witnesses_free(r->witnesses);
	if (r->schedule)
		schedule_free(r->schedule);
	r->schedule = NULL; /* the house may be asked once more while its web ends */
	web_free(r->web);
	ingest_close(r->ingest);
	generation_unref(r->ingest_of);
	alerts_close(r->alerts);
	map_fini(&r->alert_probes);
	running_rules_close(r);
	if (r->house)
		house_events(r->house, NULL);
	dashboards_free(r->dashboards);
	r->dashboards = NULL;
	suspects_free(r->suspects);
	r->suspects = NULL;
	maintenance_free(r->maintenance);
	r->maintenance = NULL;
	events_free(r->events);
	running_outposts_close(r);
	blindness_free(r->blindness);
	r->blindness = NULL;
	house_free(r->house);
	running_flags_close(r);
	generation_unref(r->flags_of);
	graphite_free(r->graphite);
	alarms_free(r->alarms);
	reports_free(r->reports);
	metrics_free(r->metrics);
	r->house = NULL; /* what the series say at their end finds nobody */
	r->alarms = NULL;
	judge_free(r->judge);
	running_locations_end(r);
	mailer_free(r->mailer);
	figures_free(r->figures);
	r->figures = NULL; /* what calls that are cancelled tell is kept no more */
	series_close(r->series);
	running_lists_free(r->lists);
	running_shipped_free(r->shipped);
	if (r->session.loop)
		session_close(&r->session);
	loop_free(r->loop);
	if (r->lock_fd >= 0)
		close(r->lock_fd);
	generation_unref(r->now);
	free(r);
}
