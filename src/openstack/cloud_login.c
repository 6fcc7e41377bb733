/*
 * cloud_login.c - what a log-in sends (Identity API v3), and log-ins that are timed for their own
 * sake: their token is forgotten, what they say of the catalog is kept.
 */

#include <stdio.h>
#include <string.h>

#include "openstack/session.h"

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

char *auth_body_text(const struct cloud_config *g)
{
	json_t *body = auth_body(g);
	char *text = json_text(body);
	json_decref(body);
	return text;
}

void auth_body_wipe(char **body)
{
	if (*body)
		explicit_bzero(*body, strlen(*body));
	free(*body);
	*body = NULL;
}

char *auth_url_text(const struct cloud_config *g)
{
	struct buf url = BUF(BUF_LINE);
	buf_add_str(&url, g->auth_url);
	while (url.n && url.p[url.n - 1] == '/')
		buf_cut(&url, url.n - 1);
	if (slice_ends(buf_slice(&url), "/v2.0"))
		buf_cut(&url, url.n - strlen("/v2.0"));
	if (!slice_ends(buf_slice(&url), "/v3"))
		buf_add_str(&url, "/v3");
	buf_add_str(&url, "/auth/tokens");
	return buf_take(&url);
}

/* --- a log-in of its own ---------------------------------------------------------------------- */

struct cloud_login {
	struct cloud *cloud;
	struct http_call *http;
	char *body;
	char request_id[REQUEST_ID_TEXT];
	cloud_done *done;
	void *arg;
};

static void refuse(struct cloud_answer *a, enum fault fault, const char *text)
{
	a->fault = a->error.fault = fault;
	snprintf(a->error.message, sizeof(a->error.message), "%s", text);
}

/* Whether it is keystone that answered, and what it says of the cloud. */
static void take(struct cloud_login *l, const struct http_answer *http, struct cloud_answer *a)
{
	struct error err = {0};
	const json_t *token = json_object_get(a->json, "token");
	if (!token || !http_answer_header(http, "X-Subject-Token"))
		refuse(a, FAULT_BODY, "it answers, but not like keystone");
	else if (!auth_learn_catalog(l->cloud, token, &err))
		snprintf(a->error.message, sizeof(a->error.message), "%s", err.msg);
}

static void on_login(void *arg, const struct http_answer *http)
{
	struct cloud_login *l = arg;
	const char *id = http_answer_header(http, "x-openstack-request-id");
	struct cloud_answer a = {.fault = http->fault,
		.status = http->status,
		.sent = http->sent,
		.body = http->body,
		.phases = http->phases,
		.tries = 1,
		.http = http};
	memcpy(a.request_id, l->request_id, sizeof(a.request_id));
	snprintf(a.service_request_id, sizeof(a.service_request_id), "%s", id ? id : "");
	if (http->fault == FAULT_NONE)
		a.json = json_parse(http->body, BUF_ANSWER, NULL);
	if (http->fault != FAULT_NONE) {
		refuse(&a, http->fault, http->detail);
	} else if (http->status == 200 || http->status == 201) {
		take(l, http, &a);
	} else {
		cloud_error_read(http->status, a.json, http->body, &a.error);
		/* Nothing but a created token is good here. */
		if (a.error.fault == FAULT_NONE)
			refuse(&a, FAULT_PROTOCOL, "it answers, but not like keystone");
		a.fault = a.error.fault;
	}
	auth_body_wipe(&l->body);
	l->done(l->arg, &a);
	json_decref(a.json);
	free(l);
}

struct cloud_login *cloud_log_in(struct cloud *c, struct http_client *client,
	const struct secret *with, const char *request_id, int64_t deadline_ns, cloud_done *done,
	void *arg)
{
	struct cloud_login *l = mem_new(struct cloud_login);
	char *url = auth_url_text(c->config);
	struct cloud_config config = *c->config; /* borrows all it points to */
	if (with) {
		config.auth_type = AUTH_TOKEN;
		config.token = (struct secret *)with;
	}
	l->cloud = c;
	l->body = auth_body_text(&config);
	snprintf(l->request_id, sizeof(l->request_id), "%s", request_id);
	l->done = done;
	l->arg = arg;
	const struct http_header headers[] = {{"Content-Type", "application/json"},
		{"Accept", "application/json"}, {"X-Openstack-Request-Id", l->request_id}};
	struct http_request q = {.method = "POST",
		.url = url,
		.headers = headers,
		.header_count = array_len(headers),
		.body = l->body,
		.body_n = strlen(l->body),
		.deadline_ns = deadline_ns};
	cloud_transport(c, &q);
	l->http = http_send(client, &q, on_login, l);
	free(url);
	return l;
}

void cloud_login_cancel(struct cloud_login *l)
{
	http_cancel(l->http);
}

char *cloud_login_url(const struct cloud *c)
{
	return auth_url_text(c->config);
}
