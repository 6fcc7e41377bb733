/*
 * doctor_metrics.c - whether each receiver of numbers takes them, and what a running instance has
 * lost since it started.
 *
 * A receiver is sent nothing at all, one of Graphite is connected to; an instance that runs is
 * asked at its intake for /metrics.
 */

#include <string.h>

#include "base/units.h"
#include "cli/doctor.h"
#include "net/tcp.h"

#define METRICS_MAX (8u << 20)

/* --- receivers -------------------------------------------------------------------------------- */

static const char *todo_of(const struct http_answer *a)
{
	if (a->fault)
		return "start it, or correct its address under `metrics`";
	if (a->status == 401 || a->status == 403)
		return "correct username and password, or headers";
	if (a->status == 404)
		return "create the database, or correct its name or the address";
	return "do what it says";
}

static void on_asked(void *arg, const struct http_answer *a)
{
	struct doctor_check *c = arg;
	char took[UNITS_TEXT];
	if (!a->fault && a->status / 100 == 2) {
		doctor_end(c, DOCTOR_OK, NULL, "takes points (%s)",
			units_time_text(a->phases.total_ns, took));
	} else {
		char *text = metrics_answer_text(a);
		doctor_end(c, DOCTOR_BAD, todo_of(a), "%s", text);
		free(text);
	}
}

static void on_connected(void *arg, const struct tcp_result *r)
{
	struct doctor_check *c = arg;
	char took[UNITS_TEXT];
	if (r->fault)
		doctor_end(c, DOCTOR_BAD, "start it, or correct its address under `metrics`", "%s",
			*r->detail ? r->detail : fault_text(r->fault));
	else
		doctor_end(c, DOCTOR_OK, NULL, "answers (%s)",
			units_time_text(r->phases.total_ns, took));
}

static bool has_secrets(const struct config_metrics *m)
{
	bool good = !m->password.from || m->password.value;
	for (size_t i = 0; i < m->receiver.header_count; i++)
		good = good && m->headers[i].value;
	return good;
}

static void ask(struct doctor *d, const struct config_metrics *m)
{
	char *host;
	unsigned port;
	if (m->receiver.kind == METRICS_GRAPHITE &&
		metrics_host_port(m->receiver.url, &host, &port)) {
		tcp_connect_check(d->loop, d->resolver, host, port, DOCTOR_DEADLINE_NS * 9 / 10,
			on_connected, doctor_begin(d, 0, "metrics", m->receiver.name));
		free(host);
	} else if (!metrics_is_http(m->receiver.kind))
		doctor_say(d, "metrics", m->receiver.name, DOCTOR_SKIPPED, NULL,
			"nobody says whether what goes by UDP arrives");
	else if (has_secrets(m))
		metrics_ask(d->client, &m->receiver, DOCTOR_DEADLINE_NS * 9 / 10, on_asked,
			doctor_begin(d, 0, "metrics", m->receiver.name));
	else
		doctor_say(d, "metrics", m->receiver.name, DOCTOR_SKIPPED, NULL,
			"a secret of it cannot be read");
}

/* --- what was lost -----------------------------------------------------------------------------
 */

/* `glasshouse_exporter_lost_points_total{exporter="influx"} 12`: names of those that lost. */
static uint64_t lost_in(struct slice text, struct buf *names)
{
	static const char mark[] = "glasshouse_exporter_lost_points_total{exporter=\"";
	struct slice line;
	uint64_t lost = 0;
	while (text.n && slice_next(&text, '\n', &line)) {
		double n;
		if (!slice_starts(line, mark))
			continue;
		const char *end = memrchr(line.p, ' ', line.n);
		const struct slice name = slice_sub(line, strlen(mark), (size_t)(end - line.p) - 2);
		if (!units_parse_real(
			    slice_from(end + 1, line.n - (size_t)(end + 1 - line.p)), &n) ||
			n < 1)
			continue;
		buf_printf(names, "%s%.*s: %.0f", lost ? ", " : "", SLICE_ARG(name), n);
		lost += (uint64_t)n;
	}
	return lost;
}

static void on_metrics(void *arg, const struct http_answer *a)
{
	struct doctor_check *c = arg;
	struct buf names = BUF(BUF_LINE);
	if (a->fault)
		doctor_end(c, DOCTOR_SKIPPED, NULL, "no instance answers at the intake address");
	else if (a->status != 200)
		doctor_end(c, DOCTOR_SKIPPED, NULL, "/metrics at the intake answers %d", a->status);
	else if (lost_in(a->body, &names))
		doctor_end(c, DOCTOR_WARN,
			"see what `glasshouse_exporter_failures_total` says, raise `spool`",
			"since the running instance started: %s", buf_str(&names));
	else
		doctor_end(c, DOCTOR_OK, NULL, "none since the running instance started");
	buf_fini(&names);
}

static void ask_running(struct doctor *d)
{
	const struct config *c = d->config;
	char *url = mem_printf("http://%s/metrics", c->intake_address);
	char *bearer = c->intake_token.value
			       ? mem_printf("Bearer %s", secret_reveal(c->intake_token.value))
			       : NULL;
	const struct http_header header = {"Authorization", bearer};
	const struct http_request q = {.method = "GET",
		.url = url,
		.headers = &header,
		.header_count = bearer != NULL,
		.deadline_ns = DOCTOR_DEADLINE_NS * 9 / 10,
		.answer_max = METRICS_MAX};
	http_send(d->client, &q, on_metrics, doctor_begin(d, 0, "lost points", NULL));
	if (bearer)
		explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	free(url);
}

void doctor_metrics(struct doctor *d)
{
	const struct config *c = d->config;
	for (size_t i = 0; i < c->metrics_count; i++)
		ask(d, &c->metrics[i]);
	if (c->metrics_count && *c->intake_address)
		ask_running(d);
}
