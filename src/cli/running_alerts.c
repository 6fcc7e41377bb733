/*
 * running_alerts.c - alerts and results that others push: to the rooms they are for.
 */

#include "cli/running.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

/* --- alerts ----------------------------------------------------------------------------------- */

static const char *on_component(void *arg, const char *name)
{
	const struct running *r = arg;
	for (size_t i = 0; i < judge_component_count(r->judge); i++) {
		const struct component *c = judge_component_at(r->judge, i);
		if (!strcasecmp(c->id, name) || !strcasecmp(c->name, name))
			return c->id;
	}
	return NULL;
}

static void on_expect(void *arg, const char *probe, bool on)
{
	struct running *r = arg;
	const struct judge_probe p = {.probe = probe, .every_ns = ALERTS_TELL_NS};
	if (on) {
		judge_expect(r->judge, &p);
		map_put(&r->alert_probes, probe, r);
	} else {
		judge_unexpect(r->judge, &p);
		map_remove(&r->alert_probes, probe);
	}
	running_outposts_lists(r); /* a house hears of no probe that was not named to it */
}

bool running_alerts(struct running *r, struct error *err)
{
	const struct alerts_options o = {
		.component = on_component, .expect = on_expect, .seen = running_seen, .arg = r};
	r->alerts = alerts_open(r->session.loop, r->session.facts, &o, err);
	return r->alerts != NULL;
}

static void on_taken(void *arg, int status, const char *why)
{
	running_answer(arg, status, "%s", why);
}

static void take_alerts(struct running *r, const json_t *args, struct web_answer *answer)
{
	if (!running_face(r, CONFIG_FACE_ALERTMANAGER, answer))
		return;
	alerts_take(r->alerts, json_object_get(args, "alerts"), on_taken, answer);
	if (r->house)
		house_changed(r->house);
}

/* --- results of probes of kind push ----------------------------------------------------------- */

static void take_push(struct running *r, const json_t *args, struct web_answer *answer)
{
	const enum fault fault = json_flag(args, "up") ? FAULT_NONE : FAULT_EXPECTATION;
	if (!running_face(r, CONFIG_FACE_UPTIME_KUMA, answer))
		return;
	if (probe_pushed(r->all_probes, slice_of(json_str(args, "token")), fault,
		    json_str(args, "detail"), json_int(args, "took_us", 0)))
		running_answer(answer, 200, "%s", "");
	else
		running_answer(answer, 404, "Monitor not found or not active.");
}

/* The key of an endpoint, as Gatus makes it of its group and name. */
static char *key_of(const char *group, const char *name)
{
	const char *const parts[] = {group ? group : "", name};
	struct buf out = BUF(BUF_LINE);
	for (size_t i = 0; i < array_len(parts); i++) {
		if (i)
			buf_add_char(&out, '_');
		for (const char *c = parts[i]; *c; c++)
			buf_add_char(&out, strchr(" /_,.#+&", *c) ? '-' : *c);
	}
	return buf_take(&out);
}

static bool takes(const char *key, const char *group, const char *name)
{
	char *own = key_of(group, name);
	const bool same = !strcasecmp(own, key);
	free(own);
	return same;
}

/* The name of a probe that was made of an endpoint is GROUP_NAME, its component the endpoint's own
 * name, unless there were two: those who push know neither. */
static bool takes_imported(const char *key, const struct probe_about *about)
{
	if (about->component && takes(key, about->group, about->component))
		return true;
	const size_t n = about->group ? strlen(about->group) : 0;
	if (!n || strlen(about->name) <= n || about->name[n] != '_')
		return false;
	char *front = mem_strndup(about->name, n), *as_key = key_of(front, ""),
	     *own = key_of(about->group, "");
	const bool in = !strcasecmp(as_key, own);
	free(front);
	free(as_key);
	free(own);
	return in && takes(key, about->group, about->name + n + 1);
}

/* The name of the push probe with this key; NULL: there is none, or it may be one of several. */
static const char *name_of_key(const struct running *r, const char *key)
{
	const char *imported = NULL;
	size_t n = 0;
	MAP_EACH (&r->probes, e) {
		const struct watched_probe *w = e->value;
		const struct probe_about *about = probe_config_about(w->row);
		if (!w->probe[0] || strcmp(about->kind, "push") != 0)
			continue;
		if (takes(key, about->group, about->name))
			return probe_name(w->probe[0]);
		if (takes_imported(key, about)) {
			imported = probe_name(w->probe[0]);
			n++;
		}
	}
	return n == 1 ? imported : NULL;
}

static void take_push_by_key(struct running *r, const json_t *args, struct web_answer *answer)
{
	const enum fault fault = json_flag(args, "up") ? FAULT_NONE : FAULT_EXPECTATION;
	if (!running_face(r, CONFIG_FACE_GATUS, answer))
		return;
	const char *name = name_of_key(r, json_str(args, "key"));
	const int status =
		!name ? 404
		      : probe_pushed_by_name(r->all_probes, name, slice_of(json_str(args, "token")),
				fault, json_str(args, "detail"), json_int(args, "took_us", 0));
	if (!status)
		running_answer(answer, 200, "%s", "");
	else
		running_answer(answer, status,
			status == 404 ? "no endpoint of this key" : "invalid bearer token");
}

bool running_pushed(
	struct running *r, const char *what, const json_t *args, struct web_answer *answer)
{
	if (!strcmp(what, "alerts"))
		take_alerts(r, args, answer);
	else if (!strcmp(what, "push"))
		take_push(r, args, answer);
	else if (!strcmp(what, "push_key"))
		take_push_by_key(r, args, answer);
	else
		return false;
	return true;
}
