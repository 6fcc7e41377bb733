/* commands.h - what command.c's table points to; each stands in its own file. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const char try_usage[], plan_usage[], sweep_usage[], ledger_usage[], simulate_usage[],
	series_usage[], run_usage[], demo_usage[], config_usage[], doctor_usage[], import_usage[],
	stats_usage[], event_usage[], maintenance_usage[], judge_usage[];
int run_main(int argc, char **argv);
int demo_main(int argc, char **argv);
int try_main(int argc, char **argv);
int plan_main(int argc, char **argv);
int sweep_main(int argc, char **argv);
int ledger_main(int argc, char **argv);
int series_main(int argc, char **argv);
int stats_main(int argc, char **argv);
int config_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int event_main(int argc, char **argv);
int maintenance_main(int argc, char **argv);
int judge_main(int argc, char **argv);
int import_main(int argc, char **argv);
int simulate_main(int argc, char **argv);

#endif
