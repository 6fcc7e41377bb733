/*
 * simulate.c - `glasshouse simulate`: a simulated cloud on loopback, to try scenarios on.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "sim/sim.h"

const char simulate_usage[] =
	"usage: glasshouse simulate [OPTION]...\n"
	"\n"
	"Serves a simulated cloud until Ctrl-C. No privileges needed. More: docs/sim.md\n"
	"\n"
	"  --listen ADDRESS    default 127.0.0.1:0, any free port; the address is printed\n"
	"  --clouds FILE       writes a clouds.yaml with the cloud `sim`\n"
	"  --faults FILE       faults, times, quotas and services (YAML)\n"
	"  --log FILE          every request as a JSON line\n"
	"  --seed N            the same seed and requests give the same run (default 1)\n"
	"  --speed X           drawn times are divided by it (default 1)\n"
	"\n"
	"example: glasshouse simulate --clouds /tmp/sim.yaml &\n"
	"         OS_CLIENT_CONFIG_FILE=/tmp/sim.yaml glasshouse try network-basics --cloud sim\n";

static void on_signal(uv_signal_t *handle, int number)
{
	loop_stop(handle->data);
}

static int serve(struct loop *l, const struct sim_options *o, const char *clouds)
{
	struct error err = {0};
	uv_signal_t signals[2];
	static const int numbers[] = {SIGINT, SIGTERM};
	struct sim *s = sim_new(l, o, &err);
	if (!s || (clouds && !sim_clouds_yaml(s, clouds, &err))) {
		session_print_error(&err);
		sim_free(s);
		return EXIT_COULD_NOT_RUN;
	}
	for (size_t i = 0; i < 2; i++) {
		uv_signal_init(loop_uv(l), &signals[i]);
		signals[i].data = l;
		uv_signal_start(&signals[i], on_signal, numbers[i]);
	}
	printf("%s\nname server 127.0.0.1:%u\n", sim_url(s), sim_name_server_port(s));
	fflush(stdout);
	loop_run(l);
	for (size_t i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&signals[i], NULL);
	sim_free(s);
	uv_run(loop_uv(l), UV_RUN_NOWAIT); /* the signal handles lie on this stack */
	return EXIT_FINE;
}

int simulate_main(int argc, char **argv)
{
	static const struct option table[] = {{"listen", required_argument, NULL, 'l'},
		{"clouds", required_argument, NULL, 'c'}, {"faults", required_argument, NULL, 'f'},
		{"log", required_argument, NULL, 'o'}, {"seed", required_argument, NULL, 's'},
		{"speed", required_argument, NULL, 'x'}, {0}};
	struct sim_options o = {.seed = 1, .speed = 1};
	const char *clouds = NULL;
	int64_t seed = 1;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		bool good = true;
		switch (c) {
		case 'l': o.listen = optarg; break;
		case 'c': clouds = optarg; break;
		case 'f': o.faults = optarg; break;
		case 'o': o.log = optarg; break;
		case 's': good = units_parse_int(slice_of(optarg), &seed) && seed >= 0; break;
		case 'x': good = units_parse_real(slice_of(optarg), &o.speed) && o.speed > 0; break;
		default: return EXIT_COULD_NOT_RUN;
		}
		if (!good) {
			fprintf(stderr, "simulate: \"%s\" is not a number above 0\n", optarg);
			return EXIT_COULD_NOT_RUN;
		}
	}
	o.seed = (uint64_t)seed;
	struct error err = {0};
	struct loop *l = loop_new(NULL, &err);
	if (!l) {
		session_print_error(&err);
		return EXIT_COULD_NOT_RUN;
	}
	const int code = serve(l, &o, clouds);
	loop_free(l);
	return code;
}
