/*
 * session.c - see session.h.
 */

#include "cli/session.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "observe/boots.h"
#include "observe/scenario/scenario.h"
#include "store/facts.h"

void session_print_error(const struct error *err)
{
	char text[ERROR_TEXT + 300];
	fprintf(stderr, "%s\n", error_text(err, text, sizeof(text)));
}

void session_print_errors(const struct error_list *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		session_print_error(&errors->p[i]);
	if (errors->dropped)
		fprintf(stderr, "and %zu more errors\n", errors->dropped);
}

char *session_state_dir(void)
{
	if (geteuid() == 0)
		return mem_strdup("/var/lib/glasshouse");
	const char *xdg = getenv("XDG_STATE_HOME");
	if (xdg && *xdg)
		return mem_printf("%s/glasshouse", xdg);
	const char *home = getenv("HOME");
	if (!home || !*home) {
		const struct passwd *pw = getpwuid(geteuid());
		home = pw ? pw->pw_dir : "/";
	}
	return mem_printf("%s/.local/state/glasshouse", home);
}

/* The default instance: names the machine, so that two machines are two instances. */
char *session_instance(void)
{
	char host[65] = "";
	if (gethostname(host, sizeof(host) - 1) != 0 || !host[0])
		snprintf(host, sizeof(host), "glasshouse");
	host[strcspn(host, ".")] = 0;
	return mem_strdup(host);
}

bool session_option(struct session_options *o, int c, const char *value)
{
	int64_t n;
	switch (c) {
	case 256: o->cloud = value; return true;
	case 257: o->instance = value; return true;
	case 258: o->state = value; return true;
	case 259:
	case 260:
		if (!units_parse_int(slice_of(value), &n) || n < 1 || n > 1000) {
			fprintf(stderr, "--%s: \"%s\" is not a number from 1 to 1000\n",
				c == 259 ? "inflight" : "compute", value);
			return false;
		}
		*(c == 259 ? &o->inflight : &o->compute) = (unsigned)n;
		return true;
	default: return false;
	}
}

static bool open_facts(struct session *s, const struct session_options *o, struct error *err)
{
	s->state = o->state ? mem_strdup(o->state) : session_state_dir();
	s->instance = o->instance ? mem_strdup(o->instance) : session_instance();
	s->own_loop = !o->loop;
	s->loop = o->loop ? o->loop : loop_new(NULL, err);
	if (!s->loop)
		return false;
	s->facts = facts_open(s->state, s->loop, err);
	if (!s->facts)
		return false;
	s->journal = journal_new(s->facts, s->state, err);
	return s->journal && boots_prepare(s->facts, err);
}

static bool open_net(struct session *s, struct error *err)
{
	const struct http_client_options api = {.use_proxy = true, .connections = 64};
	const struct http_client_options fresh = {.fresh = true, .connections = 256};
	s->api = http_client_new(s->loop, &api, err);
	if (!s->api)
		return false;
	s->probes = http_client_new(s->loop, &fresh, err);
	if (!s->probes)
		return false;
	s->resolver = resolver_new(s->loop, NULL, err);
	if (!s->resolver)
		return false;
	s->pinger = pinger_new(s->loop, err);
	if (!s->pinger)
		return false;
	s->ssh = ssh_pool_new(s->loop, err);
	if (!s->ssh)
		return false;
	s->tools = (struct check_tools){
		.loop = s->loop,
		.probes = s->probes,
		.resolver = s->resolver,
		.pinger = s->pinger,
		.ssh = s->ssh,
		.random = &random_system,
	};
	return true;
}

bool session_open_journal(struct session *s, const struct session_options *o)
{
	struct error err = {0};
	memset(s, 0, sizeof(*s));
	if (open_facts(s, o, &err))
		return true;
	session_print_error(&err);
	session_close(s);
	return false;
}

bool session_open_tools(struct session *s, const struct session_options *o)
{
	struct error_list errors = {0};
	struct error err = {0};
	memset(s, 0, sizeof(*s));
	s->kinds = kinds_load(kinds_dirs(), &errors);
	session_print_errors(&errors);
	const bool good = !errors.n;
	error_list_fini(&errors);
	if (good && open_facts(s, o, &err) && open_net(s, &err))
		return true;
	if (good)
		session_print_error(&err);
	session_close(s);
	return false;
}

bool session_open(struct session *s, const struct session_options *o)
{
	struct error_list errors = {0};
	const struct cloud_options limits = {.inflight = o->inflight, .compute = o->compute};
	struct cloud_config *config = cloud_config_load(o->cloud, &errors);
	session_print_errors(&errors);
	error_list_fini(&errors);
	if (!config)
		return false;
	if (!session_open_tools(s, o)) {
		cloud_config_free(config);
		return false;
	}
	s->config = config;
	s->cloud = s->tools.cloud = cloud_new(s->loop, s->api, s->config, &limits);
	return true;
}

void session_close(struct session *s)
{
	if (s->cloud)
		cloud_free(s->cloud);
	if (s->ssh)
		ssh_pool_free(s->ssh);
	if (s->pinger)
		pinger_free(s->pinger);
	if (s->resolver)
		resolver_free(s->resolver);
	if (s->probes)
		http_client_free(s->probes);
	if (s->api)
		http_client_free(s->api);
	if (s->journal)
		journal_free(s->journal);
	if (s->facts)
		facts_close(s->facts);
	if (s->own_loop)
		loop_free(s->loop);
	if (s->config)
		cloud_config_free(s->config);
	if (s->kinds)
		kinds_free(s->kinds);
	free(s->instance);
	free(s->state);
	memset(s, 0, sizeof(*s));
}
