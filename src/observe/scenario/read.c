/*
 * read.c - from files to a scenario: documents, include, params, texts, and the order of reading.
 */

#include "observe/scenario/reader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/scenario/pick.h"
#include "text/keys.h"

#define DEADLINE_NS (15 * 60 * NS_PER_S)
#define TEARDOWN_NS (10 * 60 * NS_PER_S)
#define FILES_SHOWN 40

struct top {
	char *scenario, *title, **required;
	int64_t deadline_ns, teardown_ns;
	const struct yaml *params, *texts, *include, *resources, *actions, *checks;
};

#define TIME_MIN NS_PER_MS
#define TIME_MAX (7 * 24 * 3600 * NS_PER_S)

static const struct key top_keys[] = {
	{"scenario", KEY_TEXT, offsetof(struct top, scenario), true, 0, 100, NULL, "its name"},
	{"title", KEY_TEXT, offsetof(struct top, title), false, 0, 800, NULL, NULL},
	{"deadline", KEY_TIME, offsetof(struct top, deadline_ns), false, TIME_MIN, TIME_MAX, NULL,
		NULL},
	{"teardown", KEY_TIME, offsetof(struct top, teardown_ns), false, TIME_MIN, TIME_MAX, NULL,
		NULL},
	{"params", KEY_MAP, offsetof(struct top, params), false, 0, 0, NULL, NULL},
	{"required", KEY_TEXTS, offsetof(struct top, required), false, 0, 0, NULL, NULL},
	{"texts", KEY_MAP, offsetof(struct top, texts), false, 0, 0, NULL, NULL},
	{"include", KEY_NODE, offsetof(struct top, include), false, 0, 0, NULL, NULL},
	{"resources", KEY_MAP, offsetof(struct top, resources), false, 0, 0, NULL, NULL},
	{"actions", KEY_MAP, offsetof(struct top, actions), false, 0, 0, NULL, NULL},
	{"checks", KEY_MAP, offsetof(struct top, checks), false, 0, 0, NULL, NULL},
};

void reader_error(struct reader *r, const char *file, const struct yaml *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	error_list_at(r->errors, file, at->line, at->col, "%s", text);
	free(text);
}

const char *reader_meant(struct slice word, const char *const *names, size_t n, char *text)
{
	const char *near = word.n > 1 ? slice_nearest(word, names, n) : NULL;
	text[0] = 0;
	if (near)
		snprintf(text, MEANT_TEXT, "; did you mean \"%s\"?", near);
	return text;
}

/* A name that expressions can use: letters, digits and _, and none of the language's own words. */
static bool check_name(
	struct reader *r, const struct yaml *name, const char *file, const char *what)
{
	static const char *const own[] = {
		"run", "i", "it", "zones", "cloud", "location", "true", "false", "null", "in"};
	const struct slice s = name->text;
	bool good = s.n > 0 && s.n <= SCENARIO_NAME_MAX;
	for (size_t i = 0; i < s.n && good; i++)
		good = s.p[i] == '_' || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
		       (s.p[i] >= 'A' && s.p[i] <= 'Z') || (i && s.p[i] >= '0' && s.p[i] <= '9');
	if (!good) {
		reader_error(r, file, name,
			"\"%.60s\" is no name for %s: letters, digits and _, at most %d", s.p, what,
			SCENARIO_NAME_MAX);
		return false;
	}
	for (size_t i = 0; i < array_len(own); i++)
		if (slice_is(s, own[i])) {
			reader_error(r, file, name,
				"\"%s\" is a word of the language, not a name for %s", own[i],
				what);
			return false;
		}
	return true;
}

/* --- params and texts ------------------------------------------------------------------------- */

static struct param *find_param(struct scenario *s, struct slice name)
{
	for (size_t i = 0; i < s->param_count; i++)
		if (slice_is(name, s->params[i].name))
			return &s->params[i];
	return NULL;
}

static struct param *add_param(
	struct scenario *s, struct slice name, const char *file, const struct yaml *at)
{
	s->params = mem_resize(s->params, s->param_count + 1, sizeof(*s->params));
	struct param *p = &s->params[s->param_count++];
	*p = (struct param){
		.name = slice_dup(name), .file = file, .line = at->line, .col = at->col};
	return p;
}

static void set_param(struct reader *r, struct param *p, const struct yaml *value, const char *file)
{
	p->is_auto = value->kind == YAML_SCALAR && value->plain && slice_is(value->text, "auto");
	if (p->is_auto && !pick_known(slice_of(p->name)))
		reader_error(r, file, value,
			"`auto` works for params whose name ends in image, flavor, external, "
			"volume_type, dns or servers, not for \"%s\"",
			p->name);
	p->file = file;
	interp_free(p->value);
	p->value = interp_parse(value, file, r->errors);
}

/* What an includer gives wins over the file's own default; what the includer has declared itself
 * wins over both. */
static void read_params(struct reader *r, const struct top *top, const char *file,
	const struct yaml *root, const struct yaml *given, const char *given_file,
	struct map *declared)
{
	for (size_t i = 0; top->params && i < top->params->n; i++) {
		const struct yaml *key = top->params->keys[i];
		map_put_slice(declared, key->text, r);
		if (!slice_is(key->text, "zones") && !check_name(r, key, file, "a param"))
			continue;
		if (find_param(r->s, key->text))
			continue;
		char *name = slice_dup(key->text);
		const struct yaml *passed = yaml_get(given, name);
		free(name);
		struct param *p = add_param(r->s, key->text, file, key);
		set_param(
			r, p, passed ? passed : top->params->items[i], passed ? given_file : file);
	}
	for (size_t i = 0; top->required && top->required[i]; i++) {
		const struct slice name = slice_of(top->required[i]);
		const bool here = top->params && yaml_get(top->params, top->required[i]) != NULL;
		const struct yaml *passed = yaml_get(given, top->required[i]);
		map_put_slice(declared, name, r);
		struct param *p = find_param(r->s, name);
		if (p && here && !passed && p->file == file) {
			interp_free(p->value);
			p->value = NULL;
			p->is_auto = false;
		}
		if (p)
			continue;
		p = add_param(r->s, name, file, root);
		if (passed)
			set_param(r, p, passed, given_file);
	}
}

static void read_texts(struct reader *r, const struct yaml *texts, const char *file)
{
	struct scenario *s = r->s;
	for (size_t i = 0; texts && i < texts->n; i++) {
		const struct yaml *key = texts->keys[i], *value = texts->items[i];
		if (!check_name(r, key, file, "a text"))
			continue;
		if (value->kind != YAML_SCALAR) {
			reader_error(r, file, value, "the text \"%s\" must be text, not %s",
				key->text.p, yaml_kind_name(value));
			continue;
		}
		bool twice = false;
		for (size_t k = 0; k < s->text_count; k++)
			twice = twice || slice_is(key->text, s->texts[k].name);
		if (twice) {
			reader_error(r, file, key, "two texts are named \"%s\"", key->text.p);
			continue;
		}
		s->texts = mem_resize(s->texts, s->text_count + 1, sizeof(*s->texts));
		s->texts[s->text_count++] = (struct text_block){.name = slice_dup(key->text),
			.file = file,
			.value = interp_parse(value, file, r->errors),
			.line = key->line,
			.col = key->col};
	}
}

/* --- steps ------------------------------------------------------------------------------------ */

static void add_source(
	struct reader *r, const struct yaml *key, const struct yaml *value, const char *file)
{
	if (!check_name(r, key, file, "a step"))
		return;
	if (value->kind != YAML_MAP) {
		reader_error(r, file, value, "step %s must be a map such as {network: {}}, not %s",
			key->text.p, yaml_kind_name(value));
		return;
	}
	const size_t before = (size_t)map_get_slice(&r->by_name, key->text);
	if (before) {
		const struct source *other = &r->sources.p[before - 1];
		reader_error(r, file, key, "two steps are named \"%s\"; the other stands at %s:%u",
			key->text.p, other->file, other->name->line);
		return;
	}
	if (r->sources.n >= SCENARIO_STEPS_MAX) {
		if (!r->too_many)
			reader_error(r, file, key, "a scenario has at most %d steps",
				SCENARIO_STEPS_MAX);
		r->too_many = true;
		return;
	}
	struct source *src = vec_add(&r->sources);
	src->name = key;
	src->file = file;
	for (size_t i = 0; i < value->n; i++)
		vec_push(&src->keys, ((struct source_key){value->keys[i], value->items[i], file}));
	map_put_slice(&r->by_name, key->text, (void *)r->sources.n);
}

static void read_parts(struct reader *r, const struct top *top, const char *file)
{
	const struct yaml *parts[] = {top->resources, top->actions, top->checks};
	for (size_t p = 0; p < array_len(parts); p++)
		for (size_t i = 0; parts[p] && i < parts[p]->n; i++)
			add_source(r, parts[p]->keys[i], parts[p]->items[i], file);
}

/* --- files ------------------------------------------------------------------------------------ */

static bool is_path(const char *name)
{
	return strchr(name, '/') || slice_ends(slice_of(name), ".yaml") ||
	       slice_ends(slice_of(name), ".yml");
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup(".");
}

static char *try_file(const char *dir, const char *name)
{
	char *path = mem_printf("%s/%s.yaml", dir, name);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* Where `name` is: a path, relative to `near` if that is given, or NAME.yaml in near or dirs. */
static char *find_file(const char *name, const char *near, const char *const *dirs)
{
	if (is_path(name))
		return near && name[0] != '/' ? mem_printf("%s/%s", near, name) : mem_strdup(name);
	char *path = near ? try_file(near, name) : NULL;
	for (size_t i = 0; !path && dirs && dirs[i]; i++)
		path = try_file(dirs[i], name);
	if (!path && !near && access(name, F_OK) == 0)
		path = mem_strdup(name);
	return path;
}

/* The shipped names, for "did you mean". */
static void nearest_file(const char *name, const char *const *dirs, char *text)
{
	const char *names[FILES_SHOWN];
	size_t n = 0;
	for (size_t i = 0; dirs && dirs[i]; i++) {
		DIR *d = opendir(dirs[i]);
		struct dirent *e;
		while (d && (e = readdir(d)) != NULL && n < FILES_SHOWN)
			if (slice_ends(slice_of(e->d_name), ".yaml"))
				names[n++] = mem_strndup(e->d_name, strlen(e->d_name) - 5);
		if (d)
			closedir(d);
	}
	reader_meant(slice_of(name), names, n, text);
	for (size_t i = 0; i < n; i++)
		free((char *)names[i]);
}

static const char *keep_name(struct scenario *s, const char *path)
{
	s->files = mem_resize(s->files, s->file_count + 1, sizeof(*s->files));
	return s->files[s->file_count++] = mem_strdup(path);
}

static const char *document_name(const struct yaml_file *f, size_t i)
{
	const struct yaml *name = yaml_get(yaml_root(f, i), "scenario");
	return name && name->kind == YAML_SCALAR ? name->text.p : "(no name)";
}

/* The document of that name, or the only one; NULL with the error added. */
static const struct yaml *choose_document(
	struct reader *r, const struct yaml_file *f, const char *file, const char *wanted)
{
	const size_t n = yaml_documents(f);
	struct buf names = BUF(BUF_LINE);
	const struct yaml *root = n == 1 && !wanted ? yaml_root(f, 0) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (wanted && !strcmp(document_name(f, i), wanted) && !root)
			root = yaml_root(f, i);
		buf_printf(&names, "%s%.60s", i ? ", " : "", document_name(f, i));
	}
	if (!root && !n)
		error_list_at(r->errors, file, 1, 1, "the file is empty");
	else if (!root && wanted)
		error_list_at(r->errors, file, 1, 1, "no scenario of this file is named %.60s: %s",
			wanted, buf_str(&names));
	else if (!root)
		error_list_at(r->errors, file, 1, 1, "this file has %zu scenarios, say which: %s",
			n, buf_str(&names));
	buf_fini(&names);
	return root;
}

/* --- include ---------------------------------------------------------------------------------- */

static void read_document(struct reader *r, const struct yaml *root, const char *file,
	const struct yaml *given, const char *given_file, struct map *declared);

static bool is_open(struct reader *r, const char *path, struct buf *chain)
{
	bool found = false;
	VEC_EACH (&r->open_includes, const char *, open) {
		found = found || !strcmp(*open, path);
		if (found)
			buf_printf(chain, "%s includes ", *open);
	}
	return found;
}

static void check_given(struct reader *r, const struct yaml *given, const char *file,
	const char *name, const struct map *declared)
{
	const char *names[200];
	size_t n = 0;
	MAP_EACH (declared, e) {
		if (n < array_len(names))
			names[n++] = e->key;
	}
	for (size_t i = 0; given && i < given->n; i++) {
		const struct yaml *key = given->keys[i];
		char meant[MEANT_TEXT];
		if (!map_get_slice(declared, key->text))
			reader_error(r, file, key, "%s has no param \"%.60s\"%s", name, key->text.p,
				reader_meant(key->text, names, n, meant));
	}
}

static void include_path(struct reader *r, const struct yaml *at, const char *name,
	const struct yaml *given, const char *from, const char *path, struct map *declared)
{
	struct buf chain = BUF(BUF_LINE);
	if (is_open(r, path, &chain)) {
		reader_error(r, from, at, "a file includes itself: %s%s", buf_str(&chain), path);
		buf_fini(&chain);
		return;
	}
	buf_fini(&chain);
	if (r->open_includes.n > INCLUDE_DEPTH) {
		reader_error(r, from, at, "includes go deeper than %d files", INCLUDE_DEPTH);
		return;
	}
	struct yaml_file *f = yaml_load(path, r->errors);
	if (!f)
		return;
	vec_push(&r->files, f);
	const char *file = keep_name(r->s, path);
	const char *wanted = yaml_documents(f) > 1 ? name : NULL;
	const struct yaml *root = choose_document(r, f, file, wanted);
	if (!root)
		return;
	vec_push(&r->open_includes, file);
	struct map inner = {0};
	read_document(r, root, file, given, from, &inner);
	check_given(r, given, from, name, &inner);
	MAP_EACH (&inner, e) {
		map_put(declared, e->key, e->value);
	}
	map_fini(&inner);
	(void)vec_pop(&r->open_includes);
}

static void include_one(struct reader *r, const struct yaml *name, const struct yaml *given,
	const char *from, struct map *declared)
{
	if (name->kind != YAML_SCALAR || !name->text.n) {
		reader_error(r, from, name, "include takes names of scenarios, not %s",
			yaml_kind_name(name));
		return;
	}
	if (given && given->kind != YAML_MAP && !yaml_is_null(given)) {
		reader_error(r, from, given,
			"the params of an included file are a map such as {servers: 2}");
		return;
	}
	char *near = directory_of(from);
	char *path = find_file(name->text.p, near, r->dirs);
	char meant[MEANT_TEXT];
	if (path) {
		include_path(r, name, name->text.p, given && given->kind == YAML_MAP ? given : NULL,
			from, path, declared);
	} else {
		nearest_file(name->text.p, r->dirs, meant);
		reader_error(
			r, from, name, "no scenario \"%.60s\" to include%s", name->text.p, meant);
	}
	free(path);
	free(near);
}

/* `include: name`, `include: {name: {param: value}}`, or a list of both. */
static void read_include(
	struct reader *r, const struct yaml *y, const char *file, struct map *declared)
{
	if (!y)
		return;
	if (y->kind == YAML_SCALAR)
		include_one(r, y, NULL, file, declared);
	for (size_t i = 0; i < y->n; i++) {
		if (y->kind == YAML_MAP)
			include_one(r, y->keys[i], y->items[i], file, declared);
		else if (y->items[i]->kind == YAML_LIST)
			reader_error(r, file, y->items[i],
				"include takes a name, a map of names, or a list of those");
		else
			read_include(r, y->items[i], file, declared);
	}
}

/* --- documents -------------------------------------------------------------------------------- */

/* `matrix` is known, but stands elsewhere: say so instead of "unknown key". */
static bool without_matrix(
	struct reader *r, const struct yaml *root, const char *file, struct yaml *ret)
{
	*ret = *root;
	ret->n = 0;
	ret->keys = mem_new_array(root->n, sizeof(*ret->keys));
	ret->items = mem_new_array(root->n, sizeof(*ret->items));
	for (size_t i = 0; i < root->n; i++) {
		if (slice_is(root->keys[i]->text, "matrix")) {
			reader_error(r, file, root->keys[i],
				"matrix stands beside `use:` in glasshouse.yaml, not in a "
				"scenario");
			continue;
		}
		ret->keys[ret->n] = root->keys[i];
		ret->items[ret->n++] = root->items[i];
	}
	return ret->n > 0;
}

static void read_document(struct reader *r, const struct yaml *root, const char *file,
	const struct yaml *given, const char *given_file, struct map *declared)
{
	struct top top = {.deadline_ns = DEADLINE_NS, .teardown_ns = TEARDOWN_NS};
	struct yaml map = {0};
	if (root->kind == YAML_MAP)
		without_matrix(r, root, file, &map);
	keys_read(root->kind == YAML_MAP ? &map : root, file, "a scenario", top_keys,
		array_len(top_keys), &top, r->errors);
	free(map.keys);
	free(map.items);
	struct scenario *s = r->s;
	if (!s->name && !given_file) { /* the outermost: the rest is ignored in included files */
		s->name = mem_strdup(top.scenario ? top.scenario : "");
		s->title = mem_strdup(top.title);
		s->deadline_ns = top.deadline_ns;
		s->teardown_ns = top.teardown_ns;
	}
	read_params(r, &top, file, root, given, given_file, declared);
	read_include(r, top.include, file, declared);
	read_texts(r, top.texts, file);
	read_parts(r, &top, file);
	keys_release(top_keys, array_len(top_keys), &top);
}

/* The same name for a step, a param and a text would hide two of them. */
static void check_namespaces(struct reader *r)
{
	const struct scenario *s = r->s;
	for (size_t i = 0; i < s->param_count; i++) {
		const size_t step = (size_t)map_get(&r->by_name, s->params[i].name);
		if (step)
			reader_error(r, r->sources.p[step - 1].file, r->sources.p[step - 1].name,
				"the step \"%s\" has the name of a param (%s:%u)",
				s->params[i].name, s->params[i].file, s->params[i].line);
	}
	for (size_t i = 0; i < s->text_count; i++) {
		const struct text_block *t = &s->texts[i];
		if (map_get(&r->by_name, t->name))
			error_list_at(r->errors, t->file, t->line, t->col,
				"the text \"%s\" has the name of a step", t->name);
		for (size_t k = 0; k < s->param_count; k++)
			if (!strcmp(s->params[k].name, t->name))
				error_list_at(r->errors, t->file, t->line, t->col,
					"the text \"%s\" has the name of a param", t->name);
	}
}

static void read_steps(struct reader *r)
{
	struct scenario *s = r->s;
	read_like(r);
	s->step_count = r->sources.n;
	s->steps = mem_new_array(s->step_count, sizeof(*s->steps));
	r->links = mem_new_array(s->step_count, sizeof(*r->links));
	for (size_t i = 0; i < s->step_count; i++) {
		struct step *step = &s->steps[i];
		const struct source *src = &r->sources.p[i];
		step->name = slice_dup(src->name->text);
		step->file = src->file;
		step->line = src->name->line;
		step->col = src->name->col;
		step->with = step->each_step = -1;
	}
	check_namespaces(r);
	for (size_t i = 0; i < s->step_count; i++)
		read_step(r, i);
	names_check_params(r);
	names_order(r);
}

/* What `like` copies is judged at both places: once is enough. */
static void drop_doubles(struct error_list *l)
{
	size_t kept = 0;
	error_list_sort(l);
	for (size_t i = 0; i < l->n; i++) {
		const struct error *e = &l->p[i], *before = kept ? &l->p[kept - 1] : NULL;
		if (before && before->line == e->line && before->col == e->col &&
			!strcmp(before->file, e->file) && !strcmp(before->msg, e->msg))
			continue;
		if (kept != i)
			l->p[kept] = *e;
		kept++;
	}
	l->n = kept;
}

static void reader_fini(struct reader *r)
{
	for (size_t i = 0; r->links && i < r->s->step_count; i++) {
		vec_fini(&r->links[i].start);
		vec_fini(&r->links[i].end);
		vec_fini(&r->links[i].login);
		vec_fini(&r->links[i].logs_in);
		vec_fini(&r->links[i].via);
	}
	free(r->links);
	VEC_EACH (&r->sources, struct source, src) {
		vec_fini(&src->keys);
		if (src->merged) {
			free(src->merged->keys);
			free(src->merged->items);
			free(src->merged);
		}
	}
	vec_fini(&r->sources);
	VEC_EACH (&r->files, struct yaml_file *, f) {
		yaml_free(*f);
	}
	vec_fini(&r->files);
	vec_fini(&r->open_includes);
	map_fini(&r->by_name);
	free(r->judged);
}

static struct scenario *read_root(struct yaml_file *f, const char *name, const char *document,
	const char *const *dirs, const struct kinds *kinds, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct reader r = {
		.s = mem_new(struct scenario), .kinds = kinds, .dirs = dirs, .errors = errors};
	vec_push(&r.files, f);
	r.s->file = mem_strdup(name);
	r.s->directory = directory_of(name);
	const char *file = keep_name(r.s, name);
	const struct yaml *root = choose_document(&r, f, file, document);
	if (root) {
		struct map declared = {0};
		vec_push(&r.open_includes, file);
		read_document(&r, root, file, NULL, NULL, &declared);
		map_fini(&declared);
		if (!r.sources.n && errors->n + errors->dropped == before)
			reader_error(&r, file, root,
				"a scenario needs steps under resources, actions or checks");
		read_steps(&r);
	}
	struct scenario *s = r.s;
	reader_fini(&r);
	if (errors->n + errors->dropped == before)
		return s;
	drop_doubles(errors);
	scenario_free(s);
	return NULL;
}

struct scenario *scenario_parse(struct slice text, const char *name, const char *const *dirs,
	const struct kinds *kinds, struct error_list *errors)
{
	struct yaml_file *f = yaml_parse(text, name, errors);
	return f ? read_root(f, name, NULL, dirs, kinds, errors) : NULL;
}

struct scenario *scenario_load(const char *path, const char *document, const char *const *dirs,
	const struct kinds *kinds, struct error_list *errors)
{
	char *found = find_file(path, NULL, dirs);
	if (!found) {
		struct error err = {0};
		struct buf places = BUF(BUF_LINE);
		char meant[MEANT_TEXT];
		nearest_file(path, dirs, meant);
		for (size_t i = 0; dirs && dirs[i]; i++)
			buf_printf(&places, "%s%s", i ? ", " : "", dirs[i]);
		error_set(&err, ERROR_CONFIG, "no scenario \"%.100s\" in %s%s", path,
			places.n ? buf_str(&places) : "(no directory)", meant);
		error_list_add(errors, &err);
		buf_fini(&places);
		return NULL;
	}
	struct yaml_file *f = yaml_load(found, errors);
	struct scenario *s = f ? read_root(f, found, document, dirs, kinds, errors) : NULL;
	free(found);
	return s;
}
