/*
 * write_pushes.c - results and alerts that others push: Gatus' external endpoints, Uptime Kuma's
 * push monitors, the webhook of Alertmanager and its /api/v2/alerts; see writes.h. Each becomes a
 * command of the house.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "net/http_server.h"
#include "observe/ingest/number.h"
#include "web/faces/writes.h"

#define DETAIL_MAX 500  /* bytes of what is said of a failure */
#define ALERTS_MAX 1000 /* in one request */
#define TEXT_MAX   2000 /* bytes of a label's or annotation's value */
#define PAIRS_MAX  64
#define PING_MAX   1e11         /* ms; of Uptime Kuma */
#define BODY_MAX   (256u << 10) /* of the command */

static void refuse(struct write_out *out, int status, const char *why)
{
	out->status = status;
	snprintf(out->why, sizeof(out->why), "%s", why);
}

/* Takes the arguments. */
static void command(struct write_out *out, const char *name, json_t *args)
{
	out->kind = DOOR_COMMAND;
	out->name = name;
	if (args)
		json_write(&out->body, args);
	if (!args)
		refuse(out, 400, "it is not UTF-8");
	else if (out->body.n > BODY_MAX)
		refuse(out, 413, "more than 256 KiB: send less at once");
	json_decref(args);
}

/* Cut, where no letter is. */
static json_t *detail(const char *text)
{
	struct slice s = slice_of(text);
	s.n = s.n < DETAIL_MAX ? s.n : DETAIL_MAX;
	for (int i = 0; i < 3 && s.n && !utf8_valid(s); i++)
		s.n--;
	return json_stringn(s.p, s.n);
}

/* --- Gatus ------------------------------------------------------------------------------------ */

/* POST /api/v1/endpoints/{key}/external?success=true|false&error=&duration=10s, with a bearer. */
static void read_gatus(const struct write_in *in, struct write_out *out)
{
	const char *success = http_argument(in->x, "success");
	const char *error = http_argument(in->x, "error");
	const char *duration = http_argument(in->x, "duration");
	const struct slice bearer = slice_of(http_header(in->x, "Authorization"));
	int64_t took_ns = 0;
	const bool up = success && !strcmp(success, "true");
	if (!slice_is_nocase(slice_sub(bearer, 0, 7), "Bearer "))
		refuse(out, 401, "bearer token must not be empty");
	else if (!success || (!up && strcmp(success, "false") != 0))
		refuse(out, 400, "missing or invalid success value");
	else if (duration && *duration &&
		 (!units_parse_time(slice_of(duration), &took_ns) || took_ns < 0))
		refuse(out, 400, "invalid duration: write it as 10s or 150ms");
	else
		command(out, "push_key",
			json_pack("{s:s, s:s%, s:b, s:o, s:I}", "key", in->word, "token",
				bearer.p + 7, bearer.n - 7, "up", up, "detail",
				detail(error ? error : ""), "took_us",
				(json_int_t)(took_ns / NS_PER_US)));
}

/* --- Uptime Kuma ------------------------------------------------------------------------------ */

/* /api/push/TOKEN?status=up&msg=OK&ping=12.5 */
static void read_kuma(const struct write_in *in, struct write_out *out)
{
	const char *status = http_argument(in->x, "status"), *msg = http_argument(in->x, "msg");
	const char *ping = http_argument(in->x, "ping");
	double ms = 0;
	const bool up = !status || !*status || !strcmp(status, "up");
	if (ping && *ping && (!number_read(slice_of(ping), &ms) || ms < 0 || ms > PING_MAX))
		refuse(out, 404, "Invalid ping value.");
	else
		command(out, "push",
			json_pack("{s:s, s:b, s:o, s:I}", "token", in->word, "up", up, "detail",
				detail(msg ? msg : ""), "took_us", (json_int_t)(ms * 1000)));
}

/* --- alerts ----------------------------------------------------------------------------------- */

static bool are_texts(const json_t *map, bool needed)
{
	const char *key;
	json_t *v;
	if (!map || json_is_null(map))
		return !needed;
	if (!json_is_object(map) || json_object_size(map) > PAIRS_MAX ||
		(needed && !json_object_size(map)))
		return false;
	json_object_foreach ((json_t *)map, key, v)
		if (!json_is_string(v) || json_string_length(v) > TEXT_MAX ||
			strlen(key) > TEXT_MAX)
			return false;
	return true;
}

/* Unix ms; 0: not there, or the zero of Go's times, which means the same. */
static bool time_of(const json_t *alert, const char *key, int64_t *ret_ms)
{
	const char *text = json_str(alert, key);
	int64_t us = 0;
	*ret_ms = 0;
	if (!text || !*text || !strncmp(text, "0001-01-01", 10))
		return true;
	if (!clock_parse_rfc3339(text, &us))
		return false;
	*ret_ms = us / 1000;
	return true;
}

static json_t *texts(const json_t *map)
{
	return json_is_object(map) ? json_incref((json_t *)map) : json_object();
}

/* NULL with `why`, when it is none. */
static json_t *alert_of(const json_t *alert, const char **why)
{
	int64_t starts, ends;
	const json_t *labels = json_object_get(alert, "labels");
	const json_t *annotations = json_object_get(alert, "annotations");
	const char *url = json_str(alert, "generatorURL"), *status = json_str(alert, "status");
	if (!are_texts(labels, true))
		*why = "an alert needs labels: a map from texts to texts, 64 at most";
	else if (!are_texts(annotations, false))
		*why = "annotations must be a map from texts to texts, 64 at most";
	else if (!time_of(alert, "startsAt", &starts) || !time_of(alert, "endsAt", &ends))
		*why = "startsAt and endsAt must be times of RFC 3339";
	else
		return json_pack("{s:o, s:o, s:I, s:I, s:s, s:b}", "labels", texts(labels),
			"annotations", texts(annotations), "starts_ms", (json_int_t)starts,
			"ends_ms", (json_int_t)ends, "url",
			url && strlen(url) <= TEXT_MAX ? url : "", "resolved",
			status && !strcmp(status, "resolved"));
	return NULL;
}

static void take_alerts(struct write_out *out, const json_t *list)
{
	json_t *all = json_array();
	const char *why = NULL;
	if (!json_is_array(list))
		why = "a list of alerts was expected";
	else if (json_array_size(list) > ALERTS_MAX)
		why = "more than 1000 alerts: send less at once";
	for (size_t i = 0; !why && i < json_array_size(list); i++) {
		json_t *one = alert_of(json_array_get(list, i), &why);
		if (one)
			json_array_append_new(all, one);
	}
	if (why) {
		refuse(out, 400, why);
		json_decref(all);
	} else {
		command(out, "alerts", json_pack("{s:o}", "alerts", all));
	}
}

static json_t *document(const struct write_in *in, struct write_out *out)
{
	struct error err = {0};
	json_t *j = json_parse(in->body, WRITE_BODY_MAX, &err);
	if (!j)
		refuse(out, 400, err.msg);
	return j;
}

/* {"version": "4", "alerts": [...], ...} */
static void read_alertmanager(const struct write_in *in, struct write_out *out)
{
	json_t *j = document(in, out);
	if (j)
		take_alerts(out, json_object_get(j, "alerts"));
	json_decref(j);
}

/* [{labels, annotations, startsAt, endsAt, generatorURL}] */
static void read_alerts(const struct write_in *in, struct write_out *out)
{
	json_t *j = document(in, out);
	if (j)
		take_alerts(out, j);
	json_decref(j);
}

const struct write_face write_gatus = {read_gatus, WRITE_TEXT};
const struct write_face write_kuma = {read_kuma, WRITE_KUMA};
const struct write_face write_alertmanager = {read_alertmanager, WRITE_TEXT};
const struct write_face write_alerts = {read_alerts, WRITE_TEXT};
