/*
 * alarm_rows.c - the tables of alarms, and writes that are tried until they are durable.
 *
 * A job is a list of statements. All jobs that wait go into one transaction, in order; the next is
 * begun when it is durable. So a later write never overtakes one that a full disk held up, and
 * whoever waits for his callback knows that all before is durable too.
 */
#include <string.h>

#include "tell/alarm_inside.h"

#define VALUES_MAX 8
#define AGAIN_NS   NS_PER_S

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE alarm(name TEXT PRIMARY KEY, kind INTEGER NOT NULL,"
	    " fold_until INTEGER NOT NULL);"
	    "CREATE TABLE alarm_note(seq INTEGER PRIMARY KEY, alarm TEXT NOT NULL,"
	    " change TEXT NOT NULL, subject TEXT NOT NULL, opened TEXT, body TEXT NOT NULL,"
	    " queued INTEGER NOT NULL, heard INTEGER NOT NULL, message TEXT, UNIQUE(alarm, change));"
	    "CREATE INDEX alarm_note_message ON alarm_note(message);"
	    "CREATE TABLE alarm_message(id TEXT PRIMARY KEY, alarm TEXT NOT NULL,"
	    " state TEXT NOT NULL, made INTEGER NOT NULL, tries INTEGER NOT NULL,"
	    " next INTEGER NOT NULL, ended INTEGER, why TEXT);"
	    "CREATE INDEX alarm_message_alarm ON alarm_message(alarm, state);"
	    "CREATE TABLE alarm_told(alarm TEXT NOT NULL, subject TEXT NOT NULL,"
	    " change TEXT NOT NULL, began INTEGER NOT NULL, sent INTEGER NOT NULL,"
	    " heard INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(alarm, subject));"
	    "CREATE TABLE could_not_run(what TEXT PRIMARY KEY, component TEXT, why TEXT NOT NULL,"
	    " since INTEGER NOT NULL);"},
};

struct statement {
	const char *sql;
	struct facts_value v[VALUES_MAX];
	size_t n;
};

struct rows_job {
	VEC(struct statement) statements;
	void (*done)(void *arg);
	void *arg;
};

struct batch {
	struct rows *rows; /* NULL: gone */
	VEC(struct rows_job *) jobs;
};

struct rows {
	struct loop *loop;
	struct facts *facts;
	VEC(struct rows_job *) waiting;
	struct batch *running;
	struct timer again;
	char *trouble;
};

struct rows *rows_new(struct loop *l, struct facts *f, struct error *err)
{
	struct rows *r;

	if (!facts_migrate(f, "tell", migrations, array_len(migrations), err))
		return NULL;
	r = mem_new(struct rows);
	r->loop = l;
	r->facts = f;
	return r;
}

const char *rows_trouble(const struct rows *r)
{
	return r->trouble;
}

/* --- jobs --------------------------------------------------------------------------------------
 */

struct rows_job *rows_job_new(void)
{
	return mem_new(struct rows_job);
}

void rows_add(struct rows_job *j, const char *sql, const struct facts_value *v, size_t n)
{
	struct statement *s = vec_add(&j->statements);

	if (n > VALUES_MAX)
		mem_panic("a statement has %zu values", n);
	s->sql = sql;
	s->n = n;
	for (size_t i = 0; i < n; i++) {
		s->v[i] = v[i];
		s->v[i].s = v[i].type == FACTS_TEXT ? mem_strdup(v[i].s) : NULL;
	}
}

void rows_job_free(struct rows_job *j)
{
	VEC_EACH (&j->statements, struct statement, s)
		for (size_t i = 0; i < s->n; i++)
			free((void *)(uintptr_t)s->v[i].s);
	vec_fini(&j->statements);
	free(j);
}

static void batch_free(struct batch *b)
{
	VEC_EACH (&b->jobs, struct rows_job *, j)
		rows_job_free(*j);
	vec_fini(&b->jobs);
	free(b);
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* On the facts thread; the loop only touches done and arg meanwhile. */
static bool write_batch(struct facts_tx *tx, void *arg, struct error *err)
{
	struct batch *b = arg;

	VEC_EACH (&b->jobs, struct rows_job *, j)
		VEC_EACH (&(*j)->statements, struct statement, s)
			if (!facts_run(tx, s->sql, s->v, s->n, err))
				return false;
	return true;
}

static void begin(struct rows *r);
static void on_written(void *arg, const struct error *err);

static void on_again(struct timer *t)
{
	struct rows *r = t->arg;

	facts_submit(r->facts, write_batch, r->running, on_written);
}

static void on_written(void *arg, const struct error *err)
{
	struct batch *b = arg;
	struct rows *r = b->rows;

	if (!r) {
		batch_free(b);
		return;
	}
	mem_replace(&r->trouble, err ? err->msg : NULL);
	if (err) {
		timer_start(r->loop, &r->again, AGAIN_NS, on_again, r);
		return;
	}
	r->running = NULL;
	begin(r);
	for (size_t i = 0; i < b->jobs.n; i++)
		if (b->jobs.p[i]->done)
			b->jobs.p[i]->done(b->jobs.p[i]->arg);
	batch_free(b);
}

static struct batch *take_waiting(struct rows *r)
{
	struct batch *b = mem_new(struct batch);

	VEC_EACH (&r->waiting, struct rows_job *, j)
		vec_push(&b->jobs, *j);
	r->waiting.n = 0;
	return b;
}

static void begin(struct rows *r)
{
	if (r->running || r->waiting.n == 0)
		return;
	r->running = take_waiting(r);
	r->running->rows = r;
	facts_submit(r->facts, write_batch, r->running, on_written);
}

void rows_submit(struct rows *r, struct rows_job *j, void (*done)(void *arg), void *arg)
{
	j->done = done;
	j->arg = arg;
	vec_push(&r->waiting, j);
	begin(r);
}

bool rows_call(struct rows *r, struct rows_job *j, struct error *err)
{
	struct batch *b = mem_new(struct batch);
	bool good;

	vec_push(&b->jobs, j);
	good = facts_call(r->facts, write_batch, b, err);
	batch_free(b);
	return good;
}

void rows_forget(struct rows *r, const void *arg)
{
	VEC_EACH (&r->waiting, struct rows_job *, j)
		if ((*j)->arg == arg)
			(*j)->done = NULL;
	for (size_t i = 0; r->running && i < r->running->jobs.n; i++)
		if (r->running->jobs.p[i]->arg == arg)
			r->running->jobs.p[i]->done = NULL;
}

/* What waits is tried once more: the facts thread does what it was given before it stops. */
void rows_free(struct rows *r)
{
	if (!r)
		return;
	if (r->running)
		r->running->rows = NULL;
	if (timer_running(&r->again))
		facts_submit(r->facts, write_batch, r->running, on_written);
	timer_cancel(&r->again);
	if (r->waiting.n)
		facts_submit(r->facts, write_batch, take_waiting(r), on_written);
	vec_fini(&r->waiting);
	free(r->trouble);
	free(r);
}
