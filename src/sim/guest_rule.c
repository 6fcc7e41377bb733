/*
 * guest_rule.c - iptables: chains and rules are kept and shown, and no packet asks them.
 */

#include <stdio.h>
#include <string.h>

#include "sim/guest_memory.h"

static const char *const built_in[] = {"nat PREROUTING", "nat POSTROUTING", "nat OUTPUT",
	"nat INPUT", "filter INPUT", "filter FORWARD", "filter OUTPUT", "mangle PREROUTING",
	"mangle FORWARD", "mangle POSTROUTING", "mangle INPUT", "mangle OUTPUT"};

static int fail(struct shell *sh, const char *why)
{
	shell_err(sh, "iptables: %s\n", why);
	return 1;
}

/* A rule or a chain; SIZE_MAX: none. */
static size_t find(const struct guest_memory *m, const char *text)
{
	for (size_t i = 0; i < m->rules.n; i++)
		if (!strcmp(m->rules.p[i], text))
			return i;
	return SIZE_MAX;
}

static bool is_built_in(const char *chain)
{
	for (size_t i = 0; i < array_len(built_in); i++)
		if (!strcmp(built_in[i], chain))
			return true;
	return false;
}

static void drop(struct guest_memory *m, size_t at)
{
	free(m->rules.p[at]);
	vec_remove(&m->rules, at);
}

/* The rules of a chain start with its name and a blank. */
static bool is_of(const char *rule, const char *chain)
{
	const size_t n = strlen(chain);
	return !strncmp(rule, chain, n) && rule[n] == ' ';
}

static void show(
	struct shell *sh, const struct guest_memory *m, const char *table, const char *chain)
{
	for (size_t i = 0; i < m->rules.n; i++) {
		const char *rule = m->rules.p[i], *rest = strchr(rule, ' ') + 1;
		const size_t n = strlen(table);
		if (strncmp(rule, table, n) || rule[n] != ' ' ||
			(chain && strcmp(rule, chain) && !is_of(rule, chain)))
			continue;
		shell_out(sh, strchr(rest, ' ') ? "-A %s\n" : "-N %s\n", rest);
	}
}

static int change(
	struct shell *sh, struct guest_memory *m, char op, const char *chain, const char *rule)
{
	const bool there = is_built_in(chain) || find(m, chain) != SIZE_MAX;
	if (op == 'N') {
		if (there)
			return fail(sh, "Chain already exists.");
		if (m->rules.n < MEMORY_RULES_MAX)
			vec_push(&m->rules, mem_strdup(chain));
		return 0;
	}
	if (!there)
		return fail(sh, "No chain/target/match by that name.");
	if (op == 'F' || op == 'X') {
		for (size_t i = m->rules.n; i-- > 0;)
			if (op == 'F' && is_of(m->rules.p[i], chain))
				drop(m, i);
		if (op == 'X' && !is_built_in(chain))
			drop(m, find(m, chain));
		return 0;
	}
	const size_t at = find(m, rule);
	if (op == 'C' || op == 'D') {
		if (at == SIZE_MAX)
			return fail(sh, "Bad rule (does a matching rule exist in that chain?).");
		if (op == 'D')
			drop(m, at);
		return 0;
	}
	if (m->rules.n == MEMORY_RULES_MAX)
		return fail(sh, "Memory allocation problem.");
	vec_push(&m->rules, mem_strdup(rule));
	return 0;
}

int command_iptables(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct guest_memory *m = shell_memory(sh);
	const char *table = "filter";
	char *chain = NULL, op = 0;
	struct buf rule = BUF(SHELL_LINE_MAX);
	int status = 0;
	if (strcmp(sh->user, "root")) {
		shell_err(sh, "iptables: Permission denied (you must be root)\n");
		return 4;
	}
	for (size_t i = 1; i < argc; i++) {
		if (op) {
			buf_printf(&rule, " %s", argv[i]);
		} else if (!strcmp(argv[i], "-t") && i + 1 < argc) {
			table = argv[++i];
		} else if (argv[i][0] == '-' && argv[i][1] && !argv[i][2] &&
			   strchr("NFCADIXS", argv[i][1])) {
			op = argv[i][1];
			if (i + 1 < argc)
				chain = mem_printf("%s %s", table, argv[++i]);
			buf_add_str(&rule, chain ? chain : "");
		} else if (strcmp(argv[i], "-w") && strcmp(argv[i], "-n")) {
			status = fail(
				sh, "only -t -w and one of -N -F -C -A -D -I -X -S are known here");
			break;
		}
	}
	if (!status && op == 'S')
		show(sh, m, table, chain);
	else if (!status && op && chain)
		status = change(sh, m, op, chain, buf_str(&rule));
	else if (!status)
		status = fail(sh, "no command specified");
	buf_fini(&rule);
	free(chain);
	return status;
}
