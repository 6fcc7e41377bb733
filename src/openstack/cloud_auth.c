/*
 * cloud_auth.c - the token and the catalog that comes with it (Identity API v3).
 */

#include <stdio.h>
#include <string.h>

#include "openstack/session.h"

#define RENEW_NS    (60 * NS_PER_S)
#define LIFE_MIN_NS (10 * NS_PER_S)

bool auth_good(const struct cloud *c)
{
	return c->token && loop_now_ns(c->loop) < c->token_until_ns;
}

void auth_drop_token(struct cloud *c, unsigned generation)
{
	if (generation != c->token_generation)
		return; /* it was renewed meanwhile */
	secret_unref(c->token);
	c->token = NULL;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void failed(struct cloud *c, enum fault fault, enum error_kind kind, const char *fmt, ...)
	like_printf(4, 5);

static void failed(struct cloud *c, enum fault fault, enum error_kind kind, const char *fmt, ...)
{
	char text[800];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(&c->auth_error, kind, "cloud %s: %s", c->config->name, text);
	c->auth_fault = fault;
	c->auth_failed = true;
	cloud_kick(c);
}

static void no_answer(struct cloud *c, const struct http_answer *a)
{
	const struct cloud_config *g = c->config;
	const char *what = "";
	if (a->fault == FAULT_TLS_AUTHORITY)
		what = "; set `cacert` in clouds.yaml to the authority's certificate";
	else if (a->fault == FAULT_REFUSED || a->fault == FAULT_TIMEOUT ||
		 a->fault == FAULT_RESOLVE || a->fault == FAULT_NXDOMAIN ||
		 a->fault == FAULT_UNREACHABLE)
		what = "; check auth_url and the network between";
	failed(c, a->fault, ERROR_CLOUD, "%s cannot be reached: %s (%s)%s", g->auth_url,
		fault_text(a->fault), a->detail, what);
}

static void refused(struct cloud *c, const struct http_answer *a)
{
	const struct cloud_config *g = c->config;
	struct cloud_error e;
	json_t *j = json_parse(a->body, BUF_ANSWER, NULL);
	cloud_error_read(a->status, j, a->body, &e);
	json_decref(j);
	if (a->status == 401 && g->auth_type == AUTH_APPLICATION_CREDENTIAL)
		failed(c, FAULT_HTTP_401, ERROR_CONFIG,
			"the application credential was refused: it is wrong, deleted or expired (keystone"
			" says: %s)",
			e.message);
	else if (a->status == 401)
		failed(c, FAULT_HTTP_401, ERROR_CONFIG,
			"the %s refused: check %s, password, project and their domains in %s (keystone says: %s)",
			g->auth_type == AUTH_TOKEN ? "token was" : "user name or password was",
			g->username ? g->username : "user", g->file, e.message);
	else if (a->status == 404)
		failed(c, FAULT_HTTP_404, ERROR_CONFIG,
			"no Identity API v3 at %s (404); check auth_url in %s", g->auth_url,
			g->file);
	else
		failed(c, e.fault, ERROR_CLOUD, "keystone answers %d: %s", a->status, e.message);
}

/* What stays the same stays where it is: others borrow it. */
static void keep(char **at, const char *text)
{
	if (!*at || !text || strcmp(*at, text) != 0)
		mem_replace(at, text);
}

/* The region that was asked for, or the only one there is. */
static bool choose_region(struct cloud *c, struct error *err)
{
	struct map regions = {0};
	struct buf all = BUF(BUF_LINE);
	json_t *service, *endpoint;
	size_t i, k;
	json_array_foreach (c->catalog, i, service)
		json_array_foreach (json_object_get(service, "endpoints"), k, endpoint) {
			const char *name = json_str(endpoint, "region_id");
			name = name ? name : json_str(endpoint, "region");
			if (name && !map_put(&regions, name, c))
				buf_printf(&all, "%s%s", all.n ? ", " : "", name);
		}
	const char *wanted = c->config->region;
	bool good = true;
	if (wanted && regions.n && !map_get(&regions, wanted)) {
		error_set(err, ERROR_CONFIG, "no region \"%s\"; there are: %.400s", wanted,
			buf_str(&all));
		good = false;
	} else if (!wanted && regions.n > 1) {
		error_set(err, ERROR_CONFIG,
			"several regions: set region_name in %s to one of %.400s", c->config->file,
			buf_str(&all));
		good = false;
	}
	MAP_EACH (&regions, e) {
		if (good && (!wanted || !strcmp(wanted, e->key)))
			keep(&c->region, e->key);
	}
	buf_fini(&all);
	map_fini(&regions);
	return good;
}

bool auth_learn_catalog(struct cloud *c, const json_t *token, struct error *err)
{
	json_t *catalog = json_object_get(token, "catalog");
	keep(&c->project_id, json_str(json_object_get(token, "project"), "id"));
	keep(&c->user_id, json_str(json_object_get(token, "user"), "id"));
	if (json_is_array(catalog) && !json_equal(catalog, c->catalog)) {
		json_decref(c->catalog);
		c->catalog = json_incref(catalog);
		endpoint_forget_all(c);
	}
	return choose_region(c, err);
}

static void learn(struct cloud *c, const json_t *token, const char *subject)
{
	int64_t expires = 0, issued = 0;
	const char *until = json_str(token, "expires_at"), *from = json_str(token, "issued_at");
	/* A length, not a date: the clocks of both sides may differ. */
	int64_t life_ns = 3600 * NS_PER_S;
	if (until && from && clock_parse_rfc3339(until, &expires) &&
		clock_parse_rfc3339(from, &issued))
		life_ns = (expires - issued) * NS_PER_US;
	/* One that is said to have ended is used until it is refused, not asked for in a circle. */
	if (life_ns < LIFE_MIN_NS)
		life_ns = LIFE_MIN_NS;
	const int64_t early = life_ns > 4 * RENEW_NS ? RENEW_NS : life_ns / 4;
	secret_unref(c->token);
	c->token = secret_new(slice_of(subject));
	c->token_generation++;
	c->token_until_ns = loop_now_ns(c->loop) + life_ns - early;
}

static void on_token(void *arg, const struct http_answer *a)
{
	struct cloud *c = arg;
	c->auth_call = NULL;
	c->authenticating = false;
	auth_body_wipe(&c->auth_body);
	const enum fault fault = a->fault != FAULT_NONE ? a->fault : fault_of_status(a->status);
	exchange_tell(c, NULL, a, fault, a->detail);
	if (a->fault == FAULT_CANCELLED) {
		cloud_kick(c);
		return;
	}
	if (a->fault != FAULT_NONE) {
		no_answer(c, a);
		return;
	}
	if (a->status != 201 && a->status != 200) {
		refused(c, a);
		return;
	}
	json_t *j = json_parse(a->body, BUF_ANSWER, NULL);
	const json_t *token = json_object_get(j, "token");
	const char *subject = http_answer_header(a, "X-Subject-Token");
	if (!token || !subject) {
		failed(c, FAULT_BODY, ERROR_CLOUD, "%s answers, but not like keystone",
			c->config->auth_url);
	} else {
		struct error err = {0};
		learn(c, token, subject);
		if (!auth_learn_catalog(c, token, &err)) {
			failed(c, FAULT_NO_SERVICE, ERROR_CONFIG, "%s", err.msg);
			auth_drop_token(c, c->token_generation);
		}
	}
	json_decref(j);
	cloud_kick(c);
}

void auth_begin(struct cloud *c)
{
	if (c->authenticating)
		return;
	c->authenticating = true;
	c->auth_body = auth_body_text(c->config);
	free(c->auth_url);
	c->auth_url = auth_url_text(c->config);
	c->auth_at_unix_us = clock_unix_us(loop_clock(c->loop));
	char uuid[UUID_TEXT];
	snprintf(c->auth_request_id, sizeof(c->auth_request_id), "req-%s",
		random_uuid(c->random, uuid));
	const struct http_header headers[] = {{"Content-Type", "application/json"},
		{"Accept", "application/json"}, {"X-Openstack-Request-Id", c->auth_request_id}};
	struct http_request q = {.method = "POST",
		.url = c->auth_url,
		.headers = headers,
		.header_count = array_len(headers),
		.body = c->auth_body,
		.body_n = strlen(c->auth_body),
		.deadline_ns = AUTH_NS,
		.connect_ns = AUTH_NS / 2};
	cloud_transport(c, &q);
	c->auth_call = http_send(c->client, &q, on_token, c);
}
