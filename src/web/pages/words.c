/*
 * words.c - texts, numbers and times in the language of a page.
 *
 * Times are UTC and say so: pages are kept for everyone, so the reader's own zone is for the
 * script. Ratios are never rounded towards what sounds better: 99.996 % is not 100 %.
 */

#include "web/pages/view.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"

void view_fini(struct view *v)
{
	VEC_EACH (&v->kept, char *, p)
		free(*p);
	vec_fini(&v->kept);
	json_decref(v->root);
}

const char *view_keep(struct view *v, char *owned)
{
	vec_push(&v->kept, owned);
	return owned;
}

/* --- texts ------------------------------------------------------------------------------------ */

static const char *find_text(struct view *v, const char *key)
{
	const char *text = json_str(v->texts, key);
	if (!text && !v->missing)
		v->missing = key;
	return text ? text : "";
}

const char *say(struct view *v, const char *key, ...)
{
	const char *args[5] = {0};
	va_list ap;
	va_start(ap, key);
	for (size_t i = 0; i < array_len(args); i++) {
		args[i] = va_arg(ap, const char *);
		if (!args[i])
			break;
	}
	va_end(ap);
	const char *text = find_text(v, key);
	if (!args[0])
		return text;
	struct buf out = BUF(BUF_LINE);
	for (const char *p = text; *p; p++) {
		const int n =
			p[0] == '{' && p[1] >= '1' && p[1] <= '5' && p[2] == '}' ? p[1] - '1' : -1;
		if (n >= 0) {
			buf_add_str(&out, args[n] ? args[n] : "");
			p += 2;
		} else {
			buf_add_char(&out, *p);
		}
	}
	return view_keep(v, buf_take(&out));
}

const char *say_count(struct view *v, const char *one, const char *many, int64_t n)
{
	return say(v, n == 1 ? one : many, say_number(v, n), NULL);
}

/* U+2068 and U+2069 (UAX 9), where markup is not possible. */
const char *say_isolated(struct view *v, const char *text)
{
	return view_keep(v, mem_printf("\xe2\x81\xa8%s\xe2\x81\xa9", text ? text : ""));
}

/* --- numbers ---------------------------------------------------------------------------------- */

const char *say_number(struct view *v, int64_t n)
{
	char digits[24];
	struct buf out = BUF(64);
	const int count = snprintf(digits, sizeof(digits), "%lld", (long long)(n < 0 ? -n : n));
	if (n < 0)
		buf_add_str(&out, "\xe2\x88\x92");
	for (int i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0 && count > 4)
			buf_add_str(&out, "\xe2\x80\xaf");
		buf_add_char(&out, digits[i]);
	}
	return view_keep(v, buf_take(&out));
}

const char *say_real(struct view *v, double x, int decimals)
{
	char *text = mem_printf("%.*f", decimals, x);
	char *point = strchr(text, '.');
	if (point)
		*point = find_text(v, "decimal_point")[0];
	return view_keep(v, text);
}

const char *say_ratio(struct view *v, double ratio, enum rounding r)
{
	double percent = ratio * 100;
	int decimals = percent >= 99 && percent < 100 ? 2 : percent >= 10 ? 1 : 2;
	const double scale = decimals == 2 ? 100 : 10;
	/* a hair, so that what is stored as 0.98999999 is 99 */
	percent = r == ROUND_UP ? ceil(percent * scale - 1e-6) : floor(percent * scale + 1e-6);
	percent /= scale;
	if (ratio < 1 && percent >= 100 && r == ROUND_DOWN)
		percent = 99.99;
	if (percent >= 100 || percent <= 0)
		decimals = 0;
	return say_real(v, percent, decimals);
}

const char *say_percent(struct view *v, double ratio, enum rounding r)
{
	return say(v, "percent", say_ratio(v, ratio, r), NULL);
}

static const char *two_units(
	struct view *v, int64_t big, const char *big_key, int64_t small, const char *small_key)
{
	const char *first = say(v, big_key, say_number(v, big), NULL);
	if (!small)
		return first;
	return view_keep(
		v, mem_printf("%s %s", first, say(v, small_key, say_number(v, small), NULL)));
}

const char *say_duration(struct view *v, double ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < 9.95)
		return say(v, "unit_ms", say_real(v, ms, ms > 0 ? 1 : 0), NULL);
	if (ms < 999.5)
		return say(v, "unit_ms", say_real(v, ms, 0), NULL);
	if (ms < 9950)
		return say(v, "unit_s", say_real(v, ms / 1000, 1), NULL);
	if (ms < 59500)
		return say(v, "unit_s", say_real(v, ms / 1000, 0), NULL);
	const int64_t s = (int64_t)(ms / 1000 + 0.5), min = (s + 30) / 60;
	if (s < 600)
		return two_units(v, s / 60, "unit_min", s % 60, "unit_s");
	if (min < 60)
		return two_units(v, min, "unit_min", 0, "unit_min");
	if (min < 24 * 60)
		return two_units(v, min / 60, "unit_h", min % 60, "unit_min");
	return two_units(v, min / 1440, "unit_d", min % 1440 / 60, "unit_h");
}

/* --- times ------------------------------------------------------------------------------------ */

int64_t day_of(int64_t ms)
{
	return ms >= 0 ? ms / (1000LL * DAY_S) : -((-ms - 1) / (1000LL * DAY_S)) - 1;
}

/* Counted in eras of 400 years that begin on 1 March, so that the leap day comes last. */
void civil_from_days(int64_t days, int *ret_y, int *ret_m, int *ret_d)
{
	const int64_t z = days + 719468;
	const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	const int64_t doe = z - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t mp = (5 * doy + 2) / 153;
	*ret_d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_y = (int)(yoe + era * 400 + (*ret_m <= 2));
}

static const char *month_name(struct view *v, int month)
{
	static const char *const keys[] = {"month_1", "month_2", "month_3", "month_4", "month_5",
		"month_6", "month_7", "month_8", "month_9", "month_10", "month_11", "month_12"};
	return month >= 1 && month <= 12 ? find_text(v, keys[month - 1]) : "";
}

const char *say_day_short(struct view *v, int64_t day)
{
	int y, m, d;
	civil_from_days(day, &y, &m, &d);
	return say(v, "day_short", view_keep(v, mem_printf("%d", d)), month_name(v, m), NULL);
}

const char *say_day(struct view *v, int64_t day)
{
	int y, m, d;
	civil_from_days(day, &y, &m, &d);
	return view_keep(v, mem_printf("%s %d", say_day_short(v, day), y));
}

const char *say_month(struct view *v, const char *month)
{
	int y = 0, m = 0;
	if (!month || sscanf(month, "%4d-%2d", &y, &m) != 2)
		return "";
	return view_keep(v, mem_printf("%s %d", month_name(v, m), y));
}

const char *say_clock(struct view *v, int64_t ms)
{
	char text[CLOCK_TEXT];
	return view_keep(v, mem_printf("%.8s UTC", clock_rfc3339(ms * 1000, text) + 11));
}

const char *say_hour(struct view *v, int64_t ms)
{
	char text[CLOCK_TEXT];
	return view_keep(v, mem_printf("%.5s", clock_rfc3339(ms * 1000, text) + 11));
}

/* Every moment that is said with its day: the day comes first. `clock` characters of HH:MM:SS. */
static const char *say_at(struct view *v, const char *day, int64_t ms, int clock)
{
	char text[CLOCK_TEXT];
	return view_keep(
		v, mem_printf("%s, %.*s UTC", day, clock, clock_rfc3339(ms * 1000, text) + 11));
}

const char *say_moment(struct view *v, int64_t ms)
{
	return say_at(v, say_day(v, day_of(ms)), ms, 5);
}

const char *say_second(struct view *v, int64_t ms)
{
	return say_at(v, say_day(v, day_of(ms)), ms, 8);
}

json_t *time_view(struct view *v, const json_t *ms)
{
	if (!json_is_number(ms) || json_number_value(ms) <= 0)
		return json_null();
	char iso[CLOCK_TEXT];
	const int64_t at = (int64_t)json_number_value(ms);
	/* seconds are enough for a script, and shorter */
	clock_rfc3339(at / 1000 * 1000000, iso);
	return json_pack(
		"{s:o, s:s}", "iso", json_sprintf("%.19sZ", iso), "text", say_moment(v, at));
}

json_t *time_view_short(struct view *v, const json_t *ms)
{
	json_t *o = time_view(v, ms);
	const int64_t at = json_is_number(ms) ? (int64_t)json_number_value(ms) : 0;
	if (!json_is_object(o))
		return o;
	/* to the minute, as it is said: each row of a long table has one */
	json_object_set_new(o, "iso", json_sprintf("%.16sZ", json_str(o, "iso")));
	view_put(o, "text",
		day_of(at) == day_of(v->now_ms)
			? view_keep(v, mem_printf("%s UTC", say_hour(v, at)))
			: say_at(v, say_day_short(v, day_of(at)), at, 5));
	return o;
}

/* --- faults ----------------------------------------------------------------------------------- */

const char *say_fault(struct view *v, const char *fault, const char *otherwise)
{
	enum fault f;
	if (!fault || !fault_parse(slice_of(fault), &f))
		return otherwise ? otherwise : "";
	/* English is in fault.def itself */
	const char *text = json_str(json_object_get(v->texts, "fault_texts"), fault);
	return text ? text : fault_text(f);
}

const char *say_faults(struct view *v, const json_t *faults)
{
	struct buf out = BUF(BUF_LINE);
	const char *fault;
	json_t *n;
	json_object_foreach ((json_t *)faults, fault, n)
		buf_printf(&out, "%s%s\xc3\x97 %s", out.n ? "; " : "",
			say_number(v, json_integer_value(n)), say_fault(v, fault, fault));
	if (out.n)
		return view_keep(v, buf_take(&out));
	buf_fini(&out);
	return NULL;
}

/* --- putting ---------------------------------------------------------------------------------- */

void view_put(json_t *o, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	json_object_set_new(o, key, value ? value : json_null());
}

void put_time(struct view *v, json_t *o, const char *key, const json_t *ms)
{
	json_object_set_new(o, key, time_view(v, ms));
}

static const char *place_of(struct view *v, const json_t *component)
{
	const char *cloud = json_str(component, "cloud"), *region = json_str(component, "region");
	const bool has_cloud = v->clouds && cloud && *cloud,
		   has_region = v->regions && region && *region;
	if (has_cloud && has_region)
		return view_keep(v, mem_printf("%s \xc2\xb7 %s", cloud, region));
	return has_cloud ? cloud : has_region ? region : NULL;
}

void put_place(struct view *v, json_t *o, const json_t *component)
{
	view_put(o, "place", place_of(v, component));
}

const char *say_component(struct view *v, const json_t *component)
{
	const char *name = json_str(component, "name"), *id = json_str(component, "id");
	const char *place = place_of(v, component);
	const json_t *c;
	size_t i;
	if (!name || !place)
		return name;
	json_array_foreach (json_object_get(v->site, "components"), i, c) {
		const char *other = json_str(c, "name"), *other_id = json_str(c, "id");
		if (other && strcmp(other, name) == 0 && other_id && id &&
			strcmp(other_id, id) != 0)
			return view_keep(v, mem_printf("%s (%s)", name, place));
	}
	return name;
}

/* Ids are of [a-z0-9-] but runs and scenarios are named by people: percent-encoded all the same. */
void put_link(struct view *v, json_t *o, const char *key, const char *before, const char *id)
{
	struct buf out = BUF(BUF_LINE);
	buf_add_str(&out, before);
	for (const char *p = id; p && *p; p++) {
		const unsigned char c = (unsigned char)*p;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c && strchr("-._~", c)))
			buf_add_char(&out, *p);
		else
			buf_printf(&out, "%%%02X", c);
	}
	buf_add_str(&out, json_str(v->root, "q") ? json_str(v->root, "q") : "");
	view_put(o, key, buf_str(&out));
	buf_fini(&out);
}

const char *say_probe_kind(struct view *v, const char *kind)
{
	static const char *const keys[][2] = {{"endpoint", "probe_endpoint"},
		{"token", "probe_token"}, {"scenario", "probe_scenario"}, {"http", "probe_http"},
		{"tcp", "probe_tcp"}, {"tls", "probe_tls"}, {"dns", "probe_dns"},
		{"icmp", "probe_icmp"}, {"ssh", "probe_ssh"}, {"smtp", "probe_smtp"},
		{"imap", "probe_imap"}, {"udp", "probe_udp"}, {"websocket", "probe_websocket"},
		{"grpc", "probe_grpc"}, {"push", "probe_push"}, {"exec", "probe_exec"}};
	for (size_t i = 0; kind && i < array_len(keys); i++)
		if (!strcmp(keys[i][0], kind))
			return say(v, keys[i][1], NULL);
	return kind ? kind : "";
}
