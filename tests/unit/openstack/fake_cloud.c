#include "fake_cloud.h"

#include <stdio.h>

#include "../check.h"

static const char catalog_plain[] =
	"[{\"type\":\"compute\",\"name\":\"nova\",\"endpoints\":[{\"interface\":\"public\","
	"\"region_id\":\"R\",\"url\":\"$BASE/compute/v2.1\"}]},"
	"{\"type\":\"network\",\"name\":\"neutron\",\"endpoints\":[{\"interface\":\"public\","
	"\"region_id\":\"R\",\"url\":\"$BASE/net/v2.0\"}]},"
	"{\"type\":\"volumev3\",\"name\":\"cinder\",\"endpoints\":[{\"interface\":\"public\","
	"\"region_id\":\"R\",\"url\":\"$BASE/volume/v3/p1\"}]},"
	"{\"type\":\"image\",\"name\":\"glance\",\"endpoints\":[{\"interface\":\"public\","
	"\"region_id\":\"R\",\"url\":\"$BASE/image/v2\"}]}]";

static char *with_base(const struct fake *f, const char *text)
{
	struct buf out = BUF(BUF_ANSWER);

	for (const char *p = text; p && *p;) {
		const char *at = strstr(p, "$BASE");

		buf_add(&out, p, at ? (size_t)(at - p) : strlen(p));
		if (at)
			buf_add_str(&out, f->base);
		p = at ? at + 5 : NULL;
	}
	return buf_take(&out);
}

/* --- answering ---------------------------------------------------------------------------------
 */

static void reply(struct http_exchange *x, int status, const char *header, const char *body)
{
	struct http_header h[2] = {{"Content-Type", "application/json"}};
	char name[64] = "";
	const char *colon = header ? strchr(header, ':') : NULL;

	if (colon) {
		snprintf(name, sizeof(name), "%.*s", (int)(colon - header), header);
		h[1] = (struct http_header){name, colon + 2};
	}
	const bool instead = !strcmp(name, "Content-Type");
	http_reply(x, status, h + instead, colon && !instead ? 2 : 1, slice_of(body));
}

static void give_token(struct fake *f, struct http_exchange *x)
{
	char issued[CLOCK_TEXT], expires[CLOCK_TEXT];
	char token[32];
	const struct http_header h[] = {
		{"Content-Type", "application/json"}, {"X-Subject-Token", token}};
	const int64_t now = clock_unix_us(&f->clock);
	char *catalog = with_base(f, f->catalog);

	snprintf(token, sizeof(token), "token-%u-abcdef", ++f->tokens);
	char *body = mem_printf(
		"{\"token\":{\"issued_at\":\"%s\",\"expires_at\":\"%s\","
		"\"project\":{\"id\":\"p1\"},\"user\":{\"id\":\"u1\"},"
		"\"catalog\":%s}}",
		clock_rfc3339(now, issued), clock_rfc3339(now + f->token_life_s * 1000000, expires),
		catalog);
	http_reply(x, 201, h, 2, slice_of(body));
	free(body);
	free(catalog);
}

static void take_down(struct fake *f, struct http_exchange *x, const char *request)
{
	static const char *const names[] = {"X-Auth-Token", "X-Openstack-Request-Id",
		"OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Content-Type", "Accept"};
	struct buf all = BUF(BUF_LINE);

	for (size_t i = 0; i < array_len(names); i++)
		if (http_header(x, names[i]))
			buf_printf(&all, "%s: %s\n", names[i], http_header(x, names[i]));
	vec_push(&f->requests,
		*http_query(x) ? mem_printf("%s?%s", request, http_query(x)) : mem_strdup(request));
	vec_push(&f->bodies, slice_dup(http_body(x)));
	vec_push(&f->headers, buf_take(&all));
}

static struct fake_answer *find(struct fake *f, const char *request)
{
	struct fake_answer *last = NULL;

	VEC_EACH (&f->answers, struct fake_answer, a) {
		if (strcmp(a->request, request) != 0)
			continue;
		last = a;
		if (!a->used)
			break;
	}
	return last;
}

/* One that was given out, and not before they were revoked. */
static bool is_valid(const struct fake *f, const char *token)
{
	unsigned n = 0;

	return sscanf(token, "token-%u-abcdef", &n) == 1 && n > f->revoked && n <= f->tokens;
}

static void handle(void *arg, struct http_exchange *x)
{
	struct fake *f = arg;
	char request[1024];
	const char *token = http_header(x, "X-Auth-Token");

	snprintf(request, sizeof(request), "%s %s", http_method(x), http_path(x));
	take_down(f, x, request);
	struct fake_answer *a = find(f, request);
	const bool log_in = strstr(request, "/auth/tokens") != NULL;
	if (!a && log_in) {
		give_token(f, x);
		return;
	}
	if (token && !is_valid(f, token)) {
		reply(x, 401, NULL,
			"{\"error\":{\"code\":401,\"title\":\"Unauthorized\",\"message\":\"old\"}}");
		return;
	}
	if (!a) {
		reply(x, 404, NULL, "{\"error\":{\"message\":\"not scripted\"}}");
		return;
	}
	a->used++;
	if (a->status == FAKE_DROP) {
		http_drop(x);
	} else if (a->status == FAKE_KEEP) {
		vec_push(&f->kept, x);
		if (f->kept.n > f->most_kept)
			f->most_kept = (unsigned)f->kept.n;
	} else {
		char *body = with_base(f, a->body);

		reply(x, a->status, a->header, body);
		free(body);
	}
}

static void gone(void *arg, struct http_exchange *x)
{
	struct fake *f = arg;

	for (size_t i = 0; i < f->kept.n; i++)
		if (f->kept.p[i] == x) {
			vec_remove(&f->kept, i);
			return;
		}
}

/* --- its life ----------------------------------------------------------------------------------
 */

int fake_set_up(void **state)
{
	struct fake *f = mem_new(struct fake);
	struct error err = {0};
	const struct http_server_options server = {.address = "127.0.0.1:0",
		.handle = handle,
		.gone = gone,
		.answer_ns = 100000 * NS_PER_S,
		.arg = f};
	const struct http_client_options client = {0};

	clock_init_virtual(&f->clock, 1795000000000000);
	f->loop = loop_new(&f->clock, &err);
	f->server = f->loop ? http_server_new(f->loop, &server, &err) : NULL;
	f->client = f->loop ? http_client_new(f->loop, &client, &err) : NULL;
	if (!f->server || !f->client)
		return -1;
	snprintf(f->base, sizeof(f->base), "http://127.0.0.1:%u", http_server_port(f->server));
	f->catalog = mem_strdup(catalog_plain);
	f->token_life_s = 3600;
	f->config = (struct cloud_config){.name = mem_strdup("c"),
		.file = mem_strdup("clouds.yaml"),
		.auth_url = mem_printf("%s/identity/v3", f->base),
		.username = mem_strdup("u"),
		.user_domain_name = mem_strdup("Default"),
		.project_name = mem_strdup("p"),
		.project_domain_id = mem_strdup("default"),
		.password = secret_new(SLICE("geheim-geheim")),
		.interface = mem_strdup("public"),
		.verify = true};
	f->cloud = cloud_new(f->loop, f->client, &f->config, NULL);
	*state = f;
	return 0;
}

void fake_restart(struct fake *f, const struct cloud_options *options)
{
	cloud_free(f->cloud);
	f->cloud = cloud_new(f->loop, f->client, &f->config, options);
}

void fake_forget(struct fake *f)
{
	for (size_t i = 0; i < f->requests.n; i++) {
		free(f->requests.p[i]);
		free(f->bodies.p[i]);
		free(f->headers.p[i]);
	}
	f->requests.n = f->bodies.n = f->headers.n = 0;
}

static void free_map(struct map *m)
{
	MAP_EACH (m, e)
		free(e->value);
	map_fini(m);
}

int fake_tear_down(void **state)
{
	struct fake *f = *state;
	char *texts[] = {f->config.name, f->config.file, f->config.auth_url, f->config.username,
		f->config.user_domain_name, f->config.project_name, f->config.project_domain_id,
		f->config.interface, f->config.region, f->config.application_credential_id,
		f->catalog};

	cloud_free(f->cloud);
	http_client_free(f->client);
	http_server_free(f->server);
	loop_free(f->loop);
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	free_map(&f->config.endpoint_override);
	free_map(&f->config.api_version);
	secret_unref(f->config.password);
	secret_unref(f->config.token);
	secret_unref(f->config.application_credential_secret);
	fake_forget(f);
	VEC_EACH (&f->answers, struct fake_answer, a) {
		free(a->request);
		free(a->header);
		free(a->body);
	}
	vec_fini(&f->requests);
	vec_fini(&f->bodies);
	vec_fini(&f->headers);
	vec_fini(&f->answers);
	vec_fini(&f->kept);
	free(f);
	return 0;
}

/* --- scripting and looking ---------------------------------------------------------------------
 */

void fake_says(
	struct fake *f, const char *request, int status, const char *header, const char *body)
{
	const struct fake_answer a = {.request = mem_strdup(request),
		.status = status,
		.header = mem_strdup(header),
		.body = mem_strdup(body ? body : "")};

	vec_push(&f->answers, a);
}

void fake_release(struct fake *f, int status, const char *body)
{
	assert_true(f->kept.n > 0);
	struct http_exchange *x = f->kept.p[0];

	vec_remove(&f->kept, 0);
	reply(x, status, NULL, body);
}

void fake_revoke(struct fake *f)
{
	f->revoked = f->tokens;
}

/* But for its query. */
static bool is_request(const char *got, const char *request)
{
	const size_t n = strlen(request);

	return !strncmp(got, request, n) && (!got[n] || got[n] == '?');
}

unsigned fake_count(const struct fake *f, const char *request)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->requests.n; i++)
		n += is_request(f->requests.p[i], request);
	return n;
}

size_t fake_last(const struct fake *f, const char *request)
{
	for (size_t i = f->requests.n; i > 0; i--)
		if (is_request(f->requests.p[i - 1], request))
			return i - 1;
	fail_msg("no request %s", request);
	return 0;
}

/* --- calling -----------------------------------------------------------------------------------
 */

void fake_result_fini(struct fake_result *r)
{
	free(r->json);
	*r = (struct fake_result){0};
}

void fake_done(void *arg, const struct cloud_answer *a)
{
	struct fake_result *r = arg;

	r->times++;
	r->done = true;
	r->fault = a->fault;
	r->status = a->status;
	r->sent = a->sent;
	r->tries = a->tries;
	snprintf(r->type, sizeof(r->type), "%s", a->error.type);
	snprintf(r->message, sizeof(r->message), "%s", a->error.message);
	snprintf(r->request_id, sizeof(r->request_id), "%s", a->request_id);
	snprintf(r->service_request_id, sizeof(r->service_request_id), "%s", a->service_request_id);
	free(r->json);
	r->json = a->json ? json_text(a->json) : NULL;
}

void fake_list_done(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct fake_result *r = arg;

	fake_done(arg, a);
	r->items = json_array_size(items);
	free(r->json);
	r->json = json_text(items);
}

void fake_wait(struct fake *f, const bool *done)
{
	assert_true(loop_run_until(f->loop, done));
}

void fake_call(struct fake *f, const char *service, const char *method, const char *path,
	const char *body, struct fake_result *r)
{
	json_t *j = body ? json_loads(body, 0, NULL) : NULL;
	const struct cloud_request q = {
		.service = service, .method = method, .path = path, .body = j};

	assert_int_equal(body != NULL, j != NULL);
	fake_result_fini(r);
	cloud_call(f->cloud, &q, fake_done, r);
	json_decref(j);
	assert_int_equal(r->times, 0); /* never from inside */
	fake_wait(f, &r->done);
	assert_int_equal(r->times, 1);
}

void fake_list(struct fake *f, const char *service, const char *path, const char *collection,
	struct fake_result *r)
{
	fake_result_fini(r);
	cloud_list(f->cloud, service, path, collection, NULL, 0, fake_list_done, r);
	fake_wait(f, &r->done);
	assert_int_equal(r->times, 1);
}

struct connecting {
	bool done;
	struct error err;
};

static void on_connected(void *arg, const struct error *err)
{
	struct connecting *c = arg;

	assert_false(c->done);
	c->done = true;
	if (err)
		c->err = *err;
}

const char *fake_connect(struct fake *f)
{
	static char text[ERROR_TEXT];
	struct connecting c = {0};

	cloud_connect(f->cloud, on_connected, &c);
	assert_false(c.done);
	fake_wait(f, &c.done);
	snprintf(text, sizeof(text), "%s", c.err.msg);
	return text;
}
