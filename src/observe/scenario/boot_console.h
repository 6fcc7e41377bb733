/*
 * boot_console.h - why a guest cannot be logged in to, read from what it wrote on its console.
 *
 * Knows what firmware, kernel, dracut, systemd, cloud-init, ifupdown, NetworkManager,
 * systemd-networkd, dhclient, dhcpcd, udhcpc and CirrOS write. Consoles are written by customers'
 * guests: what stands there is a clue, never a proof, and is not trusted. Thread: any.
 */
#ifndef OBSERVE_SCENARIO_BOOT_CONSOLE_H
#define OBSERVE_SCENARIO_BOOT_CONSOLE_H

#include "base/slice.h"

/* In the order of a boot: the first one that went wrong explains the rest. */
enum boot_cause {
	BOOT_UNKNOWN,     /* nothing in it tells of anything wrong */
	BOOT_SILENT,      /* there is nothing in it at all */
	BOOT_NO_DISK,     /* firmware or kernel found nothing to boot from */
	BOOT_PANIC,       /* the kernel stopped */
	BOOT_NO_DHCP,     /* no address */
	BOOT_NO_METADATA, /* the metadata service did not answer */
	BOOT_NO_DNS,      /* names could not be resolved */
	BOOT_NO_KEY,      /* no SSH key was installed */
	BOOT_CAUSE_COUNT
};

#define BOOT_LINE_MAX 200         /* bytes of a line that is shown */
#define BOOT_LOG_MAX  (32u << 10) /* bytes of a log that are looked at, its last ones */

/* *ret_line is the line that says so, cut to BOOT_LINE_MAX, borrowed of `log`; empty when none
 * does. Looks at the last boot in it: what stands before the last start of a kernel is history. */
enum boot_cause boot_console_cause(struct slice log, struct slice *ret_line);
const char *boot_cause_name(enum boot_cause c); /* "no_dhcp" */
const char *boot_cause_text(enum boot_cause c); /* for people: "the guest got no address by DHCP" */

#endif
