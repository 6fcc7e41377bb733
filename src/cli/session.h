/*
 * session.h - what every command that talks to a cloud needs, opened in order and closed in
 * reverse.
 *
 * Thread: main, which is the loop's.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "observe/scenario/check.h"
#include "observe/scenario/journal.h"

struct session_options {
	const char *cloud;    /* NULL: OS_CLOUD, or the only one */
	const char *instance; /* NULL: the host's name */
	const char *state;    /* NULL: session_state_dir() */
	unsigned inflight, compute;
	struct loop *loop; /* borrows; NULL: one of its own */
};

struct session {
	struct loop *loop;
	bool own_loop;
	struct kinds *kinds;
	struct cloud_config *config;
	struct http_client *api, *probes;
	struct cloud *cloud;
	struct resolver *resolver;
	struct pinger *pinger;
	struct ssh_pool *ssh;
	struct facts *facts;
	struct journal *journal;
	struct check_tools tools;
	char *instance, *state;
};

/* Prints every error and returns false when something is not there; then nothing needs closing. */
bool session_open(struct session *s, const struct session_options *o);
/* All but a cloud, for who watches several: tools.cloud is NULL. */
bool session_open_tools(struct session *s, const struct session_options *o);
void session_close(struct session *s);
/* The journal alone, without a cloud (ledger). */
bool session_open_journal(struct session *s, const struct session_options *o);

/* /var/lib/glasshouse for root, else $XDG_STATE_HOME/glasshouse or ~/.local/state/glasshouse.
 * Returns owned. */
char *session_state_dir(void);
/* The host's name, without its domain. Returns owned. */
char *session_instance(void);
/* Errors as `file:line:col: message` on stderr, and how many more there were. */
void session_print_errors(const struct error_list *errors);
void session_print_error(const struct error *err);

/*
 * Options common to those commands: --cloud --instance --state --inflight --compute. Use in a
 * getopt_long loop: SESSION_LONG_OPTIONS in the table, session_option() for what it does not know.
 */
#define SESSION_LONG_OPTIONS                                                                       \
	{"cloud", required_argument, NULL, 256}, {"instance", required_argument, NULL, 257},       \
		{"state", required_argument, NULL, 258},                                           \
		{"inflight", required_argument, NULL, 259},                                        \
	{                                                                                          \
		"compute", required_argument, NULL, 260                                            \
	}
bool session_option(struct session_options *o, int c, const char *value);
#define SESSION_USAGE                                                                              \
	"  --cloud NAME        the cloud of clouds.yaml (default: OS_CLOUD, or the only one)\n"    \
	"  --instance NAME     who we are in every mark we leave (default: the host's name)\n"     \
	"  --state DIR         where facts.db and series/ stand\n"                                 \
	"  --inflight N        requests under way at once (default 8)\n"                           \
	"  --compute N         of them to nova (default 4)\n"

#endif
