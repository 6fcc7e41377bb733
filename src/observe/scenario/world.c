/*
 * world.c - its life, its elements, who logs in to a guest; see world.h.
 */

#include "observe/scenario/world.h"

#include <stdio.h>
#include <string.h>

#include "observe/scenario/pick.h"
#include "observe/scenario/worlds.h"

/* --- life ------------------------------------------------------------------------------------- */

struct world *world_new(const struct scenario *s, const json_t *given,
	const struct world_options *options, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct world *w = mem_new(struct world);
	w->scenario = s;
	w->options = *options;
	w->options.run = mem_strdup(options->run ? options->run : "run");
	w->options.instance = mem_strdup(options->instance ? options->instance : "");
	w->options.location = mem_strdup(options->location);
	w->options.region = mem_strdup(options->region);
	w->options.zones = options->zones ? json_deep_copy(options->zones) : json_object();
	w->options.picked = options->picked ? json_deep_copy(options->picked) : NULL;
	if (!w->options.random)
		w->options.random = &random_system;
	w->steps = mem_new_array(s->step_count, sizeof(*w->steps));
	for (size_t i = 0; i < s->step_count; i++)
		w->steps[i].step = &s->steps[i];
	static const char *const kinds[] = {"compute", "volume", "network"};
	for (size_t i = 0; i < array_len(kinds); i++)
		if (!json_object_get(w->options.zones, kinds[i]))
			json_object_set_new((json_t *)w->options.zones, kinds[i], json_array());
	world_bind(w, given, errors);
	if (errors->n + errors->dropped == before)
		return w;
	world_free(w);
	return NULL;
}

void world_keep_secret(struct world *w, const char *text)
{
	char *key = mem_printf("#%zu", w->secrets.n);
	map_put(&w->secrets, key, secret_new(slice_of(text)));
	free(key);
}

static void element_fini(struct element *e)
{
	value_drop(&e->it);
	free(e->name);
	free(e->mark);
	free(e->id);
	json_decref(e->object);
	json_decref(e->measured);
	secret_unref(e->private_key);
	vec_fini(&e->uses);
}

void world_free(struct world *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->scenario->step_count; i++) {
		for (size_t k = 0; k < w->steps[i].count; k++)
			element_fini(&w->steps[i].elements[k]);
		free(w->steps[i].elements);
	}
	free(w->steps);
	world_values_fini(&w->params);
	world_values_fini(&w->drawn);
	MAP_EACH (&w->secrets, e) {
		secret_unref(e->value);
	}
	map_fini(&w->secrets);
	VEC_EACH (&w->symbols, char *, text) {
		free(*text);
	}
	vec_fini(&w->symbols);
	VEC_EACH (&w->notes, struct world_note, n) {
		free(n->text);
	}
	vec_fini(&w->notes);
	free((char *)w->options.run);
	free((char *)w->options.instance);
	free((char *)w->options.location);
	free((char *)w->options.region);
	json_decref((json_t *)w->options.zones);
	json_decref((json_t *)w->options.picked);
	free(w);
}

void world_note(struct world *w, const struct step *step, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct world_note *n = vec_add(&w->notes);
	n->step = step;
	n->text = mem_vprintf(fmt, ap);
	va_end(ap);
}

/* --- elements --------------------------------------------------------------------------------- */

struct element *world_element(struct world *w, struct value_ref ref)
{
	for (unsigned depth = 0; depth < DEPTH_MAX && ref.object < w->scenario->step_count;
		depth++) {
		struct step_world *sw = &w->steps[ref.object];
		if (ref.element < 0 && step_is_many(sw->step))
			return NULL;
		const size_t at = ref.element < 0 ? 0 : (size_t)ref.element;
		if (!sw->expanded || at >= sw->count)
			return NULL;
		if (sw->step->verb != VERB_GROUP || sw->absent)
			return &sw->elements[at];
		ref = sw->elements[at].target;
	}
	return NULL;
}

struct element *world_leader(struct world *w, const struct element *e)
{
	return &w->steps[e->step].elements[e->leader];
}

const char *world_element_name(const struct world *w, const struct element *e, char *text, size_t n)
{
	const struct step_world *sw = &w->steps[e->step];
	if (step_is_many(sw->step) && !sw->absent)
		snprintf(text, n, "%s[%d]", sw->step->name, e->index);
	else
		snprintf(text, n, "%s", sw->step->name);
	return text;
}

static enum expr_result ended(const struct element *e, bool symbolic)
{
	switch (e->state) {
	case ELEMENT_READY:
	case ELEMENT_ABSENT: return EXPR_OK;
	case ELEMENT_FAILED:
	case ELEMENT_SKIPPED: return EXPR_SKIPPED;
	case ELEMENT_WAITING:
	case ELEMENT_STARTED: break;
	}
	return symbolic ? EXPR_OK : EXPR_BLOCKED;
}

enum expr_result world_after(struct world *w, struct element *e)
{
	const struct step *s = w->steps[e->step].step;
	const bool symbolic = w->options.symbolic;
	enum expr_result all = EXPR_OK;
	if (e->it.type == VALUE_REF && s->each_step >= 0) {
		const struct element *it = world_element(w, e->it.ref);
		if (!it)
			return EXPR_BLOCKED;
		if (it->state == ELEMENT_ABSENT)
			return EXPR_ABSENT;
		all = ended(it, symbolic);
	}
	for (size_t i = 0; i < s->after_count; i++) {
		const struct step_world *sw = &w->steps[s->after[i]];
		if (!sw->expanded)
			return EXPR_BLOCKED;
		for (size_t k = 0; k < sw->count && all != EXPR_BLOCKED; k++) {
			const enum expr_result r = ended(&sw->elements[k], symbolic);
			if (r != EXPR_OK)
				all = r;
		}
	}
	return all;
}

/* --- the user of a guest ---------------------------------------------------------------------- */

struct user_search {
	const struct world *w;
	const char *user;
	unsigned depth;
};

static void search_user(struct user_search *s, const struct step *step);

static void on_body_name(void *arg, const struct expr_use *use)
{
	struct user_search *s = arg;
	const struct scenario *scenario = s->w->scenario;
	char *name = slice_dup(use->name);
	const char *user = json_str(json_object_get(s->w->options.picked, name), "user");
	const int step = scenario_step(scenario, use->name);
	free(name);
	if (s->user)
		return;
	if (user) {
		s->user = user;
		return;
	}
	if (step < 0)
		return;
	const struct step_world *sw = &s->w->steps[step];
	const struct kind *k = sw->step->kind;
	if (k && !strcmp(k->name, "image") && sw->count && sw->elements[0].object)
		s->user = pick_image_user(sw->elements[0].object);
	else if (k && !strcmp(k->name, "volume"))
		search_user(s, sw->step);
}

static void search_user(struct user_search *s, const struct step *step)
{
	if (step->body && s->depth++ < 4)
		interp_names(step->body, on_body_name, s);
}

const char *world_login_user(const struct world *w, const struct element *e)
{
	struct user_search s = {.w = w};
	search_user(&s, w->steps[e->step].step);
	return s.user;
}
