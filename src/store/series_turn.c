/*
 * series_turn.c - the loop's half of the writer's turns: hands batches over, learns what became of
 * them; see series_writer.h.
 *
 * One turn is under way at a time. Jobs of the writer are in order, so a turn that seals finds in
 * the tail whatever was appended before it.
 */

#include "store/series_inside.h"

#define RETRY_NS   (10 * NS_PER_S)
#define KEEP_HOURS 2
#define SEAL_DELAY 600000

struct turn_job {
	struct worker_job job; /* first */
	struct series_store *store;
	struct turn turn;
};

static void on_work(struct worker_job *j, unsigned thread)
{
	struct turn_job *t = (struct turn_job *)j;
	writer_turn(t->store->writer, &t->turn);
}

/* --- what it found -----------------------------------------------------------------------------
 */

static void learn_series(struct series_store *st, const struct found_series *f)
{
	struct series *s = store_get(st, f->kind, f->unit, f->location, f->name, f->tags);
	if (!s)
		return;
	atomic_store(&s->id, f->id);
	while (st->by_id.n <= f->id)
		vec_push(&st->by_id, NULL);
	st->by_id.p[f->id] = s;
}

static void forget_answers(struct series_store *st)
{
	st->generation++;
	cache_clear(st);
}

static void learn_sample(
	void *arg, const struct row_series *series, const struct series_sample *sample)
{
	struct series *s = store_series(arg, series->id);
	if (s && s->kind == series->kind)
		(void)head_add(s, sample);
}

/* An answer that is kept may have counted all parts of an hour that had nothing in memory. */
static void learn_rows(struct series_store *st, const struct turn *t)
{
	bool old = false;
	VEC_EACH (&t->rows, struct found_row, r) {
		struct error err = {0};
		old |= r->hour < st->memory_hour;
		if (!row_read(slice_from(r->p, r->n), learn_sample, st, &err))
			st->status.corrupt++;
	}
	if (old)
		forget_answers(st);
}

static void learn_hour(struct series_store *st, const struct hour_parts *h)
{
	if (st->sealed_hour < h->hour)
		st->sealed_hour = h->hour;
	for (size_t i = 0; i < st->hours.n; i++)
		if (st->hours.p[i].hour == h->hour) {
			st->hours.p[i].parts = h->parts;
			return;
		}
	vec_push(&st->hours, *h);
}

static void raise_memory(struct series_store *st, int64_t hour)
{
	if (st->memory_hour < hour)
		st->memory_hour = hour;
}

static bool was_kept(const struct turn *t, int64_t hour)
{
	VEC_EACH (&t->recent, struct recent_block, b)
		if (b->hour == hour)
			return true;
	return false;
}

static void learn_seals(struct series_store *st, struct turn *t)
{
	const int64_t this_hour = t->now_ms / SERIES_HOUR_MS;
	VEC_EACH (&t->hours, struct hour_parts, h) {
		learn_hour(st, h);
		if (h->covered)
			heads_sealed(st, h->hour);
		if (!h->covered || !was_kept(t, h->hour))
			raise_memory(st, h->hour + 1);
	}
	VEC_EACH (&t->recent, struct recent_block, b) {
		struct series *s = store_series(st, b->id);
		if (!s)
			continue;
		heads_keep(s, b);
		b->p = NULL;
	}
	if (!t->sealed)
		return;
	raise_memory(st, this_hour - KEEP_HOURS);
	heads_forget(st, st->memory_hour);
	if (t->good)
		spill_next_file(st);
	for (size_t i = st->hours.n; i-- > 0;)
		if (st->hours.p[i].hour * SERIES_HOUR_MS <
			t->now_ms - st->keep_ms[LEVEL_RAW] - 8 * SERIES_DAY_MS)
			vec_remove(&st->hours, i);
	forget_answers(st);
}

/* A seal that failed is trouble until one succeeds, though rows go into the tail meanwhile. */
static void say_trouble(struct series_store *st, const struct turn *t)
{
	if (t->seal)
		st->seal_wanted = !t->good;
	else if (t->good && st->seal_wanted)
		return;
	const bool changed = st->status.storing != t->good;
	st->status.storing = t->good;
	if (!t->good)
		st->status.why = t->err;
	else
		error_clear(&st->status.why);
	if (changed && st->options.trouble)
		st->options.trouble(st->options.trouble_arg, t->good ? NULL : &st->status.why);
}

/* --- turns -------------------------------------------------------------------------------------
 */

static void on_retry(struct timer *t)
{
	struct series_store *st = t->arg;
	turn_start(st, st->seal_wanted);
}

static void on_done(struct worker_job *j)
{
	struct turn_job *job = (struct turn_job *)j;
	struct series_store *st = job->store;
	struct turn *t = &job->turn;
	st->turn_due = st->seal_due = false;
	st->due_samples = t->waiting;
	st->status.corrupt += t->corrupt;
	st->status.refused_parts += t->refused;
	VEC_EACH (&t->series, struct found_series, f)
		learn_series(st, f);
	spill_end(st, &t->spill); /* its heads are still there */
	learn_seals(st, t);       /* takes heads away; rows behind the seals begin others */
	learn_rows(st, t);
	say_trouble(st, t);
	outbox_learn(st, t);
	const bool again = st->again || t->more || spill_due(st);
	const bool seal = st->seal_again || (t->more && t->seal);
	turn_fini(t);
	free(job);
	st->again = st->seal_again = false;
	if (again)
		turn_start(st, seal);
	else if (!st->status.storing && !st->options.read_only && !timer_running(&st->flush))
		timer_start(st->loop, &st->flush, RETRY_NS, on_retry, st);
}

void turn_start(struct series_store *st, bool seal)
{
	if (st->turn_due) {
		st->again = true;
		st->seal_again |= seal;
		return;
	}
	struct turn_job *j = mem_new(struct turn_job);
	j->store = st;
	j->job.work = on_work;
	j->job.done = on_done;
	j->turn.now_ms = store_now_ms(st);
	j->turn.seal = seal;
	j->turn.batches = st->batches;
	j->turn.states = st->states;
	j->turn.notes = st->notes;
	j->turn.marks = st->marks;
	st->batches = NULL;
	st->states = (states_list){0};
	st->notes = (notes_list){0};
	st->marks = (marks_list){0};
	st->due_samples += st->open_samples;
	st->open_samples = 0;
	st->turn_due = true;
	st->seal_due = seal;
	if (seal)
		heads_close(st, (j->turn.now_ms - SEAL_DELAY) / SERIES_HOUR_MS);
	spill_begin(st, &j->turn.spill);
	worker_submit(st->write, &j->job);
}
