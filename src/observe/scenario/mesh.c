#include "observe/scenario/mesh.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/guest_run.h"
#include "observe/scenario/guest_tool.h"

#define AT_ONCE      100 /* processes a small guest bears */
#define WAIT_S       1
#define WAIT_AGAIN_S 3
#define TCP_WAIT_S   5
#define SAID_MAX     500 /* bytes about one try, without its replies */
#define REPLY_MAX    100

static int by_owner(const void *a, const void *b)
{
	const struct mesh_target *x = a, *y = b;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return strcmp(x->address, y->address);
}

void mesh_order(struct mesh *m)
{
	if (m->targets.n)
		qsort(m->targets.p, m->targets.n, sizeof(*m->targets.p), by_owner);
}

void mesh_begin(struct mesh *m)
{
	m->cells = mem_new_array(m->source_count * m->targets.n + 1, sizeof(*m->cells));
	m->rows = mem_new_array(m->source_count + 1, sizeof(*m->rows));
}

void mesh_fini(struct mesh *m)
{
	for (size_t i = 0; i < m->source_count; i++)
		free(m->names[i]);
	free(m->names);
	vec_fini(&m->targets);
	free(m->cells);
	free(m->rows);
	*m = (struct mesh){0};
}

/* As inet_ntop() writes it, so that texts can be compared. */
static bool canonical(struct slice text, char *ret)
{
	char copy[MESH_ADDRESS];
	unsigned char raw[16];
	if (!text.n || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	for (unsigned v6 = 0; v6 < 2; v6++)
		if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, raw) == 1)
			return inet_ntop(v6 ? AF_INET6 : AF_INET, raw, ret, MESH_ADDRESS);
	return false;
}

bool mesh_add_target(struct mesh *m, const char *address, unsigned port, size_t owner)
{
	struct mesh_target t = {.port = port, .owner = owner};
	if (m->targets.n == MESH_TARGETS_MAX || !canonical(slice_of(address), t.address))
		return false;
	vec_push(&m->targets, t);
	return true;
}

/* --- the script --------------------------------------------------------------------------------
 */

static void add_ping(const struct mesh *m, struct buf *b, const char *address, unsigned wait_s)
{
	buf_printf(b, "ping -n -c %u -W %u", m->count, wait_s);
	if (m->count > 1 && m->every_s > 0)
		buf_printf(b, " -i %g", m->every_s);
	buf_printf(b, " %s 2>/dev/null", address);
}

static void add_connect(struct buf *b, const struct mesh_target *t)
{
	struct buf command = BUF(BUF_LINE);
	guest_tool_tcp(&command, t->address, t->port);
	buf_add_str(b, "$t sh -c ");
	guest_run_word(b, buf_slice(&command));
	buf_printf(b, " >/dev/null 2>&1 && echo open %s %u", t->address, t->port);
	buf_fini(&command);
}

static void add_pair(const struct mesh *m, struct buf *b, const struct mesh_target *t)
{
	buf_add_str(b, "{ ");
	if (t->port)
		add_connect(b, t);
	else
		add_ping(m, b, t->address, WAIT_S);
	buf_printf(b, " || { echo again %s %u; sleep 1; ", t->address, t->port);
	if (t->port)
		add_connect(b, t);
	else
		add_ping(m, b, t->address, WAIT_AGAIN_S);
	buf_add_str(b, "; }; } &\n");
}

bool mesh_script(const struct mesh *m, size_t i, struct buf *b)
{
	bool icmp = false, tcp = false;
	size_t running = 0;
	for (size_t k = 0; k < m->targets.n; k++) {
		icmp |= !m->targets.p[k].port;
		tcp |= m->targets.p[k].port > 0;
	}
	buf_add_str(b, "{\n");
	if (icmp)
		buf_add_str(b,
			"command -v ping >/dev/null 2>&1 || "
			"{ echo 'this guest has no ping' >&2; exit 127; }\n");
	if (tcp)
		buf_printf(b, "t=\ncommand -v timeout >/dev/null 2>&1 && t='timeout %d'\n",
			TCP_WAIT_S);
	for (size_t k = 0; k < m->targets.n; k++) {
		if (m->targets.p[k].owner == i)
			continue;
		if (running == AT_ONCE) {
			buf_add_str(b, "wait\n");
			running = 0;
		}
		running++;
		add_pair(m, b, &m->targets.p[k]);
	}
	buf_add_str(b, "wait\nexit 0\n}\n");
	return !b->over;
}

size_t mesh_output_max(const struct mesh *m)
{
	return 4096 + m->targets.n * 2 * (SAID_MAX + (size_t)m->count * REPLY_MAX);
}

/* --- what it says ------------------------------------------------------------------------------
 */

/* The place of a target; SIZE_MAX if nobody asked for it. */
static size_t find_target(const struct mesh *m, size_t source, struct slice address, unsigned port)
{
	char text[MESH_ADDRESS];
	if (!canonical(address, text))
		return SIZE_MAX;
	for (size_t k = 0; k < m->targets.n; k++)
		if (m->targets.p[k].owner != source && m->targets.p[k].port == port &&
			!strcmp(m->targets.p[k].address, text))
			return k;
	return SIZE_MAX;
}

struct reading {
	struct mesh *m;
	size_t source;
	double *rtt; /* [target][reply], `count` * 2 each */
};

/* "64 bytes from 10.0.0.5: seq=0 ttl=64 time=0.4 ms", "… from name (10.0.0.5): icmp_seq=1 …" */
static void read_reply(struct reading *r, struct slice line)
{
	const size_t from = slice_find_text(line, SLICE(" bytes from "));
	const size_t at = slice_find_text(line, SLICE("time"));
	struct slice rest = slice_sub(line, from + 12, line.n), who;
	double ms;
	if (from == line.n || at == line.n || slice_find_text(line, SLICE("DUP!")) < line.n)
		return;
	const size_t open = slice_find(rest, '('), close = slice_find(rest, ')');
	if (open < close && close < rest.n)
		who = slice_sub(rest, open + 1, close - open - 1);
	else
		who = slice_sub(rest, 0, slice_find(rest, ' '));
	while (who.n && who.p[who.n - 1] == ':')
		who.n--;
	struct slice time = slice_sub(line, at + 5, line.n);
	time = slice_sub(time, 0, slice_find(time, ' '));
	const size_t k = find_target(r->m, r->source, who, 0);
	if (k == SIZE_MAX || !units_parse_real(time, &ms) || !(ms >= 0 && ms < 1e6))
		return;
	struct mesh_cell *cell = &r->m->cells[r->source * r->m->targets.n + k];
	if (cell->received < cell->sent)
		r->rtt[k * r->m->count * 2 + cell->received++] = ms;
}

/* "again ADDRESS PORT", "open ADDRESS PORT" */
static void read_word(struct reading *r, struct slice line)
{
	struct slice word, address;
	int64_t port;
	if (!slice_next(&line, ' ', &word) || !slice_next(&line, ' ', &address) ||
		!units_parse_int(slice_trim(line), &port) || port < 0 || port > 65535)
		return;
	const size_t k = find_target(r->m, r->source, address, (unsigned)port);
	if (k == SIZE_MAX)
		return;
	struct mesh_cell *cell = &r->m->cells[r->source * r->m->targets.n + k];
	if (slice_is(word, "again") && !cell->retried) {
		cell->retried = true;
		cell->sent *= 2;
	} else if (slice_is(word, "open") && port) {
		cell->received = 1;
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *p, size_t n)
{
	qsort(p, n, sizeof(*p), compare);
	return n % 2 ? p[n / 2] : (p[n / 2 - 1] + p[n / 2]) / 2;
}

void mesh_said(struct mesh *m, size_t i, struct slice output)
{
	struct reading r = {.m = m,
		.source = i,
		.rtt = mem_new_array(m->targets.n * (size_t)m->count * 2 + 1, sizeof(*r.rtt))};
	struct slice line;
	m->rows[i] = MESH_ASKED;
	for (size_t k = 0; k < m->targets.n; k++)
		m->cells[i * m->targets.n + k].sent = m->targets.p[k].port ? 1 : m->count;
	while (slice_next(&output, '\n', &line)) {
		if (slice_starts(line, "again ") || slice_starts(line, "open "))
			read_word(&r, line);
		else
			read_reply(&r, line);
	}
	for (size_t k = 0; k < m->targets.n; k++) {
		struct mesh_cell *cell = &m->cells[i * m->targets.n + k];
		cell->has_rtt = cell->received && !m->targets.p[k].port;
		if (cell->has_rtt)
			cell->rtt_ms = median(&r.rtt[k * m->count * 2], cell->received);
	}
	free(r.rtt);
}

/* --- what it comes to --------------------------------------------------------------------------
 */

static const struct mesh_cell *cell_at(const struct mesh *m, size_t source, size_t target)
{
	return &m->cells[source * m->targets.n + target];
}

static bool is_pair(const struct mesh *m, size_t source, size_t target)
{
	return m->targets.p[target].owner != source;
}

static bool is_lost(const struct mesh *m, size_t source, size_t target)
{
	return is_pair(m, source, target) && m->rows[source] == MESH_ASKED &&
	       !cell_at(m, source, target)->received;
}

void mesh_sum(const struct mesh *m, struct mesh_sums *ret)
{
	double *all = mem_new_array(m->source_count * m->targets.n + 1, sizeof(*all));
	size_t n = 0;
	*ret = (struct mesh_sums){0};
	for (size_t i = 0; i < m->source_count; i++)
		for (size_t k = 0; k < m->targets.n; k++) {
			const struct mesh_cell *cell = cell_at(m, i, k);
			ret->pairs += is_pair(m, i, k);
			ret->lost += is_lost(m, i, k);
			ret->retried += is_pair(m, i, k) && cell->retried;
			if (cell->has_rtt)
				all[n++] = cell->rtt_ms;
		}
	ret->has_rtt = n > 0;
	if (n) {
		ret->rtt_ms = median(all, n);
		ret->rtt_max_ms = all[n - 1];
	}
	free(all);
}

static const char *target_text(const struct mesh_target *t, char *text, size_t n)
{
	if (t->port)
		snprintf(text, n, "%s tcp:%u", t->address, t->port);
	else
		snprintf(text, n, "%s", t->address);
	return text;
}

/* All of a line lost, and enough of it that this says more than the pairs do. */
static bool is_dark(const struct mesh *m, bool row, size_t at)
{
	size_t pairs = 0, lost = 0;
	for (size_t i = 0; i < (row ? m->targets.n : m->source_count); i++) {
		const size_t source = row ? at : i, target = row ? i : at;
		pairs += is_pair(m, source, target) && m->rows[source] == MESH_ASKED;
		lost += is_lost(m, source, target);
	}
	return pairs > 1 && lost == pairs;
}

/* A text of limited size that counts what had no room. */
struct telling {
	char *text;
	size_t n, at, left_out;
};

static void tell(struct telling *t, const char *text)
{
	const size_t len = strlen(text), room = 24; /* "; and 123456 more" */
	if (t->left_out || t->at + len + 2 + room > t->n) {
		t->left_out++;
		return;
	}
	t->at += (size_t)snprintf(t->text + t->at, t->n - t->at, "%s%s", t->at ? "; " : "", text);
}

void mesh_explain(const struct mesh *m, char *text, size_t n)
{
	struct telling t = {.text = text, .n = n};
	bool *dark_row = mem_new_array(m->source_count + 1, sizeof(*dark_row));
	bool *dark_column = mem_new_array(m->targets.n + 1, sizeof(*dark_column));
	char line[200], where[80];
	text[0] = 0;
	for (size_t k = 0; k < m->targets.n; k++) {
		const struct mesh_target *to = &m->targets.p[k];
		dark_column[k] = is_dark(m, false, k);
		snprintf(line, sizeof(line), "nothing reaches %.60s (%s)", m->names[to->owner],
			target_text(to, where, sizeof(where)));
		if (dark_column[k])
			tell(&t, line);
	}
	for (size_t i = 0; i < m->source_count; i++) {
		dark_row[i] = is_dark(m, true, i);
		snprintf(line, sizeof(line), "%.60s reaches nothing", m->names[i]);
		if (dark_row[i])
			tell(&t, line);
	}
	for (size_t i = 0; i < m->source_count; i++)
		for (size_t k = 0; k < m->targets.n; k++) {
			const struct mesh_target *to = &m->targets.p[k];
			if (!is_lost(m, i, k) || dark_row[i] || dark_column[k])
				continue;
			snprintf(line, sizeof(line), "%.60s -> %.60s (%s)", m->names[i],
				m->names[to->owner], target_text(to, where, sizeof(where)));
			tell(&t, line);
		}
	if (t.left_out)
		snprintf(text + t.at, n - t.at, "%sand %zu more", t.at ? "; " : "", t.left_out);
	free(dark_row);
	free(dark_column);
}

/* Two digits more than anybody reads, and short. */
static json_t *short_real(double x)
{
	return json_real(round(x * 1000) / 1000);
}

json_t *mesh_matrix(const struct mesh *m)
{
	json_t *names = json_array(), *addresses = json_array(), *owners = json_array();
	json_t *rtt = json_array(), *loss = json_array();
	char text[80];
	for (size_t i = 0; i < m->source_count; i++)
		json_array_append_new(names, json_string(m->names[i]));
	for (size_t k = 0; k < m->targets.n; k++) {
		json_array_append_new(
			addresses, json_string(target_text(&m->targets.p[k], text, sizeof(text))));
		json_array_append_new(owners, json_integer((json_int_t)m->targets.p[k].owner));
	}
	for (size_t i = 0; i < m->source_count; i++) {
		json_t *rtts = json_array(), *losses = json_array();
		for (size_t k = 0; k < m->targets.n; k++) {
			const struct mesh_cell *cell = cell_at(m, i, k);
			const bool asked = is_pair(m, i, k) && m->rows[i] == MESH_ASKED;
			json_array_append_new(
				rtts, cell->has_rtt ? short_real(cell->rtt_ms) : json_null());
			json_array_append_new(
				losses, asked ? short_real(1 - (double)cell->received / cell->sent)
					      : json_null());
		}
		json_array_append_new(rtt, rtts);
		json_array_append_new(loss, losses);
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "names", names, "addresses", addresses,
		"owners", owners, "rtt_ms", rtt, "loss", loss);
}
