/*
 * config_metrics.c - where numbers go, as drafts, then as the room takes them.
 *
 * A receiver is of the kind whose key it has, and only of one.
 */

#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "cli/config_reader.h"

#define EVERY_MAX   (3600 * NS_PER_S)
#define HEADERS_MAX 20

static const char *const dialect_words[] = {"own", "oshm", NULL};
static const char *const precision_words[] = {"ns", "us", "ms", "s", NULL};

struct metrics_item { /* what one map says */
	struct metrics_draft draft;
	const struct yaml *password, *headers;
};

#define ITEM(name, type, field) name, type, offsetof(struct metrics_draft, field)
#define NODE(name, type, field) name, type, offsetof(struct metrics_item, field)
#define TO(name, kind)          name, KEY_TEXT, offsetof(struct metrics_draft, to[kind]), .max = 2048
static const struct key metrics_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "default: kind, host and port"},
	{TO("influx", METRICS_INFLUX), .help = "InfluxDB 1 or telegraf"},
	{TO("otlp", METRICS_OTLP), .help = "…/v1/metrics of a collector"},
	{TO("remote_write", METRICS_REMOTE_WRITE), .help = "…/api/v1/write"},
	{TO("statsd", METRICS_STATSD), .help = "HOST:PORT, CloudMon's names over UDP"},
	{TO("graphite", METRICS_GRAPHITE), .help = "HOST:PORT, CloudMon's names over TCP"},
	{ITEM("prefix", KEY_TEXT, prefix), .max = CONFIG_LINE_MAX},
	{ITEM("environment", KEY_TEXT, environment), .max = CONFIG_LINE_MAX},
	{ITEM("zone", KEY_TEXT, zone), .max = CONFIG_LINE_MAX},
	{ITEM("database", KEY_TEXT, database), .max = CONFIG_LINE_MAX},
	{ITEM("measurement", KEY_TEXT, measurement), .max = CONFIG_LINE_MAX},
	{ITEM("username", KEY_TEXT, username), .max = CONFIG_LINE_MAX},
	{NODE("password", KEY_NODE, password), .help = "file:PATH or env:NAME"},
	{NODE("headers", KEY_MAP, headers), .help = "Name: file:PATH or env:NAME"},
	{ITEM("dialect", KEY_WORD, dialect), .words = dialect_words},
	{ITEM("precision", KEY_WORD, precision), .words = precision_words},
	{ITEM("gzip", KEY_BOOL, gzip), .help = "bodies are compressed"},
	{ITEM("every", KEY_TIME, every_ns), .min = 100 * NS_PER_MS, .max = EVERY_MAX},
	{ITEM("spool", KEY_SIZE, spool_size), .min = 64 << 10, .max = 1LL << 30,
		.help = "what may wait in memory"},
};
#undef ITEM
#undef NODE
#undef TO

/* --- reading ---------------------------------------------------------------------------------- */

static struct metrics_draft *earlier(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name");
	VEC_EACH (&r->metrics, struct metrics_draft, m) {
		if (name && m->name && slice_is(name->text, m->name) && m->touched != r->file)
			return m;
	}
	return NULL;
}

/* A token of RFC 9110: anything else would end the header's name. */
static bool is_header_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			    (s.p[i] >= '0' && s.p[i] <= '9') || strchr("-_.", s.p[i])))
			return false;
	return s.n > 0 && s.n <= 100;
}

static void read_header(struct config_reader *r, struct metrics_draft *d, const struct yaml *key,
	const struct yaml *value)
{
	struct header_draft *into = NULL;
	if (!is_header_name(key->text) || slice_is_nocase(key->text, "content-type") ||
		slice_is_nocase(key->text, "content-length")) {
		config_wrong(r, key, "metrics: headers: \"%.80s\" is no name of a header of yours",
			key->text.p);
		return;
	}
	VEC_EACH (&d->headers, struct header_draft, h) {
		if (slice_is_nocase(key->text, h->name))
			into = h;
	}
	if (!into && d->headers.n == HEADERS_MAX) {
		config_wrong(r, key, "metrics: headers: at most %d of them", HEADERS_MAX);
		return;
	}
	if (!into) {
		into = vec_add(&d->headers);
		into->name = slice_dup(key->text);
	}
	config_read_secret(r, value, "metrics: a header", &into->value);
}

/* A part of a name in Graphite; only a prefix has several. */
static void check_part(struct config_reader *r, const struct yaml *y, const char *what)
{
	bool good = y && y->text.n > 0;
	for (size_t i = 0; good && i < y->text.n; i++) {
		const unsigned char c = (unsigned char)y->text.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       c == '-' || c == '_' || (c == '.' && !strcmp(what, "prefix"));
	}
	if (y && !good)
		config_wrong(r, y, "%s: \"%.80s\" must be letters, digits, '-' and '_'", what,
			y->text.p);
}

static void check_place(struct config_reader *r, const struct yaml *y, const char *what)
{
	char *host = NULL;
	unsigned port;
	if (y && !metrics_host_port(y->text.p, &host, &port))
		config_wrong(r, y, "metrics: %s: \"%.80s\" is no HOST:PORT", what, y->text.p);
	free(host);
}

static void check_texts(struct config_reader *r, const struct yaml *map)
{
	static const char *const urls[] = {"influx", "otlp", "remote_write"}, *const places[] = {
										      "statsd",
										      "graphite"};
	static const char *const lines[] = {"name", "database", "measurement", "username"};
	static const char *const parts[] = {"prefix", "environment", "zone"};
	for (size_t i = 0; i < array_len(urls); i++) {
		const struct yaml *y = config_text(map, urls[i]);
		if (y)
			config_check_url(r, y, urls[i]);
	}
	for (size_t i = 0; i < array_len(lines); i++) {
		const struct yaml *y = config_text(map, lines[i]);
		char what[40];
		snprintf(what, sizeof(what), "metrics: %s", lines[i]);
		if (y)
			config_check_line(r, y, what);
	}
	for (size_t i = 0; i < array_len(parts); i++)
		check_part(r, config_text(map, parts[i]), parts[i]);
	for (size_t i = 0; i < array_len(places); i++)
		check_place(r, config_text(map, places[i]), places[i]);
	const struct yaml *y = config_text(map, "measurement");
	if (y && y->text.n && y->text.p[0] == '#')
		config_wrong(r, y, "metrics: a measurement does not begin with #");
}

static void read_one(struct config_reader *r, const struct yaml *map)
{
	struct metrics_draft *d = earlier(r, map);
	if (!d && !config_room(r, map))
		return;
	if (!d) {
		d = vec_add(&r->metrics);
		d->at = config_place(r, map);
		d->dialect = d->precision = -1;
	}
	struct metrics_item item = {.draft = *d};
	item.draft.touched = r->file;
	if (!keys_read(map, r->file, "a receiver of metrics", metrics_keys, array_len(metrics_keys),
		    &item, r->errors))
		item.draft.broken = true;
	*d = item.draft;
	check_texts(r, map);
	if (item.password)
		config_read_secret(r, item.password, "metrics: password", &d->password);
	for (size_t i = 0; item.headers && i < item.headers->n; i++)
		read_header(r, d, item.headers->keys[i], item.headers->items[i]);
}

void config_read_metrics(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "a receiver of metrics"))
			read_one(r, list->items[i]);
}

struct cloudmon_item {
	char *environment, *zone;
	bool own;
};

static const struct key cloudmon_keys[] = {
	{"environment", KEY_TEXT, offsetof(struct cloudmon_item, environment),
		.max = CONFIG_LINE_MAX, .help = "default: of calls the cloud's name"},
	{"zone", KEY_TEXT, offsetof(struct cloudmon_item, zone), .max = CONFIG_LINE_MAX,
		.help = "default: the region, or the location"},
	{"own", KEY_BOOL, offsetof(struct cloudmon_item, own), .help = "into our own series too"},
};

void config_read_cloudmon(struct config_reader *r, const struct yaml *map)
{
	struct config *c = r->config;
	struct cloudmon_item item = {.own = c->cloudmon_own};
	keys_read(map, r->file, "cloudmon", cloudmon_keys, array_len(cloudmon_keys), &item,
		r->errors);
	check_part(r, config_text(map, "environment"), "environment");
	check_part(r, config_text(map, "zone"), "zone");
	if (item.environment)
		mem_replace(&c->cloudmon_environment, item.environment);
	if (item.zone)
		mem_replace(&c->cloudmon_zone, item.zone);
	c->cloudmon_own = item.own;
	keys_release(cloudmon_keys, array_len(cloudmon_keys), &item);
}

/* --- finishing ---------------------------------------------------------------------------------
 */

#define OF(kind) (1u << METRICS_##kind)

static void check_keys(
	struct config_reader *r, const struct metrics_draft *d, enum metrics_kind kind)
{
	const unsigned names = OF(STATSD) | OF(GRAPHITE);
	const struct {
		bool there;
		unsigned of; /* kinds that take it */
		const char *key;
	} keys[] = {{d->database, OF(INFLUX), "database"},
		{d->measurement, OF(INFLUX), "measurement"}, {d->username, OF(INFLUX), "username"},
		{d->password.from, OF(INFLUX), "password"},
		{d->dialect >= 0, OF(INFLUX), "dialect"},
		{d->precision >= 0, OF(INFLUX), "precision"},
		{d->spool_size, OF(INFLUX) | OF(GRAPHITE), "spool"},
		{d->gzip, OF(INFLUX) | OF(OTLP), "gzip"},
		{d->headers.n, OF(OTLP) | OF(REMOTE_WRITE), "headers"},
		{d->prefix, names, "prefix"}, {d->environment, names, "environment"},
		{d->zone, names, "zone"}};
	for (size_t i = 0; i < array_len(keys); i++)
		if (keys[i].there && !(keys[i].of & 1u << kind))
			config_wrong_at(r, &d->at, "a receiver of metrics of kind %s takes no %s",
				metrics_kind_name(kind), keys[i].key);
	if (!d->username != !d->password.from)
		config_wrong_at(
			r, &d->at, "a receiver of metrics: username and password belong together");
	if (d->dialect == METRICS_OSHM && d->precision > 0)
		config_wrong_at(r, &d->at,
			"a receiver of metrics: dialect oshm has no precision: its lines have no time");
}
#undef OF

/* Of the keys that say where; METRICS_KINDS: there is not one. */
static enum metrics_kind kind_of(struct config_reader *r, const struct metrics_draft *d)
{
	enum metrics_kind kind = METRICS_KINDS;
	size_t n = 0;
	for (int k = 0; k < METRICS_KINDS; k++)
		if (d->to[k] && !n++)
			kind = (enum metrics_kind)k;
	if (n == 1)
		return kind;
	if (n || !d->broken)
		config_wrong_at(r, &d->at,
			"a receiver of metrics needs %s of influx, otlp, remote_write, statsd, graphite",
			n ? "only one" : "one");
	return METRICS_KINDS;
}

static void finish_one(struct config_reader *r, struct metrics_draft *d, struct map *seen)
{
	struct config *c = r->config;
	const enum metrics_kind kind = kind_of(r, d);
	if (kind == METRICS_KINDS)
		return;
	check_keys(r, d, kind);
	struct config_metrics *to = &c->metrics[c->metrics_count++];
	struct metrics_header headers[HEADERS_MAX];
	to->headers = mem_new_array(d->headers.n + 1, sizeof(*to->headers));
	for (size_t i = 0; i < d->headers.n; i++) {
		headers[i] = (struct metrics_header){.name = d->headers.p[i].name};
		to->headers[i] = d->headers.p[i].value;
		d->headers.p[i].value.from = NULL;
	}
	const struct metrics_receiver receiver = {
		.name = d->name,
		.kind = kind,
		.url = d->to[kind],
		.dialect = d->dialect < 0 ? METRICS_OWN : (enum metrics_dialect)d->dialect,
		.database = d->database,
		.measurement = d->measurement,
		.username = d->username,
		.precision = d->precision < 0 ? METRICS_NS : (enum metrics_precision)d->precision,
		.gzip = d->gzip,
		.headers = headers,
		.header_count = d->headers.n,
		.prefix = d->prefix,
		.environment = d->environment ? d->environment : c->cloudmon_environment,
		.zone = d->zone ? d->zone : c->cloudmon_zone,
		.every_ns = d->every_ns,
		.spool_size = d->spool_size,
	};
	metrics_config_copy(&to->receiver, &receiver);
	to->password = d->password;
	d->password.from = NULL;
	to->line = d->at.line;
	to->col = d->at.col;
	to->file = d->at.file;
	if (map_put(seen, to->receiver.name, d))
		config_wrong_at(r, &d->at,
			"two receivers of metrics are called \"%.80s\"; give one another name",
			to->receiver.name);
}

void config_finish_metrics(struct config_reader *r)
{
	struct map seen = {0};
	r->config->metrics = mem_new_array(r->metrics.n + 1, sizeof(*r->config->metrics));
	VEC_EACH (&r->metrics, struct metrics_draft, d) {
		finish_one(r, d, &seen);
	}
	map_fini(&seen);
}

/* --- the end -----------------------------------------------------------------------------------
 */

void config_metrics_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->metrics, struct metrics_draft, d) {
		char *texts[] = {d->name, d->database, d->measurement, d->username, d->prefix,
			d->environment, d->zone, d->password.from};
		for (size_t i = 0; i < METRICS_KINDS; i++)
			free(d->to[i]);
		for (size_t i = 0; i < array_len(texts); i++)
			free(texts[i]);
		VEC_EACH (&d->headers, struct header_draft, h) {
			free(h->name);
			free(h->value.from);
		}
		vec_fini(&d->headers);
	}
	vec_fini(&r->metrics);
}

void config_metrics_free(struct config_metrics *m)
{
	for (size_t i = 0; i < m->receiver.header_count; i++) {
		free(m->headers[i].from);
		secret_unref(m->headers[i].value);
	}
	free(m->headers);
	metrics_config_fini(&m->receiver);
	free(m->password.from);
	secret_unref(m->password.value);
}
