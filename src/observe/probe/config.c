/*
 * config.c - one item of `probes:`: the keys every probe has, and one whose name is a kind.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/units.h"
#include "net/resolver.h"
#include "observe/probe/inside.h"

#define DAY_NS     (24 * 3600 * NS_PER_S)
#define LINE_MAX_  200
#define TARGET_MAX 4096
#define KINDS_MAX  32

static const char *const severity_words[] = {"outage", "degraded", "note", NULL};
enum { FAMILY_ANY, FAMILY_V4, FAMILY_V6, FAMILY_BOTH };
static const char *const family_words[] = {"any", "ipv4", "ipv6", "both", NULL};

struct item { /* what a map says */
	char *name, *component, *category, *region, *group, *globalmon, **after;
	int64_t every_ns, timeout_ns, tries, pause_ns, slow_ns;
	int severity, family;
	const struct yaml *expect, *warn;
	const struct yaml *kinds[KINDS_MAX];
};

#define ITEM(name, type, field) name, type, offsetof(struct item, field)
static const struct key common[] = {
	{ITEM("name", KEY_TEXT, name), .required = true, .help = "letters, digits, '-', '_', '.'"},
	{ITEM("every", KEY_TIME, every_ns), .min = NS_PER_S, .max = 7 * DAY_NS},
	{ITEM("timeout", KEY_TIME, timeout_ns), .min = 10 * NS_PER_MS, .max = 3600 * NS_PER_S,
		.help = "of one attempt"},
	{ITEM("tries", KEY_INT, tries), .min = 1, .max = PROBE_TRIES_MAX},
	{ITEM("pause", KEY_TIME, pause_ns), .min = NS_PER_MS, .max = 3600 * NS_PER_S},
	{ITEM("component", KEY_TEXT, component), .max = LINE_MAX_},
	{ITEM("category", KEY_TEXT, category), .max = LINE_MAX_},
	{ITEM("region", KEY_TEXT, region), .max = LINE_MAX_},
	{ITEM("group", KEY_TEXT, group), .max = LINE_MAX_},
	{ITEM("globalmon", KEY_TEXT, globalmon), .max = LINE_MAX_,
		.help = "of kind http: told by GlobalMon's names, as this service"},
	{ITEM("expect", KEY_NODE, expect), .help = "conditions that must hold"},
	{ITEM("warn", KEY_NODE, warn), .help = "conditions that should hold"},
	{ITEM("slow", KEY_TIME, slow_ns), .min = NS_PER_MS, .max = 3600 * NS_PER_S},
	{ITEM("severity", KEY_WORD, severity), .words = severity_words},
	{ITEM("family", KEY_WORD, family), .words = family_words},
	{ITEM("after", KEY_TEXTS, after), .help = "names of probes it depends on"},
};
#undef ITEM

/* --- for kinds -------------------------------------------------------------------------------- */

void probe_wrong(struct probe_reader *r, const struct yaml *at, const char *fmt, ...)
{
	char *text;
	va_list ap;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	error_list_at(r->errors, r->file, at->line, at->col, "probe %.64s: %.800s", r->name, text);
	free(text);
}

void probe_path(const struct probe_reader *r, char **path)
{
	if (!*path || **path == '/' || !r->dir)
		return;
	char *whole = mem_printf("%s/%s", r->dir, *path);
	free(*path);
	*path = whole;
}

static bool is_reference(struct slice s)
{
	return slice_starts(s, "file:") || slice_starts(s, "env:");
}

bool probe_take_secret(struct probe_reader *r, const struct yaml *at, bool must,
	struct secret **into, char **ret_plain)
{
	if (at->kind != YAML_SCALAR || !at->text.n) {
		probe_wrong(r, at, "%s must be %s, not %s", r->key,
			must ? "file:PATH or env:NAME" : "text",
			at->kind == YAML_SCALAR ? "empty" : yaml_kind_name(at));
		return false;
	}
	if (!is_reference(at->text)) {
		if (!must)
			*ret_plain = slice_dup(at->text);
		else
			probe_wrong(r, at,
				"%s is a secret and cannot stand here: write file:PATH or env:NAME",
				r->key);
		return !must;
	}
	if (slice_is(at->text, "file:") || slice_is(at->text, "env:")) {
		probe_wrong(r, at, "%s: what comes after \"%s\"?", r->key, at->text.p);
		return false;
	}
	vec_push(&r->config->secrets,
		((struct taken_secret){slice_dup(at->text), at->line, at->col, into}));
	return true;
}

static bool is_host(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c == 0x7f || strchr("/@?#\\\"<>[]", c))
			return false;
	}
	return s.n > 0 && s.n <= 253;
}

bool probe_check_ascii(struct probe_reader *r, const struct yaml *at, struct slice host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] & 0x80) {
			probe_wrong(r, at,
				"\"%.*s\" is no host in ASCII: write its xn-- form (RFC 5891)",
				(int)(host.n < 253 ? host.n : 253), host.p);
			return false;
		}
	return true;
}

bool probe_read_target(struct probe_reader *r, const struct yaml *at, const char *text,
	unsigned port, char **ret_host, unsigned *ret_port)
{
	const struct slice s = slice_of(text);
	struct slice host = s, number = {0};
	int64_t n = port;
	const size_t close = s.n && s.p[0] == '[' ? slice_find(s, ']') : s.n;
	const char *colon = memchr(text, ':', s.n);
	const bool one = colon && !memchr(colon + 1, ':', s.n - (size_t)(colon + 1 - text));
	if (close < s.n) {
		host = slice_sub(s, 1, close - 1);
		number = slice_sub(s, close + 1, s.n);
	} else if (one) {
		host = slice_sub(s, 0, (size_t)(colon - text));
		number = slice_sub(s, host.n, s.n);
	}
	if (!is_host(host) || (number.n && number.p[0] != ':')) {
		probe_wrong(r, at, "\"%.200s\" is no HOST:PORT", text);
		return false;
	}
	if (number.n &&
		(!units_parse_int(slice_sub(number, 1, number.n), &n) || n < 1 || n > 65535)) {
		probe_wrong(r, at, "\"%.200s\": the port is a number from 1 to 65535", text);
		return false;
	}
	if (!n) {
		probe_wrong(r, at, "\"%.200s\" has no port: write HOST:PORT", text);
		return false;
	}
	if (!probe_check_ascii(r, at, host))
		return false;
	*ret_host = slice_dup(host);
	*ret_port = (unsigned)n;
	return true;
}

/* --- common keys ------------------------------------------------------------------------------ */

static void check_name(struct probe_reader *r, const struct yaml *at)
{
	const struct slice s = at->text;
	bool good = s.n > 0 && s.n <= PROBE_NAME_MAX && s.p[0] != '.';
	for (size_t i = 0; i < s.n && good; i++)
		good = isalnum((unsigned char)s.p[i]) || strchr("-_.", s.p[i]);
	if (!good)
		probe_wrong(r, at,
			"a name has 1 to %d letters, digits, '-', '_' or '.' and does not begin with '.'",
			PROBE_NAME_MAX);
}

static void check_line(struct probe_reader *r, const struct yaml *map, const char *key)
{
	const struct yaml *y = yaml_get(map, key);
	if (!y || y->kind != YAML_SCALAR)
		return;
	bool good = y->text.n > 0;
	for (size_t i = 0; i < y->text.n; i++)
		good = good && (unsigned char)y->text.p[i] >= ' ' && y->text.p[i] != 0x7f;
	if (!good)
		probe_wrong(r, y, "%s must be one line of text", key);
}

static void check_times(struct probe_reader *r, const struct yaml *map, struct item *item)
{
	const struct yaml *y = yaml_get(map, "timeout");
	char text[UNITS_TEXT];
	if (!item->timeout_ns)
		item->timeout_ns =
			item->every_ns < PROBE_TIMEOUT_NS ? item->every_ns : PROBE_TIMEOUT_NS;
	else if (y && item->timeout_ns > item->every_ns)
		probe_wrong(r, y, "timeout is longer than every (%s): runs would overlap",
			units_time_whole(item->every_ns, text));
	y = yaml_get(map, "pause");
	if (y && item->pause_ns >= item->every_ns && item->tries > 1)
		probe_wrong(r, y, "pause is not shorter than every (%s): there is no second try",
			units_time_whole(item->every_ns, text));
}

static void check_after(struct probe_reader *r, const struct yaml *map, const struct item *item)
{
	for (char **a = item->after; a && *a; a++)
		if (!strcmp(*a, item->name))
			probe_wrong(r, yaml_get(map, "after"), "it cannot come after itself");
}

static void take_common(struct probe_config *c, struct item *item, const struct yaml *map)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNSPEC};
	c->tries = item->tries;
	c->pause_ns = item->pause_ns;
	c->slow_ns = item->slow_ns;
	c->family = families[item->family];
	c->about = (struct probe_about){.name = item->name,
		.component = item->component,
		.category = item->category,
		.region = item->region,
		.group = item->group,
		.globalmon = item->globalmon,
		.every_ns = item->every_ns,
		.timeout_ns = item->timeout_ns,
		.severity = (enum severity)item->severity,
		.after = (const char *const *)item->after,
		.line = map->line,
		.col = map->col,
		.twice = item->family == FAMILY_BOTH};
}

/* --- the kind --------------------------------------------------------------------------------- */

static size_t table_of(struct key *table)
{
	size_t n;
	const struct probe_kind *const *kinds = probe_kinds(&n);
	memcpy(table, common, sizeof(common));
	for (size_t i = 0; i < n; i++)
		table[array_len(common) + i] = (struct key){.name = kinds[i]->name,
			.type = KEY_NODE,
			.offset = offsetof(struct item, kinds) + i * sizeof(const struct yaml *)};
	return array_len(common) + n;
}

static const struct yaml *find_kind(struct probe_reader *r, const struct yaml *map,
	const struct item *item, const struct probe_kind **ret_kind)
{
	size_t n;
	const struct probe_kind *const *kinds = probe_kinds(&n);
	const struct yaml *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!item->kinds[i])
			continue;
		if (found) {
			probe_wrong(r, item->kinds[i],
				"it is %s already: a probe has one kind, %s is another",
				(*ret_kind)->name, kinds[i]->name);
			return NULL;
		}
		found = item->kinds[i];
		*ret_kind = kinds[i];
	}
	if (found)
		return found;
	struct buf names = BUF(BUF_LINE);
	for (size_t i = 0; i < n; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", kinds[i]->name);
	probe_wrong(r, map, "what is it? One of these keys is needed: %s", buf_str(&names));
	buf_fini(&names);
	return NULL;
}

/* A text stands for a map with the kind's first key. */
static bool read_keys(
	struct probe_reader *r, const struct yaml *at, const struct probe_kind *k, void *spec)
{
	char what[PROBE_NAME_MAX + 64];
	snprintf(what, sizeof(what), "probe %.64s: %s", r->name, k->name);
	if (at->kind == YAML_MAP)
		return keys_read(at, r->file, what, k->keys, k->key_count, spec, r->errors);
	if (at->kind != YAML_SCALAR || !k->shorthand || yaml_is_null(at)) {
		probe_wrong(r, at, "%s must be %s", k->name,
			k->shorthand ? "its target as a text, or a map of its keys"
				     : "a map of its keys");
		return false;
	}
	struct yaml key = {.kind = YAML_SCALAR,
		.plain = true,
		.line = at->line,
		.col = at->col,
		.text = slice_of(k->shorthand)};
	struct yaml value = *at, *keys[] = {&key}, *items[] = {&value};
	const struct yaml map = {.kind = YAML_MAP,
		.line = at->line,
		.col = at->col,
		.n = 1,
		.items = items,
		.keys = keys};
	return keys_read(&map, r->file, what, k->keys, k->key_count, spec, r->errors);
}

static void read_kind(struct probe_reader *r, const struct yaml *at)
{
	struct probe_config *c = r->config;
	const struct probe_kind *k = c->kind;
	struct buf target = BUF(TARGET_MAX);
	c->spec = mem_new_array(1, k->size ? k->size : 1);
	if (k->defaults)
		k->defaults(c->spec);
	/* What reads the rest may trust the keys. */
	if (read_keys(r, at, k, c->spec) && k->finish)
		k->finish(c->spec, at, r, &target);
	if (target.over)
		probe_wrong(r, at, "the target is longer than %d bytes", TARGET_MAX);
	c->about.kind = k->name;
	c->about.target = slice_dup(buf_slice(&target));
	buf_fini(&target);
	if (k->silent && c->about.twice)
		probe_wrong(r, at, "family: nothing is asked by a probe of kind %s", k->name);
}

/* --- reading ---------------------------------------------------------------------------------- */

static char *name_of(const struct yaml *map)
{
	const struct yaml *y = yaml_get(map, "name");
	return y && y->kind == YAML_SCALAR && y->text.n
		       ? slice_dup(slice_sub(y->text, 0, PROBE_NAME_MAX))
		       : mem_strdup("(no name)");
}

static void read_item(struct probe_reader *r, const struct yaml *map)
{
	struct probe_config *c = r->config;
	struct key table[array_len(common) + KINDS_MAX];
	const size_t n = table_of(table);
	char what[PROBE_NAME_MAX + 16];
	struct item item = {.every_ns = PROBE_EVERY_NS, .tries = 1, .pause_ns = NS_PER_S};
	snprintf(what, sizeof(what), "probe %.64s", r->name);
	const bool good = keys_read(map, r->file, what, table, n, &item, r->errors);
	if (good) {
		static const char *const lines[] = {
			"component", "category", "region", "group", "globalmon"};
		check_name(r, yaml_get(map, "name"));
		for (size_t i = 0; i < array_len(lines); i++)
			check_line(r, map, lines[i]);
		check_times(r, map, &item);
		check_after(r, map, &item);
	}
	take_common(c, &item, map);
	const struct yaml *at = find_kind(r, map, &item, &c->kind);
	if (!at)
		return;
	if (c->about.globalmon && strcmp(c->kind->name, "http") != 0)
		probe_wrong(r, yaml_get(map, "globalmon"),
			"globalmon is for probes of kind http: GlobalMon asks nothing else");
	r->timeout_ns = item.timeout_ns;
	read_kind(r, at);
	conditions_read(r, item.expect, "expect", &c->expect);
	conditions_read(r, item.warn, "warn", &c->warn);
}

struct probe_config *probe_config_read(
	const struct yaml *map, const char *file, struct error_list *errors)
{
	return probe_config_read_in(map, file, NULL, errors);
}

struct probe_config *probe_config_read_in(
	const struct yaml *map, const char *file, const char *dir, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	if (map->kind != YAML_MAP) {
		error_list_at(errors, file, map->line, map->col, "a probe must be a map, not %s",
			yaml_kind_name(map));
		return NULL;
	}
	struct probe_config *c = mem_new(struct probe_config);
	char *name = name_of(map);
	struct probe_reader r = {
		.file = file, .dir = dir, .name = name, .key = "", .errors = errors, .config = c};
	c->file = file;
	read_item(&r, map);
	free(name);
	if (errors->n + errors->dropped > before) {
		probe_config_free(c);
		return NULL;
	}
	json_t *written = yaml_json(map);
	c->written = json_text(written);
	json_decref(written);
	return c;
}

/* --- over one another ------------------------------------------------------------------------- */

static void place(struct yaml *y, const struct yaml *at)
{
	y->line = at->line;
	y->col = at->col;
	for (size_t i = 0; i < y->n; i++) {
		place(y->items[i], at);
		if (y->keys)
			place(y->keys[i], at);
	}
}

/* What stood before is read again as if it stood where the later item does, for messages. */
struct probe_config *probe_config_merge(const struct probe_config *c, const struct yaml *later,
	const char *file, const char *dir, struct error_list *errors)
{
	struct yaml_file *f = yaml_parse(slice_of(c->written), file, errors);
	if (!f)
		return NULL;
	const struct yaml *old = yaml_root(f, 0);
	place((struct yaml *)old, later);
	struct yaml both = *later;
	both.n = 0;
	both.keys = mem_new_array(old->n + later->n, sizeof(*both.keys));
	both.items = mem_new_array(old->n + later->n, sizeof(*both.items));
	for (size_t k = 0; k < 2; k++) {
		const struct yaml *from = k ? later : old;
		for (size_t i = 0; i < from->n; i++) {
			if (!k && yaml_get(later, from->keys[i]->text.p))
				continue;
			both.keys[both.n] = from->keys[i];
			both.items[both.n++] = from->items[i];
		}
	}
	struct probe_config *merged = probe_config_read_in(&both, file, dir, errors);
	free(both.keys);
	free(both.items);
	yaml_free(f);
	return merged;
}

/* --- what it says ----------------------------------------------------------------------------- */

const struct probe_about *probe_config_about(const struct probe_config *c)
{
	return &c->about;
}

const char *probe_config_text(const struct probe_config *c)
{
	return c->written;
}

int64_t probe_config_longest_ns(const struct probe_config *c)
{
	return c->tries * c->about.timeout_ns + (c->tries - 1) * c->pause_ns + NS_PER_S;
}

void probe_config_share(struct probe_config *c, const struct probe_config *like)
{
	if (c->kind != like->kind)
		return;
	conditions_share(&c->expect, &like->expect);
	conditions_share(&c->warn, &like->warn);
}

bool probe_config_has_secrets(const struct probe_config *c)
{
	return c->secrets.n > 0;
}

static void put_time(json_t *j, const char *key, int64_t ns)
{
	char text[UNITS_TEXT];
	json_object_set_new(j, key, json_string(units_time_whole(ns, text)));
}

json_t *probe_config_json(const struct probe_config *c)
{
	json_t *j = json_parse(slice_of(c->written), BUF_PAGE, NULL);
	if (!c->kind->silent) {
		put_time(j, "timeout", c->about.timeout_ns);
		json_object_set_new(j, "tries", json_integer(c->tries));
	}
	put_time(j, "every", c->about.every_ns);
	json_object_set_new(j, "severity", json_string(severity_words[c->about.severity]));
	return j;
}

bool probe_config_secrets(struct probe_config *c, probe_secret_read *read, void *arg)
{
	bool good = true;
	VEC_EACH (&c->secrets, struct taken_secret, s) {
		struct secret *value = read(arg, s->from, c->file, s->line, s->col);
		secret_unref(*s->into);
		*s->into = value;
		good &= value != NULL;
	}
	return good;
}

bool probe_config_files(const struct probe_config *c, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct probe_reader r = {
		.file = c->file, .name = c->about.name, .key = "", .errors = errors};
	if (c->kind->files)
		c->kind->files(c->spec, &r);
	return errors->n + errors->dropped == before;
}

static void free_texts(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void probe_config_free(struct probe_config *c)
{
	if (!c)
		return;
	VEC_EACH (&c->secrets, struct taken_secret, s) {
		secret_unref(*s->into);
		*s->into = NULL;
		free(s->from);
	}
	vec_fini(&c->secrets);
	if (c->spec && c->kind->fini)
		c->kind->fini(c->spec);
	if (c->spec)
		keys_release(c->kind->keys, c->kind->key_count, c->spec);
	free(c->spec);
	conditions_fini(&c->expect);
	conditions_fini(&c->warn);
	const struct probe_about *a = &c->about;
	free_texts((char **)a->after);
	const char *const texts[] = {a->name, a->target, a->component, a->category, a->region,
		a->group, a->globalmon, c->written};
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)texts[i]);
	free(c);
}
