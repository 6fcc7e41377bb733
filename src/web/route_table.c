/*
 * route_table.c - the rows; see route.h. A test merges them and fails on a duplicate, an overlap,
 * and a row that stands in another face's paths.
 */

#include "web/faces/faces.h"
#include "web/route.h"

#define COMMAND_MAX (64u << 10)

#define PINNED_PAGE(p, pg)                                                                         \
	{                                                                                          \
		.method = "GET", .path = (p), .on = ON_BOTH, .class = CLASS_PINNED,                \
		.audience = AUDIENCE_PUBLIC, .page = (pg)                                          \
	}
#define COLD_PAGE(p, pg, q, k, who, ...)                                                           \
	{                                                                                          \
		.method = "GET", .path = (p), .on = ON_BOTH, .class = CLASS_COLD,                  \
		.audience = (who), .page = (pg), .query = (q), .key = (k), __VA_ARGS__             \
	}
#define COLD_MODEL(p, q, k, who, ...)                                                              \
	{                                                                                          \
		.method = "GET", .path = "/api/ops/v1/" p, .face = FACE_OPS, .on = ON_BOTH,        \
		.class = CLASS_COLD, .audience = (who), .form = FORM_JSON, .query = (q),           \
		.key = (k), __VA_ARGS__                                                            \
	}
#define STATUSPAGE(p, f)                                                                           \
	{                                                                                          \
		.method = "GET", .path = "/api/v2/" p ".json", .face = FACE_STATUSPAGE,            \
		.on = ON_BOTH, .class = CLASS_PINNED, .audience = AUDIENCE_PUBLIC,                 \
		.form = FORM_JSON, .make = (f)                                                     \
	}
#define FIXED(p, f)                                                                                \
	{                                                                                          \
		.method = "GET", .path = (p), .on = ON_BOTH, .class = CLASS_FIXED,                 \
		.audience = AUDIENCE_PUBLIC, .file = (f)                                           \
	}

#define EVENT_COMMAND(m, p, q)                                                                     \
	{                                                                                          \
		.method = (m), .path = (p), .face = FACE_OPS, .on = ON_INTAKE,                     \
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_DOCUMENT,       \
		.query = (q), .command = true, .body_max = COMMAND_MAX                             \
	}

#define WRITE(m, p, f, w, ...)                                                                     \
	{                                                                                          \
		.method = (m), .path = (p), .face = (f), .on = ON_INTAKE, .class = CLASS_ASKED,    \
		.audience = AUDIENCE_OPERATORS, .form = FORM_WRITE, .write = (w), __VA_ARGS__      \
	}

#define GRAPHITE(m, p, q)                                                                          \
	{                                                                                          \
		.method = (m), .path = (p), .face = FACE_GRAPHITE, .on = ON_INTAKE,                \
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_DOCUMENT,       \
		.query = (q), .arguments = graphite_arguments,                                     \
		.body_max = (m)[0] == 'P' ? FACE_BODY_MAX : 0                                      \
	}

#define CLOUDMON(p, q)                                                                             \
	{                                                                                          \
		.method = "GET", .path = "/api/v1" p, .face = FACE_CLOUDMON, .on = ON_BOTH,        \
		.class = CLASS_ASKED, .audience = AUDIENCE_PUBLIC, .form = FORM_DOCUMENT,          \
		.query = (q), .arguments = graphite_arguments                                      \
	}

/* clang-format off */
const struct route routes[] = {
	PINNED_PAGE("/", PAGE_STATUS),
	COLD_PAGE("/components/{id}", PAGE_COMPONENT, "component", "id", AUDIENCE_PUBLIC),
	COLD_PAGE("/availability", PAGE_AVAILABILITY, "availability", NULL, AUDIENCE_PUBLIC),
	COLD_PAGE("/scenarios/{name}", PAGE_SCENARIO, "scenario", "name", AUDIENCE_PUBLIC),
	COLD_PAGE("/runs/{run}", PAGE_RUN, "run", "run", AUDIENCE_OPERATORS),
	COLD_PAGE("/evidence/{id}", PAGE_EVIDENCE, "evidence", "id", AUDIENCE_PUBLIC, .number = true),
	COLD_PAGE("/events/{id}", PAGE_EVENT, "event", "id", AUDIENCE_PUBLIC),
	{.method = "GET", .path = "/incidents/{id}", .on = ON_BOTH, .class = CLASS_FIXED,
		.audience = AUDIENCE_PUBLIC, .moved = "/events/"},
	COLD_PAGE("/history", PAGE_HISTORY, "history", NULL, AUDIENCE_PUBLIC),
	COLD_PAGE("/history/{view}", PAGE_HISTORY, "history", "view", AUDIENCE_PUBLIC),
	COLD_PAGE("/ledger", PAGE_LEDGER, "ledger", NULL, AUDIENCE_OPERATORS),
	COLD_PAGE("/ledger/{view}", PAGE_LEDGER, "ledger", "view", AUDIENCE_OPERATORS),
	COLD_PAGE("/hosts", PAGE_HOSTS, "hosts", NULL, AUDIENCE_OPERATORS),
	COLD_PAGE("/calls", PAGE_CALLS, "calls", NULL, AUDIENCE_OPERATORS),
	COLD_PAGE("/calls/{view}", PAGE_CALLS, "calls", "view", AUDIENCE_OPERATORS),
	COLD_PAGE("/alerts", PAGE_ALERTS, "alerts", NULL, AUDIENCE_OPERATORS),
	{.method = "GET", .path = "/explore", .on = ON_BOTH, .class = CLASS_ASKED,
		.audience = AUDIENCE_OPERATORS, .page = PAGE_EXPLORE, .query = "explore",
		.arguments = graphite_arguments},
	FIXED(PAGE_FILES "{file}", FILE_STATIC),
	FIXED("/favicon.ico", FILE_ICON),
	FIXED("/robots.txt", FILE_ROBOTS),

	STATUSPAGE("summary", statuspage_summary),
	STATUSPAGE("status", statuspage_status),
	STATUSPAGE("components", statuspage_components),
	STATUSPAGE("incidents", statuspage_incidents),
	STATUSPAGE("incidents/unresolved", statuspage_unresolved),
	STATUSPAGE("scheduled-maintenances", statuspage_maintenances),
	STATUSPAGE("scheduled-maintenances/upcoming", statuspage_upcoming),
	STATUSPAGE("scheduled-maintenances/active", statuspage_active),

	{.method = "GET", .path = "/api/ops/v1/status.json", .face = FACE_OPS, .on = ON_BOTH,
		.class = CLASS_PINNED, .audience = AUDIENCE_PUBLIC, .form = FORM_JSON,
		.make = ops_status},
	COLD_MODEL("components/{id}.json", "component", "id", AUDIENCE_PUBLIC),
	COLD_MODEL("availability.json", "availability", NULL, AUDIENCE_PUBLIC),
	COLD_MODEL("rules.json", "rules", NULL, AUDIENCE_OPERATORS),
	COLD_MODEL("scenarios/{name}.json", "scenario", "name", AUDIENCE_PUBLIC),
	COLD_MODEL("runs/{run}.json", "run", "run", AUDIENCE_OPERATORS),
	COLD_MODEL("ledger.json", "ledger", NULL, AUDIENCE_OPERATORS),
	COLD_MODEL("ledger/{view}.json", "ledger", "view", AUDIENCE_OPERATORS),
	COLD_MODEL("hosts.json", "hosts", NULL, AUDIENCE_OPERATORS),
	COLD_MODEL("calls.json", "calls", NULL, AUDIENCE_OPERATORS),
	COLD_MODEL("calls/{view}.json", "calls", "view", AUDIENCE_OPERATORS),
	COLD_MODEL("events/{id}.json", "event", "id", AUDIENCE_PUBLIC),
	COLD_MODEL("history.json", "history", NULL, AUDIENCE_PUBLIC),
	COLD_MODEL("history/{view}.json", "history", "view", AUDIENCE_PUBLIC),
	{.method = "GET", .path = "/api/ops/v1/explore.json", .face = FACE_OPS, .on = ON_BOTH,
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_JSON,
		.query = "explore", .arguments = graphite_arguments},
	COLD_MODEL("evidence/{id}.json", "evidence", "id", AUDIENCE_PUBLIC, .number = true),
	{.method = "GET", .path = "/api/ops/v1/openapi.yaml", .face = FACE_OPS, .on = ON_BOTH,
		.class = CLASS_FIXED, .audience = AUDIENCE_PUBLIC, .file = FILE_OPENAPI},
	{.method = "POST", .path = "/api/ops/v1/command/{name}", .face = FACE_OPS,
		.on = ON_INTAKE, .class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS,
		.form = FORM_JSON, .command = true, .body_max = COMMAND_MAX},

	{.method = "GET", .path = "/api/ops/v1/events", .face = FACE_OPS, .on = ON_BOTH,
		.class = CLASS_ASKED, .audience = AUDIENCE_PUBLIC, .form = FORM_JSON,
		.query = "events", .arguments = events_arguments},
	EVENT_COMMAND("POST", "/api/ops/v1/events", "event_open"),
	EVENT_COMMAND("POST", "/api/ops/v1/events/{id}", "event_change"),
	EVENT_COMMAND("PATCH", "/api/ops/v1/events/{id}", "event_change"),

	GRAPHITE("GET", "/render", "graphite_render"),
	GRAPHITE("POST", "/render", "graphite_render"),
	GRAPHITE("GET", "/render/", "graphite_render"),
	GRAPHITE("POST", "/render/", "graphite_render"),
	GRAPHITE("GET", "/metrics/find", "graphite_find"),
	GRAPHITE("POST", "/metrics/find", "graphite_find"),
	GRAPHITE("GET", "/metrics/find/", "graphite_find"),
	GRAPHITE("POST", "/metrics/find/", "graphite_find"),
	GRAPHITE("GET", "/metrics/expand", "graphite_expand"),
	GRAPHITE("POST", "/metrics/expand", "graphite_expand"),
	GRAPHITE("GET", "/metrics/index.json", "graphite_index"),
	GRAPHITE("GET", "/tags/autoComplete/tags", "graphite_tags"),
	GRAPHITE("POST", "/tags/autoComplete/tags", "graphite_tags"),
	GRAPHITE("GET", "/tags/autoComplete/values", "graphite_values"),
	GRAPHITE("POST", "/tags/autoComplete/values", "graphite_values"),
	GRAPHITE("GET", "/tags/findSeries", "graphite_series"),
	GRAPHITE("POST", "/tags/findSeries", "graphite_series"),
	GRAPHITE("GET", "/functions", "graphite_functions"),
	GRAPHITE("GET", "/functions/", "graphite_functions"),
	GRAPHITE("GET", "/lb_check", "graphite_check"),

	CLOUDMON("", "flags_root"),
	CLOUDMON("/", "flags_root"),
	CLOUDMON("/info", "flags_info"),
	CLOUDMON("/health", "flags_health"),

	{.method = "GET", .path = "/metrics", .face = FACE_PROCESS, .on = ON_INTAKE,
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_TEXT,
		.query = "metrics"},
	{.method = "GET", .path = "/probe", .face = FACE_PROMETHEUS, .on = ON_INTAKE,
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_DOCUMENT,
		.query = "blackbox", .arguments = blackbox_arguments},
	{.method = "GET", .path = "/healthz", .face = FACE_PROCESS, .on = ON_INTAKE,
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_HEALTH,
		.query = "health"},

	{.method = "GET", .path = "/api/ops/v1/alerts.json", .face = FACE_OPS, .on = ON_INTAKE,
		.class = CLASS_ASKED, .audience = AUDIENCE_OPERATORS, .form = FORM_JSON,
		.query = "alerts"},
	WRITE("POST", "/api/ops/v1/outpost", FACE_OPS, &write_parcel, .outpost = true,
		.body_max = WRITE_BODY_MAX),
	WRITE("GET", "/ping", FACE_INFLUX, &write_influx_ping),
	WRITE("POST", "/write", FACE_INFLUX, &write_influx, .body_max = WRITE_BODY_MAX),
	WRITE("POST", "/api/v2/write", FACE_INFLUX, &write_influx2, .body_max = WRITE_BODY_MAX),
	WRITE("POST", "/api/v1/write", FACE_PROMETHEUS, &write_remote, .body_max = WRITE_BODY_MAX),
	WRITE("POST", "/api/v2/alerts", FACE_PROMETHEUS, &write_alerts, .body_max = WRITE_BODY_MAX),
	WRITE("POST", "/api/ops/v1/alertmanager", FACE_OPS, &write_alertmanager,
		.body_max = WRITE_BODY_MAX),
	WRITE("POST", "/api/v1/endpoints/{key}/external", FACE_GATUS, &write_gatus,
		.own_secret = true, .body_max = COMMAND_MAX),
	WRITE("GET", "/api/push/{token}", FACE_UPTIME_KUMA, &write_kuma, .own_secret = true),
	WRITE("POST", "/api/push/{token}", FACE_UPTIME_KUMA, &write_kuma, .own_secret = true,
		.body_max = COMMAND_MAX),
	WRITE("PUT", "/api/push/{token}", FACE_UPTIME_KUMA, &write_kuma, .own_secret = true,
		.body_max = COMMAND_MAX),
};
/* clang-format on */

const size_t route_count = array_len(routes);
