/*
 * command.h - the command table: the first argument picks the file that does the work.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* Exit codes everywhere: 0 fine, 1 the thing examined is not fine, 2 could not run. */
enum { EXIT_FINE = 0, EXIT_NOT_FINE = 1, EXIT_COULD_NOT_RUN = 2 };

struct command {
	const char *name;
	const char *summary;               /* one line, for `glasshouse --help`; NULL: not there */
	const char *usage;                 /* the text of `--help`, with an example */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Runs the program; returns its exit code. Thread: main. */
int command_main(int argc, char **argv);

#endif
