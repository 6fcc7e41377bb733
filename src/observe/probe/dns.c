/*
 * dns.c - kind dns: a question to a name server, or to all that serve a zone; and whether the
 * answer is signed from a trust anchor down.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "observe/probe/dns_inside.h"
#include "observe/probe/talk.h"

#define NAME_MAX_ 1024 /* escapes make it longer than the 255 bytes on the wire */
#define ROOT_KEY  "/usr/share/dns/root.key" /* of Debian's dns-root-data */

#define DNS(name, type, field) name, type, offsetof(struct dns_spec, field)
static const struct key keys[] = {
	{DNS("name", KEY_TEXT, name), .required = true, .max = NAME_MAX_},
	{DNS("type", KEY_TEXT, type), .max = 16},
	{DNS("server", KEY_TEXT, server), .max = 300},
	{DNS("tcp", KEY_BOOL, tcp)},
	{DNS("recursion", KEY_BOOL, recursion)},
	{DNS("dnssec", KEY_BOOL, dnssec)},
	{DNS("anchor", KEY_TEXT, anchor), .max = DNSSEC_ANCHORS_MAX},
	{DNS("serial_of", KEY_TEXTS, serial_of), .max = 300},
};
#undef DNS

static void defaults(void *into)
{
	struct dns_spec *s = into;

	s->recursion = true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_server(struct probe_reader *r, const struct yaml *at, const char *server)
{
	char *host = NULL;
	unsigned port;
	const bool good = dns_server_split(server, &host, &port);

	if (!good)
		probe_wrong(r, at,
			"\"%.200s\" is no name server: HOST, HOST:PORT or [ADDRESS]:PORT", server);
	const bool ascii = !good || probe_check_ascii(r, at, slice_of(host));
	free(host);
	return good && ascii;
}

static bool read_serial_of(struct dns_spec *s, const struct yaml *at, struct probe_reader *r)
{
	const struct yaml *y = talk_at(at, "serial_of");
	bool good = true;

	while (s->serial_of && s->serial_of[s->servers])
		s->servers++;
	if (s->servers == 0)
		return true;
	if (s->servers < 2 || s->servers > DNS_SERVERS_MAX) {
		probe_wrong(r, y, "serial_of is 2 to %d servers that serve the same zone",
			DNS_SERVERS_MAX);
		return false;
	}
	if (s->server || s->dnssec || (s->type && strcmp(s->type, "SOA") != 0)) {
		probe_wrong(r, y,
			"serial_of asks its servers for the SOA: there is no server, dnssec or other type with it");
		return false;
	}
	for (size_t i = 0; i < s->servers; i++)
		good = read_server(r, y, s->serial_of[i]) && good;
	return good;
}

/* Records as they are written, or the file they stand in. */
static bool read_anchor(struct dns_spec *s, const struct yaml *at, struct probe_reader *r)
{
	const char *text = s->anchor;
	struct error err = {0};
	struct stat st;

	if (!s->dnssec) {
		if (text)
			probe_wrong(r, talk_at(at, "anchor"), "anchor without dnssec: true");
		return !text;
	}
	if (strcasecmp(s->type, "ANY") == 0 || strcasecmp(s->type, "RRSIG") == 0) {
		probe_wrong(r, talk_at(at, "type"), "what %.16s brings is not signed as a whole",
			s->type);
		return false;
	}
	if (!text && stat(ROOT_KEY, &st) != 0)
		return true; /* can_run() tells: it may be there where it runs */
	if (text && (strstr(text, " DS ") || strstr(text, " DNSKEY "))) {
		s->anchors = dnssec_anchors_read(slice_of(text), &err);
	} else {
		if (text)
			probe_path(r, &s->anchor);
		s->anchors = dnssec_anchors_load(text ? s->anchor : ROOT_KEY, &err);
	}
	if (!s->anchors)
		probe_wrong(r, talk_at(at, "anchor"), "%s", err.msg);
	return s->anchors;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct dns_spec *s = spec;
	struct dns_asked asked;
	struct error err = {0};
	bool good = read_serial_of(s, at, r);

	if (!s->type)
		s->type = mem_strdup(s->servers ? "SOA" : "A");
	if (!probe_check_ascii(r, talk_at(at, "name"), slice_of(s->name))) {
		good = false;
	} else if (!dns_ask(s->name, s->type, 0, &asked, &err)) {
		probe_wrong(r, talk_at(at, dns_type_known(slice_of(s->type)) ? "name" : "type"),
			"%s", err.msg);
		good = false;
	}
	if (s->server && !read_server(r, talk_at(at, "server"), s->server))
		good = false;
	if (!read_anchor(s, at, r))
		good = false;
	buf_printf(out, "%s %s", s->name, s->type);
	if (s->server)
		buf_printf(out, " at %s", s->server);
	for (size_t i = 0; i < s->servers; i++)
		buf_printf(out, "%s%s", i ? ", " : " at ", s->serial_of[i]);
	return good;
}

static void fini(void *spec)
{
	struct dns_spec *s = spec;

	dnssec_anchors_free(s->anchors);
}

static bool can_run(const struct probe_tools *t, const void *spec, struct error *err)
{
	const struct dns_spec *s = spec;

	if (!s->dnssec || s->anchors)
		return true;
	error_set(err, ERROR_INPUT,
		"there is no trust anchor: write `anchor`, or install dns-root-data (%s)",
		ROOT_KEY);
	return false;
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"RCODE", "BODY", "ANSWERS", "TTL", "VALUE", "SERIAL",
	"SERIAL_SKEW", "SECURE", "SIGNATURE_EXPIRATION", "TCP", "AUTHORITATIVE", "ANSWER_RECORDS",
	"AUTHORITY_RECORDS", "ADDITIONAL_RECORDS", NULL};

/* Of MX only the host, as Gatus has it. */
static struct value body(const struct dns_asking *k)
{
	const struct dns_spec *s = k->attempt->spec;
	const char *host = strcasecmp(s->type, "MX") == 0 ? strchr(k->first, ' ') : NULL;

	return talk_text(slice_of(host ? host + 1 : k->first));
}

static struct value answers(const struct dns_asking *k)
{
	struct value list = value_list_new();

	for (size_t i = 0; i < k->answer_n; i++)
		value_list_add(&list, talk_text(slice_of(k->answers[i])));
	return list;
}

static struct value all(const struct dns_asking *k)
{
	struct buf text = BUF(DNS_TEXT_MAX + 2 * DNS_ANSWERS_MAX);

	for (size_t i = 0; i < k->answer_n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", k->answers[i]);
	const struct value v = talk_text(buf_slice(&text));
	buf_fini(&text);
	return v;
}

static bool measure_serial(const struct dns_asking *k, struct value *ret)
{
	const struct dns_spec *s = k->attempt->spec;
	uint32_t serial = k->serial;

	if (!k->compared && (s->servers || strcasecmp(s->type, "SOA") != 0 || !k->first ||
				    !dns_serial(k->first, &serial)))
		return false;
	*ret = value_int(serial);
	return true;
}

static bool measure_signatures(const struct dns_asking *k, struct slice name, struct value *ret)
{
	if (!k->dnssec || !k->judged)
		return false;
	const struct dnssec_verdict *v = dnssec_verdict(k->dnssec);
	const int64_t now_us = clock_unix_us(loop_clock(k->attempt->tools->loop));
	if (slice_is(name, "SECURE"))
		*ret = value_bool(v->secure);
	else if (v->ends_s)
		*ret = value_time((v->ends_s - now_us / 1000000) * NS_PER_S);
	else
		return false;
	return true;
}

/* Of a section of the answer. */
static bool measure_records(const struct dns_asking *k, struct slice name, struct value *ret)
{
	if (slice_is(name, "ANSWER_RECORDS"))
		*ret = value_int(k->answer_records);
	else if (slice_is(name, "AUTHORITY_RECORDS"))
		*ret = value_int(k->authority_records);
	else if (slice_is(name, "ADDITIONAL_RECORDS"))
		*ret = value_int(k->additional_records);
	else
		return false;
	return true;
}

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct dns_asking *k = a->data;

	if (!k || !k->answered)
		return false;
	if (slice_is(name, "RCODE"))
		*ret = value_str(k->rcode);
	else if (slice_is(name, "ANSWERS"))
		*ret = answers(k);
	else if (slice_is(name, "TCP"))
		*ret = value_bool(k->tcp);
	else if (slice_is(name, "AUTHORITATIVE"))
		*ret = value_bool(k->authoritative);
	else if (slice_is(name, "SERIAL"))
		return measure_serial(k, ret);
	else if (slice_is(name, "SERIAL_SKEW") && k->compared)
		*ret = value_int(k->skew);
	else if (slice_is(name, "SECURE") || slice_is(name, "SIGNATURE_EXPIRATION"))
		return measure_signatures(k, name, ret);
	else if (slice_is(name, "BODY") && k->first)
		*ret = body(k);
	else if (slice_is(name, "VALUE") && k->first)
		*ret = all(k);
	else if (slice_is(name, "TTL") && k->first)
		*ret = value_time(k->ttl * NS_PER_S);
	else
		return measure_records(k, name, ret);
	return true;
}

const struct probe_kind probe_kind_dns = {
	.name = "dns",
	.help = "a question to name servers; serials, signatures",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct dns_spec),
	.shorthand = "name",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.can_run = can_run,
	.start = dns_start,
	.cancel = dns_stop,
	.measure = measure,
	.release = dns_release,
};
