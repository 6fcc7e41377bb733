/*
 * demo.c - `glasshouse demo`: everything `run` does, against a simulated cloud of its own, with
 * nothing to configure and no privileges.
 *
 * The cloud is a child process, so that what is measured is not our own loop. Its state stands in
 * a directory that goes with it. With --faults it falls ill as a short story tells.
 */

#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/running.h"

const char demo_usage[] =
	"usage: glasshouse demo [OPTION]...\n"
	"\n"
	"Starts a simulated cloud on loopback and watches it: probes of its services every 5 seconds,\n"
	"the scenario server-login every minute, a page. Nothing to configure, no privileges; its\n"
	"pages say \"simulated\".\n"
	"\n"
	"  --faults            plays a short story of faults: slow, broken, forbidden, well again\n"
	"  --public ADDRESS    where the page is served (default 127.0.0.1:8090)\n"
	"  --intake ADDRESS    where operators and metrics are served (default 127.0.0.1:8091)\n"
	"  --state DIR         keeps what was seen there (default: a directory that goes at the end)\n"
	"  --seed N            another simulated cloud (default 1)\n"
	"\n"
	"example: glasshouse demo --faults\n"
	"exit: 0 stopped, 2 could not run\n";

#define START_TRIES 500 /* of 20 ms */

/* The story: what the cloud does, and what a reader of the page should see. */
static const struct chapter {
	const char *from, *to, *fault, *text;
} story[] = {
	{"40s", "95s", "{service: compute, method: GET, effect: latency, time: 2s}",
		"the compute service answers two seconds late: Compute should become degraded"},
	{"110s", "170s", "{service: volume, effect: status, status: 503}",
		"the volume service is down: Block storage should become an outage"},
	{"190s", "245s", "{service: network, effect: status, status: 403}",
		"our account may not use the network service: Network should become unknown, "
		"since that says nothing of the cloud"},
	{"260s", NULL, NULL, "all is well again, and stays so"},
};

#define CHAPTERS (sizeof(story) / sizeof(story[0]))

struct demo {
	char *place; /* directory of clouds.yaml, faults and, without --state, the state */
	const char *state;
	const char *seed;
	pid_t cloud;
	struct running *running;
	struct timer chapters[CHAPTERS];
};

/* --- files ----------------------------------------------------------------------------------- */

static bool write_file(const struct demo *d, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", d->place, name);
	FILE *f = fopen(path, "we");
	bool good = f && fputs(text, f) >= 0;
	good = (f && fclose(f) == 0) && good;
	if (!good)
		fprintf(stderr, "demo: cannot write %s: %s\n", path, strerror(errno));
	free(path);
	return good;
}

static bool write_config(const struct demo *d)
{
	struct buf text = BUF(BUF_LINE);
	buf_printf(&text,
		"site: {name: Simulated Cloud, languages: [en, de]}\n"
		"location: this-machine\n"
		"store: \"sqlite:%s\"\n"
		"judge: {minimum: 20s}\n"
		"clouds:\n"
		"  sim: {every: 5s, timeout: 4s, slow: 1s}\n"
		"scenarios:\n"
		"  - {use: server-login, cloud: sim, every: 1m}\n",
		d->state);
	const bool good = write_file(d, "glasshouse.yaml", buf_str(&text));
	buf_fini(&text);
	return good;
}

static bool write_story(const struct demo *d)
{
	struct buf text = BUF(BUF_LINE);
	buf_add_str(&text, "faults:\n");
	for (size_t i = 0; i < CHAPTERS; i++) {
		const struct chapter *c = &story[i];
		if (!c->fault)
			continue;
		buf_printf(&text, "- {from: %s, to: %s, %s\n", c->from, c->to, c->fault + 1);
	}
	const bool good = write_file(d, "faults.yaml", buf_str(&text));
	buf_fini(&text);
	return good;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	remove(path);
	return 0;
}

/* --- the cloud ------------------------------------------------------------------------------- */

static void become_cloud(const struct demo *d, bool faults)
{
	char *clouds = mem_printf("%s/clouds.yaml", d->place);
	char *file = mem_printf("%s/faults.yaml", d->place);
	const char *arguments[] = {"glasshouse", "simulate", "--clouds", clouds, "--seed", d->seed,
		faults ? "--faults" : NULL, file, NULL};
	setsid(); /* Ctrl-C is for the demo, which tears down first and needs its cloud */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (freopen("/dev/null", "w", stdout))
		execv("/proc/self/exe", (char *const *)arguments);
	_exit(127);
}

/* It is up once its clouds.yaml is there, which comes as a whole. */
static bool wait_for_cloud(struct demo *d)
{
	char *clouds = mem_printf("%s/clouds.yaml", d->place);
	bool good = false;
	for (int i = 0; i < START_TRIES && !good; i++) {
		good = access(clouds, R_OK) == 0;
		if (!good && waitpid(d->cloud, NULL, WNOHANG) != 0) {
			d->cloud = 0;
			break;
		}
		if (!good)
			poll(NULL, 0, 20);
	}
	if (good)
		setenv("OS_CLIENT_CONFIG_FILE", clouds, 1);
	else
		fputs("demo: the simulated cloud did not start\n", stderr);
	free(clouds);
	return good;
}

static bool start_cloud(struct demo *d, bool faults)
{
	d->cloud = fork();
	if (d->cloud == 0)
		become_cloud(d, faults);
	if (d->cloud < 0) {
		fprintf(stderr, "demo: fork: %s\n", strerror(errno));
		return false;
	}
	return wait_for_cloud(d);
}

/* --- the story ------------------------------------------------------------------------------- */

static void on_chapter(struct timer *t)
{
	struct demo *d = t->arg;
	running_say(d->running, "story: %s", story[t - d->chapters].text);
}

static void tell_story(struct demo *d)
{
	for (size_t i = 0; i < CHAPTERS; i++) {
		int64_t from;
		if (units_parse_time(slice_of(story[i].from), &from))
			timer_start(d->running->session.loop, &d->chapters[i], from, on_chapter, d);
	}
}

static void end_story(struct demo *d)
{
	for (size_t i = 0; i < CHAPTERS; i++)
		timer_cancel(&d->chapters[i]);
}

/* --- all of it ------------------------------------------------------------------------------- */

static int watch(struct demo *d, const struct running_options *options, bool faults)
{
	d->running = running_open(options);
	if (!d->running)
		return EXIT_COULD_NOT_RUN;
	puts(faults ? "a simulated cloud, and a story of faults; Ctrl-C ends both"
		    : "a simulated cloud; Ctrl-C ends it. Try --faults too");
	fflush(stdout);
	if (faults)
		tell_story(d);
	run_until_stopped(d->running);
	end_story(d);
	running_close(d->running);
	return EXIT_FINE;
}

static int make(struct demo *d, struct running_options *options, bool faults)
{
	char template[] = "/tmp/glasshouse-demo-XXXXXX";
	int code = EXIT_COULD_NOT_RUN;
	if (!mkdtemp(template)) {
		fprintf(stderr, "demo: cannot make a directory in /tmp: %s\n", strerror(errno));
		return code;
	}
	d->place = mem_strdup(template);
	char *state = d->state ? NULL : mem_printf("%s/state", d->place);
	char *config = mem_printf("%s/glasshouse.yaml", d->place);
	d->state = d->state ? d->state : state;
	options->config = config;
	if (write_config(d) && write_story(d) && start_cloud(d, faults))
		code = watch(d, options, faults);
	if (d->cloud > 0) {
		kill(d->cloud, SIGTERM);
		waitpid(d->cloud, NULL, 0);
	}
	nftw(d->place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(d->place);
	free(state);
	free(config);
	return code;
}

int demo_main(int argc, char **argv)
{
	static const struct option table[] = {{"faults", no_argument, NULL, 'f'},
		{"public", required_argument, NULL, 'p'}, {"intake", required_argument, NULL, 'i'},
		{"state", required_argument, NULL, 'd'}, {"seed", required_argument, NULL, 's'},
		{0}};
	struct demo d = {.seed = "1"};
	struct running_options o = {.simulated = true, .instance = "demo"};
	bool faults = false;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'f': faults = true; break;
		case 'p': o.public_address = optarg; break;
		case 'i': o.intake_address = optarg; break;
		case 'd': d.state = optarg; break;
		case 's': d.seed = optarg; break;
		default: return EXIT_COULD_NOT_RUN;
		}
	}
	if (optind != argc) {
		fputs("demo takes options only; see `glasshouse demo --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return make(&d, &o, faults);
}
