#include "import/oshm.h"

#include <string.h>

#include "import/oshm_inside.h"

#define PROGRAM "api_monitor.sh"
/* Commands of a start script that say nothing about what is monitored. */
static const char *const silent[] = {"export", "readonly", "unset", "exec", "cd", "echo", "source",
	".", "if", "elif", "fi", "while", "until", "for", "done", "case", "esac", "}", "test", "[",
	"[[", "set", "shift", "exit", "true", "sleep", "date", "mkdir", "rm", "ulimit", "umask",
	"trap"};
/* Words of the shell that another command follows. */
static const char *const leading[] = {"then", "else", "do", "{", "!"};

struct importing {
	struct oshm o;
	const char *name;
	bool found; /* api_monitor.sh was called */
	struct error *err;
	bool wrong;
};

static bool is_program(const char *word)
{
	const char *slash = strrchr(word, '/');
	return !strcmp(slash ? slash + 1 : word, PROGRAM);
}

static bool is_set(const char *word)
{
	size_t n = strcspn(word, "=");
	return word[n] == '=' && n > 0 &&
	       strspn(word,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
		       "abcdefghijklmnopqrstuvwxyz") == n;
}

/* --- variables -------------------------------------------------------------------------------- */

static void take_variable(
	struct importing *m, const char *name, const struct shell_word *w, const char *value)
{
	struct oshm *o = &m->o;
	const struct oshm_given g = {.what = name, .value = value, .line = w->line, .col = w->col};
	const struct oshm_row *row = oshm_variable(name);
	if (!row)
		return; /* the script's own */
	if (w->unknown)
		import_note(o->report, IMPORT_DROPPED, w->line, w->col, name,
			"its value \"%.100s\" is known to a running shell only: set the parameter by hand",
			value);
	else
		row->apply(o, row, &g);
}

static void take_export(struct importing *m, const struct shell_command *c)
{
	for (size_t i = 1; i < c->words.n; i++) {
		const struct shell_word *w = &c->words.p[i];
		if (!is_set(w->text))
			continue;
		char *name = slice_dup(slice_from(w->text, strcspn(w->text, "=")));
		take_variable(m, name, w, w->text + strlen(name) + 1);
		free(name);
	}
}

/* --- options ---------------------------------------------------------------------------------- */

static void unknown_option(struct importing *m, const struct shell_word *w)
{
	const char *near = oshm_option_near(w->text);
	if (w->unknown)
		import_note(m->o.report, IMPORT_DROPPED, w->line, w->col, w->text,
			"known to a running shell only: name the options the script is called with");
	else
		import_note(m->o.report, IMPORT_DROPPED, w->line, w->col, w->text,
			"no option of " PROGRAM " 1.115%s%s%s", near ? "; did you mean " : "",
			near ? near : "", near ? "?" : "");
}

/* The option's value stands in the next word, or in this one behind "=". Returns the words taken.
 */
static size_t take_option(struct importing *m, const struct shell_command *c, size_t i)
{
	const struct shell_word *w = &c->words.p[i];
	const struct oshm_row *row = oshm_option(w->text);
	struct oshm_given g = {.what = w->text, .line = w->line, .col = w->col};
	char *name = NULL;
	size_t taken = 1;
	if (!row && !strncmp(w->text, "--", 2) && strchr(w->text, '=')) {
		name = slice_dup(slice_from(w->text, strcspn(w->text, "=")));
		row = oshm_option(name);
		g.what = name;
		g.value = strchr(w->text, '=') + 1;
	}
	const struct shell_word *next = i + 1 < c->words.n ? &c->words.p[i + 1] : NULL;
	if (!row) {
		unknown_option(m, w);
	} else {
		const bool follows =
			next && (row->argument == ARGUMENT_ONE ||
					(row->argument == ARGUMENT_MAYBE && *next->text != '-'));
		if (row->argument != ARGUMENT_NONE && !g.value && follows) {
			g.value = next->text;
			taken = 2;
		}
		if (row->argument == ARGUMENT_ONE && !g.value) {
			error_at(m->err, m->name, w->line, w->col, "%s needs a value", w->text);
			m->wrong = true;
		} else if (taken == 2 && next->unknown) {
			import_note(m->o.report, IMPORT_DROPPED, w->line, w->col, w->text,
				"its value \"%.100s\" is known to a running shell only: set it by hand",
				next->text);
		} else {
			row->apply(&m->o, row, &g);
		}
	}
	free(name);
	return taken;
}

static void take_options(struct importing *m, const struct shell_command *c, size_t i)
{
	m->found = true;
	while (i < c->words.n && !m->wrong)
		i += take_option(m, c, i);
}

#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof(*(list)))

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* --- commands --------------------------------------------------------------------------------- */

static void take_command(struct importing *m, const struct shell_command *c, bool options_only)
{
	VEC_EACH (&c->sets, const struct shell_set, s) {
		take_variable(m, s->name, &s->value, s->value.text);
	}
	size_t at = 0;
	while (at < c->words.n && IS_ONE_OF(c->words.p[at].text, leading))
		at++;
	if (at == c->words.n)
		return;
	const char *first = c->words.p[at].text;
	for (size_t i = at; i < c->words.n && !m->found; i++)
		if (is_program(c->words.p[i].text)) {
			take_options(m, c, i + 1);
			return;
		}
	if (options_only && !m->found && *first == '-') {
		take_options(m, c, at);
		return;
	}
	if (!strcmp(first, "export") || !strcmp(first, "readonly"))
		take_export(m, c);
	if (IS_ONE_OF(first, silent))
		return;
	import_note(m->o.report, IMPORT_DROPPED, c->line, c->col, first,
		"a command of the script, which is not carried over");
}

/* --- the configuration ------------------------------------------------------------------------ */

/* Mail went through this machine's own sendmail; its SMTP port is the same way. */
static json_t *mail_server(const struct oshm *o)
{
	return json_pack("{s:s, s:s, s:s}", "host", "127.0.0.1:25", "tls", "plain", "from",
		o->from ? o->from : "glasshouse@localhost");
}

static void add_receivers(const struct oshm *o, json_t *config)
{
	const bool mails = json_array_size(o->alarm_mails) > 0 && !o->quiet;
	if (mails)
		json_object_set_new(config, "alarms",
			json_pack(
				"[{s:O, s:o}]", "mail", o->alarm_mails, "server", mail_server(o)));
	json_t *to = json_array_size(o->note_mails) ? o->note_mails : o->alarm_mails;
	if (o->statistics && json_array_size(to) && !o->quiet) {
		char every[32];
		snprintf(every, sizeof(every), "%dh", (int)o->statistics_hours);
		json_object_set_new(config, "reports",
			json_pack("[{s:O, s:s, s:o}]", "mail", to, "every", every, "server",
				mail_server(o)));
	}
	if (o->metrics)
		json_object_set_new(config, "metrics",
			json_pack("[{s:s, s:s, s:s, s:s}]", "influx", "http://127.0.0.1:8186",
				"database", "cicd", "dialect", "oshm", "measurement",
				*o->metrics ? o->metrics : o->cloud));
}

static json_t *make_config(struct oshm *o)
{
	if (!o->cloud) {
		import_note(o->report, IMPORT_DROPPED, 0, 0, "the cloud",
			"neither OS_CLOUD nor --os-cloud is given: put its name of clouds.yaml in the "
			"place of mycloud");
		o->cloud = mem_strdup("mycloud");
	}
	json_object_set_new(o->scenario, "cloud", json_string(o->cloud));
	json_object_set(o->scenario, "params", o->params);
	json_t *config = json_object(), *clouds = json_object();
	json_object_set_new(clouds, o->cloud, json_pack("{s:s}", "every", "30s"));
	json_object_set_new(config, "clouds", clouds);
	json_object_set_new(config, "scenarios", json_pack("[O]", o->scenario));
	add_receivers(o, config);
	return config;
}

static void oshm_fini(struct oshm *o)
{
	json_decref(o->params);
	json_decref(o->scenario);
	json_decref(o->alarm_mails);
	json_decref(o->note_mails);
	free(o->cloud);
	free(o->from);
	free(o->metrics);
}

json_t *oshm_import(
	struct slice text, const char *name, struct import_report *report, struct error *err)
{
	struct shell_script script;
	if (!shell_read(text, name, &script, err))
		return NULL;
	struct importing m = {.name = name, .err = err};
	m.o = (struct oshm){.report = report,
		.params = json_object(),
		.scenario = json_pack("{s:s, s:s}", "use", "oshm", "every", "10m"),
		.alarm_mails = json_array(),
		.note_mails = json_array()};
	for (size_t i = 0; i < script.commands.n && !m.wrong; i++)
		take_command(&m, &script.commands.p[i], i + 1 == script.commands.n);
	if (!m.wrong && !m.found) {
		error_at(err, name, 1, 1,
			"there is no " PROGRAM
			" here: expected its options, such as \"-O -C -D -n 8\", "
			"or a script that starts it");
		m.wrong = true;
	}
	json_t *config = NULL;
	if (!m.wrong) {
		oshm_defaults(&m.o);
		config = make_config(&m.o);
	}
	oshm_fini(&m.o);
	shell_script_fini(&script);
	return config;
}
