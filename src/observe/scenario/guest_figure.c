#include "observe/scenario/guest_figure.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "base/vec.h"

#define SLOW_NS (10 * NS_PER_MS)

bool figure_line(struct slice text, const char *name, struct slice *ret)
{
	const size_t n = strlen(name);
	struct slice line;
	while (slice_next(&text, '\n', &line))
		if (slice_starts(line, name) && line.n > n && line.p[n] == ' ') {
			*ret = slice_trim(slice_sub(line, n, line.n));
			return true;
		}
	return false;
}

/* The document that begins with the first brace: tools warn in front of it. NULL: none. */
static json_t *document(struct slice text, char *why)
{
	json_error_t err;
	text = slice_sub(text, slice_find(text, '{'), text.n);
	json_t *j = text.n <= FIGURE_TEXT_MAX
			    ? json_loadb(text.p, text.n, JSON_DISABLE_EOF_CHECK, &err)
			    : NULL;
	if (!j)
		snprintf(why, FIGURE_WHY, "%s",
			text.n > FIGURE_TEXT_MAX ? "it said too much" : "it gave no JSON");
	return j;
}

/* A number that is one and not negative; else `otherwise`. */
static double number(const json_t *object, const char *key, double otherwise)
{
	const double x = json_number_value(json_object_get(object, key));
	return json_is_number(json_object_get(object, key)) && isfinite(x) && x >= 0 && x < 1e18
		       ? x
		       : otherwise;
}

/* --- iperf3 ------------------------------------------------------------------------------------
 */

bool figure_iperf3(struct slice text, struct figure_throughput *ret, char why[FIGURE_WHY])
{
	json_t *j = document(text, why);
	const json_t *end = json_object_get(j, "end");
	const json_t *received = json_object_get(end, "sum_received");
	const json_t *sent = json_object_get(end, "sum_sent");
	const json_t *cpu = json_object_get(end, "cpu_utilization_percent");
	const char *error = json_str(j, "error");
	const double bits = number(received, "bits_per_second", -1);
	if (j && (error || bits < 0))
		snprintf(why, FIGURE_WHY, "%.150s", error ? error : "it says no bits_per_second");
	const bool good = j && !error && bits >= 0;
	if (good)
		*ret = (struct figure_throughput){.bits_per_s = bits,
			.received = (int64_t)number(received, "bytes", 0),
			.retransmits = (int64_t)number(sent, "retransmits", -1),
			.sender = number(cpu, "host_total", -100) / 100,
			.receiver = number(cpu, "remote_total", -100) / 100};
	json_decref(j);
	return good;
}

/* --- fio ---------------------------------------------------------------------------------------
 */

struct bin {
	double ns, count;
};

struct latencies {
	VEC(struct bin) bins;
	double p50, p99; /* the larger of what reads and writes say by themselves */
	bool said;
};

static void add_latency(struct latencies *l, const json_t *direction)
{
	const json_t *clat = json_object_get(direction, "clat_ns");
	const json_t *percentile = json_object_get(clat, "percentile");
	const char *key;
	json_t *count;
	json_object_foreach (json_object_get(clat, "bins"), key, count) {
		struct bin b = {.count = json_number_value(count)};
		if (units_parse_real(slice_of(key), &b.ns) && isfinite(b.ns) && b.ns >= 0 &&
			b.ns < 1e18 && b.count > 0 && isfinite(b.count))
			vec_push(&l->bins, b);
	}
	if (number(direction, "total_ios", 0) > 0 && number(percentile, "50.000000", -1) >= 0) {
		l->said = true;
		l->p50 = fmax(l->p50, number(percentile, "50.000000", 0));
		l->p99 = fmax(l->p99, number(percentile, "99.000000", 0));
	}
}

static int by_time(const void *a, const void *b)
{
	const double x = ((const struct bin *)a)->ns, y = ((const struct bin *)b)->ns;
	return (x > y) - (x < y);
}

static double quantile(const struct latencies *l, double total, double q)
{
	double seen = 0;
	for (size_t i = 0; i < l->bins.n; i++) {
		seen += l->bins.p[i].count;
		if (seen >= q * total)
			return l->bins.p[i].ns;
	}
	return l->bins.p[l->bins.n - 1].ns;
}

static void judge(struct latencies *l, struct figure_disk *ret)
{
	double total = 0, slow = 0;
	for (size_t i = 0; i < l->bins.n; i++) {
		total += l->bins.p[i].count;
		slow += l->bins.p[i].ns > SLOW_NS ? l->bins.p[i].count : 0;
	}
	ret->has_latency = l->bins.n > 0;
	if (!ret->has_latency)
		return;
	qsort(l->bins.p, l->bins.n, sizeof(*l->bins.p), by_time);
	ret->p50_ns = (int64_t)quantile(l, total, 0.5);
	ret->p99_ns = (int64_t)quantile(l, total, 0.99);
	ret->over_10ms = slow / total;
}

bool figure_fio(struct slice text, struct figure_disk *ret, char why[FIGURE_WHY])
{
	static const char *const directions[] = {"read", "write"};
	json_t *j = document(text, why), *job;
	struct latencies l = {0};
	size_t i;
	*ret = (struct figure_disk){0};
	const json_t *jobs = json_object_get(j, "jobs");
	json_array_foreach (jobs, i, job)
		for (size_t k = 0; k < array_len(directions); k++) {
			const json_t *direction = json_object_get(job, directions[k]);
			ret->bytes_per_s +=
				number(direction, "bw_bytes", number(direction, "bw", 0) * 1024);
			ret->operations_per_s += number(direction, "iops", 0);
			add_latency(&l, direction);
		}
	judge(&l, ret);
	const bool good = ret->operations_per_s > 0;
	if (j && !good)
		snprintf(why, FIGURE_WHY, "it reports no operations");
	vec_fini(&l.bins);
	json_decref(j);
	return good;
}

/* --- dd ----------------------------------------------------------------------------------------
 */

/* The number at the start of a text; the rest is cut off it. */
static bool leading(struct slice *text, double *ret)
{
	size_t n = 0;
	*text = slice_trim(*text);
	while (n < text->n && (isdigit((unsigned char)text->p[n]) || text->p[n] == '.' ||
				      text->p[n] == 'e' || text->p[n] == '-' || text->p[n] == '+'))
		n++;
	const bool good =
		units_parse_real(slice_sub(*text, 0, n), ret) && isfinite(*ret) && *ret >= 0;
	*text = slice_sub(*text, n, text->n);
	return good;
}

/* Small busyboxes count records and take no time. */
static bool by_records(struct slice text, int64_t block, double *ret_bytes, double *ret_seconds)
{
	struct slice line, began = SLICE(""), ended = SLICE("");
	double from, to, records = -1;
	while (slice_next(&text, '\n', &line))
		if (slice_find_text(line, SLICE(" records out")) < line.n &&
			!units_parse_real(slice_sub(line, 0, slice_find(line, '+')), &records))
			records = -1;
		else if (slice_starts(line, "began "))
			began = slice_sub(line, 6, line.n);
		else if (slice_starts(line, "ended "))
			ended = slice_sub(line, 6, line.n);
	if (records <= 0 || !leading(&began, &from) || !leading(&ended, &to))
		return false;
	*ret_bytes = records * (double)block;
	*ret_seconds = to - from;
	return true;
}

bool figure_dd(struct slice text, int64_t block, struct figure_disk *ret)
{
	struct slice rest = text, line, copied = SLICE("copied,");
	double bytes = 0, seconds = 0;
	bool found = false;
	while (!found && slice_next(&rest, '\n', &line)) {
		const size_t at = slice_find_text(line, copied);
		struct slice time = slice_sub(line, at + copied.n, line.n);
		found = at < line.n && leading(&line, &bytes) && leading(&time, &seconds);
	}
	if (!found && !by_records(text, block, &bytes, &seconds))
		return false;
	if (!(seconds > 0) || !(bytes > 0) || bytes > 1e18 || bytes / seconds > 1e18)
		return false;
	*ret = (struct figure_disk){.bytes_per_s = bytes / seconds,
		.operations_per_s = bytes / seconds / (double)block};
	return true;
}

/* --- CPU ---------------------------------------------------------------------------------------
 */

/* "cpu  user nice system idle iowait irq softirq steal …": all of it, and the share of others. */
static bool processor(struct slice line, double *ret_all, double *ret_steal)
{
	struct slice word;
	double x;
	size_t n = 0;
	*ret_all = *ret_steal = 0;
	while (slice_next(&line, ' ', &word)) {
		if (!word.n || slice_is(word, "cpu"))
			continue;
		if (n == 8)
			return true; /* guest time is part of user time */
		if (!units_parse_real(word, &x) || !(x >= 0 && x < 1e18))
			return false;
		*ret_all += x;
		if (n == 7)
			*ret_steal = x;
		n++;
	}
	return n >= 8;
}

/* "0m10.710s" */
static bool minutes(struct slice word, double *ret)
{
	double m, s;
	if (!leading(&word, &m) || !word.n || *word.p != 'm')
		return false;
	word = slice_sub(word, 1, word.n);
	if (!leading(&word, &s) || !slice_is(word, "s") || m > 1e6 || s > 1e6)
		return false;
	*ret = m * 60 + s;
	return true;
}

/* User time of the children: the first of the second line. */
static bool children(struct slice text, double *ret)
{
	struct slice line, word;
	unsigned n = 0;
	while (slice_next(&text, '\n', &line)) {
		struct slice rest = line;
		double s;
		if (slice_next(&rest, ' ', &word) && minutes(word, &s) && n++ == 1) {
			*ret = s;
			return true;
		}
	}
	return false;
}

bool figure_cpu(struct slice text, struct figure_cpu *ret)
{
	struct slice before, after;
	double all, steal, all_then, steal_then, user;
	if (!children(text, &user))
		return false;
	*ret = (struct figure_cpu){.user_ns = (int64_t)(user * (double)NS_PER_S), .steal = -1};
	if (figure_line(text, "before", &before) && figure_line(text, "after", &after) &&
		processor(before, &all, &steal) && processor(after, &all_then, &steal_then) &&
		all_then > all && steal_then >= steal)
		ret->steal = (steal_then - steal) / (all_then - all);
	return true;
}
