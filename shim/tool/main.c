// SPDX-License-Identifier: MIT
/*
 * main.c - `noblockdns VERB ...`: finds the verb and leaves the rest to it. What was printed must
 * have arrived: a full disk under stdout is trouble, not success.
 */
#include "shim/tool/say.h"
#include "shim/tool/verb.h"
#include "shim/tool/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where standard streams are closed, the next files that are opened would take their places, and a
 * report what is meant for a terminal. These can be neither read nor written; a command that is
 * executed finds the streams closed as they were. */
static void keep_places(void)
{
	int fd;

	do
		fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

static int dispatch(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		return say_usage("which verb? (see noblockdns --help)");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_command();
		return TOOL_FINE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("noblockdns " TOOL_VERSION);
		return TOOL_FINE;
	}
	verb = verb_find(argv[1]);
	return verb ? verb->run(verb, argc - 1, argv + 1) : verb_unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	keep_places();
	status = dispatch(argc, argv);
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout))
		return say_trouble("cannot write the output: %s", strerror(errno ? errno : EIO));
	return status;
}
