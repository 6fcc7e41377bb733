/*
 * read_step.c - one step: its common keys by a table, its verb by another, its body.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "observe/scenario/reader.h"
#include "text/keys.h"

#define TIME_MIN  NS_PER_MS
#define TIME_MAX  (7 * 24 * 3600 * NS_PER_S)
#define LEAD_NS   (2 * NS_PER_S)
#define TAIL_NS   (10 * NS_PER_S)
#define KEEP_MAX  1000000
#define NAMES_MAX 128

/* --- verbs ------------------------------------------------------------------------------------ */

struct verb_row {
	const char *name;
	enum verb verb;
	const char *keys;  /* of the body, separated by spaces; NULL: any, or none at all */
	const char *first; /* what a body that is no map stands for; NULL: it must be a map */
	const char *required;
};

static const struct verb_row verbs[] = {
	{"find", VERB_FIND, NULL, NULL, NULL},
	{"group", VERB_GROUP, NULL, "", NULL},
	{"set", VERB_SET, NULL, NULL, "of"},
	{"server_action", VERB_SERVER_ACTION, NULL, NULL, "of"},
	{"delete", VERB_DELETE, "of", "of", "of"},
	{"call", VERB_CALL, "service method path body microversion", NULL, "service path"},
	{"wait", VERB_WAIT, NULL, "", NULL},
	{"ping", VERB_PING, "to from any source", "to", "to"},
	{"tcp", VERB_TCP, "to from", "to", "to"},
	{"http", VERB_HTTP, "url method headers body requests from", "url", "url"},
	{"ssh", VERB_SSH, "to run input user port key host_key", "to", "to"},
	{"dns", VERB_DNS, "name type server tcp", NULL, "name"},
	{"stream", VERB_STREAM, "to every", NULL, "to"},
	{"download", VERB_DOWNLOAD, "of", "of", "of"},
	{"list", VERB_LIST, "service path accept", "service", "service"},
	{"token", VERB_TOKEN, "from", "from", "from"},
	{"value", VERB_VALUE, NULL, "", NULL},
	{"guest", VERB_GUEST, "on gateway serve stop", NULL, "on"},
	{"mesh", VERB_MESH, "among protocols count every", NULL, "among"},
	{"throughput", VERB_THROUGHPUT, "from to time", NULL, "from to"},
	{"bench", VERB_BENCH, "on pi disk", NULL, "on"},
};

static const struct verb_row *find_verb(struct slice name)
{
	for (size_t i = 0; i < array_len(verbs); i++)
		if (slice_is(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

/* --- common keys ------------------------------------------------------------------------------ */

static const char *const grades[] = {"outage", "degraded", "note", NULL};

#define AT(field) offsetof(struct step, field)
static const struct key simple_keys[] = {
	{"lock", KEY_TEXT, AT(lock), false, 0, 60, NULL, NULL},
	{"abort", KEY_BOOL, AT(abort), false, 0, 0, NULL, NULL},
	{"optional", KEY_BOOL, AT(optional), false, 0, 0, NULL, NULL},
	{"component", KEY_TEXT, AT(component), false, 0, 200, NULL, NULL},
	{"metric", KEY_TEXT, AT(metric), false, 0, 100, NULL, NULL},
	{"grade", KEY_WORD, AT(grade), false, 0, 0, grades, NULL},
	{"timeout", KEY_TIME, AT(timeout_ns), false, TIME_MIN, TIME_MAX, NULL, NULL},
	{"request", KEY_TIME, AT(request_ns), false, TIME_MIN, TIME_MAX, NULL, NULL},
	{"hold", KEY_TIME, AT(hold_ns), false, TIME_MIN, TIME_MAX, NULL, NULL},
	{"lead", KEY_TIME, AT(lead_ns), false, 0, TIME_MAX, NULL, NULL},
	{"tail", KEY_TIME, AT(tail_ns), false, 0, TIME_MAX, NULL, NULL},
	{"every", KEY_TIME, AT(every_ns), false, TIME_MIN, TIME_MAX, NULL, NULL},
};

#define CREATES (1u << VERB_CREATE)
#define CHANGES (1u << VERB_SET | 1u << VERB_SERVER_ACTION | 1u << VERB_CALL)
#define MEASURES                                                                                   \
	(1u << VERB_PING | 1u << VERB_TCP | 1u << VERB_HTTP | 1u << VERB_SSH | 1u << VERB_STREAM | \
		1u << VERB_DOWNLOAD | 1u << VERB_LIST | 1u << VERB_TOKEN | 1u << VERB_VALUE |      \
		1u << VERB_DNS | 1u << VERB_GUEST | 1u << VERB_MESH | 1u << VERB_THROUGHPUT |      \
		1u << VERB_BENCH)
#define ANY (~0u)

/* Which verbs a key goes with, and how that is said. */
static const struct {
	const char *name;
	unsigned verbs;
	const char *where;
} places[] = {
	{"like", ANY, NULL},
	{"when", ANY, NULL},
	{"count", ~(1u << VERB_GROUP), "a group has as many elements as its members"},
	{"each", ~(1u << VERB_GROUP), "a group has as many elements as its members"},
	{"after", ANY, NULL},
	{"around", 1u << VERB_STREAM, "it belongs to a stream"},
	{"lead", 1u << VERB_STREAM, "it belongs to a stream"},
	{"tail", 1u << VERB_STREAM, "it belongs to a stream"},
	{"until", CHANGES | CREATES | MEASURES, "it belongs to a change or a check"},
	{"every", ~(1u << VERB_GROUP), "it belongs to `wait` and `until`"},
	{"ready", CREATES, "it belongs to something that is made"},
	{"keep", CREATES, "it belongs to something that is made"},
	{"with", CREATES, "it belongs to something that is made"},
	{"lock", CREATES, "it belongs to something that is made"},
	{"upload", CREATES, "it belongs to an image"},
	{"login", CREATES | 1u << VERB_FIND | 1u << VERB_GROUP,
		"it stands at a server or a group of servers"},
	{"undo", CHANGES | 1u << VERB_GUEST, "it belongs to set, server_action, call and guest"},
	{"allowed", 1u << VERB_HTTP, "it belongs to http"},
	{"must_fail", ~(1u << VERB_GROUP | 1u << VERB_FIND | 1u << VERB_WAIT | 1u << VERB_STREAM),
		"it belongs to what is asked of the cloud or a guest"},
	{"hold", ~(1u << VERB_GROUP), "it goes with must_fail"},
	{"expect", ~(1u << VERB_GROUP), "a group measures nothing"},
	{"warn", ~(1u << VERB_GROUP), "a group measures nothing"},
	{"retry", ~(1u << VERB_GROUP | 1u << VERB_WAIT | 1u << VERB_STREAM),
		"it belongs to what can be tried again"},
	{"optional", 1u << VERB_LIST, "it belongs to list"},
	{"abort", ANY, NULL},
	{"component", ANY, NULL},
	{"metric", ANY, NULL},
	{"grade", ANY, NULL},
	{"timeout", ANY, NULL},
	{"request", ANY, NULL},
};

static int common_key(struct slice name)
{
	for (size_t i = 0; i < array_len(places); i++)
		if (slice_is(name, places[i].name))
			return (int)i;
	return -1;
}

bool read_is_common_key(struct slice name)
{
	return common_key(name) >= 0;
}

/* --- the verb --------------------------------------------------------------------------------- */

static void unknown_key(struct reader *r, const struct source_key *k, const char *step)
{
	const char *names[NAMES_MAX + array_len(places) + array_len(verbs)];
	size_t n = 0, kinds_n;
	char meant[MEANT_TEXT];
	const char *const *kinds = kinds_names(r->kinds, &kinds_n);
	for (size_t i = 0; i < array_len(places); i++)
		names[n++] = places[i].name;
	for (size_t i = 0; i < array_len(verbs); i++)
		names[n++] = verbs[i].name;
	for (size_t i = 0; i < kinds_n && i < NAMES_MAX; i++)
		names[n++] = kinds[i];
	reader_error(r, k->file, k->key, "step %s: \"%.60s\" is no key, verb or kind%s", step,
		k->key->text.p, reader_meant(k->key->text, names, n, meant));
}

/* The key that is a verb or a kind; unknown and further ones are errors. NULL: there is none. */
static const struct source_key *the_verb(struct reader *r, const struct source *src)
{
	const struct source_key *verb = NULL;
	bool unknown = false;
	for (size_t i = 0; i < src->keys.n; i++) {
		const struct source_key *k = &src->keys.p[i];
		if (common_key(k->key->text) >= 0)
			continue;
		if (!find_verb(k->key->text) && !kind_find(r->kinds, k->key->text)) {
			unknown_key(r, k, src->name->text.p);
			unknown = true;
		} else if (verb) {
			reader_error(r, k->file, k->key,
				"step %s has two verbs, %s and %s: make it two steps",
				src->name->text.p, verb->key->text.p, k->key->text.p);
		} else {
			verb = k;
		}
	}
	if (!verb && !unknown)
		reader_error(r, src->file, src->name,
			"step %s says nothing to do: it needs a kind such as network, or a verb such "
			"as ping",
			src->name->text.p);
	return verb;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void check_body_keys(struct reader *r, const struct source_key *k, const struct verb_row *v)
{
	const struct yaml *y = k->value;
	const char *names[16];
	size_t n = 0;
	struct slice rest = slice_of(v->keys), part;
	while (v->keys && n < array_len(names) && slice_next(&rest, ' ', &part))
		names[n++] = slice_dup(part);
	for (size_t i = 0; v->keys && i < y->n; i++) {
		char meant[MEANT_TEXT];
		if (!slice_in_words(y->keys[i]->text, v->keys))
			reader_error(r, k->file, y->keys[i], "%s: unknown key \"%.60s\"%s", v->name,
				y->keys[i]->text.p,
				reader_meant(y->keys[i]->text, names, n, meant));
	}
	while (n)
		free((char *)names[--n]);
	rest = slice_of(v->required);
	while (v->required && slice_next(&rest, ' ', &part)) {
		char *key = slice_dup(part);
		if (!yaml_get(y, key))
			reader_error(r, k->file, k->key, "%s: `%s` is missing", v->name, key);
		free(key);
	}
}

/* A kind's path needs some of the body: {router} of /routers/{router}/add_router_interface. */
static void check_path_keys(struct reader *r, const struct source_key *k, const struct kind *kind)
{
	struct slice rest = slice_of(kind->create), name;
	while (kind_path_name(&rest, &name)) {
		char *key = slice_dup(name);
		const bool ours = slice_in_words(name, "id project user") ||
				  (kind->name_field && slice_is(name, kind->name_field));
		if (!ours && !yaml_get(k->value, key))
			reader_error(r, k->file, k->key, "%s: `%s` is missing", kind->name, key);
		free(key);
	}
}

static void check_own_name(struct reader *r, const struct source_key *k, const struct step *step)
{
	const struct kind *kind = step->kind;
	const struct interp *name = step->body && kind->name_field && interp_is_map(step->body)
					    ? interp_get(step->body, kind->name_field)
					    : NULL;
	unsigned line, col;
	if (!name || !interp_constant(name))
		return;
	interp_place(name, &line, &col);
	error_list_at(r->errors, k->file, line, col,
		"a name of one's own must contain ${run}, so that it can be told whose it is");
}

static void read_create(
	struct reader *r, struct step *step, const struct source_key *k, const struct place *place)
{
	static struct yaml empty = {.kind = YAML_MAP};
	const bool null = yaml_is_null(k->value);
	if (k->value->kind != YAML_MAP && !null) {
		reader_error(r, k->file, k->value, "the body of %s is a map of its fields, not %s",
			step->kind->name,
			k->value->kind == YAML_SCALAR ? "text" : yaml_kind_name(k->value));
		return;
	}
	if (!null)
		check_path_keys(r, k, step->kind);
	step->body = read_interp(r, null ? &empty : k->value, k->file, place);
	check_own_name(r, k, step);
}

static void read_find(
	struct reader *r, struct step *step, const struct source_key *k, const struct place *place)
{
	const struct yaml *y = k->value;
	if (y->kind != YAML_MAP || y->n != 1 || y->items[0]->kind != YAML_MAP || !y->items[0]->n) {
		reader_error(r, k->file, y,
			"find takes one kind and the fields to find it by, such as "
			"{network: {name: shared}}");
		return;
	}
	step->kind = kind_find(r->kinds, y->keys[0]->text);
	if (!step->kind) {
		size_t n;
		const char *const *names = kinds_names(r->kinds, &n);
		char meant[MEANT_TEXT];
		reader_error(r, k->file, y->keys[0], "\"%.60s\" is no kind%s", y->keys[0]->text.p,
			reader_meant(y->keys[0]->text, names, n, meant));
	} else if (!step->kind->list) {
		reader_error(r, k->file, y->keys[0], "a %s cannot be found: the API has no list",
			step->kind->name);
	}
	step->body = read_interp(r, y->items[0], k->file, place);
}

static void check_action(struct reader *r, const struct source_key *k)
{
	size_t actions = 0;
	for (size_t i = 0; i < k->value->n; i++)
		actions += !slice_is(k->value->keys[i]->text, "of");
	if (actions != 1)
		reader_error(r, k->file, k->value,
			"server_action takes `of` and one action such as os-stop: null");
}

/* The rate of a stream, unless only the run knows it. */
static void check_every(struct reader *r, const struct source_key *k, const struct yaml *every)
{
	int64_t ns;
	if (!every || (every->kind == YAML_SCALAR &&
			      (slice_find_text(every->text, SLICE("${")) < every->text.n ||
				      units_parse_time(every->text, &ns))))
		return;
	reader_error(r, k->file, every,
		"stream: `every` must be a time with a unit, such as 10ms, not \"%.60s\"",
		every->kind == YAML_SCALAR ? every->text.p : yaml_kind_name(every));
}

static void read_verb(struct reader *r, struct step *step, const struct source_key *k,
	const struct verb_row *v, struct place *place)
{
	const struct yaml *y = k->value;
	if (step->verb == VERB_WAIT) {
		step->until = read_expression(r, k, place);
		return;
	}
	if (step->verb == VERB_FIND) {
		read_find(r, step, k, place);
		return;
	}
	if (y->kind != YAML_MAP && (!v->first || (*v->first && y->kind == YAML_LIST))) {
		reader_error(r, k->file, y, "the body of %s is a map, not %s", v->name,
			y->kind == YAML_SCALAR ? "text" : yaml_kind_name(y));
		return;
	}
	if (v->first && *v->first && y->kind != YAML_MAP && !slice_trim(y->text).n) {
		reader_error(r, k->file, y, "%s: `%s` is missing", v->name, v->first);
		return;
	}
	if (y->kind == YAML_MAP)
		check_body_keys(r, k, v);
	if (step->verb == VERB_SERVER_ACTION && y->kind == YAML_MAP)
		check_action(r, k);
	if (step->verb == VERB_STREAM && y->kind == YAML_MAP)
		check_every(r, k, yaml_get(y, "every"));
	if (verb_works_in_guest(step->verb) && y->kind == YAML_MAP)
		read_guest_body(r, k, step->verb);
	step->body = read_interp(r, y, k->file, place);
	if (step->verb == VERB_GROUP && step->body) {
		/* Its members' log-ins are its own unless it has one. */
		struct place via = *place;
		via.link = source_get(&r->sources.p[place->step], "login") ? LINK_NONE : LINK_VIA;
		if (interp_is_map(step->body) || interp_is_list(step->body))
			reader_error(r, k->file, y,
				"a group is an expression such as \"${a[*] + b[*]}\"");
		names_of_interp(r, step->body, &via);
	}
}

static void log_ins(struct reader *r, const struct step *step, size_t at, const struct yaml *y)
{
	if (!verb_reaches(step->verb))
		return;
	if (y->kind != YAML_MAP) {
		names_logs_in(r, y, at);
		return;
	}
	if (!yaml_get(y, "key") || step->verb != VERB_SSH)
		names_logs_in(r, yaml_get(y, "to"), at);
	names_logs_in(r, yaml_get(y, "from"), at);
	names_logs_in(r, yaml_get(y, "on"), at);
	names_logs_in(r, yaml_get(y, "among"), at);
}

/* --- common keys ------------------------------------------------------------------------------ */

static void read_each(
	struct reader *r, struct step *step, const struct source_key *k, const struct place *place)
{
	const struct yaml *y = k->value;
	const bool bare =
		y->kind == YAML_SCALAR && slice_find_text(y->text, SLICE("${")) == y->text.n;
	if (bare) {
		size_t to;
		if (!read_step_name(r, y, k->file, "each", &to))
			return;
		step->each_step = (int)to;
		vec_push(&r->links[place->step].start, to);
	}
	if (y->kind == YAML_MAP) {
		for (size_t i = 0; i < y->n; i++)
			if (y->items[i]->kind == YAML_MAP)
				reader_error(r, k->file, y->items[i],
					"each with names takes lists: {zone: \"${zones.compute}\"}");
		if (!y->n)
			reader_error(r, k->file, y, "each is an empty map");
	}
	step->each = bare ? interp_parse(y, k->file, r->errors) : read_interp(r, y, k->file, place);
}

static void read_login(
	struct reader *r, struct step *step, const struct source_key *k, struct place place)
{
	static const struct verb_row keys = {"login", 0, "user host port key via", NULL, NULL};
	const struct yaml *y = k->value;
	if (y->kind != YAML_MAP) {
		reader_error(r, k->file, y, "login is a map: {user, host, port, key, via}, not %s",
			yaml_kind_name(y));
		return;
	}
	if (step->kind && strcmp(step->kind->name, "server") != 0 &&
		strcmp(step->kind->name, "server_batch") != 0) {
		reader_error(
			r, k->file, k->key, "login %s", "stands at a server or a group of servers");
		return;
	}
	check_body_keys(r, k, &keys);
	place.link = LINK_LOGIN;
	place.index = place.index || step->verb == VERB_GROUP;
	step->login = read_interp(r, y, k->file, &place);
	const struct yaml *via = yaml_get(y, "via");
	struct interp *t = via ? interp_parse(via, k->file, r->errors) : NULL;
	place.link = LINK_VIA;
	if (t)
		names_of_interp(r, t, &place);
	interp_free(t);
}

static void read_keep(struct reader *r, struct step *step, const struct source_key *k)
{
	const struct yaml *y = k->value;
	if (y->kind == YAML_SCALAR && slice_is(y->text, "forever"))
		step->keep = -1;
	else if (!yaml_int(y, &step->keep) || step->keep < 1 || step->keep > KEEP_MAX)
		reader_error(r, k->file, y, "keep is a number of runs, or forever, not \"%.60s\"",
			y->kind == YAML_SCALAR ? y->text.p : yaml_kind_name(y));
}

static void read_ready(
	struct reader *r, struct step *step, const struct source_key *k, const struct place *place)
{
	if (k->value->kind == YAML_SCALAR && slice_is(k->value->text, "now"))
		step->ready_now = true;
	else
		step->ready = read_expression(r, k, place);
}

static void read_count(
	struct reader *r, struct step *step, const struct source_key *k, const struct place *place)
{
	int64_t n;
	double x;
	if ((yaml_int(k->value, &n) && (n < 0 || n > SCENARIO_OBJECTS_MAX)) ||
		(!yaml_int(k->value, &n) && yaml_real(k->value, &x)))
		reader_error(r, k->file, k->value, "count is a whole number from 0 to %d",
			SCENARIO_OBJECTS_MAX);
	else
		step->count = read_expression(r, k, place);
}

/* Keys that are more than one value of the table. */
static void read_common(
	struct reader *r, struct step *step, const struct source_key *k, struct place place)
{
	const struct slice key = k->key->text;
	struct place outer = place; /* when, count and each come before any element */
	outer.index = outer.it = false;
	size_t with;
	if (slice_is(key, "when")) {
		step->when = read_expression(r, k, &outer);
	} else if (slice_is(key, "count")) {
		read_count(r, step, k, &outer);
	} else if (slice_is(key, "after")) {
		read_step_names(r, k, &step->after, &step->after_count);
		for (size_t i = 0; i < step->after_count; i++)
			vec_push(&r->links[place.step].start, step->after[i]);
	} else if (slice_is(key, "around")) {
		read_step_names(r, k, &step->around, &step->around_count);
		for (size_t i = 0; i < step->around_count; i++)
			vec_push(&r->links[place.step].end, step->around[i]);
	} else if (slice_is(key, "until")) {
		expr_free(step->until); /* of a `wait`, which cannot have both: an error already */
		step->until = read_expression(r, k, &place);
	} else if (slice_is(key, "ready")) {
		read_ready(r, step, k, &place);
	} else if (slice_is(key, "with")) {
		if (read_step_name(r, k->value, k->file, "with", &with)) {
			step->with = (int)with;
			vec_push(&r->links[place.step].start, with);
		}
	} else if (slice_is(key, "keep")) {
		read_keep(r, step, k);
	} else if (slice_is(key, "login")) {
		read_login(r, step, k, place);
	} else if (slice_is(key, "undo")) {
		step->undo = read_interp(r, k->value, k->file, &place);
	} else if (slice_is(key, "upload")) {
		step->upload = read_interp(r, k->value, k->file, &place);
	} else if (slice_is(key, "allowed")) {
		step->allowed = read_interp(r, k->value, k->file, &place);
	} else if (slice_is(key, "must_fail")) {
		read_faults(r, k, &step->must_fail);
	} else if (slice_is(key, "retry")) {
		read_retry(r, k, &step->retry);
	} else if (slice_is(key, "expect") || slice_is(key, "warn")) {
		place.link = LINK_END;
		read_conditions(r, k, &place, slice_is(key, "warn") ? &step->warn : &step->expect);
	}
}

/* A simple key alone, through the table that knows its type. */
static bool read_simple(struct reader *r, struct step *step, const struct source_key *k)
{
	for (size_t i = 0; i < array_len(simple_keys); i++) {
		if (!slice_is(k->key->text, simple_keys[i].name))
			continue;
		struct yaml *key = (struct yaml *)k->key, *value = (struct yaml *)k->value;
		const struct yaml one = {.kind = YAML_MAP,
			.line = k->key->line,
			.col = k->key->col,
			.n = 1,
			.keys = &key,
			.items = &value};
		char *what = mem_printf("step %s", step->name);
		keys_read(
			&one, k->file, what, simple_keys, array_len(simple_keys), step, r->errors);
		free(what);
		return true;
	}
	return false;
}

static void check_place(struct reader *r, const struct step *step, const struct source_key *k)
{
	const int at = common_key(k->key->text);
	if (at >= 0 && !(places[at].verbs & 1u << step->verb))
		reader_error(r, k->file, k->key, "`%s` has no meaning for %s: %s", places[at].name,
			verb_name(step), places[at].where);
}

static void check_together(struct reader *r, const struct step *step, const struct source *src)
{
	const struct source_key *each = source_get(src, "each"), *hold = source_get(src, "hold"),
				*upload = source_get(src, "upload"),
				*keep = source_get(src, "keep");
	if (each && source_get(src, "count"))
		reader_error(
			r, each->file, each->key, "step %s has both count and each", step->name);
	if (hold && !source_get(src, "must_fail"))
		reader_error(r, hold->file, hold->key, "hold goes with must_fail");
	if (step->verb == VERB_STREAM && !source_get(src, "around"))
		reader_error(r, src->file, src->name,
			"the stream %s needs `around`: the steps it runs around", step->name);
	if (keep && step->kind && step->kind->several)
		reader_error(r, keep->file, keep->key, "a %s cannot be kept", step->kind->name);
	if (upload && step->kind && !step->kind->uploads)
		reader_error(r, upload->file, upload->key, "a %s has no data to upload",
			step->kind->name);
}

void read_step(struct reader *r, size_t at)
{
	struct step *step = &r->s->steps[at];
	const struct source *src = &r->sources.p[at];
	const struct source_key *verb = the_verb(r, src);
	struct place place = {.step = at,
		.file = src->file,
		.index = source_get(src, "count") || source_get(src, "each"),
		.it = source_get(src, "each") != NULL,
		.link = LINK_START};
	const struct verb_row *v = verb ? find_verb(verb->key->text) : NULL;
	step->lead_ns = LEAD_NS;
	step->tail_ns = TAIL_NS;
	if (verb) {
		step->verb = v ? v->verb : VERB_CREATE;
		step->kind = v ? NULL : kind_find(r->kinds, verb->key->text);
	}
	const struct source_key *each = source_get(src, "each");
	if (each) {
		struct place outer = place;
		outer.index = outer.it = false;
		outer.file = each->file;
		read_each(r, step, each, &outer);
	}
	if (verb) {
		place.file = verb->file;
		if (v)
			read_verb(r, step, verb, v, &place);
		else
			read_create(r, step, verb, &place);
		log_ins(r, step, at, verb->value);
	}
	for (size_t i = 0; i < src->keys.n; i++) {
		const struct source_key *k = &src->keys.p[i];
		place.file = k->file;
		if (verb)
			check_place(r, step, k);
		if (k != verb && !read_simple(r, step, k) && common_key(k->key->text) >= 0 &&
			k != each)
			read_common(r, step, k, place);
	}
	check_together(r, step, src);
}
