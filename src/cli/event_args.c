/*
 * event_args.c - the options of `glasshouse event` and `glasshouse maintenance`.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/event_desk.h"

enum { NUMBER_FIRST = 300, REVISION = NUMBER_FIRST, LIMIT, SKIP, COUNT };

static const struct option table[] = {{"config", required_argument, NULL, 'c'},
	{"state", required_argument, NULL, 's'}, {"by", required_argument, NULL, 'b'},
	{"zone", required_argument, NULL, 'z'}, {"title", required_argument, NULL, 't'},
	{"file", required_argument, NULL, 'f'}, {"phase", required_argument, NULL, 'p'},
	{"start", required_argument, NULL, 'S'}, {"until", required_argument, NULL, 'U'},
	{"length", required_argument, NULL, 'L'}, {"at", required_argument, NULL, 'a'},
	{"id", required_argument, NULL, 'i'}, {"from", required_argument, NULL, 'F'},
	{"to", required_argument, NULL, 'T'}, {"kind", required_argument, NULL, 'k'},
	{"component", required_argument, NULL, 'C'}, {"draft", no_argument, NULL, 'd'},
	{"public", no_argument, NULL, 'P'}, {"open", no_argument, NULL, 'o'},
	{"json", no_argument, NULL, 'j'}, {"revision", required_argument, NULL, REVISION},
	{"limit", required_argument, NULL, LIMIT}, {"skip", required_argument, NULL, SKIP},
	{"count", required_argument, NULL, COUNT}, {0}};

static const char **text_option(struct event_args *a, int c)
{
	switch (c) {
	case 'c': return &a->config;
	case 's': return &a->state;
	case 'b': return &a->by;
	case 'z': return &a->zone;
	case 't': return &a->title;
	case 'f': return &a->file;
	case 'p': return &a->phase;
	case 'S': return &a->start;
	case 'U': return &a->until;
	case 'L': return &a->length;
	case 'a': return &a->at;
	case 'i': return &a->id;
	case 'F': return &a->from;
	case 'T': return &a->to;
	case 'k': return &a->kind;
	default: return NULL;
	}
}

static bool *flag_option(struct event_args *a, int c)
{
	switch (c) {
	case 'd': return &a->draft;
	case 'P': return &a->everybody;
	case 'o': return &a->open;
	case 'j': return &a->json;
	default: return NULL;
	}
}

static bool number_option(struct event_args *a, int c, const char *text)
{
	static const struct {
		const char *name;
		int64_t most;
	} rows[] = {
		{"revision", INT64_MAX}, {"limit", 1000}, {"skip", 1000000000}, {"count", 1000}};
	int64_t *const into[] = {&a->revision, &a->limit, &a->skip, &a->count};
	const int i = c - NUMBER_FIRST;
	if (units_parse_int(slice_of(text), into[i]) && *into[i] > 0 && *into[i] <= rows[i].most)
		return true;
	fprintf(stderr, "--%s: \"%s\" is not a number from 1", rows[i].name, text);
	if (rows[i].most < INT64_MAX)
		fprintf(stderr, " to %lld", (long long)rows[i].most);
	fputc('\n', stderr);
	return false;
}

bool event_args_read(int argc, char **argv, struct event_args *a)
{
	int c;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		const char **text = text_option(a, c);
		bool *flag = flag_option(a, c);
		if (text)
			*text = optarg;
		else if (flag)
			*flag = true;
		else if (c == 'C')
			vec_push(&a->components, optarg);
		else if (c < NUMBER_FIRST || !number_option(a, c, optarg))
			return false;
	}
	a->words = argv + optind;
	a->word_count = argc - optind;
	return true;
}

void event_args_fini(struct event_args *a)
{
	vec_fini(&a->components);
}

bool event_args_words(const struct event_args *a, int least, int most, const char *what)
{
	const int n = a->word_count - 1;
	if (n >= least && n <= most)
		return true;
	fprintf(stderr, "%s takes %s\n", a->words[0], what);
	return false;
}
