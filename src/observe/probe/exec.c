/*
 * exec.c - kind exec: a program, or one for each file of a playbook project, run by the helper.
 *
 * A run brings its working copy up to date, sees which files there are, and plays them one after
 * the other within one deadline; the first that fails says what is wrong, the others are played
 * all the same. What programs tell over their message socket is taken meanwhile.
 */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "observe/exec/apimon.h"
#include "observe/probe/exec.h"
#include "observe/probe/talk.h"

#define PULL_NS      (60 * NS_PER_S) /* at most, and never more than half of the deadline */
#define JOB_BYTES    16
#define LINE_MAX_    160
#define OUTPUTS_MAX  (2u << 20) /* of all files together */
#define METRICS_HERE "openstack.api."

struct counts { /* of tasks, by how they ended */
	uint64_t passed, failed, skipped, ignored;
};

struct playing {
	struct attempt *attempt; /* NULL: nobody wants to know any more */
	struct helper_call *call;
	char *dir, **env, *prefix; /* prefix: of metrics */
	char **files;              /* NULL: no tasks */
	char job[2 * JOB_BYTES + 1];
	size_t count, at;
	bool stale;                 /* the working copy could not be pulled */
	char pulled[LINE_MAX_ + 8]; /* why */
	/* of the file that is played */
	struct counts heard, summed;
	bool summary, failed;
	char task[LINE_MAX_ + 40]; /* the first that failed; "" */
	/* of all */
	struct counts all;
	bool told;        /* of tasks */
	enum fault fault; /* of the first that failed */
	char detail[200];
	int exit_status; /* the same; -1: none */
	int64_t cpu_ns;
	uint64_t memory;
	struct buf output, standard;
};

static void play(struct playing *k);

static void playing_free(struct playing *k)
{
	exec_environment_free(k->env);
	for (size_t i = 0; i < k->count && k->files; i++)
		free(k->files[i]);
	free(k->files);
	free(k->dir);
	free(k->prefix);
	buf_fini(&k->output);
	buf_fini(&k->standard);
	free(k);
}

/* The last line that says something, without what a terminal would make of it. */
static void last_line(struct slice text, char *out)
{
	const struct slice all = slice_trim(text);
	size_t from = all.n, n = 0;
	while (from && all.p[from - 1] != '\n')
		from--;
	for (size_t i = from; i < all.n && n < LINE_MAX_ - 1; i++) {
		const unsigned char c = (unsigned char)all.p[i];
		out[n++] = c < ' ' || c == 0x7f ? ' ' : (char)c;
	}
	out[n] = '\0';
	/* cut or raw bytes of a program are no text to show */
	while (n && !utf8_valid(slice_from(out, n)))
		out[--n] = '\0';
}

/* --- messages --------------------------------------------------------------------------------- */

static void on_name(void *arg, enum ingest_metric metric, const char *name, double value)
{
	const struct playing *k = arg;
	struct ingest *const *ingest = k->attempt->tools->ingest;
	if (ingest && *ingest)
		ingest_metric(*ingest, metric, name, value);
}

/* By what it does, not by its name: playbooks put random words into those. */
static void measure_task(const struct playing *k, const struct apimon *m)
{
	const struct probe_tools *t = k->attempt->tools;
	const struct exec_spec *s = k->attempt->spec;
	const char *action = *m->action ? m->action : "task";
	const int64_t now_ms = clock_unix_us(loop_clock(t->loop)) / 1000;
	if (!t->measured || m->result == APIMON_SKIPPED || m->result == APIMON_UNDEFINED)
		return;
	t->measured(t->measured_arg,
		&(struct measure){.what = MEASURE_CHECK,
			.cloud = "",
			.region = "",
			.location = t->location,
			.scenario = s->name,
			.run = k->job,
			.step = action,
			.index = -1,
			.name = action,
			.at_ms = now_ms - m->duration_ms,
			.total_us = m->duration_ms * 1000,
			.unit = "",
			.fault = m->result == APIMON_PASSED ? FAULT_NONE : FAULT_EXPECTATION});
}

static void count_task(struct playing *k, const struct apimon *m)
{
	measure_task(k, m);
	k->heard.passed += m->result == APIMON_PASSED;
	k->heard.skipped += m->result == APIMON_SKIPPED;
	k->heard.ignored += m->result == APIMON_IGNORED;
	k->heard.failed += m->result == APIMON_FAILED;
	if (m->result != APIMON_FAILED || *k->task)
		return;
	char said[LINE_MAX_];
	last_line(slice_of(m->text), said);
	snprintf(k->task, sizeof(k->task), "task \"%.60s\"%s%.40s%s failed%s%.100s", m->name,
		*m->action ? " (" : "", m->action, *m->action ? ")" : "", *said ? ": " : "", said);
}

static void on_message(void *arg, struct slice line)
{
	struct playing *k = arg;
	struct apimon m;
	if (!k->attempt || !apimon_read(line, &m, NULL))
		return; /* whoever tells something else means somebody else */
	if (m.type == APIMON_METRIC) {
		apimon_names(&m, k->prefix, on_name, k);
	} else if (m.type == APIMON_TASK) {
		count_task(k, &m);
	} else {
		k->summary = true;
		k->failed = m.result == APIMON_FAILED;
		k->summed = (struct counts){m.passed, m.failed, m.skipped, m.ignored};
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

static void end(struct playing *k, enum fault fault, const char *detail)
{
	struct attempt *a = k->attempt;
	if (fault == FAULT_NONE && k->stale) {
		a->is_ours_to_warn = true;
		attempt_end(a, fault, "the working copy could not be pulled: %s", k->pulled);
	} else {
		attempt_end(a, fault, "%s", detail);
	}
}

/* It could not be pulled, and there is no old one: that says nothing of what is probed. */
static bool has_no_copy(struct playing *k, const struct helper_result *r)
{
	if (!k->stale || !r->no_directory)
		return false;
	attempt_end(k->attempt, FAULT_LOCAL, "no working copy: %s", k->pulled);
	return true;
}

/* Of one file, what is wrong with it. */
static enum fault judge(const struct playing *k, const struct helper_result *r, char *why)
{
	char line[LINE_MAX_];
	last_line(r->tail, line);
	const char *said = *k->task ? k->task : line;
	if (r->fault != FAULT_NONE)
		snprintf(why, LINE_MAX_, "%s%s%.100s", r->detail, *said ? "; last: " : "", said);
	else if (r->exit_status)
		snprintf(why, LINE_MAX_, "exit status %d%s%.140s", r->exit_status,
			*said ? ": " : "", said);
	else if (k->failed)
		snprintf(why, LINE_MAX_, "%.150s", *k->task ? k->task : "a task failed");
	else
		return FAULT_NONE;
	if (r->fault != FAULT_NONE)
		return r->fault;
	/* Conditions may find that good. */
	if (k->attempt->judged)
		return FAULT_NONE;
	return r->exit_status ? FAULT_EXIT_STATUS : FAULT_EXPECTATION;
}

static void add(struct playing *k, const struct helper_result *r)
{
	const struct counts *c = k->summary ? &k->summed : &k->heard;
	k->told = k->told || k->summary || c->passed + c->failed + c->skipped + c->ignored;
	k->all.passed += c->passed;
	k->all.failed += c->failed;
	k->all.skipped += c->skipped;
	k->all.ignored += c->ignored;
	k->cpu_ns += r->cpu_ns;
	if (r->memory > k->memory)
		k->memory = r->memory;
	buf_add_slice(&k->output, r->output);
	buf_add_slice(&k->standard, r->standard);
	if (k->exit_status <= 0)
		k->exit_status = r->exit_status;
}

static void on_played(void *arg, const struct helper_result *r)
{
	struct playing *k = arg;
	char why[LINE_MAX_] = "";
	k->call = NULL;
	if (!k->attempt) {
		playing_free(k);
		return;
	}
	if (has_no_copy(k, r))
		return;
	add(k, r);
	k->attempt->connected = k->exit_status >= 0;
	const enum fault fault = judge(k, r, why);
	if (fault != FAULT_NONE && k->fault == FAULT_NONE) {
		const char *file = k->files ? k->files[k->at] : NULL;
		k->fault = fault;
		snprintf(k->detail, sizeof(k->detail), "%.40s%s%s", file ? file : "",
			file ? ": " : "", why);
	}
	k->at++;
	if (k->at == k->count || (r->fault != FAULT_NONE && r->fault != FAULT_EXIT_STATUS))
		end(k, k->fault, k->detail);
	else
		play(k);
}

/* --- a program -------------------------------------------------------------------------------- */

/* "%s" is the file; without it the file comes last. Owned, with the argument it stands in. */
static const char **arguments(const struct exec_spec *s, const char *file, char **ret_made)
{
	const char **argv = mem_new_array(s->argc + 2, sizeof(*argv));
	size_t n = 0;
	*ret_made = NULL;
	for (; n < s->argc; n++) {
		const char *at = file && !*ret_made ? strstr(s->argv[n], "%s") : NULL;
		argv[n] = s->argv[n];
		if (at)
			argv[n] = *ret_made = mem_printf(
				"%.*s%s%s", (int)(at - s->argv[n]), s->argv[n], file, at + 2);
	}
	if (file && !*ret_made)
		argv[n] = file;
	return argv;
}

static int64_t left_ns(const struct playing *k)
{
	const int64_t left = k->attempt->deadline_ns - attempt_age_ns(k->attempt);
	return left > NS_PER_MS ? left : NS_PER_MS;
}

static void play(struct playing *k)
{
	const struct exec_spec *s = k->attempt->spec;
	char *made;
	const char **argv = arguments(s, k->files ? k->files[k->at] : NULL, &made);
	k->heard = k->summed = (struct counts){0};
	k->summary = k->failed = false;
	k->task[0] = '\0';
	k->call = helper_run(k->attempt->tools->helper,
		&(struct helper_request){.deadline_ms = left_ns(k) / NS_PER_MS,
			.memory = (uint64_t)s->memory,
			.cpu_s = (uint64_t)((s->cpu_ns + NS_PER_S - 1) / NS_PER_S),
			.output_max = (uint64_t)s->output_max,
			.messages = true,
			.dir = k->dir,
			.argv = argv,
			.env = (const char *const *)k->env},
		on_message, on_played, k);
	free(argv);
	free(made);
}

/* --- before it -------------------------------------------------------------------------------- */

static void take_files(struct playing *k, struct slice text)
{
	struct slice line;
	k->files = mem_new_array(EXEC_TASKS_MAX, sizeof(*k->files));
	while (k->count <= EXEC_TASKS_MAX && slice_next(&text, '\n', &line)) {
		if (!line.n)
			continue;
		if (k->count < EXEC_TASKS_MAX)
			k->files[k->count] = slice_dup(line);
		k->count++;
	}
}

static void on_listed(void *arg, const struct helper_result *r)
{
	struct playing *k = arg;
	char why[LINE_MAX_ + 60];
	k->call = NULL;
	if (!k->attempt) {
		playing_free(k);
		return;
	}
	const struct exec_spec *s = k->attempt->spec;
	if (has_no_copy(k, r))
		return;
	if (r->fault != FAULT_NONE) {
		end(k, r->fault, r->detail);
		return;
	}
	take_files(k, r->standard);
	if (k->count && k->count <= EXEC_TASKS_MAX) {
		play(k);
		return;
	}
	snprintf(why, sizeof(why),
		k->count ? "more than %2$d files match %1$.100s" : "no file matches %1$.100s",
		s->tasks, EXEC_TASKS_MAX);
	k->count = k->count > EXEC_TASKS_MAX ? EXEC_TASKS_MAX : k->count;
	end(k, FAULT_CONFIGURATION, why);
}

static void prepare(struct playing *k)
{
	const struct attempt *a = k->attempt;
	const struct exec_spec *s = a->spec;
	if (s->tasks) {
		k->call = exec_list(s, a->tools, k->dir, left_ns(k), on_listed, k);
		return;
	}
	k->count = 1;
	play(k);
}

/* A copy that is there is used all the same. */
static void on_pulled(void *arg, const struct helper_result *r)
{
	struct playing *k = arg;
	k->call = NULL;
	if (!k->attempt) {
		playing_free(k);
		return;
	}
	if (r->fault != FAULT_NONE || r->exit_status) {
		k->stale = true;
		last_line(r->tail, k->pulled);
		if (!*k->pulled)
			snprintf(k->pulled, sizeof(k->pulled), "git: %.120s",
				r->fault != FAULT_NONE ? r->detail : "it failed");
	}
	prepare(k);
}

static void start(struct attempt *a)
{
	const struct exec_spec *s = a->spec;
	struct playing *k = mem_new(struct playing);
	uint8_t bytes[JOB_BYTES];
	char *prefix = exec_prefix(s, a->tools);
	random_fill(a->tools->random, bytes, sizeof(bytes));
	hex_write(bytes, sizeof(bytes), k->job);
	a->data = k;
	k->attempt = a;
	k->exit_status = -1;
	k->env = exec_environment(s, a->tools, prefix, k->job);
	k->dir = exec_directory(s, a->tools);
	k->prefix = mem_printf("apimon.metric.%s", slice_starts(slice_of(prefix), METRICS_HERE)
							   ? prefix + strlen(METRICS_HERE)
							   : prefix);
	free(prefix);
	buf_init(&k->output,
		OUTPUTS_MAX > (size_t)s->output_max ? OUTPUTS_MAX : (size_t)s->output_max);
	buf_init(&k->standard, k->output.max);
	const int64_t half = a->deadline_ns / 2;
	if (s->git)
		k->call = exec_pull(s, a->tools, (const char *const *)k->env,
			half < PULL_NS ? half : PULL_NS, on_pulled, k);
	else
		prepare(k);
}

static void cancel(struct attempt *a)
{
	struct playing *k = a->data;
	k->attempt = NULL;
	a->data = NULL;
	helper_cancel(k->call); /* its callback frees it */
}

static void release(struct attempt *a)
{
	playing_free(a->data);
}

static bool can_run(const struct probe_tools *t, const void *spec, struct error *err)
{
	const struct exec_spec *s = spec;
	if (t->helper && (t->working || !s->cloned))
		return true;
	error_set(err, ERROR_CONFIG, "programs are started by `glasshouse run` and `try` alone");
	return false;
}

/* --- what was measured ------------------------------------------------------------------------ */

static const char *const measurements[] = {"EXIT_STATUS", "OUTPUT", "BODY", "CPU_TIME", "MEMORY",
	"TASKS_PASSED", "TASKS_FAILED", "TASKS_SKIPPED", "TASKS_IGNORED", NULL};

static bool written(const struct attempt *a, struct slice name, struct slice *ret)
{
	const struct playing *k = a->data;
	if (!k || !slice_is(name, "BODY"))
		return false;
	*ret = buf_slice(&k->standard);
	return true;
}

static bool measure_body(const struct playing *k, struct value *ret)
{
	json_t *j = json_parse_foreign(buf_slice(&k->standard), k->standard.max);
	*ret = j ? value_from_json(j) : VALUE_NOTHING;
	json_decref(j);
	return ret->type != VALUE_NULL;
}

static bool measure_tasks(const struct counts *c, struct slice name, struct value *ret)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {{"TASKS_PASSED", c->passed}, {"TASKS_FAILED", c->failed},
		{"TASKS_SKIPPED", c->skipped}, {"TASKS_IGNORED", c->ignored}};
	for (size_t i = 0; i < array_len(rows); i++)
		if (slice_is(name, rows[i].name)) {
			*ret = value_int((int64_t)rows[i].n);
			return true;
		}
	return false;
}

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct playing *k = a->data;
	if (!k || k->exit_status < 0)
		return false;
	if (slice_is(name, "BODY"))
		return measure_body(k, ret);
	if (slice_is(name, "EXIT_STATUS"))
		*ret = value_int(k->exit_status);
	else if (slice_is(name, "OUTPUT"))
		*ret = talk_text(slice_trim(buf_slice(&k->output)));
	else if (slice_is(name, "CPU_TIME"))
		*ret = value_time(k->cpu_ns);
	else if (slice_is(name, "MEMORY"))
		*ret = value_size((int64_t)k->memory);
	else if (k->told)
		return measure_tasks(&k->all, name, ret);
	else
		return false;
	return true;
}

const struct probe_kind probe_kind_exec = {
	.name = "exec",
	.help = "a program or the playbooks of a project, run on this machine",
	.keys = exec_keys,
	.key_count = EXEC_KEYS,
	.size = sizeof(struct exec_spec),
	.shorthand = "run",
	.defaults = exec_defaults,
	.finish = exec_finish,
	.fini = exec_fini,
	.measurements = measurements,
	.can_run = can_run,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.written = written,
	.release = release,
};
