/*
 * run_batch.c - server_batch: one create, several servers.
 *
 * The first element of a batch makes it and answers for it; the others take their servers when it
 * is ready. The answer names a reservation only, so the servers are found by that, or, when it was
 * lost, by the name they all begin with; each gets a row of the journal as soon as it is seen. The
 * batch's own row stays open until no server of it is left: it alone knows of those that nobody has
 * seen.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/maker.h"
#include "observe/scenario/run_boot.h"

#define LIST_NS  (60 * NS_PER_S)
#define EVERY_NS (1 * NS_PER_S)

/* --- finding its servers ---------------------------------------------------------------------- */

/* By the reservation if it is known, else by name. */
static struct cloud_call *list(struct task *t, const struct made *m, cloud_list_done *done)
{
	const struct kind *k = m->kind;
	const char *reservation = json_str(m->path, "reservation_id");
	const char *name = json_str(m->path, "_name");
	const char *all = strchr(k->list, ' ') + 1;
	struct kind_request q = {0};
	if (reservation)
		q.path = mem_printf("%s?reservation_id=%s", all, reservation);
	else if (!kind_find_request(k, m->path, name ? name : t->element->name, NULL, &q))
		q.path = mem_strdup(all);
	struct cloud_call *call = cloud_list(t->run->tools.cloud, k->service, q.path, k->collection,
		k->version, LIST_NS, done, t);
	kind_request_fini(&q);
	return call;
}

static bool is_mine(const struct task *t, const struct made *m, const json_t *server)
{
	const char *name = json_str(m->path, "_name"), *mark = json_str(m->path, "_mark");
	return kind_is(
		m->kind, server, name ? name : t->element->name, mark ? mark : t->element->mark);
}

static struct made *row_of(struct task *t, const char *id)
{
	VEC_EACH (&t->extras, struct made, m) {
		if (m->id && !strcmp(m->id, id))
			return m;
	}
	return NULL;
}

/* X-2 comes before X-10. */
static int by_number(const void *a, const void *b)
{
	const char *x = json_str(*(json_t *const *)a, "name"),
		   *y = json_str(*(json_t *const *)b, "name");
	const size_t n = strlen(x), m = strlen(y);
	return n != m ? (n > m) - (n < m) : strcmp(x, y);
}

/* The servers of a list that are of this batch, in the order of their numbers; owned references in
 * a list of its own. Each gets its row. */
static json_t *take_servers(struct task *t, const struct made *batch, json_t *items)
{
	const struct kind *k = kind_find(t->run->kinds, SLICE("server"));
	VEC(json_t *) mine = {0};
	json_t *server, *sorted = json_array();
	size_t i;
	json_array_foreach (items, i, server)
		if (is_mine(t, batch, server) && json_str(server, "id"))
			vec_push(&mine, server);
	if (mine.n)
		qsort(mine.p, mine.n, sizeof(*mine.p), by_number);
	for (i = 0; i < mine.n; i++) {
		const char *id = json_str(mine.p[i], "id");
		json_array_append(sorted, mine.p[i]);
		if (!row_of(t, id))
			make_extra(t, k, id, "one of a batch");
		make_note_volumes(t, mine.p[i]);
	}
	vec_fini(&mine);
	return sorted;
}

/* --- until all are ready ---------------------------------------------------------------------- */

static void on_servers(void *arg, const struct cloud_answer *a, json_t *items);

static void look(struct timer *timer)
{
	struct task *t = timer->arg;
	t->call = list(t, &t->made, on_servers);
}

static int64_t least(struct task *t)
{
	json_t *body = value_json(&t->body);
	const int64_t n = json_int(body, "min_count", 1);
	json_decref(body);
	return n;
}

/* Each element takes its server; a batch that may be smaller than max_count leaves some without. */
static void share_out(struct task *t, const json_t *servers)
{
	const struct step_world *sw = &t->run->world->steps[t->element->step];
	const struct made batch = t->made;
	size_t n = 0;
	for (size_t i = t->element->leader; i < sw->count; i++) {
		struct element *e = &sw->elements[i];
		if (e->leader != t->element->leader)
			break;
		struct task *of = graph_task(e);
		const json_t *server = json_array_get(servers, n++);
		struct made *m = server ? row_of(t, json_str(server, "id")) : NULL;
		if (!m)
			continue;
		of->made = *m;
		of->has_made = true;
		vec_remove(&t->extras, (size_t)(m - t->extras.p));
		mem_replace(&e->id, of->made.id);
		mem_replace(&e->name, json_str(server, "name"));
		mem_replace(&e->mark, t->element->mark);
		json_decref(e->object);
		e->object = json_deep_copy(server);
	}
	vec_push(&t->extras, batch);
}

/* Whether the batch has come to an end; else `text` says where it stands. */
static bool judge(struct task *t, const json_t *servers, int status, char *text, size_t n)
{
	const size_t all = json_array_size(servers);
	size_t ready = 0, i;
	json_t *server;
	json_array_foreach (servers, i, server) {
		bool is_ready = false;
		struct error err = {0};
		switch (make_stands(t, server, status, text, n, &err)) {
		case STANDS_FAILED:
			make_end(t, make_failed_fault(server), status, text);
			return true;
		case STANDS_WRONG: make_end(t, FAULT_EVALUATION, status, err.msg); return true;
		case STANDS_READY: is_ready = true; break;
		case STANDS_WAITING: break;
		}
		ready += is_ready;
	}
	snprintf(text, n, "%zu of %zu are ready", ready, all);
	if ((int64_t)all < least(t) || ready < all)
		return false;
	share_out(t, servers);
	make_ready(t);
	return true;
}

static void on_servers(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	char text[400];
	t->call = NULL;
	task_note_answer(t, a);
	json_t *servers = take_servers(t, &t->made, a->fault == FAULT_NONE ? items : NULL);
	if (t->abandoned)
		make_end(t, t->run->stop_fault, 0, NULL);
	else if (a->fault != FAULT_NONE)
		make_poll(t, a->fault, fault_text(a->fault), look);
	else if (!judge(t, servers, a->status, text, sizeof(text)))
		make_poll(t, FAULT_NONE, text, look);
	json_decref(servers);
}

static void is_made(struct task *t)
{
	t->in_flight = false;
	t->answer_ns = run_now(t->run);
	/* the elements get the names of their servers */
	json_object_set_new(t->made.path, "_name", json_string(t->element->name));
	json_object_set_new(t->made.path, "_mark", json_string(t->element->mark));
	journal_update(t->run->journal, t->made.row, OBJECT_CREATED, NULL, t->made.path, NULL);
	if (t->abandoned)
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
	else
		look(&t->timer);
}

bool batch_answered(struct task *t, const struct cloud_answer *a)
{
	const char *reservation = json_str(a->json, "reservation_id");
	if (a->fault != FAULT_NONE || !reservation)
		return false;
	json_object_set_new(t->made.path, "reservation_id", json_string(reservation));
	is_made(t);
	return true;
}

bool batch_found(struct task *t, json_t *items)
{
	json_t *servers = take_servers(t, &t->made, items);
	const bool any = json_array_size(servers) > 0;
	json_decref(servers);
	if (any)
		is_made(t);
	return any;
}

void batch_follow(struct task *t)
{
	struct element *e = t->element, *first = world_leader(t->run->world, e);
	struct task *of = graph_task(first);
	if (first->state == ELEMENT_WAITING || first->state == ELEMENT_STARTED)
		return;
	VEC_EACH (&first->uses, struct value_ref, ref) {
		world_use(e, *ref);
	}
	world_use(e, (struct value_ref){(uint32_t)first->step, first->index});
	t->waited_for = of->waited_for;
	t->needed_ns = of->needed_ns;
	t->start_ns = of->start_ns;
	t->answer_ns = of->answer_ns;
	memcpy(t->request_id, of->request_id, sizeof(t->request_id));
	mem_replace(&t->create_request_id, of->create_request_id);
	boot_built(t);
	if (first->state == ELEMENT_READY && t->has_made)
		task_ready(t);
	else
		task_end(t, first->state == ELEMENT_READY || first->state == ELEMENT_ABSENT
				    ? ELEMENT_ABSENT
				    : ELEMENT_SKIPPED);
}

/* --- until none is left ----------------------------------------------------------------------- */

static void look_left(struct timer *timer);

static void on_left_removed(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	t->run->requests += a->tries;
	task_pause(t, EVERY_NS, look_left);
}

static void remove_one(struct task *t, const struct made *m, const json_t *server)
{
	struct kind_request q = {0};
	json_t *path = json_pack("{s:s}", "id", json_str(server, "id"));
	if (kind_object_request(m->kind, m->kind->remove, path, &q, NULL)) {
		t->remove_asked = true;
		remove_call(t, m->kind, &q, LIST_NS, on_left_removed);
	}
	kind_request_fini(&q);
	json_decref(path);
}

static void on_left(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	const struct made *m = remove_current(t);
	const json_t *left = NULL;
	json_t *server;
	size_t i;
	t->call = NULL;
	t->run->requests += a->tries;
	json_array_foreach (items, i, server)
		if (is_mine(t, m, server))
			left = server;
	if (a->fault == FAULT_NONE && !left && remove_is_unsure(t) && !t->remove_asked)
		remove_stays_unsure(t);
	else if (a->fault == FAULT_NONE && !left)
		remove_is_gone(t);
	else if (remove_out_of_time(t))
		remove_leave(t, OBJECT_CREATED,
			left ? "servers of it were still there when the time for teardown ended"
			     : fault_text(a->fault));
	else if (left)
		remove_one(t, m, left);
	else
		task_pause(t, EVERY_NS, look_left);
}

static void look_left(struct timer *timer)
{
	struct task *t = timer->arg;
	t->call = list(t, remove_current(t), on_left);
}

void batch_remove(struct task *t)
{
	look_left(&t->timer);
}

/* A batch that did not get ready goes after the servers that are known of it. */
void batch_before_removal(struct task *t)
{
	if (!t->has_made || !t->made.kind->several)
		return;
	vec_push(&t->extras, t->made);
	memset(&t->made, 0, sizeof(t->made));
	t->has_made = false;
}
