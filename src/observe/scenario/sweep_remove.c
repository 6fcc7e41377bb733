/*
 * sweep_remove.c - one object of a sweep: is it there, delete it, see it gone.
 *
 * A create that was journalled and never answered may still appear: it is looked for until LATE_NS
 * after its row was written. What has not appeared by then never will.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/leak.h"
#include "observe/scenario/sweeper.h"

#define REQUEST_NS (60 * NS_PER_S)
#define LATE_NS    (40 * NS_PER_S)
#define PAUSE_NS   (500 * NS_PER_MS)
#define SLOW_NS    (3 * NS_PER_S)
#define STUCK_NS   (2 * 60 * NS_PER_S)
#define HELD_NS    (10 * NS_PER_S) /* where something stuck already may be what holds it */
#define LOOK_NS    (10 * NS_PER_S)

static void over(struct found *f)
{
	f->state = FOUND_OVER;
	sweep_kick(f->sweep);
}

void sweep_give_up(struct found *f, enum object_fate fate, const char *why)
{
	struct sweep *s = f->sweep;
	char note[900];
	snprintf(note, sizeof(note), "%s %s: %s", f->kind->name, f->id ? f->id : "(id unknown)",
		why);
	if (f->row && !s->dry_run)
		journal_update(s->journal, f->row, fate, f->id, NULL, note);
	if (fate == OBJECT_UNSURE)
		s->report.unsure++;
	else
		s->report.left++;
	sweep_tell(s, f, "left: %s", why);
	over(f);
}

static void is_gone(struct found *f, bool we_did)
{
	struct sweep *s = f->sweep;
	if (f->row && !s->dry_run)
		journal_update(s->journal, f->row, OBJECT_DELETED, f->id, NULL,
			f->fate == OBJECT_NEEDS_ADMIN
				? "it needed an administrator, and is gone now"
				: NULL);
	if (we_did)
		s->report.deleted++;
	else
		s->report.gone++;
	sweep_tell(s, f, "%s", we_did ? "deleted" : "gone already");
	over(f);
}

void sweep_is_gone(struct found *f)
{
	is_gone(f, true);
}

static bool out_of_time(const struct found *f)
{
	return loop_now_ns(f->sweep->loop) >= f->sweep->until_ns;
}

/* What was for an administrator before is asked once. */
static bool out_of_patience(const struct found *f)
{
	return out_of_time(f) || f->fate == OBJECT_NEEDS_ADMIN ||
	       loop_now_ns(f->sweep->loop) >= f->patience_ns;
}

/* A delete that was accepted may take as long as its kind does (a zone minutes, for its name
 * servers), but leaves half of the sweep's time to what comes after it. */
static int64_t patience_with_accepted(const struct found *f)
{
	const int64_t now = loop_now_ns(f->sweep->loop);
	const int64_t half = (f->sweep->until_ns - now) / 2;
	return now + (f->kind->timeout_ns < half ? f->kind->timeout_ns : half);
}

static void pause_then(struct found *f, void (*then)(struct timer *t))
{
	const int64_t ns = PAUSE_NS * (int64_t)++f->tries;
	timer_start(f->sweep->loop, &f->timer, ns > SLOW_NS ? SLOW_NS : ns, then, f);
}

static bool call(struct found *f, const char *template, cloud_done *done)
{
	struct kind_request q = {0};
	struct error err = {0};
	if (!template || !kind_object_request(f->kind, template, f->path, &q, &err))
		return false;
	struct cloud_request r = kind_call(f->kind, &q, REQUEST_NS);
	r.absent_is_good = true;
	f->call = cloud_call(f->sweep->cloud, &r, done, f);
	kind_request_fini(&q);
	return true;
}

/* --- it does not go --------------------------------------------------------------------------- */

static void write_stuck(struct found *f, const char *why)
{
	struct sweep *s = f->sweep;
	enum object_fate fate = OBJECT_CREATED;
	if (f->row && !s->dry_run)
		fate = stuck_write(&f->stuck, s->journal, f->row, f->kind, f->id, f->path,
			OBJECT_CREATED, why);
	else if (stuck_needs_admin(&f->stuck, f->kind))
		fate = OBJECT_NEEDS_ADMIN;
	s->report.left++;
	s->report.needs_admin += fate == OBJECT_NEEDS_ADMIN;
	sweep_tell(s, f, "left: %s%s", why,
		fate == OBJECT_NEEDS_ADMIN ? "; it needs an administrator" : "");
	over(f);
}

static const char *why_it_stays(const struct found *f)
{
	return f->stuck.message ? f->stuck.message
	       : f->asked       ? "it was asked to go and is still there"
				: "it is still there";
}

static void on_holders(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct found *f = arg;
	f->call = NULL;
	if (a->fault == FAULT_NONE)
		stuck_holders(&f->stuck, f->sweep->journal, items);
	write_stuck(f, why_it_stays(f));
}

static void explain(struct found *f)
{
	struct kind_request q = {0};
	if (!stuck_wants_holders(&f->stuck, f->kind, f->path, &q)) {
		write_stuck(f, why_it_stays(f));
		return;
	}
	char *collection = stuck_collection(q.path);
	f->call = cloud_list(f->sweep->cloud, f->kind->service, q.path, collection,
		f->kind->version, LOOK_NS, on_holders, f);
	free(collection);
	kind_request_fini(&q);
}

static void on_last_look(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	f->call = NULL;
	if (kind_answer_gone(f->kind, f->path, a)) {
		is_gone(f, f->asked);
		return;
	}
	stuck_looked(&f->stuck, f->sweep->journal, f->kind, a);
	explain(f);
}

static void last_look(struct found *f)
{
	if (!call(f, f->kind->get, on_last_look))
		write_stuck(f, why_it_stays(f));
}

/* --- delete ----------------------------------------------------------------------------------- */

static void ask_gone(struct timer *t);

static void on_gone(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	f->call = NULL;
	if (kind_answer_gone(f->kind, f->path, a)) {
		is_gone(f, true);
		return;
	}
	stuck_looked(&f->stuck, f->sweep->journal, f->kind, a);
	const bool failed = f->tries > 3 && stuck_in_error(a, f->kind);
	if (failed && stuck_needs_admin(&f->stuck, f->kind))
		write_stuck(f, "it went into an error after the delete");
	else if (out_of_time(f) || loop_now_ns(f->sweep->loop) >= f->patience_ns)
		explain(f);
	else
		pause_then(f, ask_gone);
}

static void ask_gone(struct timer *t)
{
	struct found *f = t->arg;
	if (!call(f, f->kind->get, on_gone))
		is_gone(f, true);
}

static void ask_remove(struct timer *t);

static void on_leak(void *arg, const char *port, const char *whose)
{
	struct found *f = arg;
	f->leaks_looked = !port; /* there may be more */
	if (port)
		sweep_tell(f->sweep, f, "deleted port %s: its %s has left it", port, whose);
	pause_then(f, ask_remove);
}

/* Also once for what was for an administrator: whom a port may have served can be gone since. */
static bool may_be_leak(const struct found *f, const struct cloud_answer *a)
{
	return a->status == 409 && !strcmp(f->kind->name, "subnet") && f->id && !out_of_time(f) &&
	       (!f->leaks_looked || !out_of_patience(f));
}

static void on_remove(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	f->call = NULL;
	if (a->fault != FAULT_CANCELLED)
		stuck_removed(&f->stuck, a);
	if (stuck_no_service(a)) {
		last_look(f);
	} else if (a->status == 404) {
		is_gone(f, f->asked);
	} else if (a->fault == FAULT_NONE) {
		f->asked = true;
		f->tries = 0;
		f->patience_ns = patience_with_accepted(f);
		ask_gone(&f->timer);
	} else if (may_be_leak(f, a)) {
		leak_clear(f->sweep->cloud, f->sweep->journal, f->id, &f->call, on_leak, f);
	} else if (out_of_patience(f)) {
		last_look(f);
	} else {
		pause_then(f, ask_remove);
	}
}

static void ask_remove(struct timer *t)
{
	struct found *f = t->arg;
	if (!call(f, f->kind->remove, on_remove))
		sweep_give_up(f, OBJECT_LEAKED, "this version does not know how to delete it");
}

/* One that was for an administrator: nothing is asked of it while it is as it was. */
static void on_still_stuck(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	f->call = NULL;
	if (kind_answer_gone(f->kind, f->path, a)) {
		is_gone(f, false);
		return;
	}
	stuck_looked(&f->stuck, f->sweep->journal, f->kind, a);
	if (stuck_needs_admin(&f->stuck, f->kind))
		write_stuck(f, "it is as it was");
	else
		ask_remove(&f->timer);
}

/* A server's own boot volume has no name: its id is only to be had from the server. */
static void on_server(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	struct sweep *s = f->sweep;
	const struct kind *volume = kind_find(s->kinds, SLICE("volume"));
	json_t *one;
	size_t i;
	f->call = NULL;
	json_array_foreach (
		json_at(a->json, "server", "os-extended-volumes:volumes_attached", NULL), i, one) {
		const char *id = json_str(one, "id");
		/* Deleted with its server or not at all: only one that goes with it is nova's. */
		if (!id || !json_flag(one, "delete_on_termination"))
			continue;
		struct found *v =
			sweep_add(s, volume, id, json_pack("{s:s}", "id", id), "parent is ours");
		if (v) {
			v->run = mem_strdup(f->run);
			s->report.found++;
		}
	}
	f->timer.arg = f;
	ask_remove(&f->timer);
}

void sweep_remove(struct found *f)
{
	struct sweep *s = f->sweep;
	f->state = FOUND_BUSY;
	f->timer.arg = f;
	if (s->dry_run) {
		sweep_tell(s, f, "found");
		s->report.left++;
		over(f);
		return;
	}
	if (out_of_time(f)) {
		sweep_give_up(f, f->fate == OBJECT_NEEDS_ADMIN ? f->fate : OBJECT_CREATED,
			"the sweep's time ended");
		return;
	}
	f->patience_ns = loop_now_ns(s->loop) + (s->report.needs_admin ? HELD_NS : STUCK_NS);
	if (f->fate == OBJECT_NEEDS_ADMIN && call(f, f->kind->get, on_still_stuck))
		return;
	if (f->kind->several) {
		sweep_look_batch(f);
		return;
	}
	sweep_tell(s, f, "deleting");
	if (!strcmp(f->kind->name, "server") && call(f, f->kind->get, on_server))
		return;
	ask_remove(&f->timer);
}

/* --- is it there at all? ---------------------------------------------------------------------- */

static void look_again(struct timer *t)
{
	sweep_look(t->arg);
}

void sweep_not_there(struct found *f)
{
	struct sweep *s = f->sweep;
	const int64_t age_ns =
		(clock_unix_us(loop_clock(s->loop)) - f->created_unix_us) * NS_PER_US;
	if (age_ns < LATE_NS && !s->dry_run && !out_of_time(f)) {
		pause_then(f, look_again);
		return;
	}
	if (f->row && !s->dry_run)
		journal_update(s->journal, f->row, OBJECT_REFUSED, NULL, NULL, "it never appeared");
	s->report.gone++;
	sweep_tell(s, f, "never appeared");
	over(f);
}

static void is_there(struct found *f, const json_t *object)
{
	const char *id = object && sweep_has_own_id(f->kind) ? kind_id(f->kind, object) : NULL;
	if (id && !f->id) {
		char *key = mem_printf("%s/%s", f->kind->name, id);
		struct found *other = map_get(&f->sweep->known, key);
		if (!other)
			map_put(&f->sweep->known, key, f);
		free(key);
		f->id = mem_strdup(id);
		json_object_set_new(f->path, "id", json_string(id));
		if (other && (void *)other != (void *)f->sweep && other != f) {
			/* The lists found it too: one removal is enough, this row learns of it. */
			if (!other->row)
				other->row = f->row;
			f->sweep->report.found--;
			over(f);
			return;
		}
	}
	f->state = FOUND_WAITING;
	sweep_kick(f->sweep);
}

void sweep_could_not_look(struct found *f, const struct cloud_answer *a)
{
	if (out_of_time(f) || f->tries > 20)
		sweep_give_up(f, OBJECT_UNSURE, fault_text(a->fault));
	else
		pause_then(f, look_again);
}

static void on_look_one(void *arg, const struct cloud_answer *a)
{
	struct found *f = arg;
	f->call = NULL;
	if (kind_answer_gone(f->kind, f->path, a))
		sweep_not_there(f);
	else if (a->fault != FAULT_NONE)
		sweep_could_not_look(f, a);
	else {
		json_t *object = kind_answer_object(f->kind, f->path, a);
		is_there(f, object);
		json_decref(object);
	}
}

static void on_look_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct found *f = arg;
	const json_t *mine = NULL;
	json_t *item;
	size_t i, n = 0;
	f->call = NULL;
	if (a->status == 404 && strchr(f->kind->list, '{')) {
		sweep_not_there(f); /* its parent is gone, and took along what may have been */
		return;
	}
	if (a->fault != FAULT_NONE) {
		sweep_could_not_look(f, a);
		return;
	}
	json_array_foreach (items, i, item) {
		if (kind_is(f->kind, item, f->name, f->mark)) {
			mine = kind_unwrap(f->kind, item) ? kind_unwrap(f->kind, item) : item;
			n++;
		}
	}
	if (n > 1)
		sweep_give_up(
			f, OBJECT_UNSURE, "several carry the mark of one create; none is deleted");
	else if (n)
		is_there(f, mine);
	else
		sweep_not_there(f);
}

void sweep_look(struct found *f)
{
	struct kind_request q = {0};
	if (f->kind->several) {
		sweep_look_batch(f);
		return;
	}
	f->state = FOUND_BUSY;
	f->timer.arg = f;
	if (!f->id && kind_find_request(f->kind, f->path, f->name, f->mark, &q)) {
		f->call = cloud_list(f->sweep->cloud, f->kind->service, q.path, f->kind->collection,
			f->kind->version, REQUEST_NS, on_look_list, f);
		kind_request_fini(&q);
		return;
	}
	/* (An interface is known by its router and subnet.) */
	const char *known = kind_known_id(f->kind, f->path, f->name);
	if (!json_object_get(f->path, "id") && known)
		json_object_set_new(f->path, "id", json_string(known));
	if (!call(f, f->kind->get, on_look_one)) {
		/* No way to look: removing is harmless, it is either there or 404. */
		f->state = FOUND_WAITING;
		sweep_kick(f->sweep);
	}
}
