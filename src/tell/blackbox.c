/*
 * blackbox.c - see blackbox.h.
 */

#include "tell/blackbox.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/units.h"
#include "text/exposition.h"

typedef struct exposition_label label;

struct writing {
	struct buf *out;
	const struct probe_about *about;
	const struct probe_report *report;
	int64_t now_s;
};

static void one(const struct writing *w, const char *name, const char *help, double x)
{
	exposition_foreign_family(w->out, name, help);
	exposition_foreign_value(w->out, name, NULL, 0, x);
}

static bool is_kind(const struct writing *w, const char *kind)
{
	return !strcmp(w->about->kind, kind);
}

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

/* --- what was measured: sizes and times stand there as texts ------------------------------------
 */

static bool number(const struct writing *w, const char *name, double *ret)
{
	const json_t *v = json_object_get(w->report->measured, name);
	const char *text = json_string_value(v);
	int64_t n;
	if (json_is_number(v)) {
		*ret = json_number_value(v);
		return true;
	}
	if (!text)
		return false;
	if (units_parse_time(slice_of(text), &n))
		*ret = seconds(n);
	else if (units_parse_size(slice_of(text), &n))
		*ret = (double)n;
	else
		return false;
	return true;
}

static const char *text(const struct writing *w, const char *name)
{
	const char *s = json_str(w->report->measured, name);
	return s ? s : "";
}

static void measured(const struct writing *w, const char *of, const char *name, const char *help)
{
	double x;
	if (number(w, of, &x))
		one(w, name, help, x);
}

/* --- every probe --------------------------------------------------------------------------------
 */

/* FNV-1a of 32 bits of the address' bytes, as it has it. */
static void add_address(const struct writing *w)
{
	unsigned char bytes[16];
	const char *address = w->report->address;
	const bool v6 = strchr(address, ':') != NULL;
	const int known = inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes);
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < (v6 ? 16u : 4u); i++)
		hash = (hash ^ (known == 1 ? bytes[i] : 0)) * 16777619u;
	if (known == 1)
		one(w, "probe_ip_addr_hash",
			"Specifies the hash of IP address. It's useful to detect if the IP address changes.",
			hash);
	one(w, "probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6",
		known == 1 ? v6 ? 6 : 4 : 0);
}

static void add_phases(const struct writing *w, const char *name, const char *help,
	const label *rows, size_t n, const int64_t *ns)
{
	exposition_foreign_family(w->out, name, help);
	for (size_t i = 0; i < n; i++)
		exposition_foreign_value(w->out, name, &rows[i], 1, seconds(ns[i]));
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

static void add_tls(const struct writing *w)
{
	double left;
	const char *version = text(w, "TLS_VERSION");
	if (number(w, "CERTIFICATE_EXPIRATION", &left))
		one(w, "probe_ssl_earliest_cert_expiry",
			"Returns last SSL chain expiry in unixtime", (double)w->now_s + left);
	if (number(w, "CHAIN_EXPIRATION", &left))
		one(w, "probe_ssl_last_chain_expiry_timestamp_seconds",
			"Returns last SSL chain expiry in timestamp", (double)w->now_s + left);
	if (*version) { /* "TLSv1.3" is "TLS 1.3" there */
		char said[24];
		snprintf(said, sizeof(said), "TLS %s",
			strncmp(version, "TLSv", 4) ? version : version + 4);
		exposition_foreign_family(w->out, "probe_tls_version_info",
			"Returns the TLS version used or NaN when unknown");
		exposition_foreign_value(
			w->out, "probe_tls_version_info", &(label){"version", said}, 1, 1);
	}
	if (*text(w, "CIPHER")) {
		exposition_foreign_family(w->out, "probe_tls_cipher_info",
			"Returns the TLS cipher negotiated during handshake");
		exposition_foreign_value(w->out, "probe_tls_cipher_info",
			&(label){"cipher", text(w, "CIPHER")}, 1, 1);
	}
	if (*text(w, "FINGERPRINT")) {
		const json_t *names = json_object_get(w->report->measured, "NAMES"), *name;
		struct buf all = BUF(BUF_LINE);
		size_t i;
		json_array_foreach ((json_t *)names, i, name)
			buf_printf(&all, "%s%s", i ? "," : "", json_string_value(name));
		const label l[] = {{"fingerprint_sha256", text(w, "FINGERPRINT")},
			{"issuer", text(w, "ISSUER")}, {"subject", text(w, "SUBJECT")},
			{"subjectalternative", buf_str(&all)}};
		exposition_foreign_family(w->out, "probe_ssl_last_chain_info",
			"Contains SSL leaf certificate information");
		exposition_foreign_value(w->out, "probe_ssl_last_chain_info", l, array_len(l), 1);
		buf_fini(&all);
	}
}

/* --- kinds --------------------------------------------------------------------------------------
 */

static void add_failed(const struct writing *w)
{
	one(w, "probe_failed_due_to_regex", "Indicates if probe failed due to regex",
		w->report->fault == FAULT_EXPECTATION);
}

static void add_http(const struct writing *w)
{
	static const label rows[] = {{"phase", "connect"}, {"phase", "processing"},
		{"phase", "resolve"}, {"phase", "tls"}, {"phase", "transfer"}};
	const struct phases *p = &w->report->phases;
	const int64_t ns[] = {p->connect_ns, p->wait_ns, p->resolve_ns, p->tls_ns, p->body_ns};
	const json_t *headers = json_object_get(w->report->measured, "HEADER");
	const char *length = json_str(headers, "content-length"),
		   *modified = json_str(headers, "last-modified"), *version = text(w, "VERSION");
	int64_t n, us;
	double x;
	add_phases(w, "probe_http_duration_seconds",
		"Duration of http request by phase, summed over all redirects", rows,
		array_len(rows), ns);
	one(w, "probe_http_status_code", "Response HTTP status code", w->report->status);
	one(w, "probe_http_content_length", "Length of http content response",
		length && units_parse_int(slice_of(length), &n) ? (double)n : -1);
	one(w, "probe_http_uncompressed_body_length", "Length of uncompressed response body",
		number(w, "SIZE", &x) ? x : 0);
	one(w, "probe_http_redirects", "The number of redirects",
		number(w, "REDIRECTS", &x) ? x : 0);
	one(w, "probe_http_ssl", "Indicates if SSL was used for the final redirect",
		json_object_get(w->report->measured, "CERTIFICATE_EXPIRATION") != NULL);
	one(w, "probe_http_version", "Returns the version of HTTP of the probe response",
		*version ? strtod(version, NULL) : 0);
	if (modified && clock_parse_http_date(modified, &us))
		one(w, "probe_http_last_modified_timestamp_seconds",
			"Returns the Last-Modified HTTP response header in unixtime",
			(double)us / 1e6);
	add_failed(w);
}

static void add_icmp(const struct writing *w)
{
	static const label rows[] = {{"phase", "resolve"}, {"phase", "rtt"}, {"phase", "setup"}};
	const struct phases *p = &w->report->phases;
	double rtt = seconds(p->wait_ns);
	number(w, "RTT", &rtt);
	const int64_t ns[] = {p->resolve_ns, (int64_t)(rtt * 1e9), p->connect_ns};
	add_phases(w, "probe_icmp_duration_seconds", "Duration of icmp request by phase", rows,
		array_len(rows), ns);
	measured(w, "HOP_LIMIT", "probe_icmp_reply_hop_limit",
		"Replied packet hop limit (TTL for ipv4)");
}

static void add_dns(const struct writing *w)
{
	static const label rows[] = {
		{"phase", "connect"}, {"phase", "request"}, {"phase", "resolve"}};
	const struct phases *p = &w->report->phases;
	const int64_t ns[] = {p->connect_ns, p->wait_ns, p->resolve_ns};
	add_phases(w, "probe_dns_duration_seconds", "Duration of DNS request by phase", rows,
		array_len(rows), ns);
	one(w, "probe_dns_query_succeeded",
		"Displays whether or not the query was executed successfully",
		*text(w, "RCODE") != 0);
	measured(w, "ADDITIONAL_RECORDS", "probe_dns_additional_rrs",
		"Returns number of entries in the additional resource record list");
	measured(w, "ANSWER_RECORDS", "probe_dns_answer_rrs",
		"Returns number of entries in the answer resource record list");
	measured(w, "AUTHORITY_RECORDS", "probe_dns_authority_rrs",
		"Returns number of entries in the authority resource record list");
	measured(w, "SERIAL", "probe_dns_serial", "Returns the serial number of the zone");
}

static void add_grpc(const struct writing *w)
{
	static const label rows[] = {
		{"phase", "check"}, {"phase", "connect"}, {"phase", "resolve"}, {"phase", "tls"}};
	const struct phases *p = &w->report->phases;
	const int64_t ns[] = {p->wait_ns, p->connect_ns, p->resolve_ns, p->tls_ns};
	static const char *const states[] = {
		"NOT_SERVING", "SERVICE_UNKNOWN", "SERVING", "UNKNOWN"};
	const char *serving = text(w, "SERVING");
	add_phases(w, "probe_grpc_duration_seconds", "Duration of gRPC request by phase", rows,
		array_len(rows), ns);
	measured(w, "STATUS", "probe_grpc_status_code", "Response gRPC status code");
	one(w, "probe_grpc_ssl", "Indicates if SSL was used for the connection", p->tls_ns > 0);
	exposition_foreign_family(
		w->out, "probe_grpc_healthcheck_response", "Response HealthCheck response");
	for (size_t i = 0; i < array_len(states); i++)
		exposition_foreign_value(w->out, "probe_grpc_healthcheck_response",
			&(label){"serving_status", states[i]}, 1, !strcmp(states[i], serving));
}

static void add_websocket(const struct writing *w)
{
	measured(w, "STATUS", "probe_websocket_status_code", "Response HTTP status code");
	one(w, "probe_websocket_connection_upgraded",
		"Indicates if the websocket connection was successfully upgraded",
		w->report->status == 101);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void add_all(const struct writing *w, int64_t took_ns)
{
	const struct probe_report *r = w->report;
	one(w, "probe_success", "Displays whether or not the probe was a success",
		r->fault == FAULT_NONE);
	one(w, "probe_duration_seconds", "Returns how long the probe took to complete in seconds",
		seconds(took_ns));
	one(w, "probe_dns_lookup_time_seconds",
		"Returns the time taken for probe dns lookup in seconds",
		seconds(r->phases.resolve_ns));
	add_address(w);
	if (is_kind(w, "http"))
		add_http(w);
	else if (is_kind(w, "icmp"))
		add_icmp(w);
	else if (is_kind(w, "dns"))
		add_dns(w);
	else if (is_kind(w, "grpc"))
		add_grpc(w);
	else if (is_kind(w, "websocket"))
		add_websocket(w);
	else
		add_failed(w);
	add_tls(w);
}

void blackbox_write(struct buf *out, const struct probe_about *about, const struct probe_report *r,
	int64_t took_ns, int64_t now_s)
{
	struct buf plain = BUF(BUF_PAGE);
	const struct writing w = {&plain, about, r, now_s};
	add_all(&w, took_ns);
	secret_scrub(out, buf_slice(&plain));
	buf_fini(&plain);
}

void blackbox_debug(struct buf *out, const struct probe_about *about, const struct probe_report *r,
	int64_t took_ns, int64_t now_s)
{
	struct buf plain = BUF(BUF_PAGE);
	const json_t *c;
	size_t i;
	buf_printf(&plain, "Logs for the probe:\n%s %s %s: %s%s%s\n", about->name, about->kind,
		about->target, fault_text(r->fault), *r->detail ? ": " : "", r->detail);
	json_array_foreach ((json_t *)r->conditions, i, c)
		buf_printf(&plain, "%s: %s %s; %s\n", json_str(c, "of"), json_str(c, "text"),
			json_flag(c, "ok") ? "holds" : "does not hold", json_str(c, "saw"));
	buf_add_str(&plain, "\n\nMetrics that would have been returned:\n");
	secret_scrub(out, buf_slice(&plain));
	buf_fini(&plain);
	blackbox_write(out, about, r, took_ns, now_s);
	buf_add_str(out, "\n\nWhat was measured:\n");
	json_t *clean = json_scrubbed(r->measured);
	json_write(out, clean);
	json_decref(clean);
	buf_add_char(out, '\n');
}
