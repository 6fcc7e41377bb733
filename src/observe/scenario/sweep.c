/*
 * sweep.c - finding what interrupted runs left, by two proofs; see sweep.h.
 *
 * First the open rows of the journal whose run is dead. Then, unless only those are wanted, every
 * list of every kind is read and each item asked for its mark and name. What hangs on an object of
 * ours (interfaces of our routers, volumes that nova made for our servers) is added by its parent.
 * Nothing is removed before everything has been found, so that the order of kinds holds.
 */

#include "observe/scenario/sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/sweeper.h"

#define LIST_NS   (60 * NS_PER_S)
#define BUDGET_NS (10 * 60 * NS_PER_S)

void sweep_tell(struct sweep *s, const struct found *f, const char *fmt, ...)
{
	char what[700];
	if (!s->event)
		return;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	const struct sweep_event e = {.kind = f->kind->name,
		.id = f->id ? f->id : "",
		.name = f->name ? f->name : "",
		.run = f->run ? f->run : "",
		.proof = f->proof,
		.what = what};
	s->event(s->arg, &e);
}

bool sweep_has_own_id(const struct kind *k)
{
	return strcmp(k->name, "router_route") != 0;
}

struct found *sweep_add(
	struct sweep *s, const struct kind *k, const char *id, json_t *path, const char *proof)
{
	char *key = id && sweep_has_own_id(k) ? mem_printf("%s/%s", k->name, id) : NULL;
	if (key && map_get(&s->known, key)) {
		free(key);
		json_decref(path);
		return NULL;
	}
	struct found *f = mem_new(struct found);
	f->sweep = s;
	f->kind = k;
	f->id = mem_strdup(id);
	f->path = path;
	f->proof = proof;
	f->state = FOUND_WAITING;
	if (key)
		map_put(&s->known, key, f);
	free(key);
	vec_push(&s->found, f);
	return f;
}

/* --- the journal ------------------------------------------------------------------------------ */

static bool on_row(void *arg, const struct journal_object *o)
{
	struct sweep *s = arg;
	const struct kind *k = kind_find(s->kinds, slice_of(o->kind));
	const bool other_project = o->project && cloud_project_id(s->cloud) &&
				   strcmp(o->project, cloud_project_id(s->cloud)) != 0;
	if (!k || other_project)
		return true;
	if (o->fate == OBJECT_KEPT || journal_run_alive(s->journal, o->run)) {
		char *key = o->cloud_id ? mem_printf("%s/%s", o->kind, o->cloud_id) : NULL;
		if (key)
			map_put(&s->known, key, s); /* to be left alone */
		free(key);
		return true;
	}
	json_t *path = o->path ? json_deep_copy(o->path) : json_object();
	if (o->cloud_id)
		json_object_set_new(path, "id", json_string(o->cloud_id));
	struct found *f = sweep_add(s, k, o->cloud_id, path, "journal");
	if (!f)
		return true;
	f->name = mem_strdup(o->name);
	f->mark = mem_strdup(o->mark);
	f->run = mem_strdup(o->run);
	f->row = o->id;
	f->fate = o->fate;
	f->created_unix_us = o->created_unix_us;
	/* Whether it is there at all is only known of what was answered. */
	if (o->fate == OBJECT_INTENT || o->fate == OBJECT_UNSURE || !o->cloud_id)
		f->state = FOUND_LOOKING;
	s->report.found++;
	return true;
}

/* --- the cloud -------------------------------------------------------------------------------- */

/* When a run began, from its label (base 36 seconds before the '-'); 0 when it is no label. */
static int64_t label_unix_us(struct slice run)
{
	int64_t seconds = 0;
	const size_t n = slice_find(run, '-');
	for (size_t i = 0; i < n; i++) {
		const char c = run.p[i];
		const int digit = c >= '0' && c <= '9'   ? c - '0'
				  : c >= 'a' && c <= 'z' ? c - 'a' + 10
							 : -1;
		if (digit < 0 || n > 8)
			return 0;
		seconds = seconds * 36 + digit;
	}
	return n && n < run.n ? seconds * 1000000 : 0;
}

static bool old_enough(struct sweep *s, const json_t *item, struct slice run)
{
	static const char *const fields[] = {"created_at", "created"};
	int64_t at = 0;
	for (size_t i = 0; i < array_len(fields) && !at; i++) {
		const char *text = json_str(item, fields[i]);
		char zoned[64];
		if (!text)
			continue;
		/* cinder and glance write UTC without saying so */
		snprintf(zoned, sizeof(zoned), "%s%s", text, strpbrk(text, "Zz+") ? "" : "Z");
		if (!clock_parse_rfc3339(zoned, &at))
			at = 0;
	}
	if (!at)
		at = label_unix_us(run);
	const int64_t now = clock_unix_us(loop_clock(s->loop));
	return at && (now - at) * NS_PER_US >= s->older_ns;
}

/* Whether an item is ours, and by what. */
static const char *proof_of(
	struct sweep *s, const struct kind *k, const json_t *item, struct slice *ret_run)
{
	struct mark_parts parts;
	const char *mark = kind_mark_of(k, item), *name = kind_name_of(k, item);
	if (mark && mark_parse(slice_of(mark), &parts) && slice_is(parts.instance, s->instance)) {
		*ret_run = parts.run;
		return "mark";
	}
	if (name && mark_name_is_ours(s->instance, cloud_project_id(s->cloud), k->name,
			    slice_of(name), ret_run))
		return "name";
	return NULL;
}

static bool is_alive(struct sweep *s, struct slice run)
{
	char *label = slice_dup(run);
	const bool alive = journal_run_alive(s->journal, label);
	free(label);
	return alive;
}

/* Two living objects with one name and mark: one was made; which is not known, so neither is
 * deleted. (A restored volume has the mark of the saved one, but a name of its own.) */
static void note_double(struct sweep *s, struct found *f)
{
	if (!f->mark)
		return;
	char *key = mem_printf("%s %s %s", f->kind->name, f->mark, f->name ? f->name : "");
	struct found *other = map_put(&s->marks, key, f);
	free(key);
	if (!other || other == f)
		return;
	const char *why = "two objects carry the mark of one create; look which is yours";
	sweep_give_up(f, OBJECT_UNSURE, why);
	if (other->state != FOUND_OVER)
		sweep_give_up(other, OBJECT_UNSURE, why);
}

static void take_item(struct sweep *s, const struct kind *k, const json_t *item)
{
	const json_t *object = kind_unwrap(k, item);
	struct slice run = {0};
	if (!object)
		object = item;
	const char *proof = proof_of(s, k, object, &run), *id = kind_id(k, object);
	if (!proof || !id || is_alive(s, run) || !old_enough(s, object, run))
		return;
	json_t *path = json_pack("{s:s, s:s?}", "id", id, "user", cloud_user_id(s->cloud));
	kind_path_learn(k, object, path);
	struct found *f = sweep_add(s, k, id, path, proof);
	if (!f)
		return;
	f->name = mem_strdup(kind_name_of(k, object));
	f->mark = mem_strdup(kind_mark_of(k, object));
	f->run = slice_dup(run);
	s->report.found++;
	note_double(s, f);
	if (!strcmp(k->name, "router"))
		sweep_take_routes(s, f, json_object_get(object, "routes"));
}

/* A service that is not there, or that this user may not use, has made nothing for us. */
static bool may_be_closed(const struct cloud_answer *a, const char *service)
{
	return a->fault == FAULT_NO_SERVICE ||
	       (a->status == 403 &&
		       !slice_in_words(slice_of(service), "compute network block-storage image"));
}

void sweep_list_over(
	struct sweep *s, const struct cloud_answer *a, const char *service, const char *what)
{
	s->lists--;
	if (a->fault != FAULT_NONE && !may_be_closed(a, service) && !s->cancelled &&
		!s->error.msg[0])
		error_set(&s->error, ERROR_CLOUD, "listing %s: %s%s%s", what, fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
	sweep_kick(s);
}

static void on_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct listing *l = arg;
	struct sweep *s = l->sweep;
	json_t *item;
	size_t i;
	s->listing[l->at] = NULL;
	if (a->fault == FAULT_NONE)
		json_array_foreach (items, i, item)
			take_item(s, l->kind, item);
	sweep_list_over(s, a, l->kind->service, l->kind->name);
	free(l);
}

void sweep_list(struct sweep *s, const struct kind *k, const char *path, const char *collection,
	const struct found *parent, cloud_list_done *done)
{
	struct listing *l = mem_new(struct listing);
	l->sweep = s;
	l->kind = k;
	l->parent = parent;
	while (l->at + 1 < array_len(s->listing) && s->listing[l->at])
		l->at++;
	s->lists++;
	s->listing[l->at] =
		cloud_list(s->cloud, k->service, path, collection, k->version, LIST_NS, done, l);
}

static void list_everything(struct sweep *s)
{
	json_t *known = json_pack("{s:s?}", "user", cloud_user_id(s->cloud));
	for (size_t i = 0; i < kinds_count(s->kinds); i++) {
		const struct kind *k = kind_at(s->kinds, i);
		struct kind_request q = {0};
		if ((k->mark == MARK_NONE && !k->name_field) || k->several ||
			!strcmp(k->name, "restore"))
			continue;
		/* What is listed below a parent only is found by its parent. */
		if (k->list && kind_object_request(k, k->list, known, &q, NULL))
			sweep_list(s, k, q.path, k->collection, NULL, on_list);
		kind_request_fini(&q);
	}
	json_decref(known);
}

/* --- turns ------------------------------------------------------------------------------------ */

static bool any(const struct sweep *s, enum found_state state)
{
	for (size_t i = 0; i < s->found.n; i++)
		if (s->found.p[i]->state == state)
			return true;
	return false;
}

static void remove_next_rank(struct sweep *s)
{
	int rank = -1;
	for (size_t i = 0; i < s->found.n; i++)
		if (s->found.p[i]->state == FOUND_WAITING && s->found.p[i]->kind->rank > rank)
			rank = s->found.p[i]->kind->rank;
	for (size_t i = 0; i < s->found.n; i++) {
		struct found *f = s->found.p[i];
		if (f->state == FOUND_WAITING && f->kind->rank == rank)
			sweep_remove(f);
	}
}

static void on_flushed(void *arg, const struct error *err)
{
	struct sweep *s = arg;
	s->over = true;
	if (err && !s->error.msg[0])
		s->error = *err;
	s->report.error = s->error.msg[0] ? &s->error : NULL;
	s->done(s->arg, &s->report);
}

void sweep_end(struct sweep *s)
{
	timer_cancel(&s->turn);
	journal_flush(s->journal, on_flushed, s);
}

static void look_all(struct sweep *s)
{
	for (size_t i = 0; i < s->found.n; i++)
		if (s->found.p[i]->state == FOUND_LOOKING)
			sweep_look(s->found.p[i]);
}

static void on_turn(struct timer *t)
{
	struct sweep *s = t->arg;
	if (s->lists || any(s, FOUND_BUSY))
		return;
	if (any(s, FOUND_LOOKING)) {
		look_all(s);
		return;
	}
	if (!s->removing) {
		s->removing = true;
		if (!s->cancelled && sweep_list_parts(s))
			return;
	}
	if (any(s, FOUND_WAITING))
		remove_next_rank(s);
	else
		sweep_end(s);
}

void sweep_kick(struct sweep *s)
{
	timer_start(s->loop, &s->turn, 0, on_turn, s);
}

static void on_connected(void *arg, const struct error *err)
{
	struct sweep *s = arg;
	struct error local = {0};
	if (err) {
		s->error = *err;
		sweep_end(s);
		return;
	}
	if (!journal_objects(s->journal, cloud_configuration(s->cloud)->name, s->instance, NULL,
		    true, on_row, s, &local))
		s->error = local;
	if (!s->journal_only && !s->cancelled)
		list_everything(s);
	sweep_kick(s);
}

struct sweep *sweep_start(struct loop *l, struct cloud *c, const struct kinds *k, struct journal *j,
	const struct sweep_options *o, void (*event)(void *arg, const struct sweep_event *e),
	void (*done)(void *arg, const struct sweep_report *r), void *arg)
{
	struct sweep *s = mem_new(struct sweep);
	s->loop = l;
	s->cloud = c;
	s->kinds = k;
	s->journal = j;
	s->instance = mem_strdup(o->instance);
	s->older_ns = o->older_ns;
	s->dry_run = o->dry_run;
	s->journal_only = o->journal_only;
	s->until_ns = loop_now_ns(l) + (o->budget_ns ? o->budget_ns : BUDGET_NS);
	s->event = event;
	s->done = done;
	s->arg = arg;
	cloud_connect(c, on_connected, s);
	return s;
}

void sweep_cancel(struct sweep *s)
{
	s->cancelled = true;
	s->until_ns = 0;
	for (size_t i = 0; i < array_len(s->listing); i++)
		if (s->listing[i])
			cloud_cancel(s->listing[i]);
}

void sweep_free(struct sweep *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->found.n; i++) {
		struct found *f = s->found.p[i];
		timer_cancel(&f->timer);
		stuck_fini(&f->stuck);
		free(f->id);
		free(f->name);
		free(f->mark);
		free(f->run);
		json_decref(f->path);
		free(f);
	}
	vec_fini(&s->found);
	map_fini(&s->known);
	map_fini(&s->marks);
	free(s->instance);
	free(s);
}
