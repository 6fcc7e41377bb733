/*
 * judge_source.c - see judge_source.h.
 *
 * Results no longer kept live on in `base`; a result that comes late is put in its place and the
 * fold is made again. A silence longer than fresh_ms ends what was said before it. It is measured
 * from good result to good result for what is said well, so that failures in between cannot bridge
 * it.
 */

#include "judge/judge_source.h"

#include <string.h>

#include "base/mem.h"
#include "base/search.h"
#include "base/secret.h"
#include "base/slice.h"

#define FORGIVE_MS      600000
#define WINDOW_LEAST    5 /* results before a source can be called failing */
#define WINDOW_EPISODES 2
#define TOTAL_MAX       ((1LL << 40) - 1)

char *judge_source_key(const char *cloud, const char *probe, const char *step, const char *location)
{
	return mem_printf("%s\n%s\n%s\n%s", cloud ? cloud : "", probe, step ? step : "",
		location ? location : "");
}

/* The names and the key of a source live in its own block: each by itself would take more. */
struct source *source_new(
	const char *cloud, const char *probe, const char *step, const char *location)
{
	const char *const names[] = {cloud, probe, step ? step : "", location};
	const char *at[array_len(names)];
	char *key = judge_source_key(cloud, probe, step, location);
	const size_t n = strlen(key) + 1; /* as long as all names are with their ends */
	struct source *s = mem_new_array(1, sizeof(*s) + 2 * n);
	s->key = memcpy(s->names, key, n);
	char *to = s->names + n;
	for (size_t i = 0; i < array_len(names); i++) {
		const size_t size = strlen(names[i]) + 1;
		at[i] = memcpy(to, names[i], size);
		to += size;
	}
	free(key);
	s->cloud = at[0];
	s->probe = at[1];
	s->step = step ? at[2] : NULL;
	s->location = at[3];
	s->forgive = SOURCE_WINDOW;
	return s;
}

static void texts_free(struct result_texts *t)
{
	if (!t)
		return;
	free(t->detail);
	free(t->shared);
	free(t->request);
	free(t->request_id);
	free(t->service_request_id);
	free(t->run);
	free(t);
}

static void forget_proofs(struct source *s)
{
	for (size_t i = 0; i < s->texts_n; i++)
		texts_free(s->texts[i]);
	free(s->texts);
	free(s->proofs);
	s->texts = NULL;
	s->proofs = NULL;
	s->texts_n = s->proofs_n = s->proofs_room = 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	forget_proofs(s);
	free(s->results);
	free(s);
}

static bool is_of_earlier(const void *proof, const void *i)
{
	return ((const struct proof *)proof)->at < *(const size_t *)i;
}

/* The first one that is not of a result before the i-th; proofs_n: there is none. */
static size_t proof_from(const struct source *s, size_t i)
{
	return search_before(s->proofs, s->proofs_n, sizeof(*s->proofs), is_of_earlier, &i);
}

static const struct proof *proof_of(const struct source *s, size_t i)
{
	const size_t k = proof_from(s, i);
	return k < s->proofs_n && s->proofs[k].at == i ? &s->proofs[k] : NULL;
}

const struct result_texts *source_texts(const struct source *s, size_t i)
{
	const struct proof *p = proof_of(s, i);
	return p ? s->texts[p->texts] : NULL;
}

/* --- the fold --------------------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t taken_ms(const struct source *s, size_t i)
{
	const struct proof *p = proof_of(s, i);
	return s->results[i].at_ms + (p ? p->heard_ms : 0);
}

static void count(uint16_t *run)
{
	*run += *run < UINT16_MAX;
}

/* Failures apart from each other in the window; one that reaches out of it counts. */
static unsigned episodes(const struct fold *f)
{
	unsigned n = 0;
	for (unsigned i = 0; i < f->window_n; i++)
		if ((f->window >> i & 1) && (i + 1 == f->window_n || !(f->window >> (i + 1) & 1)))
			n++;
	return n;
}

/* What failed again and again is forgiven after so many good results in a row as come in ten
 * minutes, from 3 to the whole window: two failures of what runs rarely are no news for hours. */
static void see(struct fold *f, const struct source *s, bool failed)
{
	f->window = (uint16_t)((f->window << 1 | failed) & ((1u << SOURCE_WINDOW) - 1));
	if (f->window_n < SOURCE_WINDOW)
		f->window_n++;
	const bool lately = f->window & ((1u << s->forgive) - 1);
	if (lately && f->window_n >= WINDOW_LEAST && episodes(f) >= WINDOW_EPISODES)
		f->failing = true;
	else if (!lately && f->window_n >= s->forgive)
		f->failing = false;
}

static void fold_bad(struct fold *f, const struct source *s, size_t i)
{
	const struct result *r = &s->results[i];
	if (f->last_ms && r->at_ms - f->last_ms > s->fresh_ms)
		f->bad_run = 0; /* what was bad before the silence still is */
	see(f, s, true);
	f->good_run = 0;
	f->bad_fault = r->fault;
	f->last_ms = f->last_bad_ms = r->at_ms;
	count(&f->bad_run);
	if (f->bad_run >= s->confirm)
		f->bad = true;
	if (f->bad) {
		f->good = false;
		f->hold_bad_ms = later(f->hold_bad_ms, taken_ms(s, i) + s->minimum_ms);
	}
	if (f->failing)
		f->hold_failing_ms = later(f->hold_failing_ms, taken_ms(s, i) + s->minimum_ms);
}

/* Slowness is told by good answers alone; failures between them change nothing of it. */
static void fold_pace(struct fold *f, const struct source *s, size_t i)
{
	const bool warned = s->results[i].warned;
	count(warned ? &f->slow_run : &f->fast_run);
	*(warned ? &f->fast_run : &f->slow_run) = 0;
	if (f->slow_run >= s->confirm)
		f->slow = true;
	else if (f->fast_run >= s->confirm)
		f->slow = false;
	if (f->slow && warned)
		f->hold_slow_ms = later(f->hold_slow_ms, taken_ms(s, i) + s->minimum_ms);
}

static void fold_good(struct fold *f, const struct source *s, size_t i)
{
	const struct result *r = &s->results[i];
	if (f->last_ms && r->at_ms - f->last_ms > s->fresh_ms)
		f->bad = false;
	if (f->last_good_ms && r->at_ms - f->last_good_ms > s->fresh_ms) {
		f->good = f->slow = false;
		f->good_run = f->good_after_ours = f->slow_run = f->fast_run = 0;
	}
	see(f, s, false);
	fold_pace(f, s, i);
	f->bad_run = 0;
	count(&f->good_run);
	f->last_ms = f->last_good_ms = r->at_ms;
	if (f->good_run >= s->confirm || (!f->heard && s->quick && !f->bad)) {
		f->bad = false;
		f->good = true;
	}
	f->heard = true;
	count(&f->good_after_ours);
	if (f->good_after_ours >= s->confirm) {
		f->ours = false;
		f->ours_run = 0;
	}
}

/* Moved by ours and good results alone: a failure must not make it forget that it cannot tell.
 * That our own connectivity is gone is known from others: it needs no confirming. */
static void fold_ours(struct fold *f, const struct source *s, const struct result *r)
{
	count(&f->ours_run);
	f->good_after_ours = 0;
	f->last_ours_ms = r->at_ms;
	f->ours_fault = r->fault;
	if (f->ours_run >= s->confirm || r->fault == FAULT_LOCAL)
		f->ours = true;
}

static void fold(struct fold *f, const struct source *s, size_t i)
{
	const struct result *r = &s->results[i];
	if (r->muted)
		return;
	switch (fault_whose(r->fault)) {
	case WHOSE_NEITHER: fold_good(f, s, i); break;
	case WHOSE_CLOUD: fold_bad(f, s, i); break;
	case WHOSE_OURS:
	case WHOSE_CONFIG:
	case WHOSE_QUOTA: fold_ours(f, s, r); break;
	}
}

static void fold_again(struct source *s)
{
	s->now = s->base;
	for (size_t i = 0; i < s->n; i++)
		fold(&s->now, s, i);
}

/* --- results ---------------------------------------------------------------------------------- */

static void forget_first_proof(struct source *s)
{
	struct result_texts **texts = &s->texts[s->proofs[0].texts];
	if (s->proofs_n == 1) {
		forget_proofs(s);
		return;
	}
	if (--(*texts)->refs == 0) {
		texts_free(*texts);
		*texts = NULL;
	}
	s->proofs_n--;
	memmove(s->proofs, s->proofs + 1, s->proofs_n * sizeof(*s->proofs));
}

static void drop_oldest(struct source *s)
{
	fold(&s->base, s, 0);
	if (proof_of(s, 0))
		forget_first_proof(s);
	for (size_t k = 0; k < s->proofs_n; k++)
		s->proofs[k].at--;
	s->n--;
	memmove(s->results, s->results + 1, s->n * sizeof(*s->results));
}

static void set_room(struct source *s, unsigned room)
{
	s->room = (uint8_t)room;
	s->results = mem_resize(s->results, room, sizeof(*s->results));
}

/* By a few: most sources are good and never have more than SOURCE_GOOD. */
static void make_room(struct source *s)
{
	const unsigned more = s->room + 7u;
	if (s->n == s->room)
		set_room(s, more < SOURCE_RESULTS ? more : SOURCE_RESULTS);
}

/* What failed once and is good again takes no more than others. */
static void give_back(struct source *s)
{
	if (s->n <= SOURCE_GOOD && s->room > SOURCE_GOOD + 1)
		set_room(s, SOURCE_GOOD + 1);
}

/* Scrubbed, valid UTF-8 whatever a service sent, not longer than the limit. */
static char *keep_text(const char *text)
{
	char *t = secret_scrubbed(text);
	if (!t)
		return NULL;
	size_t n = strlen(t);
	if (n > SOURCE_TEXT_MAX) {
		n = SOURCE_TEXT_MAX;
		while (n > 0 && ((unsigned char)t[n] & 0xc0) == 0x80)
			n--;
		t[n] = 0;
	}
	if (!utf8_valid(slice_of(t)))
		for (char *p = t; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	return t;
}

static struct result_texts *keep_texts(const struct observation *o)
{
	struct result_texts *t = mem_new(struct result_texts);
	t->refs = 1;
	t->detail = keep_text(o->detail);
	t->shared = keep_text(o->shared);
	t->request = keep_text(o->request);
	t->request_id = keep_text(o->request_id);
	t->service_request_id = keep_text(o->service_request_id);
	t->run = keep_text(o->run);
	return t;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool say_the_same(const struct result_texts *a, const struct result_texts *b)
{
	return same_text(a->detail, b->detail) && same_text(a->shared, b->shared) &&
	       same_text(a->request, b->request) && same_text(a->request_id, b->request_id) &&
	       same_text(a->service_request_id, b->service_request_id) && same_text(a->run, b->run);
}

/* Where they stand among the texts; takes them. What hangs says the same each time. */
static uint8_t put_texts(struct source *s, struct result_texts *t)
{
	size_t at = s->texts_n;
	for (size_t i = s->texts_n; i-- > 0;) {
		if (!s->texts[i]) {
			at = i;
		} else if (say_the_same(s->texts[i], t)) {
			texts_free(t);
			s->texts[i]->refs++;
			return (uint8_t)i;
		}
	}
	if (at == s->texts_n)
		s->texts = mem_resize(s->texts, ++s->texts_n, sizeof(struct result_texts *));
	s->texts[at] = t;
	return (uint8_t)at;
}

static void put_proof(struct source *s, size_t at, const struct observation *o, int64_t heard_ms)
{
	const size_t k = proof_from(s, at);
	if (s->proofs_n == s->proofs_room) {
		s->proofs_room = (uint8_t)(s->proofs_n + s->proofs_n / 4 + 2);
		s->proofs = mem_resize(s->proofs, s->proofs_room, sizeof(*s->proofs));
	}
	memmove(s->proofs + k + 1, s->proofs + k, (s->proofs_n - k) * sizeof(*s->proofs));
	s->proofs[k] =
		(struct proof){.heard_ms = heard_ms < UINT32_MAX ? (uint32_t)heard_ms : UINT32_MAX,
			.at = (uint8_t)at,
			.texts = put_texts(s, keep_texts(o))};
	s->proofs_n++;
}

/* Its place by time; what comes after it moves. */
static size_t make_place(struct source *s, const struct result *r)
{
	make_room(s);
	size_t at = s->n;
	while (at > 0 && s->results[at - 1].at_ms > r->at_ms)
		at--;
	memmove(s->results + at + 1, s->results + at, (s->n - at) * sizeof(*s->results));
	for (size_t k = proof_from(s, at); k < s->proofs_n; k++)
		s->proofs[k].at++;
	s->results[at] = *r;
	s->n++;
	return at;
}

static struct result result_of(const struct observation *o, bool muted)
{
	const int64_t total_us = o->total_us > TOTAL_MAX ? TOTAL_MAX : o->total_us;
	return (struct result){
		.at_ms = o->at_ms,
		.fault = o->fault,
		.severity = o->severity,
		.warned = o->warned,
		.again = o->tries > 1,
		.muted = muted && fault_whose(o->fault) == WHOSE_CLOUD,
		.total_us = total_us > 0 ? (uint64_t)total_us : 0,
		.status = o->status,
	};
}

/* One source does not begin the same thing twice in a millisecond. */
static bool is_repeat(const struct source *s, const struct result *r)
{
	size_t at = s->n;
	while (at > 0 && s->results[at - 1].at_ms > r->at_ms)
		at--;
	for (; at > 0 && s->results[at - 1].at_ms == r->at_ms; at--) {
		const struct result *one = &s->results[at - 1];
		if (one->fault == r->fault && one->status == r->status &&
			one->total_us == r->total_us)
			return true;
	}
	return false;
}

void source_take(struct source *s, const struct observation *o, int64_t now_ms, bool muted)
{
	const struct result r = result_of(o, muted);
	if (is_repeat(s, &r))
		return;
	if (s->n == SOURCE_RESULTS)
		drop_oldest(s);
	const size_t at = make_place(s, &r);
	if (o->fault != FAULT_NONE || o->warned)
		put_proof(s, at, o, now_ms > o->at_ms ? now_ms - o->at_ms : 0);
	if (at + 1 == s->n)
		fold(&s->now, s, at);
	else
		fold_again(s);
	while (s->n > SOURCE_WINDOW && s->results[0].at_ms < now_ms - SOURCE_WINDOW_MS)
		drop_oldest(s);
	while (s->n > SOURCE_GOOD && !source_texts(s, 0))
		drop_oldest(s);
	give_back(s);
}

void source_mute(struct source *s)
{
	if (s->now.bad)
		return;
	for (size_t i = s->n; i-- > 0;) {
		const enum fault_whose whose = fault_whose(s->results[i].fault);
		if (whose == WHOSE_NEITHER)
			break;
		s->results[i].muted |= whose == WHOSE_CLOUD;
	}
	s->base.bad_run = 0; /* of results no longer kept */
	fold_again(s);
}

int64_t source_lasts_ms(int64_t every_ms, int64_t timeout_ms, unsigned confirm)
{
	/* A good answer stays good until as many as must confirm could have failed. */
	const int64_t rounds = confirm > 2 ? confirm + 1 : 3;
	return rounds * every_ms + timeout_ms;
}

void source_pace(struct source *s, int64_t every_ms, int64_t timeout_ms, unsigned confirm)
{
	s->fresh_ms = source_lasts_ms(every_ms, timeout_ms, confirm);
	s->confirm = confirm;
	const int64_t in_ten_minutes = every_ms ? FORGIVE_MS / every_ms + 1 : SOURCE_WINDOW;
	s->forgive = in_ten_minutes < 3               ? 3
		     : in_ten_minutes > SOURCE_WINDOW ? SOURCE_WINDOW
						      : (uint8_t)in_ten_minutes;
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool fresh(const struct source *s, int64_t at_ms, int64_t now_ms)
{
	return at_ms && now_ms <= at_ms + s->fresh_ms;
}

bool source_answers(const struct source *s, int64_t now_ms)
{
	return s->now.good && fresh(s, s->now.last_good_ms, now_ms);
}

int64_t source_fresh_until_ms(const struct source *s)
{
	return later(s->now.last_ms, s->now.last_ours_ms) + s->fresh_ms;
}

enum says source_says(const struct source *s, int64_t now_ms)
{
	const struct fold *f = &s->now;
	const bool ours = fresh(s, f->last_ours_ms, now_ms);
	const bool cloud = fresh(s, f->last_ms, now_ms);
	if (!ours && !cloud)
		return SAYS_STALE;
	if (f->ours && ours && !(f->bad && f->last_bad_ms > f->last_ours_ms))
		return SAYS_OURS;
	if (cloud && (f->bad || now_ms < f->hold_bad_ms))
		return SAYS_BAD;
	if (cloud && (f->failing || now_ms < f->hold_failing_ms))
		return SAYS_FAILING;
	/* a good one after ours is one when it is confirmed */
	if (!f->ours && source_answers(s, now_ms))
		return f->slow || now_ms < f->hold_slow_ms ? SAYS_SLOW : SAYS_GOOD;
	return ours ? SAYS_OURS : SAYS_NOTHING;
}

const char *says_name(enum says says)
{
	static const char *const names[] = {
		"nothing", "stale", "good", "slow", "failing", "bad", "ours"};
	return names[says];
}

int64_t source_left_bad_ms(const struct source *s, int64_t now_ms)
{
	const struct fold *f = &s->now;
	int64_t left_ms = 0;
	if (f->ours && f->last_ours_ms >= f->last_ms) /* it took that back */
		return 0;
	if ((f->bad || f->failing) && !fresh(s, f->last_ms, now_ms))
		left_ms = f->last_ms + s->fresh_ms;
	if (f->slow && !fresh(s, f->last_good_ms, now_ms))
		left_ms = later(left_ms, f->last_good_ms + s->fresh_ms);
	return left_ms;
}

enum severity source_severity(const struct source *s)
{
	return s->n ? s->results[s->n - 1].severity : SEVERITY_OUTAGE;
}

static void sooner(int64_t *next, int64_t at_ms, int64_t now_ms)
{
	if (at_ms > now_ms && at_ms < *next)
		*next = at_ms;
}

int64_t source_next_ms(const struct source *s, int64_t now_ms)
{
	const struct fold *f = &s->now;
	int64_t next = INT64_MAX;
	sooner(&next, f->last_ms + s->fresh_ms + 1, now_ms);
	sooner(&next, f->last_good_ms + s->fresh_ms + 1, now_ms);
	sooner(&next, f->last_ours_ms + s->fresh_ms + 1, now_ms);
	sooner(&next, f->hold_bad_ms, now_ms);
	sooner(&next, f->hold_failing_ms, now_ms);
	sooner(&next, f->hold_slow_ms, now_ms);
	return next;
}
