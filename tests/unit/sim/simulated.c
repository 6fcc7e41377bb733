#include "simulated.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/seed.h"

#define DEADLINE_NS (2 * 3600 * NS_PER_S)
#define TURNS       2000000 /* of a millisecond; an answer needs a few thousand */

struct waiting {
	struct simulated *s;
	bool done;
};

static void forget(struct simulated *s)
{
	json_decref(s->json);
	s->json = NULL;
	free(s->text);
	s->text = NULL;
	free(s->headers);
	s->headers = NULL;
	s->status = 0;
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct waiting *w = arg;
	struct simulated *s = w->s;
	const struct http_header *headers;
	struct buf text = BUF(BUF_LINE);

	assert_false(w->done);
	w->done = true;
	s->fault = a->fault;
	s->status = a->status;
	s->text = mem_strndup(a->body.n ? a->body.p : "", a->body.n);
	s->text_n = a->body.n;
	if (a->fault == FAULT_NONE && a->body.n > 0)
		s->json = json_parse(a->body, BUF_ANSWER, NULL);
	for (size_t i = 0, n = http_answer_headers(a, &headers); i < n; i++) {
		for (const char *p = headers[i].name; *p; p++)
			buf_add_char(&text, (char)tolower((unsigned char)*p));
		buf_printf(&text, ": %s\n", headers[i].value);
	}
	s->headers = buf_take(&text);
}

static char *fill(const struct simulated *s, const char *text, bool quotes)
{
	struct buf out = BUF(BUF_PAGE);

	for (; *text; text++) {
		if (*text == '$' && text[1] == 'P')
			buf_add_str(&out, (text++, s->project));
		else if (*text == '$' && isdigit((unsigned char)text[1]))
			buf_add_str(&out, s->kept[*++text - '0']);
		else
			buf_add_char(&out, quotes && *text == '\'' ? '"' : *text);
	}
	return buf_take(&out);
}

int simulated_send(
	struct simulated *s, const char *method, const char *path, const void *body, size_t n)
{
	struct http_header h[7];
	size_t k = 0;

	if (s->token)
		h[k++] = (struct http_header){"X-Auth-Token", s->token};
	if (s->version)
		h[k++] = (struct http_header){"OpenStack-API-Version", s->version};
	if (s->accept)
		h[k++] = (struct http_header){"Accept", s->accept};
	if (s->range)
		h[k++] = (struct http_header){"Range", s->range};
	if (s->match)
		h[k++] = (struct http_header){"If-Match", s->match};
	if (s->extra.name)
		h[k++] = s->extra;
	if (body)
		h[k++] = (struct http_header){
			"Content-Type", s->type ? s->type : "application/json"};
	char *filled = fill(s, path, false), *url = mem_printf("%s%s", sim_url(s->sim), filled);
	const struct http_request q = {.method = method,
		.url = url,
		.headers = h,
		.header_count = k,
		.body = body,
		.body_n = n,
		.deadline_ns = DEADLINE_NS};
	struct waiting w = {.s = s};

	forget(s);
	http_send(s->client, &q, on_answer, &w);
	for (int i = 0; !w.done && i < TURNS; i++)
		loop_advance(s->loop, NS_PER_MS);
	assert_true(w.done);
	free(url);
	free(filled);
	return s->status;
}

int simulated_call(struct simulated *s, const char *method, const char *path, const char *body)
{
	char *text = body ? fill(s, body, true) : NULL;
	int status = simulated_send(s, method, path, text, text ? strlen(text) : 0);

	free(text);
	return status;
}

void simulated_wait(struct simulated *s, int64_t ns)
{
	loop_advance(s->loop, ns);
}

void simulated_login(struct simulated *s, const char *user, const char *project)
{
	char *body = mem_printf(
		"{'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': "
		"'%s', 'domain': {'id': 'default'}, 'password': '%s'}}}, 'scope': {'project': "
		"{'name': '%s', 'domain': {'id': 'default'}}}}}",
		user, SEED_PASSWORD, project);

	free(s->token);
	s->token = NULL;
	assert_int_equal(simulated_call(s, "POST", "/identity/v3/auth/tokens", body), 201);
	s->token = mem_strdup(simulated_header(s, "x-subject-token"));
	snprintf(s->project, sizeof(s->project), "%s",
		simulated_str(s, "token", "project", "id", NULL));
	free(body);
}

static bool start(struct simulated *s, uint64_t seed, const char *faults, struct error *err)
{
	char path[] = "/tmp/test-sim-XXXXXX";
	struct sim_options o = s->options;

	o.seed = seed;
	o.faults = faults ? path : NULL;
	if (faults) {
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, faults, strlen(faults)), strlen(faults));
		close(fd);
	}
	s->sim = sim_new(s->loop, &o, err);
	if (faults)
		unlink(path);
	return s->sim != NULL;
}

bool simulated_try(struct simulated *s, const char *faults, struct error *err)
{
	sim_free(s->sim);
	return start(s, 1, faults, err);
}

void simulated_restart(struct simulated *s, uint64_t seed, const char *faults)
{
	struct error err = {0};

	sim_free(s->sim);
	if (!start(s, seed, faults, &err))
		fail_msg("%s", err.msg);
	simulated_login(s, "demo", "demo");
}

int simulated_set_up_as(void **state, const struct sim_options *options)
{
	struct simulated *s = mem_new(struct simulated);
	struct error err = {0};

	s->options = *options;
	clock_init_virtual(&s->clock, 1795000000000000);
	s->loop = loop_new(&s->clock, &err);
	const struct http_client_options o = {.fresh = true};
	s->client = http_client_new(s->loop, &o, &err);
	assert_non_null(s->client);
	simulated_restart(s, options->seed, NULL);
	*state = s;
	return 0;
}

int simulated_set_up(void **state)
{
	return simulated_set_up_as(state, &(struct sim_options){.seed = 1});
}

int simulated_tear_down(void **state)
{
	struct simulated *s = *state;

	sim_free(s->sim);
	http_client_free(s->client);
	loop_advance(s->loop, NS_PER_MS);
	loop_free(s->loop);
	forget(s);
	free(s->token);
	free(s);
	return 0;
}

/* --- looking at the answer ---------------------------------------------------------------------
 */

void simulated_said(struct simulated *s, int status, const char *text)
{
	if (s->status != status || (text && !strstr(s->text ? s->text : "", text)))
		fail_msg("expected %d %s, got %d (%s) %s", status, text ? text : "", s->status,
			fault_name(s->fault), s->text ? s->text : "");
}

const char *simulated_str(const struct simulated *s, ...)
{
	const json_t *at = s->json;
	const char *key;
	va_list ap;

	va_start(ap, s);
	while ((key = va_arg(ap, const char *)))
		at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(key, NULL, 10))
				       : json_object_get(at, key);
	va_end(ap);
	return json_is_string(at) ? json_string_value(at) : "";
}

size_t simulated_count(const struct simulated *s, const char *key)
{
	const json_t *list = json_object_get(s->json, key);

	assert_true(json_is_array(list));
	return json_array_size(list);
}

const char *simulated_header(const struct simulated *s, const char *name)
{
	static char value[4096];
	char *wanted = mem_printf("\n%s: ", name), *all = mem_printf("\n%s", s->headers);
	const char *at = strstr(all, wanted);

	value[0] = 0;
	if (at)
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(wanted), "\n"),
			at + strlen(wanted));
	free(all);
	free(wanted);
	return value;
}

void simulated_keep(struct simulated *s, int n, const char *wrapper)
{
	const char *id =
		wrapper ? simulated_str(s, wrapper, "id", NULL) : simulated_str(s, "id", NULL);

	if (!*id)
		fail_msg("no id in %d %s", s->status, s->text);
	snprintf(s->kept[n], sizeof(s->kept[n]), "%s", id);
}

void simulated_fault(struct simulated *s, const char *rule)
{
	struct error err = {0};
	char *text = fill(s, rule, true);
	json_t *json = json_parse(slice_of(text), BUF_LINE, &err);

	if (!json || !sim_faults_add(s->sim, json, &err))
		fail_msg("%s: %s", rule, err.msg);
	json_decref(json);
	free(text);
}

size_t simulated_violations(struct simulated *s, const char *rule)
{
	json_t *list = sim_violations(s->sim), *one;
	size_t n = 0, i;

	json_array_foreach (list, i, one)
		n += !strcmp(json_str(one, "rule"), rule);
	json_decref(list);
	return n;
}
