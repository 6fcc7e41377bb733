/* try.h - the command `try`; see try.c. */
#ifndef CLI_TRY_H
#define CLI_TRY_H

extern const char try_usage[];
int try_main(int argc, char **argv);

#endif
