/*
 * guest_file.c - the commands about files and texts.
 */

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "sim/guest_memory.h"

static int no_file(struct shell *sh, const char *command, const char *path)
{
	shell_err(sh, "%s: can't open '%.200s': No such file or directory\n", command, path);
	return 1;
}

int command_cat(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	int status = 0;
	if (argc < 2) {
		if (!sh->in_end)
			return shell_wait(sh, JOB_CAT, 0, NULL);
		shell_out_text(sh, buf_str(&sh->in), sh->in.n);
		buf_clear(&sh->in);
		return 0;
	}
	for (size_t i = 1; i < argc; i++) {
		struct buf text = BUF(SHELL_OUTPUT_MAX);
		if (guest_file_read(sh, argv[i], &text))
			shell_out_text(sh, buf_str(&text), text.n);
		else
			status = no_file(sh, "cat", argv[i]);
		buf_fini(&text);
	}
	return status;
}

/* --- test ---------------------------------------------------------------------------------------
 */

static bool is_filled(const struct shell *sh, const char *path)
{
	struct buf text = BUF(SHELL_OUTPUT_MAX);
	const bool filled = guest_file_read(sh, path, &text) && text.n > 0;
	buf_fini(&text);
	return filled;
}

int command_test(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (!strcmp(argv[0], "[")) {
		if (strcmp(argv[argc - 1], "]")) {
			shell_err(sh, "sh: [: missing ]\n");
			return 2;
		}
		argc--;
	}
	const char *op = argc > 1 ? argv[1] : "", *of = argc > 2 ? argv[2] : "";
	if (argc == 3 && (!strcmp(op, "-e") || !strcmp(op, "-f")))
		return !guest_file_exists(sh, of);
	if (argc == 3 && !strcmp(op, "-s"))
		return !is_filled(sh, of);
	if (argc == 3 && (!strcmp(op, "-n") || !strcmp(op, "-z")))
		return (*of != 0) != (op[1] == 'n');
	if (argc == 4 && (!strcmp(of, "=") || !strcmp(of, "!=")))
		return !strcmp(op, argv[3]) != (*of == '=');
	shell_err(sh, "sh: %s: only -e -f -s FILE, -n -z TEXT and A = B, A != B are known here\n",
		argv[0]);
	return 2;
}

/* --- directories --------------------------------------------------------------------------------
 */

int command_cd(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	char *path = guest_path(sh, argc > 1 ? argv[1] : "/");
	const bool there = !strcmp(path, "/") || !strcmp(path, "/tmp") ||
			   !strcmp(path, "/var/tmp") ||
			   map_get(&shell_memory(sh)->directories, path);
	if (there)
		snprintf(sh->directory, sizeof(sh->directory), "%s", path);
	else
		shell_err(sh, "sh: cd: can't cd to %.200s\n", path);
	free(path);
	return !there;
}

int command_mkdir(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct guest_memory *m = shell_memory(sh);
	for (size_t i = 1; i < argc; i++) {
		if (*argv[i] == '-')
			continue;
		char *path = guest_path(sh, argv[i]);
		const bool may = !strcmp(sh->user, "root") || !strncmp(path, "/tmp/", 5) ||
				 !strncmp(path, "/var/tmp/", 9);
		if (may && m->directories.n < MEMORY_FILES_MAX) {
			/* its parents too, whether asked (-p) or not */
			for (char *c = path + 1; *c; c++)
				if (*c == '/') {
					*c = 0;
					free(map_put(&m->directories, path, mem_strdup(path)));
					*c = '/';
				}
			free(map_put(&m->directories, path, mem_strdup(path)));
		} else {
			shell_err(sh, "mkdir: can't create directory '%.200s': Permission denied\n",
				path);
			free(path);
			return 1;
		}
		free(path);
	}
	return 0;
}

/* `mktemp -d [TEMPLATE]` */
int command_mktemp(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const char *base = argc > 2 ? argv[2] : "/tmp/tmp.XXXXXX";
	struct guest_memory *m = shell_memory(sh);
	const size_t n = strlen(base);
	if (argc < 2 || strcmp(argv[1], "-d") || n < 6 || strcmp(base + n - 6, "XXXXXX") ||
		m->directories.n >= MEMORY_FILES_MAX) {
		shell_err(sh, "mktemp: only `mktemp -d [NAME.XXXXXX]` is known here\n");
		return 1;
	}
	char *path = mem_printf("%.*s%06u", (int)n - 6, base, m->next_pid++ % 1000000);
	free(map_put(&m->directories, path, mem_strdup(path)));
	shell_out(sh, "%s\n", path);
	free(path);
	return 0;
}

int command_rm(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	bool forced = false;
	int status = 0;
	for (size_t i = 1; i < argc; i++)
		if (*argv[i] == '-')
			forced |= strchr(argv[i], 'f') != NULL;
		else if (!guest_file_remove(sh, argv[i]) && !forced)
			status = no_file(sh, "rm", argv[i]);
	return status;
}

int command_cp(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct buf text = BUF(SHELL_OUTPUT_MAX);
	int status = 1;
	if (argc != 3)
		shell_err(sh, "cp: only `cp FILE FILE` is known here\n");
	else if (!guest_file_read(sh, argv[1], &text))
		status = no_file(sh, "cp", argv[1]);
	else
		status = !guest_file_write(sh, argv[2], buf_slice(&text), false);
	buf_fini(&text);
	return status;
}

/* Names of what stands directly in a directory. */
int command_ls(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const struct guest_memory *m = shell_memory(sh);
	char *path = guest_path(sh, argc > 1 ? argv[1] : ".");
	char *inside = mem_printf("%s/", path);
	const struct map *const maps[] = {&m->directories, &m->files};
	const bool cards = !strcmp(path, GUEST_CARDS);
	const bool there = cards || map_get(&m->directories, path);
	for (size_t i = 0; cards && i < g->nics.n; i++)
		shell_out(sh, "eth%zu\n", i);
	if (cards)
		shell_out(sh, "lo\n");
	const size_t n = strlen(inside);
	for (size_t i = 0; there && i < array_len(maps); i++)
		MAP_EACH ((struct map *)maps[i], e)
			if (!strncmp(e->key, inside, n) && !strchr(e->key + n, '/'))
				shell_out(sh, "%s\n", e->key + n);
	if (!there)
		shell_err(sh, "ls: %.200s: No such file or directory\n", path);
	free(inside);
	free(path);
	return !there;
}

/* --- texts --------------------------------------------------------------------------------------
 */

struct grep {
	bool quiet, count, nocase, whole, fixed;
	const char *pattern;
	regex_t regex;
	unsigned found;
};

static bool matches(const struct grep *q, const char *line)
{
	regmatch_t at;
	if (q->fixed)
		return q->whole ? !strcmp(line, q->pattern) : strstr(line, q->pattern) != NULL;
	if (regexec(&q->regex, line, 1, &at, 0) != 0)
		return false;
	return !q->whole || (at.rm_so == 0 && line[at.rm_eo] == 0);
}

static void grep_text(struct shell *sh, struct grep *q, struct slice text)
{
	struct slice part;
	while (slice_next(&text, '\n', &part)) {
		char *line = slice_dup(part);
		if ((text.n || part.n) && matches(q, line)) {
			q->found++;
			if (!q->quiet && !q->count)
				shell_out(sh, "%s\n", line);
		}
		free(line);
	}
}

static bool grep_files(struct shell *sh, struct grep *q, size_t n, char **files)
{
	bool all = true;
	for (size_t i = 0; i < n; i++) {
		struct buf text = BUF(SHELL_INPUT_MAX);
		if (guest_file_read(sh, files[i], &text))
			grep_text(sh, q, buf_slice(&text));
		else
			all = no_file(sh, "grep", files[i]) == 0;
		buf_fini(&text);
	}
	return all;
}

int command_grep(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct grep q = {0};
	size_t i = 1;
	for (; i < argc && *argv[i] == '-'; i++)
		for (const char *c = argv[i] + 1; *c; c++) {
			q.quiet |= *c == 'q';
			q.count |= *c == 'c';
			q.nocase |= *c == 'i';
			q.whole |= *c == 'x';
			q.fixed |= *c == 'F';
			if (!strchr("qcixF", *c)) {
				shell_err(sh, "grep: invalid option -- '%c'\n", *c);
				return 2;
			}
		}
	if (i == argc || (!q.fixed && regcomp(&q.regex, argv[i], q.nocase ? REG_ICASE : 0) != 0)) {
		shell_err(sh, "grep: bad pattern\n");
		return 2;
	}
	q.pattern = argv[i++];
	bool all = true;
	if (i < argc)
		all = grep_files(sh, &q, argc - i, argv + i);
	else
		grep_text(sh, &q, buf_slice(&sh->in));
	if (!q.fixed)
		regfree(&q.regex);
	if (q.count)
		shell_out(sh, "%u\n", q.found);
	return q.found ? 0 : all ? 1 : 2;
}

int command_wc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "-c")) {
		shell_err(sh, "wc: only `wc -c` of standard input is known here\n");
		return 1;
	}
	shell_out(sh, "%zu\n", sh->in.n);
	return 0;
}

/* The backslashes that scripts of monitors use. */
static const char *escaped(const char *c, struct buf *out)
{
	static const char from[] = "nrt\\0", to[] = "\n\r\t\\\0";
	const char *at = *c ? strchr(from, *c) : NULL;
	if (at)
		buf_add_char(out, to[at - from]);
	else
		buf_printf(out, "\\%c", *c);
	return *c ? c + 1 : c;
}

int command_printf(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct buf out = BUF(SHELL_OUTPUT_MAX);
	size_t next = 2;
	if (argc < 2)
		return 2;
	do {
		for (const char *c = argv[1]; *c;) {
			if (*c == '\\') {
				c = escaped(c + 1, &out);
			} else if (*c == '%' && c[1] && strchr("sd", c[1])) {
				buf_add_str(&out, next < argc   ? argv[next]
						  : c[1] == 'd' ? "0"
								: "");
				next++;
				c += 2;
			} else {
				buf_add_char(&out, *c);
				c += *c == '%' && c[1] == '%' ? 2 : 1;
			}
		}
	} while (next > 2 && next < argc);
	shell_out_text(sh, buf_str(&out), out.n);
	buf_fini(&out);
	return 0;
}
