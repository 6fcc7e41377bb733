/*
 * dashboard_send.c - one target: what is next, requests, answers, repeating.
 *
 * Before an incident is posted it is durable that it may be; so a start that finds that mark looks
 * for an incident that links to our event. Updates need no mark: an incident is read before it is
 * told anything, and shows whether it has the update already, and whether it is still ours.
 */
#include "tell/dashboard_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

#define DEADLINE_NS    (15 * NS_PER_S)
#define ANSWER_MAX     (4u << 20)
#define BACKOFF_MAX_MS (5 * 60 * 1000LL)
#define TELL_TRIES     3 /* that fail before it is trouble */
#define SAID_MAX       200

struct attempt {               /* outlives its target */
	struct target *target; /* NULL: it is gone */
	struct http_call *call;
	char *body;
};

/* --- who we are ---------------------------------------------------------------------------------
 */

/* base64url without '=', RFC 7515; owned. */
static char *url_text(const void *p, size_t n)
{
	char *text = base64_encode(p, n);
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? 0 : *c;
	return text;
}

/* The token that CloudMon's own reporter signs: it says no more than that it knows the secret. */
static char *signed_token(const struct secret *secret)
{
	static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	static const char claim[] = "{\"stackmon\":\"glasshouse\"}";
	uint8_t mac[SHA256_BYTES];
	char *h = url_text(head, sizeof(head) - 1), *c = url_text(claim, sizeof(claim) - 1);
	char *signs = mem_printf("%s.%s", h, c);
	digest_hmac_sha256(
		slice_from(secret_reveal(secret), secret_length(secret)), slice_of(signs), mac);
	char *m = url_text(mac, sizeof(mac)), *token = mem_printf("Bearer %s.%s", signs, m);
	free(h);
	free(c);
	free(m);
	free(signs);
	return token;
}

static char *authorization(const struct dashboard *c)
{
	return c->token    ? mem_printf("Bearer %s", secret_reveal(c->token))
	       : c->secret ? signed_token(c->secret)
			   : NULL;
}

/* --- trouble ------------------------------------------------------------------------------------
 */

static void say_trouble(struct target *t, const char *why)
{
	const struct dashboards *d = t->dashboards;
	char *now = mem_strdup(why ? why : t->unknown);
	const bool same = now && t->trouble ? !strcmp(now, t->trouble) : !now && !t->trouble;
	free(t->trouble);
	t->trouble = now;
	if (!same)
		d->trouble(d->arg, t->config.name, t->trouble);
}

static void on_timer(struct timer *timer)
{
	target_step(timer->arg);
}

static void wait_again(struct target *t)
{
	const int64_t ms = t->tries > 9 ? BACKOFF_MAX_MS : 1000LL << (t->tries ? t->tries - 1 : 0);
	timer_start(t->dashboards->loop, &t->timer,
		(ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS) * NS_PER_MS, on_timer, t);
}

/* What it cannot take must not keep others waiting. */
static void put_last(struct target *t, struct entry *e)
{
	for (size_t i = 0; i < t->entries.n; i++)
		if (t->entries.p[i] == e) {
			vec_remove(&t->entries, i);
			vec_push(&t->entries, e);
			return;
		}
}

static void failed(struct target *t, const char *why, bool at_once)
{
	t->failed++;
	t->tries++;
	if (at_once || t->tries >= TELL_TRIES)
		say_trouble(t, why);
	put_last(t, t->about);
	wait_again(t);
}

/* --- what came of it -----------------------------------------------------------------------------
 */

static json_t *posted_of(struct entry *e)
{
	json_t *posted = json_object_get(e->body, "posted");
	if (!posted) {
		posted = json_object();
		json_object_set_new(e->body, "posted", posted);
	}
	return posted;
}

static void on_durable(void *arg)
{
	struct target *t = arg;
	t->writing = false;
	target_step(t);
}

static void keep(struct target *t, struct entry *e)
{
	struct rows_job *j = rows_job_new();
	target_write(j, t, e);
	t->writing = true;
	rows_submit(t->dashboards->rows, j, on_durable, t);
}

/* The id of the incident that a component went to; null where it went to none. */
static json_t *incident_of(const struct target *t, const json_t *answer, const char *component)
{
	const json_t *list = json_object_get(answer, "result"), *id = component_there(t, component);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		json_t *remote = json_object_get(r, "incident_id");
		if (json_equal(json_object_get(r, "component_id"), id) && json_is_integer(remote))
			return json_incref(remote);
	}
	return json_null();
}

static void took_post(struct target *t, const json_t *answer)
{
	const struct action *a = &t->action;
	for (size_t i = 0; i < json_array_size(a->components); i++) {
		const char *id = json_string_value(json_array_get(a->components, i));
		json_object_set_new(posted_of(t->about), id,
			json_pack("{s:i, s:o, s:I}", "level", a->level, "remote",
				t->config.version == 2 ? incident_of(t, answer, id) : json_null(),
				"told", (json_int_t)a->update + 1));
	}
	if (!json_int(t->about->body, "told", 0))
		json_object_set_new(
			t->about->body, "told", json_integer((json_int_t)a->update + 1));
	json_object_set_new(t->about->body, "unsure", json_false());
	t->foundless = false;
	keep(t, t->about);
}

/* Of all components that went to that incident: told so far, or no longer ours (remote null). */
static void mark_incident(struct entry *e, const json_t *remote, int64_t told, bool ours)
{
	json_t *c, *id = json_deep_copy(remote);
	const char *key;
	json_object_foreach (posted_of(e), key, c) {
		if (!json_equal(json_object_get(c, "remote"), id))
			continue;
		if (ours)
			json_object_set_new(c, "told", json_integer(told));
		else
			json_object_set_new(c, "remote", json_null());
	}
	json_decref(id);
}

static void took_patch(struct target *t, bool ours)
{
	mark_incident(t->about, t->action.remote, (int64_t)t->action.update + 1, ours);
	json_object_set_new(t->about->body, "told", json_integer((json_int_t)t->action.update + 1));
	keep(t, t->about);
}

/* An incident of ours that a lost answer hid is taken as if the answer had come. */
static void took_find(struct target *t, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "data");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *incident = json_array_get(list, i);
		if (!incident_is_ours(t, incident, t->about->event))
			continue;
		json_t *result = json_array(), *made, *id;
		size_t k;
		json_array_foreach (json_object_get(incident, "components"), k, id)
			json_array_append_new(
				result, json_pack("{s:O, s:O}", "component_id", id, "incident_id",
						json_object_get(incident, "id")));
		made = json_pack("{s:o}", "result", result);
		took_post(t, made);
		json_decref(made);
		return;
	}
	t->foundless = true;
	target_step(t);
}

static void took_check(struct target *t, json_t *incident)
{
	const bool closed = incident_is_closed(incident);
	const char *status = json_str(t->action.body, "status"),
		   *there = json_str(incident, "status");
	const bool reopens = status && !strcmp(status, "reopened");
	const bool is_so = t->action.phase_only && status && there && !strcmp(status, there);
	if (incident_has_update(incident, t->action.body) || is_so) {
		took_patch(t, true);
	} else if (!incident_is_ours(t, incident, t->about->event) || (closed && !reopens)) {
		took_patch(t, false); /* of others, or others closed it */
	} else {
		t->checked = json_incref(incident);
		target_step(t);
	}
}

static void took_components(struct target *t, json_t *answer)
{
	json_decref(t->known);
	t->known = json_incref(answer);
	mem_replace(&t->unknown, NULL);
	t->known_ms = dashboards_now_ms(t->dashboards);
	target_step(t);
}

static void took(struct target *t, json_t *answer)
{
	t->sent++;
	t->tries = 0;
	say_trouble(t, NULL);
	switch (t->action.kind) {
	case ACTION_COMPONENTS: took_components(t, answer); break;
	case ACTION_FIND: took_find(t, answer); break;
	case ACTION_POST: took_post(t, answer); break;
	case ACTION_CHECK: took_check(t, answer); break;
	case ACTION_PATCH: took_patch(t, true); break;
	case ACTION_NONE: break;
	}
}

/* --- answers ------------------------------------------------------------------------------------
 */

/* The start of what it says, in printable ASCII, without secrets; owned. */
static char *said(struct slice body)
{
	struct buf out = BUF(SAID_MAX);
	for (size_t i = 0; i < body.n && out.n < SAID_MAX - 1; i++)
		buf_add_char(&out, body.p[i] >= ' ' && body.p[i] < 0x7f ? body.p[i] : ' ');
	char *clean = secret_scrubbed(buf_str(&out));
	buf_fini(&out);
	return clean;
}

/* What it knows already, or does not know any more, is no failure. */
static bool is_settled(const struct target *t, int status)
{
	return (t->config.version == 1 && t->action.kind == ACTION_POST && status == 409);
}

static void refused(struct target *t, const struct http_answer *a)
{
	char *text = said(a->body);
	char *why = a->fault ? mem_strdup(a->detail[0] ? a->detail : fault_text(a->fault))
			     : mem_printf("%s answers %d to %s%s%s", t->config.url, a->status,
				       t->action.path, text[0] ? ": " : "", text);
	if (t->action.kind == ACTION_POST && a->fault)
		t->foundless = false; /* it may have been taken */
	if (t->action.kind == ACTION_CHECK && a->status == 404)
		took_patch(t, false);
	else
		failed(t, why, !a->fault && a->status / 100 == 4 && a->status != 429);
	free(text);
	free(why);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct attempt *at = arg;
	struct target *t = at->target;
	free(at->body);
	free(at);
	if (!t)
		return;
	t->attempt = NULL;
	json_t *answer = a->fault ? NULL : json_parse(a->body, ANSWER_MAX, NULL);
	json_t *checked = t->checked;
	t->checked = NULL;
	if (!a->fault && (a->status / 100 == 2 || is_settled(t, a->status)))
		took(t, answer);
	else
		refused(t, a);
	json_decref(checked);
	json_decref(answer);
}

/* --- what is due --------------------------------------------------------------------------------
 */

static void send_action(struct target *t)
{
	struct attempt *at = mem_new(struct attempt);
	const struct action *a = &t->action;
	char *bearer = authorization(&t->config), *url = mem_printf("%s%s", t->config.url, a->path);
	const bool writes = a->kind == ACTION_POST || a->kind == ACTION_PATCH;
	struct http_header headers[2];
	size_t n = 0;
	at->target = t;
	at->body = writes ? json_text(a->body) : NULL;
	if (writes)
		headers[n++] = (struct http_header){"Content-Type", "application/json"};
	if (bearer)
		headers[n++] = (struct http_header){"Authorization", bearer};
	t->attempt = at;
	at->call = http_send(t->dashboards->client,
		&(struct http_request){
			.method = a->kind == ACTION_POST    ? "POST"
				  : a->kind == ACTION_PATCH ? "PATCH"
							    : "GET",
			.url = url,
			.headers = headers,
			.header_count = n,
			.body = at->body,
			.body_n = at->body ? strlen(at->body) : 0,
			.deadline_ns = DEADLINE_NS,
			.answer_max = ANSWER_MAX,
		},
		on_answer, at);
	if (bearer)
		explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	free(url);
}

/* All is told, as far as it can be. Version 1 forgets with the event what it was told of it. */
static void clean(struct target *t, struct entry *e, const json_t *event)
{
	enum event_phase phase;
	e->dirty = false;
	if (t->config.version == 1 && event &&
		event_phase_parse(json_str(event, "phase"), &phase) && event_phase_over(phase))
		json_object_del(e->body, "posted");
	say_trouble(t, NULL);
	keep(t, e);
}

static struct entry *first_dirty(const struct target *t)
{
	for (size_t i = 0; i < t->entries.n; i++)
		if (t->entries.p[i]->dirty)
			return t->entries.p[i];
	return NULL;
}

static bool read_event(struct target *t, const struct entry *e, json_t **ret)
{
	struct error err = {0};
	*ret = event_json(t->dashboards->facts, e->event, AUDIENCE_PUBLIC, &err);
	if (*ret || err.kind == ERROR_NONE)
		return true;
	t->about = (struct entry *)(uintptr_t)e;
	failed(t, err.msg, false);
	return false;
}

/* Whether it is durable that it may be posted. */
static bool is_marked(struct target *t, struct entry *e)
{
	if (t->action.kind != ACTION_POST || t->config.version == 1 || json_flag(e->body, "unsure"))
		return true;
	json_object_set_new(e->body, "unsure", json_true());
	t->foundless = true; /* none was sent before it */
	keep(t, e);
	return false;
}

void target_step(struct target *t)
{
	struct entry *e = first_dirty(t);
	json_t *event = NULL;
	if (!e || t->attempt || t->writing || timer_running(&t->timer) || !read_event(t, e, &event))
		return;
	if (t->about != e)
		t->foundless = false;
	t->about = e;
	action_fini(&t->action);
	action_next(t, e, event, &t->action);
	if (t->action.kind == ACTION_NONE)
		clean(t, e, event);
	else if (is_marked(t, e))
		send_action(t);
	json_decref(event);
}

void target_stop(struct target *t)
{
	timer_cancel(&t->timer);
	rows_forget(t->dashboards->rows, t);
	if (!t->attempt)
		return;
	t->attempt->target = NULL;
	http_cancel(t->attempt->call);
}
