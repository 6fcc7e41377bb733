/* alarm_house.c - see alarm_house.h. */
#include "alarm_house.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "base/json.h"
#include "judge/judge_inside.h"
#include "tell/alarm_inside.h"

/* --- the receiver ------------------------------------------------------------------------------
 */

static struct say note_request(struct alarm_house *h, const struct peer_connection *c)
{
	struct say say = {200, NULL};
	struct heard *one;

	pthread_mutex_lock(&h->lock);
	one = vec_add(&h->heard);
	one->head = mem_strndup(c->request, c->head_n);
	if (c->request_n > c->head_n)
		one->body = json_parse(slice_from(c->request + c->head_n, c->request_n - c->head_n),
			SIZE_MAX, NULL);
	if (h->script.n) {
		say = h->script.p[0];
		vec_remove(&h->script, 0);
	}
	pthread_mutex_unlock(&h->lock);
	return say;
}

static void serve(struct peer_connection *c)
{
	struct alarm_house *h = c->peer->arg;

	while (peer_read(c)) {
		const struct say say = note_request(h, c);
		if (say.status == 0)
			peer_sleep_ms(c, 60000);
		if (say.status <= 0)
			return;
		if (!peer_say(c, "HTTP/1.1 %d Said\r\n%sContent-Length: 5\r\n\r\nwords", say.status,
			    say.headers ? say.headers : ""))
			return;
	}
}

void house_script(struct alarm_house *h, int status, const char *headers)
{
	const struct say say = {status, headers};

	pthread_mutex_lock(&h->lock);
	vec_push(&h->script, say);
	pthread_mutex_unlock(&h->lock);
}

size_t house_heard(struct alarm_house *h)
{
	size_t n;

	pthread_mutex_lock(&h->lock);
	n = h->heard.n;
	pthread_mutex_unlock(&h->lock);
	return n;
}

const struct heard *house_next(struct alarm_house *h)
{
	static struct heard one; /* a copy: the vector may move */

	if (h->seen >= house_heard(h))
		fail_msg("the receiver heard only %zu", h->seen);
	pthread_mutex_lock(&h->lock);
	one = h->heard.p[h->seen++];
	pthread_mutex_unlock(&h->lock);
	return &one;
}

void house_silent(struct alarm_house *h)
{
	if (house_heard(h) > h->seen) {
		const struct heard *one = house_next(h);
		char *text = one->body ? json_text(one->body) : mem_strdup("");
		fail_msg("the receiver heard %s%s", one->head, text);
	}
}

/* --- the house ---------------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void must(bool good, const struct alarm_house *h)
{
	if (!good)
		fail_msg("%s", h->err.msg);
}

static void open_facts(struct alarm_house *h)
{
	struct judge j = {0};

	h->facts = facts_open(h->root, h->loop, &h->err);
	must(h->facts != NULL, h);
	j.facts = h->facts;
	j.span_from_ms = house_now_ms(h);
	must(rows_open(&j, &h->err), h);
}

int alarm_house_setup(void **state)
{
	struct alarm_house *h = mem_new(struct alarm_house);

	snprintf(h->root, sizeof(h->root), "/tmp/test-alarm-XXXXXX");
	if (!mkdtemp(h->root))
		return -1;
	pthread_mutex_init(&h->lock, NULL);
	clock_init_virtual(&h->clock, 1795000000LL * 1000000); /* 2026-11-18T10:26:40Z */
	h->loop = loop_new(&h->clock, &h->err);
	must(h->loop != NULL, h);
	open_facts(h);
	h->client = http_client_new(h->loop, &(struct http_client_options){0}, &h->err);
	must(h->client != NULL, h);
	h->mailer = mailer_new(h->loop, &h->err);
	must(h->mailer != NULL, h);
	h->peer = peer_start(serve, h, NULL);
	h->url = mem_printf("http://127.0.0.1:%u", h->peer->port);
	h->site = (struct alarm_site){
		"Example Cloud", "https://status.example.org", "example-berlin", "berlin-outside"};
	*state = h;
	return 0;
}

int alarm_house_teardown(void **state)
{
	struct alarm_house *h = *state;

	house_stop(h);
	if (h->peer_stop)
		h->peer_stop(h->real_peer);
	http_client_free(h->client);
	mailer_free(h->mailer);
	facts_close(h->facts);
	peer_stop(h->peer);
	loop_free(h->loop);
	VEC_EACH (&h->heard, struct heard, one) {
		free(one->head);
		json_decref(one->body);
	}
	vec_fini(&h->heard);
	vec_fini(&h->script);
	vec_fini(&h->list);
	VEC_EACH (&h->texts, char *, text)
		free(*text);
	vec_fini(&h->texts);
	free(h->url);
	nftw(h->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return 0;
}

struct alarm *house_alarm(struct alarm_house *h, enum alarm_kind kind, const char *path)
{
	char *url = mem_printf("%s%s", h->url, path);
	struct alarm *a = vec_add(&h->list);

	vec_push(&h->texts, url);
	a->kind = kind;
	a->url = url;
	return a;
}

void house_start(struct alarm_house *h)
{
	h->alarms = alarms_new(
		h->loop, h->facts, h->client, h->mailer, &h->site, h->list.p, h->list.n, &h->err);
	must(h->alarms != NULL, h);
	house_settle(h);
}

void house_stop(struct alarm_house *h)
{
	alarms_free(h->alarms);
	h->alarms = NULL;
}

void house_crash(struct alarm_house *h)
{
	house_stop(h);
	facts_close(h->facts);
	open_facts(h);
	house_start(h);
}

/* --- time --------------------------------------------------------------------------------------
 */

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	return true;
}

static bool is_busy(const struct alarms *a)
{
	bool busy = a->planning;

	VEC_EACH (&a->channels, struct channel *, c)
		busy = busy || (*c)->attempt || (*c)->writing;
	return busy;
}

/* What the facts thread has been given is done, and its callbacks have run. */
static void turn(struct alarm_house *h)
{
	must(facts_call(h->facts, nothing, NULL, &h->err), h);
	loop_advance(h->loop, 0);
}

void house_settle(struct alarm_house *h)
{
	int quiet = 0;

	for (int turns = 0; h->alarms && quiet < 3; turns++) {
		if (turns > 20000)
			fail_msg("it does not settle");
		turn(h);
		quiet = is_busy(h->alarms) ? 0 : quiet + 1;
		if (!quiet)
			usleep(200);
	}
}

void house_until_heard(struct alarm_house *h, size_t n)
{
	for (int turns = 0; house_heard(h) < n; turns++) {
		if (turns > 20000)
			fail_msg("the receiver heard %zu, not %zu", house_heard(h), n);
		turn(h);
		usleep(200);
	}
}

void house_pass(struct alarm_house *h, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		loop_advance(h->loop, NS_PER_S);
		if (is_busy(h->alarms))
			house_settle(h);
	}
	house_settle(h);
}

int64_t house_now_ms(const struct alarm_house *h)
{
	return clock_unix_us(&h->clock) / 1000;
}

const struct alarm_state *house_state(struct alarm_house *h, size_t i)
{
	const struct alarm_state *states;

	assert_true(alarms_states(h->alarms, &states) > i);
	return &states[i];
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

static bool write_verdict(struct facts_tx *tx, void *arg, struct error *err)
{
	return rows_write(tx, arg, err);
}

static int64_t store(struct alarm_house *h, const struct verdict *v)
{
	char name[64], evidence[] = "{}";
	struct row_change c = {.name = name, .evidence = evidence, .to.v = *v};

	snprintf(name, sizeof(name), "%c%s", v->component[0] - ('a' - 'A'), v->component + 1);
	c.to.from_ms = c.to.v.since_ms = c.to.v.evidence_ms = house_now_ms(h);
	must(facts_call(h->facts, write_verdict, &c, &h->err), h);
	return c.id;
}

int64_t house_verdict(struct alarm_house *h, const char *component, enum health health,
	const char *rule, const char *text)
{
	const struct verdict v = {
		.component = component, .health = health, .rule = rule, .text = text};

	return store(h, &v);
}

int64_t house_explained(struct alarm_house *h, const struct verdict *v)
{
	const int64_t id = store(h, v);

	alarms_wake(h->alarms);
	house_settle(h);
	return id;
}

int64_t house_change(struct alarm_house *h, const char *component, enum health health)
{
	const int64_t id = house_verdict(h, component, health,
		health == HEALTH_OPERATIONAL ? "good" : "failing", "3 of 3 probes say so");

	alarms_wake(h->alarms);
	house_settle(h);
	return id;
}

/* --- JSON --------------------------------------------------------------------------------------
 */

const json_t *json_path(const json_t *o, const char *path)
{
	struct slice rest = slice_of(path), part;

	while (o && slice_next(&rest, '/', &part)) {
		char *key = slice_dup(part);
		o = json_is_array(o) ? json_array_get(o, strtoul(key, NULL, 10))
				     : json_object_get(o, key);
		free(key);
	}
	return o;
}

void assert_at(const json_t *o, const char *path, const char *expected)
{
	const char *s = json_string_value(json_path(o, path));

	if (!s || strcmp(s, expected) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", path, s ? s : "(none)", expected);
}

json_t *documented(unsigned nth)
{
	static char text[64 << 10];
	FILE *f = fopen("docs/alarms.md", "r");
	const char *at = text;
	struct error err = {0};
	json_t *o;

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	for (unsigned i = 0; i <= nth; i++) {
		at = strstr(at, "```json\n");
		assert_non_null(at);
		at += 8;
	}
	o = json_parse(slice_from(at, (size_t)(strstr(at, "```") - at)), SIZE_MAX, &err);
	if (!o)
		fail_msg("%s", err.msg);
	return o;
}
