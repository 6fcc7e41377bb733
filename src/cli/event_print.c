/*
 * event_print.c - events as lines for people, or as JSON.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/event_desk.h"
#include "cli/session.h"

void event_print_json(const json_t *j)
{
	char *text = json_text(j);
	puts(text);
	free(text);
}

static const char *moment(int64_t ms, char *text)
{
	clock_rfc3339(ms * 1000, text);
	snprintf(text + 19, CLOCK_TEXT - 19, "Z"); /* to the second */
	return text;
}

static void print_moment(const char *what, const json_t *e, const char *key)
{
	char text[CLOCK_TEXT];
	const int64_t ms = json_int(e, key, 0);
	if (ms)
		printf("%-11s %s\n", what, moment(ms, text));
}

/* Words of others on a terminal: indented, without what terminals obey. */
static void print_text(const char *text)
{
	struct slice rest = slice_of(text), line;
	while (rest.n && slice_next(&rest, '\n', &line)) {
		fputs("    ", stdout);
		for (size_t i = 0; i < line.n; i++) {
			const unsigned char c = (unsigned char)line.p[i];
			/* U+0080 to U+009F are commands too */
			if (c == 0xc2 && i + 1 < line.n && (unsigned char)line.p[i + 1] < 0xa0)
				i++;
			else if (c == '\t' || (c >= ' ' && c != 0x7f))
				putchar(c);
		}
		putchar('\n');
	}
}

static void print_components(const json_t *list)
{
	size_t i;
	json_t *c;
	if (!json_array_size(list))
		return;
	printf("%-11s", "components");
	json_array_foreach (list, i, c)
		printf("%s %s %lld", i ? "," : "", json_str(c, "id"),
			(long long)json_int(c, "impact", 0));
	putchar('\n');
}

static void print_update(const json_t *u)
{
	char at[CLOCK_TEXT];
	const json_t *revisions = json_object_get(u, "revisions");
	const char *title = json_str(u, "title");
	printf("\n%lld  %s  %s  by %s\n", (long long)json_int(u, "n", 0),
		moment(json_int(u, "at_ms", 0), at), json_str(u, "phase"), json_str(u, "by"));
	if (title)
		printf("    title: %s\n", title);
	if (json_int(u, "starts_ms", 0))
		printf("    begins %s\n", moment(json_int(u, "starts_ms", 0), at));
	if (json_int(u, "until_ms", 0))
		printf("    planned until %s\n", moment(json_int(u, "until_ms", 0), at));
	print_text(json_str(u, "text"));
	for (size_t i = json_array_size(revisions) - 1; i > 0; i--) {
		const json_t *before = json_array_get(revisions, i - 1);
		printf("    corrected %s by %s; before it was:\n",
			moment(json_int(json_array_get(revisions, i), "at_ms", 0), at),
			json_str(json_array_get(revisions, i), "by"));
		print_text(json_str(before, "text"));
	}
}

static void print_event(const json_t *e)
{
	size_t i;
	json_t *u;
	printf("%s\n%s\n\n", json_str(e, "title"), json_str(e, "id"));
	printf("%-11s %s%s\n", "kind", json_str(e, "kind"),
		json_flag(e, "public") ? "" : ", a draft: only operators see it");
	printf("%-11s %s\n", "phase", json_str(e, "phase"));
	print_moment("begin", e, "starts_ms");
	print_moment("planned end", e, "until_ms");
	print_moment("end", e, "ended_ms");
	print_components(json_object_get(e, "components"));
	printf("%-11s %s%s%s\n", "opened by", json_str(e, "by"),
		json_flag(e, "machine") ? ", a machine" : "",
		json_flag(e, "taken_over") ? "; taken over by people" : "");
	printf("%-11s %lld\n", "revision", (long long)json_int(e, "revision", 0));
	json_array_foreach (json_object_get(e, "updates"), i, u)
		print_update(u);
}

static enum audience audience_of(const struct event_desk *d)
{
	return d->args->everybody ? AUDIENCE_PUBLIC : AUDIENCE_OPERATORS;
}

int event_desk_show(struct event_desk *d, const char *id)
{
	struct error err = {0};
	json_t *e = event_json(d->facts, id, audience_of(d), &err);
	if (!e && err.kind) {
		session_print_error(&err);
		return EXIT_COULD_NOT_RUN;
	}
	if (!e) {
		fprintf(stderr, "there is no event %s%s\n", id,
			d->args->everybody ? " that all may see" : "");
		return EXIT_NOT_FINE;
	}
	if (d->args->json || d->args->everybody) /* what all see has no names to print */
		event_print_json(e);
	else
		print_event(e);
	json_decref(e);
	return EXIT_FINE;
}

static void print_row(const json_t *e)
{
	char begin[CLOCK_TEXT];
	printf("%-20s %-12s %-14s %6lld  %s%s\n    %s\n",
		moment(json_int(e, "starts_ms", 0), begin), json_str(e, "kind"),
		json_str(e, "phase"), (long long)json_int(e, "impact", 0), json_str(e, "title"),
		json_flag(e, "public") ? "" : " (draft)", json_str(e, "id"));
}

static bool read_filter(const struct event_desk *d, int kind, struct event_filter *f)
{
	const struct event_args *a = d->args;
	enum event_kind named;
	*f = (struct event_filter){.audience = audience_of(d),
		.kind = kind,
		.component = d->impacts.n ? d->impacts.p[0].component : NULL,
		.open = a->open,
		.skip = (size_t)a->skip,
		.limit = (size_t)a->limit,
		.brief = !a->json};
	if (a->kind) {
		if (!event_kind_parse(a->kind, &named)) {
			fprintf(stderr,
				"--kind: there is no kind \"%s\": incident, maintenance or info\n",
				a->kind);
			return false;
		}
		f->kind = (int)named;
	}
	return (!a->from || event_desk_time(d, "from", a->from, &f->from_ms)) &&
	       (!a->to || event_desk_time(d, "to", a->to, &f->to_ms));
}

int event_desk_list(struct event_desk *d, int kind)
{
	struct error err = {0};
	struct event_filter f;
	size_t i;
	json_t *e;
	if (!event_desk_impacts(d, 0) || !read_filter(d, kind, &f))
		return EXIT_COULD_NOT_RUN;
	json_t *list = event_list(d->facts, &f, &err);
	const int64_t all = list ? event_count(d->facts, &f, &err) : -1;
	if (all < 0) {
		session_print_error(&err);
		json_decref(list);
		return EXIT_COULD_NOT_RUN;
	}
	if (!json_array_size(list) && !d->args->json)
		puts("none");
	else if (!d->args->json)
		printf("%-20s %-12s %-14s %6s  %s\n", "begin", "kind", "phase", "impact", "title");
	json_array_foreach (list, i, e) {
		if (d->args->json)
			event_print_json(e);
		else
			print_row(e);
	}
	const int64_t after = all - (int64_t)f.skip - (int64_t)json_array_size(list);
	if (!d->args->json && after > 0)
		printf("and %lld more: --skip %lld\n", (long long)after,
			(long long)(f.skip + json_array_size(list)));
	json_decref(list);
	return EXIT_FINE;
}
