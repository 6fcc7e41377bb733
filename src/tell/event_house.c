/*
 * event_house.c - writes from the loop, and what is current, read on a thread of its own.
 *
 * What others write is seen in the change feed, which is looked at each second; what we write
 * ourselves wakes it at once. Lists are read anew when an event is among what is new, and each
 * hour, since what is 30 days ahead comes nearer.
 */

#include <string.h>

#include "base/log.h"
#include "store/worker.h"
#include "tell/event_inside.h"

#define POLL_NS  NS_PER_S
#define STALE_MS 3600000LL

enum write { WRITE_OPEN, WRITE_CHANGE, WRITE_CORRECT };

struct events_job {
	struct events_job *next;
	struct events *events; /* NULL: gone, nobody is told */
	enum write write;
	struct event_new n;
	struct event_change change;
	struct event_author by;
	char id[EVENT_ID_MAX + 1];
	int update;
	int64_t now_ms;
	VEC(char *) texts; /* copies that the above point to */
	struct event_impact *impacts;
	json_t *evidence;
	events_done *done;
	void *arg;
};

struct reading {               /* one under way */
	struct worker_job job; /* first */
	struct events *events;
	int64_t now_ms;
	json_t *lists[2];
	struct error err;
};

struct events {
	struct loop *loop;
	struct facts *facts;
	struct worker *worker;
	events_changed *changed;
	void *arg;
	struct timer poll;
	int64_t seen, read_ms; /* of the feed; when the lists were read */
	json_t *lists[2];      /* operators', the public's */
	struct reading reading;
	bool is_reading, again;
	struct events_job *jobs;
};

static int64_t now_ms(const struct events *e)
{
	return clock_unix_us(loop_clock(e->loop)) / 1000;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_work(struct worker_job *j, unsigned thread)
{
	struct reading *r = (struct reading *)j;
	if (!event_read_current(r->events->facts, r->now_ms, r->lists, &r->err))
		r->lists[0] = r->lists[1] = NULL;
}

static void read_start(struct events *e);

static void read_done(struct worker_job *j)
{
	struct reading *r = (struct reading *)j;
	struct events *e = r->events;
	e->is_reading = false;
	if (r->lists[0]) {
		for (int i = 0; i < 2; i++) {
			json_decref(e->lists[i]);
			e->lists[i] = r->lists[i];
		}
		e->read_ms = r->now_ms;
		if (e->changed)
			e->changed(e->arg);
	} else {
		log_event(LOG_WARN, "events_unread", "error", "%s", r->err.msg, NULL);
		e->read_ms = 0; /* the next poll tries again */
	}
	if (e->again)
		read_start(e);
}

static void read_start(struct events *e)
{
	e->again = e->is_reading; /* what is read now may miss what is new */
	if (e->is_reading)
		return;
	e->is_reading = true;
	e->reading = (struct reading){
		.job = {.work = read_work, .done = read_done}, .events = e, .now_ms = now_ms(e)};
	worker_submit(e->worker, &e->reading.job);
}

/* --- the feed --------------------------------------------------------------------------------- */

struct fed {
	int64_t seq, events;
};

static bool on_fed(void *arg, const struct facts_row *row)
{
	struct fed *f = arg;
	f->seq = facts_int(row, 0);
	f->events = facts_int(row, 1);
	return false;
}

static void look(struct events *e)
{
	struct fed fed = {0};
	struct error err = {0};
	const struct facts_value v = FACTS_I(e->seen);
	if (!facts_query(e->facts,
		    "SELECT MAX(seq), SUM(CASE WHEN kind = 'event' THEN 1 ELSE 0 END) FROM change"
		    " WHERE seq > ?",
		    &v, 1, on_fed, &fed, &err))
		log_event(LOG_WARN, "events_unread", "error", "%s", err.msg, NULL);
	if (fed.seq)
		e->seen = fed.seq;
	if (fed.events || now_ms(e) - e->read_ms > STALE_MS)
		read_start(e);
}

static void on_poll(struct timer *t)
{
	struct events *e = t->arg;
	look(e);
	timer_start(e->loop, t, POLL_NS, on_poll, e);
}

void events_wake(struct events *e)
{
	look(e);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void job_free(struct events_job *j)
{
	VEC_EACH (&j->texts, char *, s)
		free(*s);
	vec_fini(&j->texts);
	free(j->impacts);
	json_decref(j->evidence);
	free(j);
}

static const char *keep(struct events_job *j, const char *s)
{
	if (s)
		vec_push(&j->texts, mem_strdup(s));
	return s ? j->texts.p[j->texts.n - 1] : NULL;
}

static const struct event_impact *keep_impacts(
	struct events_job *j, const struct event_impact *p, size_t n)
{
	if (!p)
		return NULL;
	j->impacts = mem_new_array(n + 1, sizeof(*p));
	for (size_t i = 0; i < n; i++)
		j->impacts[i] = (struct event_impact){keep(j, p[i].component), p[i].impact};
	return j->impacts;
}

static const json_t *keep_evidence(struct events_job *j, const json_t *evidence)
{
	return j->evidence = evidence ? json_deep_copy(evidence) : NULL;
}

static struct events_job *job_new(struct events *e, enum write write, const struct event_author *by,
	events_done *done, void *arg)
{
	struct events_job *j = mem_new(struct events_job);
	j->events = e;
	j->write = write;
	j->by = (struct event_author){keep(j, by->by), by->machine};
	j->now_ms = now_ms(e);
	j->done = done;
	j->arg = arg;
	j->next = e->jobs;
	e->jobs = j;
	return j;
}

static void forget(struct events *e, const struct events_job *j)
{
	struct events_job **p = &e->jobs;
	while (*p != j)
		p = &(*p)->next;
	*p = j->next;
}

static bool do_write(struct facts_tx *tx, void *arg, struct error *err)
{
	struct events_job *j = arg;
	switch (j->write) {
	case WRITE_OPEN: return event_tx_open(tx, &j->n, &j->by, j->now_ms, j->id, err);
	case WRITE_CHANGE: return event_tx_change(tx, j->id, &j->change, &j->by, j->now_ms, err);
	case WRITE_CORRECT: break;
	}
	return event_tx_correct(tx, j->id, j->update, j->change.text, &j->by, j->now_ms, err);
}

static void on_written(void *arg, const struct error *err)
{
	struct events_job *j = arg;
	struct events *e = j->events;
	if (e) {
		forget(e, j);
		if (!err)
			look(e);
		if (j->done)
			j->done(j->arg, j->id, err);
		else if (err)
			log_event(LOG_WARN, "event_refused", "event", "%s", j->id, "by", "%s",
				j->by.by, "error", "%s", err->msg, NULL);
	}
	job_free(j);
}

void events_open_one(struct events *e, const struct event_new *n, const struct event_author *by,
	events_done *done, void *arg)
{
	struct events_job *j = job_new(e, WRITE_OPEN, by, done, arg);
	j->n = *n;
	j->n.title = keep(j, n->title);
	j->n.text = keep(j, n->text);
	j->n.impacts = keep_impacts(j, n->impacts, n->impact_count);
	j->n.key = keep(j, n->key);
	j->n.id = keep(j, n->id);
	j->n.evidence = keep_evidence(j, n->evidence);
	facts_submit(e->facts, do_write, j, on_written);
}

void events_change(struct events *e, const char *id, const struct event_change *c,
	const struct event_author *by, events_done *done, void *arg)
{
	struct events_job *j = job_new(e, WRITE_CHANGE, by, done, arg);
	snprintf(j->id, sizeof(j->id), "%s", id);
	j->change = *c;
	j->change.text = keep(j, c->text);
	j->change.title = keep(j, c->title);
	j->change.impacts = keep_impacts(j, c->impacts, c->impact_count);
	j->change.evidence = keep_evidence(j, c->evidence);
	facts_submit(e->facts, do_write, j, on_written);
}

void events_correct(struct events *e, const char *id, int update, const char *text,
	const struct event_author *by, events_done *done, void *arg)
{
	struct events_job *j = job_new(e, WRITE_CORRECT, by, done, arg);
	snprintf(j->id, sizeof(j->id), "%s", id);
	j->update = update;
	j->change.text = keep(j, text);
	facts_submit(e->facts, do_write, j, on_written);
}

/* --- life ------------------------------------------------------------------------------------- */

const json_t *events_current(const struct events *e)
{
	return e->lists[0];
}

const json_t *events_current_public(const struct events *e)
{
	return e->lists[1];
}

struct events *events_new(
	struct loop *l, struct facts *f, events_changed *changed, void *arg, struct error *err)
{
	struct events *e = mem_new(struct events);
	struct fed fed = {0};
	e->loop = l;
	e->facts = f;
	e->changed = changed;
	e->arg = arg;
	e->read_ms = now_ms(e);
	/* the feed first: what comes between is read twice rather than never */
	if (event_migrate(f, err) &&
		facts_query(f, "SELECT MAX(seq), 0 FROM change", NULL, 0, on_fed, &fed, err) &&
		event_read_current(f, e->read_ms, e->lists, err))
		e->worker = worker_new(l, 1, err);
	if (!e->worker) {
		events_free(e);
		return NULL;
	}
	e->seen = fed.seq;
	timer_start(l, &e->poll, POLL_NS, on_poll, e);
	return e;
}

static void cancel(struct events_job *j)
{
	struct error err = {0};
	error_set(&err, ERROR_CANCELLED, "it is written while the house ends");
	j->events = NULL;
	/* the id of one that is opened is the facts thread's until it is durable */
	if (j->done)
		j->done(j->arg, j->write == WRITE_OPEN ? "" : j->id, &err);
}

void events_free(struct events *e)
{
	if (!e)
		return;
	timer_cancel(&e->poll);
	for (struct events_job *j = e->jobs; j; j = j->next)
		cancel(j);
	e->again = false;
	if (e->worker) {
		e->changed = NULL; /* what it reads now nobody hears of */
		worker_settle(e->worker);
		worker_free(e->worker);
	}
	json_decref(e->lists[0]);
	json_decref(e->lists[1]);
	free(e);
}
