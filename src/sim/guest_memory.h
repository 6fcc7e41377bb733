/*
 * guest_memory.h - what a simulated guest has done since it booted: files it wrote, programs that
 * run, addresses and rules it added. A reboot forgets it all. Thread: the guests'.
 */
#ifndef SIM_GUEST_MEMORY_H
#define SIM_GUEST_MEMORY_H

#include "base/map.h"
#include "base/vec.h"
#include "sim/guest_shell.h"

#define GUEST_CARDS        "/sys/class/net"
#define MEMORY_FILES_MAX   256
#define MEMORY_RULES_MAX   4096
#define MEMORY_PROGRAM_MAX 64

struct program { /* one that stays, and serves a port */
	unsigned pid, port;
};

struct memory_address {
	char text[IP_TEXT + 8]; /* "10.0.0.9/32" */
	char device[16];
};

struct guest_memory {
	unsigned boots;
	unsigned next_pid;
	struct map files;       /* path -> owned text */
	struct map directories; /* path -> itself */
	VEC(struct program) programs;
	VEC(struct memory_address) addresses;
	VEC(char *)
	rules; /* of iptables: "nat glasshouse-in -p tcp …"; a chain: "nat glasshouse-in" */
};

/* All guests', by id; owned values. */
void guest_memories_fini(struct map *memories);

/* Files: of the memory, of the disk, and those that the system makes up (/proc). Paths may be
 * relative to the shell's directory. */
bool guest_file_read(const struct shell *sh, const char *path, struct buf *ret);
bool guest_file_exists(const struct shell *sh, const char *path); /* a directory too */
/* False: not allowed, or too many. */
bool guest_file_write(struct shell *sh, const char *path, struct slice text, bool append);
char *guest_path(const struct shell *sh, const char *path); /* absolute, owned */
/* A file or a directory and all in it; false: there was none. */
bool guest_file_remove(struct shell *sh, const char *path);

#endif
