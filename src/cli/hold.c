/*
 * hold.c - see hold.h.
 *
 * Jump servers have hosts of their own in the configuration for ssh: options of the command line
 * would not reach them, those of the configuration do.
 */

#include "cli/hold.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

struct hold {
	char *dir;
	VEC(char *) files;
	VEC(const struct secret *) keys; /* written, by number; borrowed while it is made */
	struct buf config;
	hold_line *tell;
	void *arg;
	struct error *err;
};

/* --- files ------------------------------------------------------------------------------------ */

static bool write_file(struct hold *h, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", h->dir, name);
	const size_t n = strlen(text);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	if (fd >= 0) {
		vec_push(&h->files, mem_strdup(path));
		good = close(fd) == 0 && good;
	}
	if (!good && !h->err->msg[0])
		error_sys(h->err, errno, "cannot write %s", path);
	free(path);
	return good;
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

static bool make_dir(struct hold *h, const char *state, const char *label)
{
	char *all = mem_printf("%s/hold", state);
	h->dir = mem_printf("%s/%s", all, label);
	const bool good = (mkdir(all, 0700) == 0 || errno == EEXIST) && mkdir(h->dir, 0700) == 0;
	if (!good)
		error_sys(h->err, errno, "cannot make %s", h->dir);
	free(all);
	return good;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static size_t key_number(struct hold *h, const struct secret *key)
{
	for (size_t i = 0; i < h->keys.n; i++)
		if (!strcmp(secret_reveal(h->keys.p[i]), secret_reveal(key)))
			return i;
	char name[32];
	vec_push(&h->keys, key);
	snprintf(name, sizeof(name), "key-%zu", h->keys.n - 1);
	write_file(h, name, secret_reveal(key));
	return h->keys.n - 1;
}

/* A word of a configuration for ssh: what a cloud says must not add lines to it. */
static bool is_word(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.:@%[]", *p))
			return false;
	return *text != 0 && *text != '-';
}

static bool add_host(
	struct hold *h, const char *alias, const struct ssh_host *host, const char *via)
{
	if (!is_word(alias) || !is_word(host->host) || !is_word(host->user))
		return false;
	buf_printf(&h->config,
		"Host %s\n\tHostName %s\n\tPort %u\n\tUser %s\n\tIdentityFile %s/key-%zu\n"
		"\tIdentitiesOnly yes\n\tStrictHostKeyChecking no\n\tUserKnownHostsFile /dev/null\n"
		"\tLogLevel ERROR\n",
		alias, host->host, host->port, host->user, h->dir,
		key_number(h, host->private_key));
	if (via)
		buf_printf(&h->config, "\tProxyJump %s\n", via);
	return true;
}

/* "vm[2]" as ssh knows it: "vm-2" */
static char *alias_of(const char *name)
{
	char *alias = mem_strdup(name);
	size_t n = 0;
	for (const char *p = name; *p; p++)
		if (*p != ']')
			alias[n++] = *p == '[' ? '-' : *p;
	alias[n] = 0;
	return alias;
}

static void on_login(void *arg, const struct run_login *l)
{
	struct hold *h = arg;
	char *alias = alias_of(l->name), *via = NULL;
	struct buf where = BUF(BUF_LINE);
	bool good = true;
	buf_printf(&where, "%s@%s", l->target->user, l->target->host);
	for (size_t i = 0; i < l->via_count && good; i++) {
		char *hop = mem_printf("%s-jump-%zu", alias, i);
		good = add_host(h, hop, &l->via[i], via);
		buf_printf(&where, " through %s@%s", l->via[i].user, l->via[i].host);
		free(via);
		via = hop;
	}
	if (good && add_host(h, alias, l->target, via)) {
		char *command = mem_printf("ssh -F %s/ssh_config %s", h->dir, alias);
		h->tell(h->arg, l->name, command, buf_str(&where));
		free(command);
	}
	buf_fini(&where);
	free(alias);
	free(via);
}

/* --- life ------------------------------------------------------------------------------------- */

static void count(void *arg, const struct run_login *l)
{
	(*(size_t *)arg)++;
}

struct hold *hold_new(
	const char *state, struct run *run, hold_line *tell, void *arg, struct error *err)
{
	size_t servers = 0;
	run_logins(run, count, &servers);
	if (!servers)
		return NULL;
	struct hold *h = mem_new(struct hold);
	h->config = BUF(BUF_PAGE);
	h->tell = tell;
	h->arg = arg;
	h->err = err;
	if (make_dir(h, state, run_label(run))) {
		run_logins(run, on_login, h);
		write_file(h, "ssh_config", buf_str(&h->config));
	}
	vec_fini(&h->keys);
	buf_fini(&h->config);
	if (!err->msg[0])
		return h;
	hold_free(h);
	return NULL;
}

const char *hold_dir(const struct hold *h)
{
	return h->dir;
}

void hold_free(struct hold *h)
{
	if (!h)
		return;
	VEC_EACH (&h->files, char *, file) {
		unlink(*file);
		free(*file);
	}
	vec_fini(&h->files);
	rmdir(h->dir);
	free(h->dir);
	free(h);
}

void hold_clean(const char *state, struct journal *j)
{
	char *all = mem_printf("%s/hold", state);
	DIR *d = opendir(all);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || journal_run_alive(j, e->d_name))
			continue;
		char *dir = mem_printf("%s/%s", all, e->d_name);
		remove_dir(dir);
		free(dir);
	}
	if (d)
		closedir(d);
	free(all);
}
