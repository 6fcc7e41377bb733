/*
 * guest_device.c - ip and lsblk: what hardware a guest has.
 */

#include <stdio.h>
#include <string.h>

#include "sim/guest_memory.h"

/* --- ip addr -----------------------------------------------------------------------------------
 */

struct ip_show {
	struct shell *sh;
	const struct guest_world *w;
	bool one_line;
	int version; /* 4, 6, or 0: both */
	const char *device;
};

static bool wanted(const struct ip_show *q, const char *device)
{
	return !q->device || !strcmp(q->device, device);
}

static void show_address(const struct ip_show *q, size_t n, const char *device, const char *text,
	int version, const char *scope)
{
	const char *family = version == 6 ? "inet6" : "inet";
	if (q->version && q->version != version)
		return;
	if (q->one_line)
		shell_out(q->sh,
			"%zu: %s    %s %s scope %s %s\\       valid_lft forever preferred_lft forever\n",
			n, device, family, text, scope, device);
	else
		shell_out(q->sh,
			"    %s %s scope %s %s\n       valid_lft forever preferred_lft forever\n",
			family, text, scope, device);
}

static void show_loopback(const struct ip_show *q)
{
	if (!wanted(q, "lo"))
		return;
	if (!q->one_line)
		shell_out(q->sh,
			"1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN qlen 1000\n"
			"    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
	show_address(q, 1, "lo", "127.0.0.1/8", 4, "host");
}

static void show_nic(const struct ip_show *q, size_t n, const struct world_nic *nic)
{
	char device[16], address[IP_TEXT], text[IP_TEXT + 8];
	snprintf(device, sizeof(device), "eth%zu", n);
	if (!wanted(q, device))
		return;
	if (!q->one_line)
		shell_out(q->sh,
			"%zu: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc pfifo_fast state UP qlen 1000\n"
			"    link/ether %s brd ff:ff:ff:ff:ff:ff\n",
			n + 2, device, nic->mac);
	VEC_EACH (&nic->addresses, struct world_address, a) {
		snprintf(text, sizeof(text), "%s/%u", ip_text(a->ip, address),
			q->w->subnets.p[a->subnet].prefix.bits);
		show_address(q, n + 2, device, text, a->ip.version, "global");
	}
	VEC_EACH (&shell_memory(q->sh)->addresses, struct memory_address, a)
		if (!strcmp(a->device, device))
			show_address(
				q, n + 2, device, a->text, strchr(a->text, ':') ? 6 : 4, "global");
}

static bool is_device(const struct world_guest *g, const char *name)
{
	char device[16];
	if (!name || !strcmp(name, "lo"))
		return true;
	for (size_t n = 0; n < g->nics.n; n++) {
		snprintf(device, sizeof(device), "eth%zu", n);
		if (!strcmp(name, device))
			return true;
	}
	return false;
}

/* `add ADDRESS/BITS dev NAME`, `del …` */
static int change_address(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct guest_memory *m = shell_memory(sh);
	struct memory_address a = {0};
	struct prefix prefix;
	bool exact;
	size_t at = 0;
	if (strcmp(sh->user, "root")) {
		shell_err(sh, "ip: RTNETLINK answers: Operation not permitted\n");
		return 2;
	}
	if (argc != 4 || strcmp(argv[2], "dev") || !is_device(g, argv[3]) ||
		!prefix_parse(argv[1], &prefix, &exact)) {
		shell_err(
			sh, "ip: only `ip address add|del ADDRESS/BITS dev NAME` is known here\n");
		return 1;
	}
	snprintf(a.text, sizeof(a.text), "%s", argv[1]);
	snprintf(a.device, sizeof(a.device), "%s", argv[3]);
	while (at < m->addresses.n && memcmp(&m->addresses.p[at], &a, sizeof(a)) != 0)
		at++;
	const bool there = at < m->addresses.n, add = !strcmp(argv[0], "add");
	if (there == add || (add && m->addresses.n == MEMORY_FILES_MAX)) {
		shell_err(sh, "ip: RTNETLINK answers: %s\n",
			add ? "File exists" : "Cannot assign requested address");
		return 2;
	}
	if (add)
		vec_push(&m->addresses, a);
	else
		vec_remove(&m->addresses, at);
	return 0;
}

/* The router of the first subnet that has one. */
static int show_default(struct shell *sh, const struct world_guest *g)
{
	const struct guest_world *w = *sh->world;
	char text[IP_TEXT];
	for (size_t n = 0; n < g->nics.n; n++)
		VEC_EACH (&g->nics.p[n].addresses, struct world_address, a) {
			const struct world_subnet *subnet = &w->subnets.p[a->subnet];
			for (size_t i = 0; i < subnet->routers.n; i++)
				VEC_EACH (
					&w->routers.p[subnet->routers.p[i]].addresses, struct ip, r)
					if (prefix_has(subnet->prefix, *r)) {
						shell_out(sh, "default via %s dev eth%zu\n",
							ip_text(*r, text), n);
						return 0;
					}
		}
	return 0;
}

/* `link set NAME up`, `rule add|del …`, `route replace … table N`: taken, and no packet asks them.
 */
static int change_way(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const char *what = argv[0], *how = argc > 1 ? argv[1] : "", *device = NULL;
	const bool link = !strcmp(what, "link") && !strcmp(how, "set") && argc > 2 &&
			  !strcmp(argv[argc - 1], "up");
	const bool change = !strcmp(how, "add") || !strcmp(how, "del") || !strcmp(how, "replace");
	const bool known = link || ((!strcmp(what, "rule") || !strcmp(what, "route")) && change);
	for (size_t i = 2; i + 1 < argc; i++)
		if (!strcmp(argv[i], "dev"))
			device = argv[i + 1];
	if (link && !device)
		device = argv[2];
	if (!known) {
		shell_err(sh,
			"ip: only `ip addr`, `ip link set NAME up`, `ip rule`, `ip route "
			"add|del|replace` and `ip route show default` are known here\n");
		return 1;
	}
	if (strcmp(sh->user, "root")) {
		shell_err(sh, "ip: RTNETLINK answers: Operation not permitted\n");
		return 2;
	}
	if (!is_device(g, device)) {
		shell_err(sh, "ip: can't find device '%.100s'\n", device);
		return 1;
	}
	return 0;
}

int command_ip(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct ip_show q = {.sh = sh, .w = *sh->world};
	size_t i = 1;
	for (; i < argc && *argv[i] == '-'; i++) {
		q.one_line |= !strcmp(argv[i], "-o");
		if (!strcmp(argv[i], "-4") || !strcmp(argv[i], "-6"))
			q.version = argv[i][1] - '0';
		else if (strcmp(argv[i], "-o")) {
			shell_err(sh, "ip: invalid option -- '%.100s'\n", argv[i] + 1);
			return 1;
		}
	}
	if (argc - i >= 3 && !strcmp(argv[i], "route") && !strcmp(argv[i + 1], "show") &&
		!strcmp(argv[i + 2], "default"))
		return show_default(sh, g);
	if (i == argc) {
		shell_err(sh, "ip: what of?\n");
		return 1;
	}
	if (strcmp(argv[i], "a") && strcmp(argv[i], "addr") && strcmp(argv[i], "address"))
		return change_way(sh, g, argc - i, argv + i);
	if (i + 1 < argc && (!strcmp(argv[i + 1], "add") || !strcmp(argv[i + 1], "del")))
		return change_address(sh, g, argc - i - 1, argv + i + 1);
	for (i++; i < argc; i++)
		if (strcmp(argv[i], "show") && strcmp(argv[i], "dev"))
			q.device = argv[i];
	if (!is_device(g, q.device)) {
		shell_err(sh, "ip: can't find device '%.100s'\n", q.device);
		return 1;
	}
	show_loopback(&q);
	for (size_t n = 0; n < g->nics.n; n++)
		show_nic(&q, n, &g->nics.p[n]);
	return 0;
}

/* --- lsblk -------------------------------------------------------------------------------------
 */

enum column {
	COLUMN_NAME,
	COLUMN_NUMBER,
	COLUMN_RM,
	COLUMN_SIZE,
	COLUMN_RO,
	COLUMN_TYPE,
	COLUMN_MOUNT,
	COLUMN_COUNT
};

static const struct {
	const char *title;
	int width; /* negative: to the left */
} columns[COLUMN_COUNT] = {{"NAME", -4}, {"MAJ:MIN", -7}, {"RM", 2}, {"SIZE", 4}, {"RO", 2},
	{"TYPE", -4}, {"MOUNTPOINTS", -11}};

struct lsblk {
	bool headless, bytes;
	unsigned columns[COLUMN_COUNT];
	size_t n;
};

static bool choose_columns(struct lsblk *q, const char *list)
{
	struct slice rest = slice_of(list), name;
	q->n = 0;
	while (slice_next(&rest, ',', &name)) {
		unsigned k = 0;
		while (k < COLUMN_COUNT && !slice_is_nocase(name, columns[k].title))
			k++;
		if (k == COLUMN_COUNT || q->n == COLUMN_COUNT)
			return false;
		q->columns[q->n++] = k;
	}
	return q->n > 0;
}

static bool read_options(struct shell *sh, struct lsblk *q, size_t argc, char **argv)
{
	for (size_t i = 1; i < argc; i++) {
		const char *c = argv[i];
		if (*c++ != '-') {
			shell_err(sh, "lsblk: %.100s: not a block device\n", argv[i]);
			return false;
		}
		for (; *c; c++) {
			q->headless |= *c == 'n';
			q->bytes |= *c == 'b';
			if (!strchr("nbdo", *c)) {
				shell_err(sh, "lsblk: invalid option -- '%c'\n", *c);
				return false;
			}
			if (*c != 'o')
				continue;
			const char *list = c[1] ? c + 1 : i + 1 < argc ? argv[++i] : "";
			if (choose_columns(q, list))
				break;
			shell_err(sh, "lsblk: unknown column: %.100s\n", list);
			return false;
		}
	}
	return true;
}

static void show_disk(struct shell *sh, const struct lsblk *q, const struct world_disk *d, size_t n)
{
	char cell[32];
	for (size_t i = 0; i < q->n; i++) {
		const unsigned k = q->columns[i];
		const char *text = cell;
		switch (k) {
		case COLUMN_NAME: text = d->name; break;
		case COLUMN_NUMBER: snprintf(cell, sizeof(cell), "254:%zu", n * 16); break;
		case COLUMN_SIZE:
			snprintf(cell, sizeof(cell), "%lld%s",
				(long long)(q->bytes ? d->gib << 30 : d->gib), q->bytes ? "" : "G");
			break;
		case COLUMN_TYPE: text = "disk"; break;
		case COLUMN_MOUNT: text = n ? "" : "/"; break;
		default: text = "0"; break;
		}
		const bool last = i + 1 == q->n;
		shell_out(sh, "%*s%s", last ? 0 : columns[k].width, text, last ? "\n" : " ");
	}
}

int command_lsblk(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct lsblk q = {.columns = {COLUMN_NAME, COLUMN_NUMBER, COLUMN_RM, COLUMN_SIZE, COLUMN_RO,
				  COLUMN_TYPE, COLUMN_MOUNT},
		.n = COLUMN_COUNT};
	if (!read_options(sh, &q, argc, argv))
		return 1;
	for (size_t i = 0; i < q.n && !q.headless; i++)
		shell_out(sh, "%*s%s", i + 1 < q.n ? columns[q.columns[i]].width : 0,
			columns[q.columns[i]].title, i + 1 < q.n ? " " : "\n");
	for (size_t i = 0; i < g->disks.n; i++)
		show_disk(sh, &q, &g->disks.p[i], i);
	return 0;
}
