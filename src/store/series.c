/*
 * series.c - opening, defining, appending; see series.h. The writer's turns are series_turn.c.
 */

#include "store/series.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/series_inside.h"
#include "store/sqlite.h"

#define RAW_DAYS        14
#define TEN_MINUTE_DAYS 90
#define HOUR_DAYS       1096
#define AHEAD_MS        SERIES_HOUR_MS

const char *series_kind_name(enum series_kind kind)
{
	static const char *const names[] = {"probe", "gauge", "sum", "dist"};
	return names[kind];
}

int64_t store_now_ms(const struct series_store *st)
{
	return clock_unix_us(loop_clock(st->loop)) / 1000;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void series_free(struct series *s)
{
	heads_free(s);
	free(s);
}

static void store_free(struct series_store *st)
{
	timer_cancel(&st->flush);
	timer_cancel(&st->seal);
	worker_free(st->write);
	worker_free(st->read);
	writer_free(st->writer);
	for (size_t i = 0; i < array_len(st->readers); i++)
		files_free(st->readers[i]);
	while (st->batches) {
		struct batch *b = st->batches;
		st->batches = b->next;
		batch_free(b);
	}
	outbox_fini(st);
	cache_clear(st);
	map_fini(&st->cache);
	VEC_EACH (&st->all, struct series *, s)
		series_free(*s);
	spill_fini(st);
	vec_fini(&st->all);
	vec_fini(&st->by_id);
	vec_fini(&st->hours);
	vec_fini(&st->states);
	map_fini(&st->by_key);
	MAP_EACH (&st->words, e)
		free(e->value);
	map_fini(&st->words);
	free(st->dir);
	free(st);
}

/* What cannot be made here is the writer's trouble, which tries again. */
static bool prepare_dir(const struct series_store *st, const char *dir, struct error *err)
{
	if (!st->options.read_only) {
		if (mkdir(dir, 0700) == 0 || errno == EEXIST)
			(void)mkdir(st->dir, 0700);
		return true;
	}
	char *catalog = mem_printf("%s/catalog.db", st->dir);
	const bool there = access(catalog, R_OK) == 0;
	if (!there)
		error_sys(err, errno, "nothing was recorded in %s", dir);
	free(catalog);
	return there;
}

static int64_t days_ms(unsigned days, unsigned otherwise)
{
	return (int64_t)(days ? days : otherwise) * SERIES_DAY_MS;
}

static void on_seal_timer(struct timer *t);

/* What is due, and again ten minutes after each hour. */
static void seal_now(struct series_store *st)
{
	const int64_t after = 10 * 60 * 1000;
	const int64_t now = store_now_ms(st);
	const int64_t next = ((now - after) / SERIES_HOUR_MS + 1) * SERIES_HOUR_MS + after;
	timer_start(st->loop, &st->seal, (next - now) * NS_PER_MS, on_seal_timer, st);
	turn_start(st, true);
}

static void on_seal_timer(struct timer *t)
{
	seal_now(t->arg);
}

struct series_store *series_open(
	const char *dir, struct loop *l, const struct series_options *options, struct error *err)
{
	if (!dir[0]) {
		error_set(err, ERROR_INPUT, "the directory for series has no name");
		return NULL;
	}
	sqlite_settle();
	struct series_store *st = mem_new(struct series_store);
	st->loop = l;
	st->by_key = st->words = MAP_BORROWING;
	if (options)
		st->options = *options;
	st->dir = mem_printf("%s/series", dir);
	st->keep_ms[LEVEL_RAW] = days_ms(st->options.raw_days, RAW_DAYS);
	st->keep_ms[LEVEL_TEN_MINUTES] = days_ms(st->options.ten_minute_days, TEN_MINUTE_DAYS);
	st->keep_ms[LEVEL_HOUR] = days_ms(st->options.hour_days, HOUR_DAYS);
	st->keep_ms[LEVEL_DAY] = INT64_MAX / 2;
	st->status.storing = true;
	if (!prepare_dir(st, dir, err) || !(st->write = worker_new(l, 1, err)) ||
		!(st->read = worker_new(l, array_len(st->readers), err))) {
		store_free(st);
		return NULL;
	}
	st->writer =
		writer_new(st->dir, st->options.read_only, st->keep_ms, st->options.outbox_bytes);
	for (size_t i = 0; i < array_len(st->readers); i++)
		st->readers[i] = files_new(st->dir, false);
	turn_start(st, false);
	worker_settle(st->write);
	if (!st->status.storing && (st->options.read_only || st->status.why.kind == ERROR_CONFIG)) {
		*err = st->status.why;
		store_free(st);
		return NULL;
	}
	if (!st->options.read_only)
		seal_now(st);
	return st;
}

void series_close(struct series_store *st)
{
	if (!st)
		return;
	timer_cancel(&st->seal);
	series_settle(st);
	queries_cancel(st);
	worker_settle(st->read);
	timer_cancel(&st->flush);
	store_free(st);
}

void series_settle(struct series_store *st)
{
	if (st->batches || st->states.n || st->notes.n || st->marks.n)
		turn_start(st, false);
	worker_settle(st->write);
	worker_settle(st->read);
}

struct series_status series_status(const struct series_store *st)
{
	struct series_status s = st->status;
	s.waiting = st->open_samples + st->due_samples;
	s.series = st->all.n;
	VEC_EACH (&st->all, struct series *, one)
		heads_count(*one, &s.head_bytes, &s.spilled_bytes);
	return s;
}

struct series_kept series_kept(const struct series_store *st)
{
	return (struct series_kept){
		st->keep_ms[LEVEL_RAW], st->keep_ms[LEVEL_TEN_MINUTES], st->keep_ms[LEVEL_HOUR]};
}

/* --- series ----------------------------------------------------------------------------------- */

/* Ten thousand series have a handful of units, locations and names. */
static const char *word(struct series_store *st, const char *text)
{
	char *w = map_get(&st->words, text);
	if (!w) {
		w = mem_strdup(text);
		map_put(&st->words, w, w);
	}
	return w;
}

static struct series *series_new(struct series_store *st, enum series_kind kind, const char *key)
{
	const size_t n = strlen(key) + 1;
	struct series *s = mem_new_array(1, sizeof(*s) + n);
	s->store = st;
	s->number = (uint32_t)st->all.n;
	s->kind = kind;
	memcpy(s->key, key, n);
	return s;
}

struct series *store_get(struct series_store *st, enum series_kind kind, const char *unit,
	const char *location, const char *name, const char *tags)
{
	char *key = mem_printf("%d\n%s\n%s\n%s%s", (int)kind, unit, location, name, tags);
	struct series *s = map_get(&st->by_key, key);
	if (!s && st->all.n < SERIES_MAX) {
		s = series_new(st, kind, key);
		s->text = s->key + strlen(key) - strlen(name) - strlen(tags);
		s->unit = word(st, unit);
		s->location = word(st, location);
		s->name = *tags ? word(st, name) : s->text;
		map_put(&st->by_key, s->key, s);
		vec_push(&st->all, s);
	}
	free(key);
	return s;
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == '{' || *s == '}')
			return false;
	return true;
}

static void write_tag(struct buf *out, const struct series_tag *tag)
{
	buf_printf(out, "%s=\"", tag->key);
	for (const char *v = tag->value; *v; v++) {
		if (*v == '"' || *v == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, (unsigned char)*v < ' ' ? ' ' : *v);
	}
	buf_add_char(out, '"');
}

static int by_tag_key(const void *a, const void *b)
{
	return strcmp(((const struct series_tag *)a)->key, ((const struct series_tag *)b)->key);
}

struct series *series_get(struct series_store *st, const struct series_key *key)
{
	VEC(struct series_tag) tags = {0};
	struct buf text = BUF(SERIES_KEY_MAX);
	for (size_t i = 0; i < key->tag_count; i++)
		if (key->tags[i].value)
			vec_push(&tags, key->tags[i]);
	if (tags.n)
		qsort(tags.p, tags.n, sizeof(*tags.p), by_tag_key);
	bool good = key->name[0] && is_plain(key->name) && is_plain(key->unit) &&
		    is_plain(key->location) && strlen(key->name) < SERIES_KEY_MAX / 2 &&
		    strlen(key->unit) + strlen(key->location) < SERIES_KEY_MAX / 2;
	for (size_t i = 0; i < tags.n; i++) {
		buf_add_char(&text, i ? ',' : '{');
		write_tag(&text, &tags.p[i]);
		good &= is_plain(tags.p[i].key);
	}
	if (tags.n)
		buf_add_char(&text, '}');
	good &= !text.over;
	struct series *s =
		good ? store_get(st, key->kind, key->unit, key->location, key->name, buf_str(&text))
		     : NULL;
	vec_fini(&tags);
	buf_fini(&text);
	return s;
}

static bool has_tags(const struct series *s, const struct series_tag *tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf wanted = BUF(SERIES_KEY_MAX);
		write_tag(&wanted, &tags[i]);
		const char *at = s->text + strlen(s->name);
		while ((at = strstr(at, buf_str(&wanted))) && at[-1] != '{' && at[-1] != ',')
			at++;
		buf_fini(&wanted);
		if (!at)
			return false;
	}
	return true;
}

void series_find(struct series_store *st, const char *pattern, const struct series_tag *tags,
	size_t tag_count, bool (*cb)(void *arg, struct series *s), void *arg)
{
	for (size_t i = 0; i < st->all.n; i++) {
		struct series *s = st->all.p[i];
		if (fnmatch(pattern, s->name, 0) != 0 && fnmatch(pattern, s->text, 0) != 0 &&
			strcmp(pattern, s->text) != 0)
			continue;
		if (has_tags(s, tags, tag_count) && !cb(arg, s))
			return;
	}
}

struct series *series_nth(const struct series_store *st, size_t i)
{
	return i < st->all.n ? st->all.p[i] : NULL;
}

size_t series_number(const struct series *s)
{
	return s->number;
}

const char *series_name(const struct series *s)
{
	return s->name;
}

const char *series_text(const struct series *s)
{
	return s->text;
}

/* From name{key="value",...}, with its escapes undone. */
char *series_tag_value(const struct series *s, const char *key)
{
	const char *p = strchr(series_text(s), '{');
	const size_t n = strlen(key);
	while (p && *p && *p != '}') {
		p++;
		const bool found = !strncmp(p, key, n) && p[n] == '=' && p[n + 1] == '"';
		struct buf value = BUF(SERIES_KEY_MAX);
		p = strchr(p, '"');
		for (p = p ? p + 1 : NULL; p && *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			buf_add_char(&value, *p);
		}
		p = p && *p ? p + 1 : NULL;
		if (found)
			return buf_take(&value);
		buf_fini(&value);
	}
	return NULL;
}

const char *series_unit(const struct series *s)
{
	return s->unit;
}

const char *series_location(const struct series *s)
{
	return s->location;
}

enum series_kind series_kind(const struct series *s)
{
	return s->kind;
}

uint32_t series_id(const struct series *s)
{
	return atomic_load(&s->id);
}

struct series *store_series(const struct series_store *st, uint32_t id)
{
	return id < st->by_id.n ? st->by_id.p[id] : NULL;
}

/* --- appending -------------------------------------------------------------------------------- */

unsigned store_parts(const struct series_store *st, int64_t hour)
{
	if (hour > st->sealed_hour) /* nearly always */
		return 0;
	for (size_t i = st->hours.n; i-- > 0;)
		if (st->hours.p[i].hour == hour)
			return st->hours.p[i].parts;
	return 0;
}

static void on_flush_timer(struct timer *t)
{
	struct series_store *st = t->arg;
	turn_start(st, st->seal_wanted);
}

void store_flush_soon(struct series_store *st)
{
	if (!timer_running(&st->flush))
		timer_start(st->loop, &st->flush, st->status.storing ? NS_PER_S : 10 * NS_PER_S,
			on_flush_timer, st);
}

/* Items of an outbox are taken one in a turn of the other's loop, and with the names of their
 * series they must fit a parcel. */
static bool is_full(const struct series_store *st, const struct batch *b)
{
	return row_writer_full(&b->row) ||
	       (st->options.outbox_bytes &&
		       (b->row.records.n > OUTBOX_ROW_BYTES || b->names > OUTBOX_NAME_BYTES));
}

static struct batch *open_batch(struct series_store *st, const char *location, int64_t hour)
{
	for (struct batch *b = st->batches; b; b = b->next)
		if (b->hour == hour && !is_full(st, b) && !strcmp(b->location, location))
			return b;
	struct batch *b = batch_new(location, hour), **end = &st->batches;
	b->serial = ++st->batch_serial;
	while (*end)
		end = &(*end)->next;
	*end = b;
	return b;
}

static void batch_add(struct series *s, const struct series_sample *sample)
{
	struct series_store *st = s->store;
	if (st->open_samples + st->due_samples >= SERIES_WAITING_MAX) {
		st->status.lost++;
		return;
	}
	struct batch *b = open_batch(st, s->location, sample->at_ms / SERIES_HOUR_MS);
	if (s->batch != b->serial) {
		s->batch = b->serial;
		s->position = (uint32_t)b->series.n;
		vec_push(&b->series, s);
		b->names += strlen(s->text);
	}
	row_writer_add(&b->row, s->position, s->kind, sample);
	st->open_samples++;
	store_flush_soon(st);
}

bool series_refuses_time(struct series_store *st, int64_t at_ms)
{
	const int64_t now = store_now_ms(st);
	const bool old = at_ms < now - st->keep_ms[LEVEL_RAW];
	const bool ahead = at_ms > now + AHEAD_MS;
	st->status.refused_old += old;
	st->status.refused_ahead += ahead;
	return old || ahead;
}

bool series_append(struct series *s, const struct series_sample *sample)
{
	struct series_store *st = s->store;
	assert(!st->options.read_only);
	if (!series_sample_valid(s->kind, sample))
		st->status.refused_value++;
	else if (series_refuses_time(st, sample->at_ms))
		return false;
	else if (store_parts(st, sample->at_ms / SERIES_HOUR_MS) >= SERIES_PARTS ||
		 !head_add(s, sample))
		st->status.refused_parts++;
	else {
		st->status.appended++;
		batch_add(s, sample);
		for (size_t i = 0; i < st->watcher_count; i++)
			st->watchers[i].cb(st->watchers[i].arg, s, sample);
		for (struct series_listener *l = s->listeners; l; l = l->next)
			l->heard(l->arg, sample);
		return true;
	}
	return false;
}

void series_watch(struct series_store *st, series_watcher *cb, void *arg)
{
	assert(st->watcher_count < SERIES_WATCHERS);
	st->watchers[st->watcher_count].cb = cb;
	st->watchers[st->watcher_count++].arg = arg;
}

void series_unwatch(struct series_store *st, series_watcher *cb, void *arg)
{
	for (size_t i = 0; i < st->watcher_count; i++)
		if (st->watchers[i].cb == cb && st->watchers[i].arg == arg) {
			st->watchers[i] = st->watchers[--st->watcher_count];
			return;
		}
}

void series_listen(struct series *s, struct series_listener *l)
{
	l->next = s->listeners;
	s->listeners = l;
}

void series_unlisten(struct series *s, struct series_listener *l)
{
	struct series_listener **at = &s->listeners;
	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
}

void series_set_states(struct series *s, int64_t day, const struct series_states *states)
{
	struct series_store *st = s->store;
	assert(!st->options.read_only && day >= 0 && day < 1 << 24);
	for (size_t i = 0; i < st->states.n; i++)
		if (st->states.p[i].series == s && st->states.p[i].day == day) {
			st->states.p[i].states = *states;
			return;
		}
	vec_push(&st->states, ((struct states_item){s, day, *states}));
	store_flush_soon(st);
}
