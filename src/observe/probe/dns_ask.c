/*
 * dns_ask.c - the questions of kind dns: one; or the SOA of several servers at once; and, after an
 * answer whose signatures matter, one after the other what dnssec.h wants to know.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/probe/dns_inside.h"

static void asking_free(struct dns_asking *k)
{
	for (size_t i = 0; i < k->answer_n; i++)
		free(k->answers[i]);
	free(k->answers);
	free(k->first);
	dnssec_free(k->dnssec);
	free(k->parts);
	free(k);
}

/* "[2001:db8::1]:53" as "2001:db8::1". */
static void keep_address(struct attempt *a, const char *address)
{
	char *host = NULL;
	unsigned port;

	if (*address && dns_server_split(address, &host, &port))
		snprintf(a->address, sizeof(a->address), "%s", host);
	free(host);
}

static void keep_answer(struct dns_asking *k, const struct dns_result *r)
{
	const struct dns_said *said = r->said;

	k->answered = true;
	k->tcp = r->tcp;
	k->authoritative = said->authoritative;
	k->answer_records = said->answer_n;
	k->authority_records = said->authority_n;
	k->additional_records = said->additional_n;
	memcpy(k->rcode, said->rcode, sizeof(k->rcode));
	k->ttl = said->ttl;
	if (said->n == 0)
		return;
	k->answers = mem_new_array(said->n, sizeof(*k->answers));
	for (size_t i = 0; i < said->n; i++)
		k->answers[k->answer_n++] = mem_strdup(said->answers[i]);
	k->first = mem_strdup(said->first);
}

/* --- asking ------------------------------------------------------------------------------------
 */

/* False: it cannot be asked. */
static bool ask(
	struct dns_part *part, const char *name, const char *type, unsigned flags, dns_done *done)
{
	struct dns_asking *k = part->asking;
	const struct attempt *a = k->attempt;
	const struct dns_spec *s = a->spec;
	const int64_t left = a->deadline_ns - attempt_age_ns(a);
	const struct dns_question q = {.server = part->server,
		.name = name,
		.type = type,
		.tcp = s->tcp,
		.flags = flags,
		.family = a->family,
		.deadline_ns = left > 0 ? left : 1};
	struct error err = {0};

	part->call = dns_lookup(a->tools->loop, a->tools->resolver, &q, done, part, &err);
	k->under_way += part->call != NULL;
	return part->call;
}

/* NULL: nobody wants to know any more; the last one frees what is left. */
static struct dns_asking *ended(struct dns_part *part)
{
	struct dns_asking *k = part->asking;

	part->call = NULL;
	k->under_way--;
	if (k->attempt)
		return k;
	if (k->under_way == 0)
		asking_free(k);
	return NULL;
}

/* --- signatures --------------------------------------------------------------------------------
 */

static void on_proof(void *arg, const struct dns_result *r);

static void go_on(struct dns_asking *k)
{
	struct attempt *a = k->attempt;
	const char *name, *type;

	if (dnssec_next(k->dnssec, &name, &type)) {
		if (!ask(&k->parts[0], name, type, DNS_SIGNATURES, on_proof))
			attempt_end(
				a, FAULT_PROTOCOL, "%s of %.100s cannot be asked for", type, name);
		return;
	}
	const struct dnssec_verdict *v = dnssec_verdict(k->dnssec);
	k->judged = true;
	if (v->secure)
		attempt_end(a, FAULT_NONE, NULL);
	else
		attempt_end(a, FAULT_EXPECTATION, "not secure: %s", v->why);
}

static void on_proof(void *arg, const struct dns_result *r)
{
	struct dns_asking *k = ended(arg);
	const char *name, *type;

	if (!k)
		return;
	if (!r->said || (r->said->fault != FAULT_NONE && r->said->fault != FAULT_NODATA &&
				r->said->fault != FAULT_NXDOMAIN)) {
		if (!dnssec_next(k->dnssec, &name, &type))
			name = type = "?";
		attempt_end(k->attempt, r->fault, "%s of %.100s: %s", type, name, r->detail);
		return;
	}
	dnssec_take(k->dnssec, r->wire);
	go_on(k);
}

static void prove(struct dns_asking *k, struct slice wire)
{
	const struct attempt *a = k->attempt;
	const struct dns_spec *s = a->spec;
	const int64_t now_s = clock_unix_us(loop_clock(a->tools->loop)) / 1000000;

	k->dnssec = dnssec_new(s->anchors, s->name, s->type, now_s);
	dnssec_take(k->dnssec, wire);
	go_on(k);
}

/* --- one question ------------------------------------------------------------------------------
 */

/* With `expect` a code is something to be judged, not a failure. */
static enum fault fault_of(const struct attempt *a, const struct dns_said *said)
{
	const bool is_code = said->fault != FAULT_PROTOCOL && said->fault != FAULT_BODY_TOO_LARGE;

	return a->judged && is_code ? FAULT_NONE : said->fault;
}

/* That there is nothing is an answer too. */
static bool can_be_proved(const struct dns_said *said)
{
	return said->fault == FAULT_NONE || said->fault == FAULT_NXDOMAIN ||
	       said->fault == FAULT_NODATA;
}

static void on_answer(void *arg, const struct dns_result *r)
{
	struct dns_asking *k = ended(arg);
	struct attempt *a = k ? k->attempt : NULL;

	if (!a)
		return;
	const struct dns_spec *s = a->spec;
	a->phases = r->phases;
	keep_address(a, r->address);
	if (!r->said) {
		attempt_end(a, r->fault, "%s%s%s", r->detail, r->address[0] ? ", asked at " : "",
			r->address);
		return;
	}
	a->connected = true;
	keep_answer(k, r);
	const enum fault fault = fault_of(a, r->said);
	if (fault == FAULT_NONE && s->dnssec && can_be_proved(r->said))
		prove(k, r->wire);
	else if (fault == FAULT_NONE)
		attempt_end(a, FAULT_NONE, NULL);
	else
		attempt_end(a, fault, "%s, asked at %s", r->detail, r->address);
}

/* --- serials -----------------------------------------------------------------------------------
 */

bool dns_serial(const char *soa, uint32_t *ret)
{
	struct slice rest = slice_of(soa), part = {0};
	int64_t n;

	for (int i = 0; i < 3; i++)
		if (!slice_next(&rest, ' ', &part))
			return false;
	if (!units_parse_int(part, &n) || n < 0 || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Serials go round (RFC 1982): which is newer, their distance says. */
static void compare(struct dns_asking *k)
{
	struct attempt *a = k->attempt;
	const struct dns_part *newest = &k->parts[0], *oldest = newest;

	for (size_t i = 1; i < k->n; i++) {
		const struct dns_part *p = &k->parts[i];
		newest = (int32_t)(p->serial - newest->serial) > 0 ? p : newest;
		oldest = (int32_t)(p->serial - oldest->serial) < 0 ? p : oldest;
	}
	k->compared = true;
	k->serial = newest->serial;
	k->skew = newest->serial - oldest->serial;
	if (k->skew && !a->judged)
		attempt_end(a, FAULT_EXPECTATION, "%.80s has serial %u, %.80s has %u",
			newest->server, newest->serial, oldest->server, oldest->serial);
	else
		attempt_end(a, FAULT_NONE, NULL);
}

/* The first that does not say its serial is told; the others are heard all the same. */
static void missing(struct dns_asking *k, enum fault fault, const char *server, const char *detail)
{
	if (k->fault != FAULT_NONE)
		return;
	k->fault = fault;
	snprintf(k->detail, sizeof(k->detail), "%.80s: %s", server, detail);
}

static void on_serial(void *arg, const struct dns_result *r)
{
	struct dns_part *part = arg;
	struct dns_asking *k = ended(part);
	struct attempt *a = k ? k->attempt : NULL;

	if (!a)
		return;
	a->connected = a->connected || r->said;
	if (part == &k->parts[0])
		keep_address(a, r->address);
	if (part == &k->parts[0] && r->said)
		keep_answer(k, r);
	if (r->phases.total_ns > a->phases.total_ns)
		a->phases = r->phases; /* of the slowest */
	if (r->fault != FAULT_NONE)
		missing(k, r->fault, part->server, r->detail);
	else if (!r->said->authoritative)
		missing(k, FAULT_EXPECTATION, part->server, "it is not authoritative for the zone");
	else if (!dns_serial(r->said->first, &part->serial))
		missing(k, FAULT_PROTOCOL, part->server, "there is no serial in its answer");
	if (k->under_way)
		return;
	if (k->fault != FAULT_NONE)
		attempt_end(a, k->fault, "%s", k->detail);
	else
		compare(k);
}

/* --- an attempt --------------------------------------------------------------------------------
 */

void dns_start(struct attempt *a)
{
	const struct dns_spec *s = a->spec;
	struct dns_asking *k = mem_new(struct dns_asking);
	const unsigned flags = (s->servers || !s->recursion ? DNS_NO_RECURSION : 0) |
			       (s->dnssec ? DNS_SIGNATURES : 0);
	bool good = true;

	k->attempt = a;
	k->n = s->servers ? s->servers : 1;
	k->parts = mem_new_array(k->n, sizeof(*k->parts));
	a->data = k;
	for (size_t i = 0; i < k->n; i++) {
		k->parts[i].asking = k;
		k->parts[i].server = s->servers ? s->serial_of[i] : s->server;
		good = ask(&k->parts[i], s->name, s->type, flags,
			       s->servers ? on_serial : on_answer) &&
		       good;
	}
	if (good)
		return;
	/* Cannot be: what was read can be asked. */
	dns_stop(a);
	attempt_end_soon(a, FAULT_CONFIGURATION, "%.100s cannot be asked for", s->name);
}

/* What is under way frees it as it ends. */
void dns_stop(struct attempt *a)
{
	struct dns_asking *k = a->data;

	k->attempt = NULL;
	a->data = NULL;
	if (!k->under_way)
		asking_free(k);
	else
		for (size_t i = 0; i < k->n; i++)
			if (k->parts[i].call)
				dns_cancel(k->parts[i].call);
}

void dns_release(struct attempt *a)
{
	asking_free(a->data);
}
