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

/* --- the request ------------------------------------------------------------------------------ */

static json_t *domain(const char *name, const char *id)
{
	return id ? json_pack("{s:s}", "id", id) : json_pack("{s:s}", "name", name);
}

static json_t *user(const struct cloud_config *g)
{
	json_t *u = json_object();
	if (g->user_id) {
		json_object_set_new(u, "id", json_string(g->user_id));
	} else {
		json_object_set_new(u, "name", json_string(g->username));
		json_object_set_new(u, "domain", domain(g->user_domain_name, g->user_domain_id));
	}
	return u;
}

static json_t *scope(const struct cloud_config *g)
{
	json_t *project;
	if (g->system_scope)
		return json_pack("{s:{s:b}}", "system", "all", 1);
	if (g->project_id)
		return json_pack("{s:{s:s}}", "project", "id", g->project_id);
	if (g->project_name) {
		project = json_pack("{s:s}", "name", g->project_name);
		json_object_set_new(
			project, "domain", domain(g->project_domain_name, g->project_domain_id));
		return json_pack("{s:o}", "project", project);
	}
	if (g->domain_id || g->domain_name)
		return json_pack("{s:o}", "domain", domain(g->domain_name, g->domain_id));
	return NULL;
}

static json_t *auth_body(const struct cloud_config *g)
{
	json_t *identity, *method, *s = NULL;
	const char *name = "password";
	if (g->auth_type == AUTH_PASSWORD) {
		json_t *u = user(g);
		json_object_set_new(u, "password", json_string(secret_reveal(g->password)));
		method = json_pack("{s:o}", "user", u);
		s = scope(g);
	} else if (g->auth_type == AUTH_TOKEN) {
		name = "token";
		method = json_pack("{s:s}", "id", secret_reveal(g->token));
		s = scope(g);
	} else {
		name = "application_credential";
		method = json_pack(
			"{s:s}", "secret", secret_reveal(g->application_credential_secret));
		if (g->application_credential_id) {
			json_object_set_new(
				method, "id", json_string(g->application_credential_id));
		} else {
			json_object_set_new(
				method, "name", json_string(g->application_credential_name));
			json_object_set_new(method, "user", user(g));
		}
	}
	identity = json_pack("{s:[s], s:o}", "methods", name, name, method);
	json_t *auth = json_pack("{s:o}", "identity", identity);
	if (s)
		json_object_set_new(auth, "scope", s);
	return json_pack("{s:o}", "auth", auth);
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

/* The region that was asked for, or the only one there is. */
static bool choose_region(struct cloud *c)
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
		failed(c, FAULT_NO_SERVICE, ERROR_CONFIG, "no region \"%s\"; there are: %.400s",
			wanted, buf_str(&all));
		good = false;
	} else if (!wanted && regions.n > 1) {
		failed(c, FAULT_NO_SERVICE, ERROR_CONFIG,
			"several regions: set region_name in %s to one of %.400s", c->config->file,
			buf_str(&all));
		good = false;
	}
	MAP_EACH (&regions, e) {
		if (good && (!wanted || !strcmp(wanted, e->key)))
			mem_replace(&c->region, e->key);
	}
	buf_fini(&all);
	map_fini(&regions);
	return good;
}

static void learn(struct cloud *c, const json_t *token, const char *subject)
{
	int64_t expires = 0, issued = 0;
	const char *until = json_str(token, "expires_at"), *from = json_str(token, "issued_at");
	json_t *catalog = json_object_get(token, "catalog");
	const json_t *project = json_object_get(token, "project");
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
	mem_replace(&c->project_id, json_str(project, "id"));
	mem_replace(&c->user_id, json_str(json_object_get(token, "user"), "id"));
	if (json_is_array(catalog)) {
		json_decref(c->catalog);
		c->catalog = json_incref(catalog);
	}
}

static void on_token(void *arg, const struct http_answer *a)
{
	struct cloud *c = arg;
	c->auth_call = NULL;
	c->authenticating = false;
	if (c->auth_body)
		explicit_bzero(c->auth_body, strlen(c->auth_body));
	free(c->auth_body);
	c->auth_body = NULL;
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
		learn(c, token, subject);
		if (!choose_region(c))
			auth_drop_token(c, c->token_generation);
	}
	json_decref(j);
	cloud_kick(c);
}

void auth_begin(struct cloud *c)
{
	if (c->authenticating)
		return;
	c->authenticating = true;
	struct buf url = BUF(BUF_LINE);
	const struct slice base = slice_of(c->config->auth_url);
	buf_add_slice(&url, base);
	while (url.n && url.p[url.n - 1] == '/')
		buf_cut(&url, url.n - 1);
	if (slice_ends(buf_slice(&url), "/v2.0"))
		buf_cut(&url, url.n - strlen("/v2.0"));
	if (!slice_ends(buf_slice(&url), "/v3"))
		buf_add_str(&url, "/v3");
	buf_add_str(&url, "/auth/tokens");
	json_t *body = auth_body(c->config);
	c->auth_body = json_text(body);
	json_decref(body);
	free(c->auth_url);
	c->auth_url = buf_take(&url);
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
