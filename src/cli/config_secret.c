/*
 * config_secret.c - reads what file:PATH and env:NAME hold, once the child of the web is started.
 *
 * A file must be its owner's alone. What systemd gives in $CREDENTIALS_DIRECTORY is protected by
 * the directory, and may show a group where an access list names the service's user: its modes are
 * not judged.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config_reader.h"

#define SECRET_MAX 4096 /* bytes */

struct reading {
	const struct config *config;
	struct error_list *errors;
	struct config_secret *secret;
	const char *what;
};

static void refuse(const struct reading *r, const char *fmt, ...) like_printf(2, 3);

static void refuse(const struct reading *r, const char *fmt, ...)
{
	char *text;
	va_list ap;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	error_list_at(r->errors, r->secret->file, r->secret->line, r->secret->col, "%s: %s",
		r->what, text);
	free(text);
}

/* The line it is; a line feed at the end is the editor's. */
static void keep(const struct reading *r, struct slice value)
{
	while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
		value.n--;
	if (!value.n) {
		refuse(r, "%s is empty", r->secret->from);
		return;
	}
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f) {
			refuse(r, "%s holds more than one line of text", r->secret->from);
			return;
		}
	secret_unref(r->secret->value);
	r->secret->value = secret_new(value);
}

static void read_env(const struct reading *r)
{
	const char *name = r->secret->from + strlen("env:"), *value = getenv(name);
	if (!value)
		refuse(r, "the environment has no %s", name);
	else if (strlen(value) > SECRET_MAX)
		refuse(r, "%s is longer than %d bytes", name, SECRET_MAX);
	else
		keep(r, slice_of(value));
}

/* A name without a slash is a credential where systemd gives such. Owned. */
static char *path_of(const struct reading *r, bool *ret_credential)
{
	const char *path = r->secret->from + strlen("file:");
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	*ret_credential = dir && *dir && !strchr(path, '/');
	return *ret_credential ? mem_printf("%s/%s", dir, path) : config_path(r->config, path);
}

static bool good_file(const struct reading *r, int fd, const char *path, bool credential)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		refuse(r, "cannot read %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		refuse(r, "%s is no file", path);
	} else if (!credential && (st.st_mode & 077)) {
		refuse(r, "others may read %s (mode %04o): chmod 600 %s", path,
			(unsigned)st.st_mode & 07777, path);
	} else if (!credential && st.st_uid != geteuid() && st.st_uid != 0) {
		refuse(r, "%s belongs to another user (uid %u)", path, (unsigned)st.st_uid);
	} else {
		return true;
	}
	return false;
}

static void read_file(const struct reading *r)
{
	char value[SECRET_MAX + 2];
	bool credential;
	char *path = path_of(r, &credential);
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = 0;
	ssize_t got = 0;
	if (good_file(r, fd, path, credential)) {
		while (n < sizeof(value) && (got = read(fd, value + n, sizeof(value) - n)) > 0)
			n += (size_t)got;
		if (got < 0)
			refuse(r, "cannot read %s: %s", path, strerror(errno));
		else if (n > SECRET_MAX)
			refuse(r, "%s is longer than %d bytes", path, SECRET_MAX);
		else
			keep(r, slice_from(value, n));
	}
	explicit_bzero(value, sizeof(value));
	if (fd >= 0)
		close(fd);
	free(path);
}

static void read_one(
	struct config *c, struct config_secret *s, const char *what, struct error_list *errors)
{
	const struct reading r = {.config = c, .errors = errors, .secret = s, .what = what};
	if (!s->from)
		return;
	c->secret_count++;
	if (slice_starts(slice_of(s->from), "env:"))
		read_env(&r);
	else
		read_file(&r);
}

struct probe_reading {
	struct config *config;
	struct error_list *errors;
	const char *what;
};

static struct secret *read_for_probe(
	void *arg, const char *from, const char *file, unsigned line, unsigned col)
{
	const struct probe_reading *p = arg;
	struct config_secret s = {
		.from = (char *)(uintptr_t)from, .file = file, .line = line, .col = col};
	read_one(p->config, &s, p->what, p->errors);
	return s.value;
}

bool config_probe_secrets(struct config *c, struct probe_config *probe, struct error_list *errors)
{
	char what[PROBE_NAME_TEXT + 8];
	snprintf(what, sizeof(what), "probe %s", probe_config_about(probe)->name);
	struct probe_reading p = {c, errors, what};
	return probe_config_secrets(probe, read_for_probe, &p);
}

bool config_secrets(struct config *c, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	c->secret_count = 0;
	read_one(c, &c->intake_token, "listen: token", errors);
	for (size_t i = 0; i < c->alarm_count; i++) {
		struct config_alarm *a = &c->alarms[i];
		read_one(c, &a->token, "an alarm: token", errors);
		read_one(c, &a->password, "a mail server: password", errors);
		a->alarm.token = a->token.value;
		a->alarm.mail.password = a->password.value;
	}
	for (size_t i = 0; i < c->metrics_count; i++) {
		struct config_metrics *m = &c->metrics[i];
		struct metrics_header *headers =
			(struct metrics_header *)(uintptr_t)m->receiver.headers;
		read_one(c, &m->password, "metrics: password", errors);
		m->receiver.password = m->password.value;
		for (size_t k = 0; k < m->receiver.header_count; k++) {
			read_one(c, &m->headers[k], "metrics: a header", errors);
			headers[k].value = m->headers[k].value;
		}
	}
	for (size_t i = 0; i < c->report_count; i++) {
		struct config_report *p = &c->reports[i];
		read_one(c, &p->password, "a mail server: password", errors);
		p->report.mail.password = p->password.value;
	}
	read_one(c, &c->upstream.token, "report: token", errors);
	for (size_t i = 0; i < c->outpost_count; i++)
		read_one(c, &c->outposts[i].token, "an outpost: token", errors);
	for (size_t i = 0; i < c->dashboard_count; i++) {
		struct config_dashboard *d = &c->dashboards[i];
		read_one(c, &d->secret, "a dashboard: secret", errors);
		read_one(c, &d->token, "a dashboard: token", errors);
		d->dashboard.secret = d->secret.value;
		d->dashboard.token = d->token.value;
	}
	for (size_t i = 0; i < c->probe_count; i++)
		config_probe_secrets(c, c->probes[i], errors);
	return errors->n + errors->dropped == before;
}
