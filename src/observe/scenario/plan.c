/*
 * plan.c - walks the steps in their order as a run would, with symbols for what only a run knows.
 */

#include "observe/scenario/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/plans.h"
#include "observe/scenario/worlds.h"

struct planned *plan_of_ref(const struct plan *p, struct value_ref ref)
{
	const struct element *e = world_element(p->world, ref);
	if (!e)
		return NULL;
	const size_t at = (size_t)e->task; /* no runner here: it holds the index */
	return at ? &p->all.p[at - 1] : NULL;
}

struct planned *plan_by_symbol(const struct plan *p, const char *symbol)
{
	const size_t at = symbol ? (size_t)map_get(&p->by_symbol, symbol) : 0;
	return at ? &p->all.p[at - 1] : NULL;
}

bool plan_makes(const struct planned *e, const char *kind)
{
	const struct kind *k = e->step->verb == VERB_CREATE ? e->step->kind : NULL;
	return k && (!strcmp(k->name, kind) || (k->several && !strcmp(kind, "server")));
}

void plan_warn(struct plan *p, const struct step *step, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	json_array_append_new(p->warnings, json_pack("{s:s, s:i, s:s}", "file", step->file, "line",
						   (int)step->line, "text", text));
	free(text);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Symbols came through the encoding of paths: <port[0].id> reads better than %3Cport%5B0%5D… */
static char *readable(const char *path)
{
	static const char *const codes[] = {"%3C<", "%3E>", "%5B[", "%5D]"};
	struct buf out = BUF(BUF_LINE);
	while (*path) {
		bool found = false;
		for (size_t i = 0; i < array_len(codes) && !found; i++)
			if (!strncasecmp(path, codes[i], 3)) {
				buf_add_char(&out, codes[i][3]);
				found = true;
			}
		if (!found)
			buf_add_char(&out, *path);
		path += found ? 3 : 1;
	}
	return buf_take(&out);
}

static void add_text(json_t *list, const char *fmt, ...) like_printf(2, 3);

static void add_text(json_t *list, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	char *plain = readable(text);
	json_array_append_new(list, json_string(plain));
	free(plain);
	free(text);
}

static void add_request(json_t *list, const struct kind *k, const char *template,
	const json_t *object, const char *why)
{
	struct kind_request q = {0};
	if (template && kind_object_request(k, template, object, &q, NULL))
		add_text(list, "%s %s%s", q.method, q.path, why);
	kind_request_fini(&q);
}

/* What later requests for an element's object need: its id and the keys of its body. */
static json_t *object_of(const struct plan *p, const struct planned *e)
{
	char name[100];
	json_t *object = json_is_object(e->body) ? json_copy(e->body) : json_object();
	world_element_name(p->world, e->element, name, sizeof(name));
	char *id = mem_printf("<%s.id>", name);
	json_object_set_new(object, "id", json_string(id));
	free(id);
	return object;
}

static void create_requests(
	struct plan *p, struct planned *e, json_t *requests, json_t *teardown, struct error *err)
{
	const struct kind *k = e->step->kind;
	const struct world_options *o = &p->world->options;
	const char *step = e->step->name;
	struct kind_request q = {0};
	assert(k); /* the reader lets no create pass without one */
	char *name = e->step->count || e->step->each
			     ? mem_printf("gh-%s-%s-%d-CHECK", o->run, step, e->element->i)
			     : mem_printf("gh-%s-%s-CHECK", o->run, step);
	char *mark = mark_text(o->instance, o->run, step, (unsigned)e->element->i, 1);
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : *c;
	json_t *object = object_of(p, e);
	json_object_set_new(object, "user", json_string("<user>"));
	if (k->name_field && !json_object_get(object, k->name_field))
		json_object_set_new(object, k->name_field, json_string(name));
	json_t *body = json_is_object(e->body) ? json_copy(e->body) : json_object();
	if (strstr(k->create, "{user}"))
		json_object_set(body, "user", json_object_get(object, "user"));
	const bool good = kind_create_request(k, body, name, mark, &q, err);
	json_decref(body);
	if (good) {
		add_text(requests, "%s %s", q.method, q.path);
		json_object_set_new(e->out, "body", q.body ? json_scrubbed(q.body) : json_null());
	}
	kind_request_fini(&q);
	if (e->step->upload)
		add_text(requests, "PUT /images/%s/file", json_str(object, "id"));
	if (!e->step->ready_now && (k->ready || e->step->ready || k->answer_partial))
		add_request(requests, k, k->get, object, " until ready");
	if (!e->step->keep)
		add_request(teardown, k, k->remove, object, "");
	json_decref(object);
	free(name);
	free(mark);
}

/* A later server of a batch is made by the first one's request. */
static void batch_requests(const struct plan *p, const struct planned *e, json_t *teardown)
{
	json_t *object = object_of(p, e);
	add_request(teardown, e->step->kind, e->step->kind->remove, object, "");
	json_decref(object);
}

/* The object that set, server_action, delete act on. */
static struct planned *target(const struct plan *p, const struct planned *e)
{
	const struct value *of = &e->value;
	if (of->type == VALUE_MAP)
		of = value_field(of, SLICE("of"));
	struct planned *t = of && of->type == VALUE_REF ? plan_of_ref(p, of->ref) : NULL;
	return t && t->step->kind ? t : NULL;
}

static void change_requests(struct plan *p, struct planned *e, json_t *requests)
{
	const struct planned *of = target(p, e);
	if (!of)
		return;
	const struct kind *k = of->step->kind;
	json_t *object = object_of(p, of);
	if (e->step->verb == VERB_SET)
		add_request(requests, k, k->set, object, "");
	else if (e->step->verb == VERB_SERVER_ACTION)
		add_text(requests, "POST /servers/%s/action", json_str(object, "id"));
	else {
		add_request(requests, k, k->remove, object, "");
		add_request(requests, k, k->get, object, " until it is gone");
	}
	json_object_set_new(e->out, "service", json_string(k->service));
	json_decref(object);
	if (e->step->verb == VERB_DELETE || !json_is_object(e->body))
		return;
	json_t *fields = json_copy(e->body);
	json_object_del(fields, "of");
	json_object_set_new(e->out, "body", json_scrubbed(fields));
	json_decref(fields);
}

static const char *text_of(const json_t *body, const char *key)
{
	const char *text = json_is_object(body) ? json_str(body, key) : json_string_value(body);
	return text ? text : "?";
}

/* Where a check goes: a step by its name, for it is its log-in that is meant and not its id. */
static const char *where(
	const struct plan *p, const struct planned *e, const char *key, char *text, size_t n)
{
	const struct value *v = &e->value;
	if (v->type == VALUE_MAP)
		v = value_field(v, slice_of(key));
	if (v && v->type == VALUE_REF && v->ref.object < p->world->scenario->step_count) {
		const struct step_world *sw = &p->world->steps[v->ref.object];
		if (v->ref.element >= 0 && (size_t)v->ref.element < sw->count)
			return world_element_name(p->world, &sw->elements[v->ref.element], text, n);
	}
	const json_t *list = json_object_get(e->body, key);
	struct buf all = BUF(BUF_LINE);
	size_t i;
	json_t *one;
	json_array_foreach (list, i, one)
		buf_printf(&all, "%s%s", i ? " or " : "",
			json_string_value(one) ? json_string_value(one) : "?");
	snprintf(text, n, "%s", json_is_array(list) ? buf_str(&all) : text_of(e->body, key));
	buf_fini(&all);
	return text;
}

/* What a check does, in words: it is no request of the API, or one that changes nothing. */
static void check_requests(const struct plan *p, const struct planned *e, json_t *requests)
{
	const json_t *b = e->body;
	const char *run = json_str(b, "run");
	char to[300], from[300];
	switch ((int)e->step->verb) {
	case VERB_CALL:
		add_text(requests, "%s %s", json_str(b, "method") ? json_str(b, "method") : "GET",
			text_of(b, "path"));
		break;
	case VERB_FIND:
		assert(e->step->kind);
		add_text(requests, "%s", e->step->kind->list);
		break;
	case VERB_PING:
	case VERB_TCP:
		add_text(requests, "%s %s%s%s", verb_name(e->step),
			where(p, e, "to", to, sizeof(to)),
			json_object_get(b, "from") ? " from " : "",
			json_object_get(b, "from") ? where(p, e, "from", from, sizeof(from)) : "");
		break;
	case VERB_SSH:
		add_text(requests, "ssh %s%s%s", where(p, e, "to", to, sizeof(to)),
			run ? " run " : "", run ? run : "");
		break;
	case VERB_HTTP:
		add_text(requests, "%s %s%s%s",
			json_str(b, "method") ? json_str(b, "method") : "GET", text_of(b, "url"),
			json_object_get(b, "from") ? " from " : "",
			json_object_get(b, "from") ? where(p, e, "from", from, sizeof(from)) : "");
		break;
	case VERB_DNS:
		add_text(requests, "dns %s %s%s%s", text_of(b, "name"),
			json_str(b, "type") ? json_str(b, "type") : "A",
			json_str(b, "server") ? " at " : "",
			json_str(b, "server") ? json_str(b, "server") : "");
		break;
	case VERB_GUEST:
	case VERB_BENCH:
		add_text(requests, "%s on %s", verb_name(e->step),
			where(p, e, "on", to, sizeof(to)));
		break;
	case VERB_MESH:
		add_text(requests, "mesh among %zu guests",
			json_array_size(json_object_get(b, "among")));
		break;
	case VERB_THROUGHPUT:
		add_text(
			requests, "throughput from %s to %s", text_of(b, "from"), text_of(b, "to"));
		break;
	case VERB_STREAM: add_text(requests, "stream to %s", text_of(b, "to")); break;
	case VERB_DOWNLOAD: add_text(requests, "GET /images/%s/file", text_of(b, "of")); break;
	case VERB_LIST:
		add_text(requests, "GET %s",
			json_str(b, "path") ? json_str(b, "path") : text_of(b, "service"));
		break;
	case VERB_TOKEN: add_text(requests, "POST %s", "/auth/tokens"); break;
	default: break;
	}
}

static void requests_of(struct plan *p, struct planned *e, struct error *err)
{
	json_t *requests = json_array(), *teardown = json_array();
	const char *service = e->step->kind                 ? e->step->kind->service
			      : e->step->verb == VERB_CALL  ? json_str(e->body, "service")
			      : e->step->verb == VERB_LIST  ? text_of(e->body, "service")
			      : e->step->verb == VERB_TOKEN ? "identity"
							    : NULL;
	if (service)
		json_object_set_new(e->out, "service", json_string(service));
	if (e->step->kind && world_leader(p->world, e->element) != e->element)
		batch_requests(p, e, teardown);
	else if (e->step->verb == VERB_CREATE)
		create_requests(p, e, requests, teardown, err);
	else if (e->step->verb == VERB_SET || e->step->verb == VERB_SERVER_ACTION ||
		 e->step->verb == VERB_DELETE)
		change_requests(p, e, requests);
	else
		check_requests(p, e, requests);
	json_object_set_new(e->out, "requests", requests);
	if (json_array_size(teardown))
		json_object_set(e->out, "teardown", teardown);
	json_decref(teardown);
}

/* --- needs ------------------------------------------------------------------------------------ */

static void add_need(json_t *needs, const char *name)
{
	size_t i;
	json_t *known;
	json_array_foreach (needs, i, known)
		if (!strcmp(json_string_value(known), name))
			return;
	json_array_append_new(needs, json_string(name));
}

static void needs_of(const struct plan *p, const struct planned *e)
{
	char name[100];
	json_t *needs = json_array();
	VEC_EACH (&e->element->uses, struct value_ref, ref) {
		const struct element *used = world_element(p->world, *ref);
		if (used)
			add_need(needs, world_element_name(p->world, used, name, sizeof(name)));
	}
	for (size_t i = 0; i < e->step->after_count; i++) {
		const struct step_world *sw = &p->world->steps[e->step->after[i]];
		if (!sw->absent)
			add_need(needs, sw->step->name);
	}
	json_object_set_new(e->out, "needs", needs);
}

/* What the log-in of a guest names is needed by whoever logs in there. */
static void uses_of_login(struct plan *p, struct element *who, struct value_ref ref, unsigned depth)
{
	struct world *w = p->world;
	if (ref.object >= w->scenario->step_count)
		return; /* something picked: it is not ours to log in to */
	struct step_world *sw = &w->steps[ref.object];
	struct element *server = world_element(w, ref);
	const bool own = sw->step->login && ref.element >= 0 && (size_t)ref.element < sw->count;
	struct element *e = own ? &sw->elements[ref.element] : server;
	const struct interp *login = e ? w->steps[e->step].step->login : NULL;
	struct value v = VALUE_NOTHING;
	if (!login || depth > 4)
		return;
	const size_t before = e->uses.n;
	if (world_body(w, e, login, &v, NULL) == EXPR_OK) {
		const struct value *via = value_field(&v, SLICE("via"));
		if (via && via->type == VALUE_REF)
			uses_of_login(p, who, via->ref, depth + 1);
	}
	for (size_t i = before; i < e->uses.n; i++)
		world_use(who, e->uses.p[i]);
	e->uses.n = before;
	value_drop(&v);
}

static void log_ins(struct plan *p, struct planned *e)
{
	static const char *const keys[] = {"to", "from", "on"};
	const struct value *among = value_field(&e->value, SLICE("among"));
	if (!verb_reaches(e->step->verb))
		return;
	if (e->value.type == VALUE_REF)
		uses_of_login(p, e->element, e->value.ref, 0);
	for (size_t i = 0; i < array_len(keys); i++) {
		const struct value *v = value_field(&e->value, slice_of(keys[i]));
		if (v && v->type == VALUE_REF)
			uses_of_login(p, e->element, v->ref, 0);
	}
	for (size_t i = 0; among && among->type == VALUE_LIST && i < value_count(among); i++)
		if (value_item(among, i)->type == VALUE_REF)
			uses_of_login(p, e->element, value_item(among, i)->ref, 0);
}

struct closure {
	const struct plan *p;
	unsigned char *seen;
	VEC(size_t) open;
};

static void open_element(struct closure *c, const struct planned *e)
{
	const size_t at = (size_t)(e - c->p->all.p);
	if (c->seen[at])
		return;
	c->seen[at] = 1;
	vec_push(&c->open, at);
}

static void open_step(struct closure *c, size_t step)
{
	const struct step_world *sw = &c->p->world->steps[step];
	for (size_t i = 0; i < sw->count; i++)
		if (sw->elements[i].task)
			open_element(c, &c->p->all.p[(size_t)sw->elements[i].task - 1]);
}

bool plan_waits_for(const struct plan *p, const struct planned *a, const struct planned *b)
{
	struct closure c = {.p = p, .seen = mem_new_array(p->all.n, 1)};
	const size_t goal = (size_t)(b - p->all.p);
	open_element(&c, a);
	while (c.open.n && !c.seen[goal]) {
		const struct planned *e = &p->all.p[vec_pop(&c.open)];
		VEC_EACH (&e->element->uses, struct value_ref, ref) {
			const struct planned *used = plan_of_ref(p, *ref);
			if (used)
				open_element(&c, used);
		}
		for (size_t i = 0; i < e->step->after_count; i++)
			open_step(&c, e->step->after[i]);
	}
	const bool found = c.seen[goal];
	vec_fini(&c.open);
	free(c.seen);
	return found;
}

/* --- steps ------------------------------------------------------------------------------------ */

static bool fail_expanding(const struct step *s, enum expr_result r, struct error *err)
{
	if (r != EXPR_ERROR)
		error_at(err, s->file, s->line, s->col,
			"step %s: it is not known how many it makes", s->name);
	return false;
}

/* Evaluates one element's body; an absent need makes it absent. */
static bool evaluate(struct plan *p, struct planned *e, struct error *err)
{
	const struct step *s = e->step;
	const struct interp *body = s->body;
	enum expr_result r = world_after(p->world, e->element);
	if (r == EXPR_OK && body && s->verb != VERB_GROUP)
		r = world_body(p->world, e->element, body, &e->value, err);
	if (r == EXPR_OK && body && s->verb != VERB_GROUP)
		r = world_body_json(p->world, e->element, body, &e->body, err);
	if (r == EXPR_ABSENT)
		e->element->state = ELEMENT_ABSENT;
	return r != EXPR_ERROR;
}

static bool plan_element(struct plan *p, json_t *elements, struct element *element,
	const struct step *step, struct error *err)
{
	char name[100];
	struct planned e = {.element = element, .step = step};
	if (!evaluate(p, &e, err)) {
		value_drop(&e.value);
		return false;
	}
	world_element_name(p->world, element, name, sizeof(name));
	if (element->state == ELEMENT_ABSENT) {
		value_drop(&e.value);
		return true;
	}
	e.out = json_object();
	json_object_set_new(e.out, "name", json_string(name));
	if (step->must_fail.n)
		json_object_set_new(e.out, "must_fail", json_true());
	json_array_append_new(elements, e.out);
	log_ins(p, &e);
	needs_of(p, &e);
	vec_push(&p->all, e);
	element->task = (void *)p->all.n;
	char *symbol = mem_printf("<%s.id>", name);
	map_put(&p->by_symbol, symbol, (void *)p->all.n);
	free(symbol);
	struct error own = {0};
	requests_of(p, &p->all.p[p->all.n - 1], &own);
	if (!own.msg[0])
		return true;
	error_at(err, step->file, step->line, step->col, "step %s: %s", step->name, own.msg);
	return false;
}

static json_t *plan_step(struct plan *p, size_t step, struct error *err)
{
	struct step_world *sw = &p->world->steps[step];
	const enum expr_result r = world_expand(p->world, step, err);
	if (r != EXPR_OK && r != EXPR_ABSENT) {
		fail_expanding(sw->step, r, err);
		return NULL;
	}
	json_t *out = json_pack("{s:s, s:s}", "name", sw->step->name, "verb", verb_name(sw->step));
	json_t *elements = json_array();
	json_object_set_new(out, "elements", elements);
	for (size_t i = 0; r == EXPR_OK && i < sw->count; i++) {
		if (plan_element(p, elements, &sw->elements[i], sw->step, err))
			continue;
		json_decref(out);
		return NULL;
	}
	return out;
}

static void plan_fini(struct plan *p)
{
	VEC_EACH (&p->all, struct planned, e) {
		value_drop(&e->value);
		json_decref(e->body);
	}
	vec_fini(&p->all);
	map_fini(&p->by_symbol);
	json_decref(p->warnings);
}

static json_t *document(struct plan *p, json_t *steps, const json_t *quota, const json_t *flavors)
{
	const struct scenario *s = p->world->scenario;
	char deadline[UNITS_TEXT], teardown[UNITS_TEXT];
	json_t *bill = plan_bill(p, quota, flavors);
	plan_hidden_edges(p);
	VEC_EACH (&p->world->notes, struct world_note, n) {
		plan_warn(p, n->step, "%s", n->text);
	}
	return json_pack("{s:s, s:s?, s:s, s:s, s:o, s:o, s:O}", "scenario", s->name, "title",
		s->title, "deadline", units_time_text(s->deadline_ns, deadline), "teardown",
		units_time_text(s->teardown_ns, teardown), "steps", steps, "bill", bill, "warnings",
		p->warnings);
}

json_t *plan_make(struct world *w, const json_t *quota, const json_t *flavors, struct error *err)
{
	const size_t n = w->scenario->step_count;
	struct plan p = {.world = w, .warnings = json_array()};
	json_t *steps = json_array(), *out = NULL;
	bool good = true;
	for (size_t i = 0; i < n && good; i++) {
		json_t *step = plan_step(&p, w->scenario->order[i], err);
		good = step != NULL;
		if (step)
			json_array_append_new(steps, step);
	}
	if (good)
		out = document(&p, steps, quota, flavors);
	else
		json_decref(steps);
	plan_fini(&p);
	return out;
}
