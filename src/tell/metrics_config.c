/*
 * metrics_config.c - one receiver's configuration: checked before anything changes, then copied.
 *
 * Addresses are the operators' own: loopback and http are fine. Secrets are borrowed, their text is
 * never copied.
 */

#include <string.h>

#include "net/url.h"
#include "tell/metrics_inside.h"

#define SPOOL_SIZE    (16LL << 20)
#define DATABASE      "glasshouse"
#define DATABASE_OSHM "cicd"
#define MEASUREMENT   "glasshouse"

char *metrics_receiver_name(const struct metrics_receiver *c)
{
	struct url u;
	if (c->name && *c->name)
		return mem_strdup(c->name);
	if (!sender_kinds[c->kind].type && c->url && *c->url)
		return mem_printf("%s %s", metrics_kind_name(c->kind), c->url);
	if (!url_parse(slice_of(c->url), &u, NULL))
		return mem_strdup(metrics_kind_name(c->kind));
	return mem_printf("%s %.*s:%u", metrics_kind_name(c->kind), SLICE_ARG(u.host), u.port);
}

bool metrics_host_port(const char *text, char **ret_host, unsigned *ret_port)
{
	char *url = mem_printf("tcp://%s", text);
	struct url u;
	const bool good =
		url_parse(slice_of(url), &u, NULL) && u.host.n && u.port && !u.path.n && !u.query.n;
	if (good) {
		*ret_host = slice_dup(u.host);
		*ret_port = u.port;
	}
	free(url);
	return good;
}

/* Of those that speak no HTTP. */
static bool check_place(const struct metrics_receiver *c, const char *name, struct error *err)
{
	char *host = NULL;
	unsigned port;
	if (c->kind == METRICS_STORE || metrics_host_port(c->url ? c->url : "", &host, &port)) {
		free(host);
		return true;
	}
	error_set(err, ERROR_CONFIG, "metrics \"%s\": \"%.200s\" is no HOST:PORT", name,
		c->url ? c->url : "");
	return false;
}

static bool check_one(const struct metrics_receiver *c, const char *name, struct error *err)
{
	struct url u;
	struct error why = {0};
	if (!sender_kinds[c->kind].type)
		return check_place(c, name, err);
	if (!url_parse(slice_of(c->url), &u, &why) ||
		!(slice_is(u.scheme, "http") || slice_is(u.scheme, "https")))
		error_set(err, ERROR_CONFIG,
			"metrics \"%s\": \"%.200s\" is no http or https address%s%.200s", name,
			c->url ? c->url : "", why.msg[0] ? ": " : "", why.msg);
	else if (c->measurement && (!*c->measurement || *c->measurement == '#'))
		error_set(err, ERROR_CONFIG,
			"metrics \"%s\": a measurement is not empty and does not begin with #",
			name);
	else
		return true;
	return false;
}

bool metrics_config_check(const struct metrics_receiver *list, size_t n, struct error *err)
{
	struct map names = {0};
	bool good = true;
	for (size_t i = 0; i < n && good; i++) {
		char *name = metrics_receiver_name(&list[i]);
		good = check_one(&list[i], name, err);
		if (good && map_put(&names, name, &names)) {
			error_set(err, ERROR_CONFIG,
				"two receivers of metrics are called \"%.200s\"; give them names",
				name);
			good = false;
		}
		free(name);
	}
	map_fini(&names);
	return good;
}

/* The whole address of a /write stays as it is, for telegraf and for retention policies. */
char *metrics_write_url(const struct metrics_receiver *c)
{
	static const char *const precisions[] = {NULL, "u", "ms", "s"};
	struct buf out = BUF(BUF_LINE);
	struct url u = {0};
	const bool whole = url_parse(slice_of(c->url), &u, NULL) &&
			   (u.query.n || slice_ends(u.path, "/write"));
	if (whole)
		buf_add_str(&out, c->url);
	else
		url_join(&out, slice_of(c->url), SLICE("/write"));
	if (!whole || !strstr(c->url, "db="))
		url_add_query(&out, "db", slice_of(c->database));
	if (precisions[c->precision] && c->dialect == METRICS_OWN)
		url_add_query(&out, "precision", slice_of(precisions[c->precision]));
	return buf_take(&out);
}

/* --- copies ------------------------------------------------------------------------------------
 */

void metrics_config_copy(struct metrics_receiver *to, const struct metrics_receiver *from)
{
	const bool oshm = from->dialect == METRICS_OSHM;
	struct metrics_header *headers = mem_new_array(from->header_count + 1, sizeof(*headers));
	const char *database = from->database ? from->database : oshm ? DATABASE_OSHM : DATABASE;
	for (size_t i = 0; i < from->header_count; i++)
		headers[i] = (struct metrics_header){
			mem_strdup(from->headers[i].name), from->headers[i].value};
	*to = *from;
	to->name = metrics_receiver_name(from);
	to->url = mem_strdup(from->url);
	to->database = mem_strdup(database);
	to->measurement = mem_strdup(from->measurement ? from->measurement
				     : oshm            ? ""
						       : MEASUREMENT);
	to->username = mem_strdup(from->username);
	to->headers = headers;
	to->prefix = mem_strdup(from->prefix ? from->prefix : "");
	to->environment = mem_strdup(from->environment ? from->environment : "");
	to->zone = mem_strdup(from->zone ? from->zone : "");
	if (to->every_ns <= 0)
		to->every_ns = sender_kinds[from->kind].every_ns;
	if (to->spool_size <= 0)
		to->spool_size = SPOOL_SIZE;
}

static void free_text(const char *s)
{
	free((void *)(uintptr_t)s);
}

void metrics_config_fini(struct metrics_receiver *c)
{
	for (size_t i = 0; i < c->header_count; i++)
		free_text(c->headers[i].name);
	free((void *)(uintptr_t)c->headers);
	free_text(c->name);
	free_text(c->url);
	free_text(c->database);
	free_text(c->measurement);
	free_text(c->username);
	free_text(c->prefix);
	free_text(c->environment);
	free_text(c->zone);
	memset(c, 0, sizeof(*c));
}

/* Secrets are not looked at: the new ones are taken in any case. */
bool metrics_config_same(const struct metrics_receiver *a, const struct metrics_receiver *b)
{
	struct metrics_receiver full;
	metrics_config_copy(&full, b);
	bool same = a->kind == full.kind && a->dialect == full.dialect &&
		    a->precision == full.precision && a->gzip == full.gzip &&
		    a->every_ns == full.every_ns && a->spool_size == full.spool_size &&
		    a->header_count == full.header_count && !a->username == !full.username &&
		    !strcmp(a->name, full.name) && !strcmp(a->url, full.url) &&
		    !strcmp(a->database, full.database) &&
		    !strcmp(a->measurement, full.measurement) && !strcmp(a->prefix, full.prefix) &&
		    !strcmp(a->environment, full.environment) && !strcmp(a->zone, full.zone) &&
		    (!a->username || !strcmp(a->username, full.username));
	for (size_t i = 0; same && i < full.header_count; i++)
		same = !strcmp(a->headers[i].name, full.headers[i].name);
	metrics_config_fini(&full);
	return same;
}
