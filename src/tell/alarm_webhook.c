/*
 * alarm_webhook.c - a message as JSON to an address of the operator's, and what answers mean.
 *
 * Idempotency-Key and "id" are the same for each attempt of a message, so a receiver that took it
 * before a connection broke can tell. Redirects are not followed: a redirected POST may lose its
 * body or carry the token elsewhere.
 */
#include <string.h>

#include "base/secret.h"
#include "base/units.h"
#include "tell/alarm_inside.h"

#define ANSWER_MAX (64u << 10)
#define SAID_MAX   120

/* --- answers -----------------------------------------------------------------------------------
 */

/* Seconds, or a date (RFC 9110 section 10.2.3). */
static int64_t retry_after_ms(const struct alarms *a, const struct http_answer *answer)
{
	const char *text = http_answer_header(answer, "Retry-After");
	int64_t n;

	if (!text)
		return 0;
	if (units_parse_int(slice_of(text), &n))
		return n < 0 ? 0 : n > ALARM_KEEP_MS / 1000 ? ALARM_KEEP_MS : n * 1000;
	if (!clock_parse_http_date(text, &n))
		return 0;
	n = n / 1000 - alarm_now_ms(a);
	return n < 0 ? 0 : n > ALARM_KEEP_MS ? ALARM_KEEP_MS : n;
}

/* The start of what it says, in printable ASCII. */
static char *said(struct slice body)
{
	struct buf out = BUF(SAID_MAX);
	char *clean;

	for (size_t i = 0; i < body.n && out.n < SAID_MAX - 1; i++) {
		const char c = body.p[i];
		buf_add_char(&out, c >= ' ' && c < 0x7f ? c : ' ');
	}
	clean = secret_scrubbed(buf_str(&out));
	buf_fini(&out);
	return clean;
}

char *alarm_answer_trouble(const struct alarms *a, const struct http_answer *answer,
	bool *ret_permanent, int64_t *ret_wait_ms)
{
	const int status = answer->status;
	char *text, *trouble;

	*ret_permanent = false;
	*ret_wait_ms = 0;
	if (answer->fault)
		return mem_strdup(answer->detail[0] ? answer->detail : fault_text(answer->fault));
	if (status / 100 == 2)
		return NULL;
	*ret_permanent = status / 100 == 4 && status != 408 && status != 429;
	*ret_wait_ms = retry_after_ms(a, answer);
	text = said(answer->body);
	trouble = mem_printf("the receiver answers %d%s%s", status, text[0] ? ": " : "", text);
	free(text);
	return trouble;
}

/* --- sending -----------------------------------------------------------------------------------
 */

void alarm_post(struct channel *c, const char *url, char *body, const char *id, bool repeats,
	http_done *done)
{
	struct attempt *t = attempt_new(c, body, repeats);
	char *bearer =
		c->config.token ? mem_printf("Bearer %s", secret_reveal(c->config.token)) : NULL;
	struct http_header headers[3];
	size_t n = 0;

	if (body)
		headers[n++] = (struct http_header){"Content-Type", "application/json"};
	if (id)
		headers[n++] = (struct http_header){"Idempotency-Key", id};
	if (bearer)
		headers[n++] = (struct http_header){"Authorization", bearer};
	t->http = http_send(c->alarms->client,
		&(struct http_request){
			.method = body ? "POST" : "GET",
			.url = url,
			.headers = headers,
			.header_count = n,
			.body = body,
			.body_n = body ? strlen(body) : 0,
			.deadline_ns = ALARM_DEADLINE,
			.answer_max = ANSWER_MAX,
		},
		done, t);
	if (bearer)
		explicit_bzero(bearer, strlen(bearer));
	free(bearer);
}

static const char *kind_of(const struct message *m)
{
	const char *key;

	if (m->notes.n > 1)
		return "summary";
	key = alarm_fact_key(alarm_note_fact(m->notes.p[0]->body));
	return !strcmp(key, "change") ? "health" : key;
}

static json_t *message_json(const struct channel *c, const struct message *m)
{
	const struct alarm_site *site = &c->alarms->site;
	json_t *o = json_object(), *changes = json_array(), *unrun = json_array();
	json_t *needs = json_array(), *closes = json_array();
	char at[CLOCK_TEXT], *text = alarm_message_text(c->alarms, m);

	VEC_EACH (&m->notes, struct note *, n) {
		const json_t *fact = alarm_note_fact((*n)->body);
		const char *key = alarm_fact_key(fact);
		json_array_append(!strcmp(key, "change")        ? changes
				  : !strcmp(key, "needs_admin") ? needs
				  : !strcmp(key, "may_close")   ? closes
								: unrun,
			(json_t *)fact);
	}
	json_object_set_new(o, "id", json_string(m->id));
	json_object_set_new(o, "kind", json_string(kind_of(m)));
	json_object_set_new(o, "site", json_string(site->name));
	json_object_set_new(o, "location", json_string(site->location));
	json_object_set_new(o, "instance", json_string(site->instance));
	json_object_set_new(o, "at", json_string(clock_rfc3339(m->made_ms * 1000, at)));
	json_object_set_new(o, "changes", changes);
	json_object_set_new(o, "could_not_run", unrun);
	json_object_set_new(o, "needs_admin", needs);
	json_object_set_new(o, "may_close", closes);
	json_object_set_new(o, "text", json_string(text));
	free(text);
	return o;
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct channel *c = delivery_end(arg);
	bool permanent;
	int64_t wait_ms;
	char *trouble;

	if (!c)
		return;
	trouble = alarm_answer_trouble(c->alarms, answer, &permanent, &wait_ms);
	if (trouble) {
		channel_failed(c, trouble, permanent, wait_ms);
	} else {
		channel_note_trouble(c, NULL);
		channel_took(c);
	}
	free(trouble);
}

void alarm_send_webhook(struct channel *c)
{
	json_t *o = message_json(c, c->message);

	alarm_post(c, c->config.url, json_text(o), c->message->id, false, on_answer);
	json_decref(o);
}
