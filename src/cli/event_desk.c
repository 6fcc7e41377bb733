/*
 * event_desk.c - the store that events are written to from the command line; see event_desk.h.
 *
 * A running house sees what is written here in the change feed within a second; nothing is asked
 * of it, so that an outage can be told of when it does not run.
 */

#include "cli/event_desk.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/units.h"
#include "cli/session.h"
#include "judge/judge.h"

/* --- opening ---------------------------------------------------------------------------------- */

static char *user_name(void)
{
	const char *before = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *pw = before && *before ? NULL : getpwuid(geteuid());
	return mem_strdup(before && *before ? before : pw ? pw->pw_name : "unknown");
}

/* What --state names needs no configuration. */
static bool read_config(struct event_desk *d, bool needed)
{
	struct error_list errors = {0};
	const struct event_args *a = d->args;
	char *path = a->state && !a->config && !needed ? NULL : config_find(a->config);
	if (path)
		d->config = config_load(path, &errors);
	const bool good = !path || d->config;
	if (!good) {
		session_print_errors(&errors);
		if (!a->state && !needed)
			fputs("with --state DIR the store is found without it\n", stderr);
	}
	free(path);
	error_list_fini(&errors);
	return good;
}

static bool open_store(struct event_desk *d, struct error *err)
{
	const char *configured = d->config ? d->config->state : NULL;
	const char *given = d->args->state ? d->args->state : configured;
	char *state = given ? mem_strdup(given) : session_state_dir();
	d->loop = loop_new(NULL, err);
	if (d->loop)
		d->facts = facts_open(state, d->loop, err);
	free(state);
	return d->facts && event_migrate(d->facts, err) && judge_migrate(d->facts, err);
}

static bool open_zone(struct event_desk *d, struct error *err)
{
	const char *configured = d->config ? d->config->timezone : NULL;
	d->zone = zone_load(d->args->zone ? d->args->zone : configured, err);
	if (!d->zone)
		error_wrap(err, "--zone");
	return d->zone != NULL;
}

bool event_desk_open(struct event_desk *d, const struct event_args *a, bool need_config)
{
	struct error err = {0};
	*d = (struct event_desk){.args = a, .now_ms = clock_unix_us(&clock_system) / 1000};
	if (read_config(d, need_config)) {
		d->by = a->by ? mem_strdup(a->by) : user_name();
		if (open_store(d, &err) && open_zone(d, &err))
			return true;
		session_print_error(&err);
	}
	event_desk_close(d);
	return false;
}

void event_desk_close(struct event_desk *d)
{
	facts_close(d->facts);
	if (d->loop)
		loop_free(d->loop);
	zone_free(d->zone);
	config_free(d->config);
	VEC_EACH (&d->names, char *, s)
		free(*s);
	vec_fini(&d->names);
	vec_fini(&d->impacts);
	free(d->by);
	free(d->text);
	*d = (struct event_desk){0};
}

/* --- components ------------------------------------------------------------------------------- */

struct known {
	VEC(char *) ids, names;
};

static bool on_known(void *arg, const struct component *c)
{
	struct known *k = arg;
	vec_push(&k->ids, mem_strdup(c->id));
	vec_push(&k->names, mem_strdup(c->name));
	return true;
}

static void known_fini(struct known *k)
{
	for (size_t i = 0; i < k->ids.n; i++) {
		free(k->ids.p[i]);
		free(k->names.p[i]);
	}
	vec_fini(&k->ids);
	vec_fini(&k->names);
}

static void say_unknown(const struct known *k, struct slice word)
{
	const char *const *ids = (const char *const *)k->ids.p;
	const char *near = slice_nearest(word, ids, k->ids.n);
	fprintf(stderr, "--component: there is no component \"%.*s\"", SLICE_ARG(word));
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	fputs(" There are:", stderr);
	for (size_t i = 0; i < k->ids.n && i < 40; i++)
		fprintf(stderr, "%s %s", i ? "," : "", ids[i]);
	fputs(k->ids.n > 40 ? ", ...\n" : "\n", stderr);
}

/* By its id or its name. A store in which nothing was ever watched knows none: any will do. */
static const char *find_known(const struct known *k, struct slice word)
{
	for (size_t i = 0; i < k->ids.n; i++)
		if (slice_is(word, k->ids.p[i]) || slice_is_nocase(word, k->names.p[i]))
			return k->ids.p[i];
	return NULL;
}

static bool parse_impact(struct slice text, int *ret)
{
	static const struct {
		const char *name;
		int impact;
	} words[] = {{"none", 0}, {"degraded", 33}, {"partial", 66}, {"outage", 100}};
	int64_t n;
	for (size_t i = 0; i < array_len(words); i++)
		if (slice_is(text, words[i].name)) {
			*ret = words[i].impact;
			return true;
		}
	if (!units_parse_int(text, &n) || n < 0 || n > 100)
		return false;
	*ret = (int)n;
	return true;
}

static bool add_impact(struct event_desk *d, const struct known *k, const char *text, int otherwise)
{
	const struct slice all = slice_of(text);
	const size_t at = slice_find(all, '=');
	const struct slice word = slice_sub(all, 0, at);
	int impact = otherwise;
	const char *id = find_known(k, word);
	if (!id && k->ids.n) {
		say_unknown(k, word);
		return false;
	}
	if (at < all.n && !parse_impact(slice_sub(all, at + 1, all.n), &impact)) {
		fprintf(stderr,
			"--component: \"%s\": the impact is none, degraded, partial, outage or 0"
			" to 100\n",
			text);
		return false;
	}
	char *name = id ? mem_strdup(id) : slice_dup(word);
	vec_push(&d->names, name);
	vec_push(&d->impacts, ((struct event_impact){name, impact}));
	return true;
}

bool event_desk_impacts(struct event_desk *d, int otherwise)
{
	struct known k = {0};
	struct error err = {0};
	bool good = judge_known(d->facts, on_known, &k, &err);
	if (!good)
		session_print_error(&err);
	if (good && !k.ids.n && d->args->components.n)
		fputs("no component is known in this store yet: they are taken as they are\n",
			stderr);
	for (size_t i = 0; good && i < d->args->components.n; i++)
		good = add_impact(d, &k, d->args->components.p[i], otherwise);
	known_fini(&k);
	return good;
}

/* --- times and texts -------------------------------------------------------------------------- */

/* "2026-12-01 22:00", or with a T. */
static bool parse_local(const struct zone *z, struct slice text, int64_t *ret_ms)
{
	int32_t day, s;
	if (text.n < 16 || (text.p[10] != ' ' && text.p[10] != 'T') ||
		!calendar_parse_date(slice_sub(text, 0, 10), &day, NULL) ||
		!calendar_parse_time(slice_sub(text, 11, text.n), &s, NULL))
		return false;
	*ret_ms = zone_moment_s(z, day * 86400LL + s) * 1000;
	return true;
}

bool event_desk_time(
	const struct event_desk *d, const char *option, const char *text, int64_t *ret_ms)
{
	int64_t us, ns;
	const bool ahead = text[0] == '+';
	if (clock_parse_rfc3339(text, &us) && us > 0) {
		*ret_ms = us / 1000;
		return true;
	}
	if (units_parse_time(slice_of(text + ahead), &ns) && ns >= 0) {
		*ret_ms = d->now_ms + (ahead ? ns : -ns) / NS_PER_MS;
		return true;
	}
	if (parse_local(d->zone, slice_of(text), ret_ms))
		return true;
	fprintf(stderr,
		"--%s: \"%s\" is no time: expected 2h (ago), +2h (from now), \"2026-12-01 22:00\""
		" or 2026-12-01T21:00:00Z\n",
		option, text);
	return false;
}

static bool read_stream(FILE *f, const char *name, char **ret)
{
	struct buf text = BUF(EVENT_TEXT_MAX + 1);
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		if (!buf_add(&text, piece, n))
			break;
	const bool good = !ferror(f) && !text.over;
	if (ferror(f))
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	else if (text.over)
		fprintf(stderr, "%s: the text is longer than %u KiB\n", name, EVENT_TEXT_MAX >> 10);
	else if (strlen(buf_str(&text)) != text.n)
		fprintf(stderr, "%s: the text has a NUL in it\n", name);
	if (good && strlen(buf_str(&text)) == text.n)
		*ret = buf_take(&text);
	buf_fini(&text);
	return *ret != NULL;
}

bool event_desk_text(struct event_desk *d, const char *word)
{
	const char *file = d->args->file;
	if (word && file) {
		fputs("a text and --file: which of them?\n", stderr);
		return false;
	}
	if (word ? !strcmp(word, "-") : file && !strcmp(file, "-"))
		return read_stream(stdin, "stdin", &d->text);
	if (!file) {
		d->text = mem_strdup(word);
		return true;
	}
	FILE *f = fopen(file, "re");
	if (!f) {
		fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return false;
	}
	const bool good = read_stream(f, file, &d->text);
	fclose(f);
	return good;
}
