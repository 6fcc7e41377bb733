/*
 * running_blackbox.c - blackbox_exporter's /probe: one configured probe is run now, for who asks.
 *
 * Only what is configured: who may scrape does not get to say where this machine connects to. The
 * run is nobody's but the asker's: nothing is stored, and the judge hears nothing.
 */

#include "cli/running.h"

#include <string.h>

#include "base/json.h"
#include "tell/blackbox.h"

#define RUNS_MAX   32
#define LONGEST_NS (8500 * NS_PER_MS) /* the answer must pass the door in time */

struct probing {
	struct running *running;
	struct generation *generation; /* whose the configuration is */
	const struct probe_config *config;
	struct probe_call *call;
	struct web_answer *answer;
	int64_t began_ns;
	bool debug;
};

static void say(struct web_answer *answer, int status, const char *type, const char *text)
{
	web_answer(answer, 200,
		json_pack("{s:i, s:s, s:s}", "status", status, "type", type, "text", text));
}

static void refuse(struct web_answer *answer, int status, const char *fmt, ...) like_printf(3, 4);
static void refuse(struct web_answer *answer, int status, const char *fmt, ...)
{
	struct buf why = BUF(BUF_LINE);
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	buf_add_char(&why, '\n');
	say(answer, status, "text/plain; charset=utf-8", buf_str(&why));
	buf_fini(&why);
}

/* --- which --------------------------------------------------------------------------------------
 */

/* A module is a kind, or begins as one: "http", "http_2xx". */
static bool module_fits(const char *module, const char *kind)
{
	const size_t n = strlen(kind);
	return !module || (!strncmp(module, kind, n) && (!module[n] || module[n] == '_'));
}

/* NAME, and of both families NAME.ipv4 and NAME.ipv6. */
static bool is_named(const struct probe_about *a, const char *target, int *ret_family)
{
	const size_t n = strlen(a->name);
	*ret_family = AF_UNSPEC;
	if (strncmp(target, a->name, n) != 0)
		return false;
	if (a->twice && (!strcmp(target + n, ".ipv4") || !strcmp(target + n, ".ipv6")))
		*ret_family = target[n + 4] == '4' ? AF_INET : AF_INET6;
	return !target[n] || *ret_family != AF_UNSPEC;
}

/* By name first; by its target the first one that the module fits. NULL: none, *ret_kind is of one
 * that the module does not fit. */
static const struct probe_config *find(const struct config *c, const char *target,
	const char *module, int *ret_family, const char **ret_kind)
{
	const struct probe_config *found = NULL;
	*ret_kind = NULL;
	for (size_t i = 0; i < c->probe_count; i++) {
		const struct probe_about *a = probe_config_about(c->probes[i]);
		const bool named = is_named(a, target, ret_family);
		if (!named && (found || strcmp(a->target, target) != 0))
			continue;
		if (!module_fits(module, a->kind))
			*ret_kind = a->kind;
		else
			found = c->probes[i];
		if (named)
			return found;
	}
	*ret_family = AF_UNSPEC;
	return found;
}

/* --- running ------------------------------------------------------------------------------------
 */

static void on_done(void *arg, const struct probe_report *report)
{
	struct probing *p = arg;
	struct running *r = p->running;
	const struct probe_about *about = probe_config_about(p->config);
	const int64_t took_ns = loop_now_ns(r->loop) - p->began_ns;
	const int64_t now_s = clock_unix_us(loop_clock(r->loop)) / 1000000;
	struct buf text = BUF(BUF_PAGE);
	(p->debug ? blackbox_debug : blackbox_write)(&text, about, report, took_ns, now_s);
	say(p->answer, 200,
		p->debug ? "text/plain; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8",
		buf_str(&text));
	buf_fini(&text);
	VEC_EACH (&r->probing, struct probing *, other) {
		if (*other == p) {
			vec_remove(&r->probing, (size_t)(other - r->probing.p));
			break;
		}
	}
	r->probed = !r->probing.n;
	generation_unref(p->generation);
	free(p);
}

static int64_t deadline_of(const struct probe_config *c, const json_t *args)
{
	const int64_t asked = json_int(args, "limit_ms", 0) * NS_PER_MS,
		      longest = probe_config_longest_ns(c);
	int64_t ns = LONGEST_NS;
	if (asked && asked < ns)
		ns = asked;
	return longest < ns ? longest : ns;
}

void running_blackbox(struct running *r, const json_t *args, struct web_answer *answer)
{
	const char *target = json_str(args, "target"), *module = json_str(args, "module"), *kind;
	struct error err = {0};
	int family;
	const struct probe_config *c = find(r->now->config, target, module, &family, &kind);
	if (!c && kind) {
		refuse(answer, 400, "probe \"%.200s\" is of kind %s: module \"%.80s\" is another",
			target, kind, module);
	} else if (!c) {
		refuse(answer, 400,
			"no probe is called \"%.200s\", and none has it as its target: only what"
			" stands under `probes` can be asked for",
			target);
	} else if (!strcmp(probe_config_about(c)->kind, "push")) {
		refuse(answer, 400,
			"probe \"%.200s\" is of kind push: it is told, and cannot be asked; what it"
			" was told last is in /metrics",
			target);
	} else if (!probe_can_run(&r->probe_tools, c, &err)) {
		refuse(answer, 400, "%s", err.msg);
	} else if (r->stopping || r->probing.n >= RUNS_MAX) {
		refuse(answer, 503, "%s",
			r->stopping ? "the program is about to end"
				    : "32 probes are run for others already: ask again later");
	} else {
		struct probing *p = mem_new(struct probing);
		*p = (struct probing){.running = r,
			.generation = generation_ref(r->now),
			.config = c,
			.answer = answer,
			.began_ns = loop_now_ns(r->loop),
			.debug = json_flag(args, "debug")};
		vec_push(&r->probing, p);
		p->call = probe_run_once(
			&r->probe_tools, c, family, deadline_of(c, args), on_done, p);
	}
}

void running_blackbox_close(struct running *r)
{
	r->probed = !r->probing.n;
	VEC_EACH (&r->probing, struct probing *, p)
		probe_run_cancel((*p)->call);
	while (!r->probed) /* somebody may stop the loop meanwhile */
		loop_run_until(r->loop, &r->probed);
	vec_fini(&r->probing);
}
