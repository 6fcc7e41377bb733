/*
 * config_outpost.c - where an outpost reports, and which outposts report here.
 */

#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "cli/config_reader.h"

#define OUTPOSTS_MAX  64
#define SPOOL_MIN     (1LL << 20)
#define SPOOL_MAX     (1LL << 40)
#define SPOOL_DEFAULT (256LL << 20)

/* --- report ----------------------------------------------------------------------------------- */

struct upstream { /* what one map says */
	char *to;
	int64_t spool;
	const struct yaml *token;
};

#define KEY(name, type, field) name, type, offsetof(struct upstream, field)
static const struct key upstream_keys[] = {
	{KEY("to", KEY_TEXT, to), .help = "the intake of the house: https://HOST"},
	{KEY("token", KEY_NODE, token), .help = "who we are there"},
	{KEY("spool", KEY_SIZE, spool), .min = SPOOL_MIN, .max = SPOOL_MAX,
		.help = "what waits while the house is away"},
};
#undef KEY

void config_read_upstream(struct config_reader *r, const struct yaml *map)
{
	struct config_upstream *into = &r->config->upstream;
	struct upstream u = {.spool = into->spool};
	const struct yaml *to = config_text(map, "to");
	keys_read(map, r->file, "report", upstream_keys, array_len(upstream_keys), &u, r->errors);
	const struct config_place at = config_place(r, map);
	if (map->n) { /* of an empty one nothing is missing */
		into->file = at.file;
		into->line = at.line;
		into->col = at.col;
	}
	if (to && config_check_url(r, to, "report: to")) {
		free(into->to);
		into->to = u.to;
		u.to = NULL;
	}
	if (u.token)
		config_read_secret(r, u.token, "report: token", &into->token);
	into->spool = u.spool;
	keys_release(upstream_keys, array_len(upstream_keys), &u);
}

/* --- outposts --------------------------------------------------------------------------------- */

struct outpost_item {
	char *location;
	const struct yaml *token;
};

static const struct key outpost_keys[] = {
	{"location", KEY_TEXT, offsetof(struct outpost_item, location), .required = true,
		.help = "where it stands"},
	{"token", KEY_NODE, offsetof(struct outpost_item, token), .required = true,
		.help = "it proves who it is"},
};

static struct outpost_draft *earlier(struct config_reader *r, struct slice location)
{
	VEC_EACH (&r->outposts, struct outpost_draft, d) {
		if (d->location && slice_is(location, d->location) && d->touched != r->file)
			return d;
	}
	return NULL;
}

static void read_one(struct config_reader *r, const struct yaml *map)
{
	struct outpost_item item = {0};
	const struct yaml *location = config_text(map, "location");
	struct outpost_draft *d = location ? earlier(r, location->text) : NULL;
	if (!d && r->outposts.n >= OUTPOSTS_MAX) {
		config_wrong(r, map, "at most %d outposts", OUTPOSTS_MAX);
		return;
	}
	keys_read(map, r->file, "an outpost", outpost_keys, array_len(outpost_keys), &item,
		r->errors);
	if (location && config_check_name(r, location, "an outpost: location")) {
		if (!d) {
			d = vec_add(&r->outposts);
			d->at = config_place(r, map);
			d->location = item.location;
			item.location = NULL;
		}
		d->touched = r->file;
		if (item.token)
			config_read_secret(r, item.token, "an outpost: token", &d->token);
	}
	keys_release(outpost_keys, array_len(outpost_keys), &item);
}

void config_read_outposts(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "an outpost"))
			read_one(r, list->items[i]);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void finish_upstream(struct config_reader *r)
{
	const struct config *c = r->config;
	const struct config_upstream *u = &c->upstream;
	const struct config_place at = {u->file, u->line, u->col};
	if (!u->line)
		return;
	if (!u->to)
		config_wrong_at(r, &at, "report: to is missing, the address of the house");
	if (!u->token.from)
		config_wrong_at(r, &at, "report: token is missing (token: file:PATH)");
	if (!c->location || !*c->location)
		config_wrong_at(
			r, &at, "report: the house must know where we stand: location is missing");
	if (r->outposts.n)
		config_wrong_at(r, &at,
			"report: an outpost has no outposts of its own: let them report to the house");
}

void config_finish_outposts(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	finish_upstream(r);
	if (!c->upstream.spool)
		c->upstream.spool = SPOOL_DEFAULT;
	c->outposts = mem_new_array(r->outposts.n + 1, sizeof(*c->outposts));
	VEC_EACH (&r->outposts, struct outpost_draft, d) {
		if (map_put(&seen, d->location, d))
			config_wrong_at(r, &d->at, "two outposts stand in \"%s\"", d->location);
		if (c->location && !strcmp(c->location, d->location))
			config_wrong_at(r, &d->at,
				"an outpost: we stand in \"%s\" ourselves; call it otherwise",
				d->location);
		c->outposts[c->outpost_count++] = (struct config_outpost){.location = d->location,
			.token = d->token,
			.line = d->at.line,
			.col = d->at.col,
			.file = d->at.file};
		d->location = d->token.from = NULL;
	}
	if (r->outposts.n && !*c->intake_address)
		config_wrong_at(r, &r->outposts.p[0].at,
			"outposts report to the intake, and listen: intake is none");
	map_fini(&seen);
}

void config_outposts_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->outposts, struct outpost_draft, d) {
		free(d->location);
		free(d->token.from);
	}
	vec_fini(&r->outposts);
}

void config_outposts_free(struct config *c)
{
	free(c->upstream.to);
	free(c->upstream.token.from);
	secret_unref(c->upstream.token.value);
	for (size_t i = 0; i < c->outpost_count; i++) {
		free(c->outposts[i].location);
		free(c->outposts[i].token.from);
		secret_unref(c->outposts[i].token.value);
	}
	free(c->outposts);
}

void config_outposts_json(const struct config *c, json_t *into)
{
	char spool[UNITS_TEXT];
	json_t *report = c->upstream.to ? json_pack("{s:s, s:s, s:s}", "to", c->upstream.to,
						  "token", c->upstream.token.from, "spool",
						  units_size_exact(c->upstream.spool, spool))
					: json_object();
	json_t *outposts = json_array();
	for (size_t i = 0; i < c->outpost_count; i++)
		json_array_append_new(
			outposts, json_pack("{s:s, s:s}", "location", c->outposts[i].location,
					  "token", c->outposts[i].token.from));
	json_object_set_new(into, "report", report);
	json_object_set_new(into, "outposts", outposts);
}
