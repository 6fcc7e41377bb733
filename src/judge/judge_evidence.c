/*
 * judge_evidence.c - what proves a verdict: written beside it when it is made, read by its id.
 *
 * The whole stands in one column. What the public gets is built anew from the fields that are
 * theirs, never by taking out those that are not.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "judge/judge_inside.h"

#define SAMPLES_MAX  20
#define SOURCES_MAX  50
#define EVIDENCE_MAX (1u << 20)

static void put(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *text)
{
	put(object, key, text ? json_string(text) : json_null());
}

static void put_int(json_t *object, const char *key, int64_t i)
{
	put(object, key, json_integer(i));
}

/* --- sources ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void put_durations(json_t *j, const struct source *s)
{
	int64_t us[SOURCE_RESULTS];
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->results[i].fault == FAULT_NONE && s->results[i].total_us > 0)
			us[n++] = s->results[i].total_us;
	qsort(us, n, sizeof(*us), by_value);
	put(j, "median_ms", n ? json_integer(us[n / 2] / 1000) : json_null());
	put(j, "worst_ms", n ? json_integer(us[n - 1] / 1000) : json_null());
}

static json_t *source_json(const struct source *s, int64_t now_ms)
{
	json_t *j = json_object(), *faults = json_object();
	unsigned failed = 0, slow = 0, again = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct result *r = &s->results[i];
		const char *name = fault_name(r->fault);
		slow += r->fault == FAULT_NONE && r->warned;
		again += r->fault == FAULT_NONE && r->again;
		if (r->fault == FAULT_NONE)
			continue;
		failed++;
		put_int(faults, name, json_int(faults, name, 0) + 1);
	}
	put_text(j, "probe", s->probe);
	put_text(j, "step", s->step);
	put_text(j, "location", s->location);
	put_text(j, "says", says_name(source_says(s, now_ms)));
	put_int(j, "n", (int64_t)s->n);
	put_int(j, "failed", failed);
	put_int(j, "slow", slow);
	put_int(j, "again", again);
	put(j, "last_ms", s->n ? json_integer(s->results[s->n - 1].at_ms) : json_null());
	put_durations(j, s);
	put(j, "faults", faults);
	return j;
}

/* --- samples ---------------------------------------------------------------------------------- */

/* The request again, by hand: single quotes, the token from the environment. */
static char *curl_line(const char *request)
{
	const char *space = request ? strchr(request, ' ') : NULL;
	if (!space || space == request || strncmp(space + 1, "http", 4) != 0 ||
		strspn(request, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != (size_t)(space - request))
		return NULL;
	struct buf b = BUF(BUF_LINE);
	buf_printf(&b, "curl -sS -i -X %.*s -H \"X-Auth-Token: $OS_TOKEN\" '",
		(int)(space - request), request);
	for (const char *p = space + 1; *p; p++)
		if (*p == '\'')
			buf_add_str(&b, "'\\''");
		else
			buf_add_char(&b, *p);
	buf_add_char(&b, '\'');
	return buf_take(&b);
}

static json_t *sample_json(
	const struct source *s, const struct result *r, const struct result_texts *t)
{
	json_t *j = json_object();
	char *curl = curl_line(t->request);
	put_int(j, "at_ms", r->at_ms);
	put_text(j, "probe", s->probe);
	put_text(j, "step", s->step);
	put_text(j, "location", s->location);
	put_text(j, "fault", fault_name(r->fault));
	put(j, "status", r->status ? json_integer(r->status) : json_null());
	put_text(j, "detail", t->detail);
	put(j, "total_ms", r->total_us ? json_integer(r->total_us / 1000) : json_null());
	put_text(j, "request", t->request);
	put_text(j, "curl", curl);
	put_text(j, "request_id", t->request_id);
	put_text(j, "service_request_id", t->service_request_id);
	put_text(j, "run", t->run);
	free(curl);
	return j;
}

struct shown {
	const struct source *s;
	const struct result *r;
	const struct result_texts *texts;
};

static int newest_first(const void *a, const void *b)
{
	const int64_t x = ((const struct shown *)a)->r->at_ms;
	const int64_t y = ((const struct shown *)b)->r->at_ms;
	return x > y ? -1 : x < y;
}

static json_t *samples_json(const struct judged *c)
{
	VEC(struct shown) all = {0};
	json_t *list = json_array();
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		for (size_t i = 0; i < s->n; i++)
			if (source_texts(s, i))
				vec_push(&all,
					((struct shown){s, &s->results[i], source_texts(s, i)}));
	}
	if (all.n)
		qsort(all.p, all.n, sizeof(*all.p), newest_first);
	for (size_t i = 0; i < all.n && i < SAMPLES_MAX; i++)
		json_array_append_new(list, sample_json(all.p[i].s, all.p[i].r, all.p[i].texts));
	vec_fini(&all);
	return list;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Those that decided first: what fails before what is slow, cannot tell, answers, is stale. */
static int weight(enum says says)
{
	static const int order[] = {[SAYS_BAD] = 0,
		[SAYS_FAILING] = 1,
		[SAYS_SLOW] = 2,
		[SAYS_OURS] = 3,
		[SAYS_NOTHING] = 4,
		[SAYS_STALE] = 5,
		[SAYS_GOOD] = 6};
	return order[says];
}

static void add_window(json_t *j, const struct judged *c, int64_t now_ms)
{
	int64_t from_ms = now_ms;
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		if (s->n && s->results[0].at_ms < from_ms)
			from_ms = s->results[0].at_ms;
	}
	json_t *window = json_object();
	put_int(window, "from_ms", from_ms);
	put_int(window, "to_ms", now_ms);
	put(j, "window", window);
}

char *evidence_text(
	const struct judged *c, const struct decision *d, enum health was, int64_t now_ms)
{
	json_t *j = json_object(), *sources = json_array();
	put_text(j, "was", health_name(was));
	add_window(j, c, now_ms);
	for (int w = 0; w <= weight(SAYS_GOOD); w++)
		MAP_EACH (&c->sources, e)
			if (weight(source_says(e->value, now_ms)) == w &&
				json_array_size(sources) < SOURCES_MAX)
				json_array_append_new(sources, source_json(e->value, now_ms));
	put(j, "sources", sources);
	put_int(j, "answering", d->good + d->slow);
	put_int(j, "failing", d->bad + d->failing);
	put_int(j, "unable", d->ours);
	put_int(j, "silent", d->stale);
	put_int(j, "undecided", d->undecided);
	put_int(j, "lesser", d->lesser);
	put_int(j, "overruled", d->overruled);
	put(j, "told", told_json(c, now_ms));
	put(j, "samples", samples_json(c));
	char *text = json_text(j);
	json_decref(j);
	return text;
}

struct reading {
	json_t *doc;
	bool operators;
	struct error *err;
	bool bad;
};

static void copy(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);
	if (value)
		json_object_set(to, key, value);
}

static json_t *public_sources(const json_t *stored)
{
	static const char *const fields[] = {"probe", "step", "location", "says", "n", "failed",
		"slow", "again", "last_ms", "median_ms", "worst_ms", "faults"};
	json_t *list = json_array(), *source;
	size_t i;
	json_array_foreach (json_object_get(stored, "sources"), i, source) {
		json_t *one = json_object();
		for (size_t k = 0; k < array_len(fields); k++)
			copy(one, source, fields[k]);
		json_array_append_new(list, one);
	}
	return list;
}

/* What is under "operators" stays theirs. */
static json_t *public_told(const json_t *stored, bool operators)
{
	static const char *const fields[] = {"by", "health", "text", "at_ms", "evidence"};
	json_t *list = json_array(), *told;
	size_t i;
	json_array_foreach (json_object_get(stored, "told"), i, told) {
		json_t *one = json_object();
		for (size_t k = 0; k < array_len(fields); k++)
			copy(one, told, fields[k]);
		json_t *evidence = json_deep_copy(json_object_get(one, "evidence"));
		if (!operators && json_is_object(evidence))
			json_object_del(evidence, "operators");
		put(one, "evidence", evidence);
		json_array_append_new(list, one);
	}
	return list;
}

static bool on_row(void *arg, const struct facts_row *row)
{
	static const char *const fields[] = {"was", "window", "answering", "failing", "unable",
		"silent", "undecided", "lesser", "overruled"};
	struct reading *r = arg;
	json_t *stored = json_parse(slice_of(facts_text(row, 7)), EVIDENCE_MAX, r->err);
	const int64_t health = facts_int(row, 2);
	if (!stored || health < 0 || health >= HEALTH_COUNT) {
		r->bad = true;
		json_decref(stored);
		return false;
	}
	json_t *j = r->doc = json_object();
	put_int(j, "id", facts_int(row, 0));
	put_text(j, "component", facts_text(row, 1));
	put_text(j, "health", health_name((enum health)health));
	put_int(j, "at_ms", facts_int(row, 5));
	put(j, "until_ms", facts_text(row, 6) ? json_integer(facts_int(row, 6)) : json_null());
	put_text(j, "rule", facts_text(row, 3));
	put_text(j, "text", facts_text(row, 4));
	for (size_t k = 0; k < array_len(fields); k++)
		copy(j, stored, fields[k]);
	put(j, "sources", public_sources(stored));
	put(j, "told", public_told(stored, r->operators));
	put_text(j, "root", facts_text(row, 8));
	put_text(j, "maintenance", facts_text(row, 9));
	put_text(j, "dissent", facts_text(row, 10));
	put(j, "flapping", json_boolean(facts_int(row, 11) != 0));
	if (r->operators)
		copy(j, stored, "samples");
	json_decref(stored);
	return false;
}

json_t *judge_evidence(struct facts *f, int64_t id, bool operators, struct error *err)
{
	struct reading r = {.operators = operators, .err = err};
	const struct facts_value v = FACTS_I(id);
	if (!facts_query(f,
		    "SELECT id, component, health, rule, text, since_ms, until_ms, evidence,"
		    " root, maintenance, dissent, flapping FROM verdict WHERE id = ?",
		    &v, 1, on_row, &r, err))
		return NULL;
	if (r.bad)
		error_set(err, ERROR_STORE, "the evidence of verdict %lld cannot be read",
			(long long)id);
	return r.doc;
}
