/* main.c - the door: hands the arguments to the command table, nothing else. */

#include "cli/command.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
