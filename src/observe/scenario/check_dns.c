/*
 * check_dns.c - one question to a name server.
 */

#include <string.h>

#include "observe/scenario/checks.h"

void check_dns_text(struct buf *out, const struct dns_said *said)
{
	for (size_t i = 0; i < said->n; i++)
		buf_printf(out, "%s%s", i ? ", " : "", said->answers[i]);
}

static void measure_said(struct check_call *c, const struct dns_said *said)
{
	struct buf text = BUF(DNS_TEXT_MAX + 2 * DNS_ANSWERS_MAX);
	json_t *answers = json_array();

	for (size_t i = 0; i < said->n; i++) {
		json_t *s = json_string(said->answers[i]);
		json_array_append_new(answers, s ? s : json_string("(not UTF-8)"));
	}
	json_object_set_new(c->measured, "ANSWERS", answers);
	check_measure_text(c, "RCODE", slice_of(said->rcode));
	if (said->n) {
		check_dns_text(&text, said);
		check_measure_text(c, "LAST", buf_slice(&text));
		check_measure_time(c, "TTL", (int64_t)said->ttl * NS_PER_S);
	}
	buf_fini(&text);
}

static void on_answer(void *arg, const struct dns_result *r)
{
	struct check_call *c = arg;

	c->dns = NULL;
	c->phases = r->phases;
	check_measure_text(c, "ADDRESS", slice_of(r->address));
	if (r->said) {
		measure_said(c, r->said);
		check_measure_time(c, "RESPONSE_TIME", r->phases.total_ns);
	}
	check_finish(c, r->fault, "%s%s%s", r->detail,
		r->detail[0] && r->address[0] ? ", asked at " : "", r->detail[0] ? r->address : "");
}

void check_dns(struct check_call *c)
{
	const struct value *tcp = check_field(c, "tcp", NULL);
	char *name = check_text(c, "name", NULL), *type = check_text(c, "type", NULL);
	char *server = check_text(c, "server", NULL);
	const struct dns_question q = {.server = server,
		.name = name,
		.type = type ? type : "A",
		.tcp = tcp && tcp->type == VALUE_BOOL && tcp->boolean,
		.deadline_ns = c->deadline_ns};
	struct error err = {0};

	if (!name)
		error_set(&err, ERROR_INPUT, "dns needs `name`");
	else if (tcp && tcp->type != VALUE_BOOL && tcp->type != VALUE_NULL)
		error_set(&err, ERROR_INPUT, "dns: `tcp` is true or false");
	else
		c->dns = dns_lookup(c->tools.loop, c->tools.resolver, &q, on_answer, c, &err);
	if (!c->dns)
		check_finish_later(c, FAULT_EVALUATION, "%.200s", err.msg);
	free(name);
	free(type);
	free(server);
}
