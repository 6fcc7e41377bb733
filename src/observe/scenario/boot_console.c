#include "observe/scenario/boot_console.h"

#include <string.h>

#include "base/mem.h"

struct clue {
	enum boot_cause cause;
	const char *text;     /* stands in the line, whose letters are lower-case */
	const char *and_text; /* and this one; NULL: nothing more */
};

static const struct clue clues[] = {
	{BOOT_NO_DISK, "no bootable device", NULL},
	{BOOT_NO_DISK, "boot failed: not a bootable disk", NULL},
	{BOOT_NO_DISK, "could not read the boot disk", NULL},
	{BOOT_NO_DISK, "unable to mount root fs", NULL},
	{BOOT_NO_DISK, "cannot open root device", NULL},
	{BOOT_NO_DISK, "gave up waiting for root", NULL},
	{BOOT_NO_DISK, "error: no such device", NULL},
	{BOOT_NO_DISK, "error: unknown filesystem", NULL},
	{BOOT_NO_DISK, "dracut-initqueue", "could not boot"},
	{BOOT_NO_DISK, "warning: /dev/disk/by-", "does not exist"},
	{BOOT_PANIC, "kernel panic", NULL},
	{BOOT_PANIC, "end kernel panic", NULL},
	{BOOT_PANIC, "you are in emergency mode", NULL},
	{BOOT_PANIC, "entering emergency mode", NULL},
	{BOOT_PANIC, "not syncing", NULL},
	{BOOT_NO_DHCP, "no dhcpoffers received", NULL},
	{BOOT_NO_DHCP, "no working leases in persistent database", NULL},
	{BOOT_NO_DHCP, "udhcpc: no lease", NULL},
	{BOOT_NO_DHCP, "no lease, failing", NULL},
	{BOOT_NO_DHCP, "no lease, forking to background", NULL},
	{BOOT_NO_DHCP, "no dhcp lease", NULL},
	{BOOT_NO_DHCP, "dhcp4", "request timed out"},
	{BOOT_NO_DHCP, "dhclient", "timed out"},
	{BOOT_NO_DHCP, "dhcpcd", "timed out"},
	{BOOT_NO_DHCP, "ci-info", "route info failed"},
	{BOOT_NO_DHCP, "failed to start", "raise network interfaces"},
	{BOOT_NO_DHCP, "failed to start", "wait for network to be configured"},
	{BOOT_NO_METADATA, "no metadata", NULL},
	{BOOT_NO_METADATA, "no active metadata service found", NULL},
	{BOOT_NO_METADATA, "datasourcenone", NULL},
	{BOOT_NO_METADATA, "used fallback datasource", NULL},
	{BOOT_NO_METADATA, "giving up on md from", NULL},
	{BOOT_NO_METADATA, "failed to get http://169.254.169.254", NULL},
	{BOOT_NO_METADATA, "no results found for mode=", NULL},
	{BOOT_NO_METADATA, "no instance datasource found", NULL},
	{BOOT_NO_METADATA, "169.254.169.254", "timed out"},
	{BOOT_NO_METADATA, "169.254.169.254", "no route to host"},
	{BOOT_NO_METADATA, "169.254.169.254", "network is unreachable"},
	{BOOT_NO_METADATA, "169.254.169.254", "bad status code"},
	{BOOT_NO_METADATA, "169.254.169.254", "connection refused"},
	{BOOT_NO_DNS, "temporary failure in name resolution", NULL},
	{BOOT_NO_DNS, "temporary failure resolving", NULL},
	{BOOT_NO_DNS, "could not resolve host", NULL},
	{BOOT_NO_DNS, "name or service not known", NULL},
	{BOOT_NO_DNS, "bad address '", NULL},
	{BOOT_NO_KEY, "no ssh key", NULL},
	{BOOT_NO_KEY, "no authorized ssh keys fingerprints found", NULL},
	{BOOT_NO_KEY, "no authorized_keys", NULL},
};

/* The first thing a kernel says; firmware that comes before it is looked at when no kernel starts.
 */
static const char *const starts[] = {"] linux version ", "syslinux ", "seabios (version"};

/* All below look at a copy in lower-case letters, of the same length. */
static bool has(struct slice line, const char *text)
{
	return memmem(line.p, line.n, text, strlen(text)) != NULL;
}

static struct slice last_boot(struct slice log)
{
	struct slice rest = log, line, from = log;
	bool kernel = true; /* of the boot at hand: firmware begins another one only after it */
	while (slice_next(&rest, '\n', &line)) {
		const bool firmware = has(line, starts[1]) || has(line, starts[2]);
		if (has(line, starts[0]) ? kernel : firmware && kernel)
			from = slice_from(line.p, (size_t)(log.p + log.n - line.p));
		kernel = has(line, starts[0]) || (kernel && !firmware);
	}
	return from;
}

static enum boot_cause cause_of(struct slice line)
{
	for (size_t i = 0; i < array_len(clues); i++)
		if (has(line, clues[i].text) &&
			(!clues[i].and_text || has(line, clues[i].and_text)))
			return clues[i].cause;
	return BOOT_UNKNOWN;
}

/* The first line of the earliest thing that went wrong. */
static enum boot_cause first_cause(struct slice low, struct slice *ret_line)
{
	enum boot_cause first = BOOT_UNKNOWN;
	struct slice rest = last_boot(low), line;
	while (slice_next(&rest, '\n', &line)) {
		const enum boot_cause c = cause_of(line);
		if (c == BOOT_UNKNOWN || (first != BOOT_UNKNOWN && c >= first))
			continue;
		first = c;
		*ret_line = line;
	}
	return first;
}

enum boot_cause boot_console_cause(struct slice log, struct slice *ret_line)
{
	*ret_line = (struct slice){0};
	if (!slice_trim(log).n)
		return BOOT_SILENT;
	if (log.n > BOOT_LOG_MAX)
		log = slice_sub(log, log.n - BOOT_LOG_MAX, BOOT_LOG_MAX);
	char *low = slice_dup(log);
	for (size_t i = 0; i < log.n; i++)
		low[i] = (char)(low[i] >= 'A' && low[i] <= 'Z' ? low[i] | 0x20 : low[i]);
	struct slice line = {0};
	const enum boot_cause cause = first_cause(slice_from(low, log.n), &line);
	if (cause != BOOT_UNKNOWN)
		*ret_line = slice_trim(slice_sub(log, (size_t)(line.p - low), line.n));
	if (ret_line->n > BOOT_LINE_MAX)
		ret_line->n = BOOT_LINE_MAX;
	free(low);
	return cause;
}

const char *boot_cause_name(enum boot_cause c)
{
	static const char *const names[BOOT_CAUSE_COUNT] = {"unknown", "silent", "no_disk", "panic",
		"no_dhcp", "no_metadata", "no_dns", "no_key"};
	return names[c];
}

const char *boot_cause_text(enum boot_cause c)
{
	static const char *const texts[BOOT_CAUSE_COUNT] = {
		"the guest's console tells of nothing wrong", "the guest's console is empty",
		"the guest found nothing to boot from", "the guest's kernel stopped",
		"the guest got no address by DHCP",
		"the guest got no answer from the metadata service",
		"the guest could not resolve names", "the guest was given no SSH key"};
	return texts[c];
}
