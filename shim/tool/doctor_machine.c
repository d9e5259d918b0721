// SPDX-License-Identifier: MIT
/*
 * doctor_machine.c - what this machine and this process's surroundings mean for the shim: the
 * configuration, the clock, privileges and filters.
 */
#include "shim/file.h"
#include "shim/tool/doctor.h"
#include "shim/tool/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#define DAY_S	   86400
#define STATUS_MAX ((size_t)64 << 10)  /* it has one or two KB */
#define FUTURE_S   (25L * 365 * DAY_S) /* no build of this is in use for as long */

/* ---- configuration ---- */

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static void complain(void *ctx, const char *line)
{
	doctor_find(ctx, DOCTOR_BAD, "configuration",
		    "correct it; libnoblockdns(7) has all that is allowed", "%s", line);
}

void doctor_configuration(struct doctor *d, struct config *ret)
{
	static const char *const modes[] = {"on", "observe", "off"};
	struct file_id id;
	size_t len = 0;
	char *text = NULL;
	int r;

	d->area = "configuration";
	r = file_read_head(CONFIG_FILE, CONFIG_FILE_MAX, &text, &len, &id);
	if (r < 0 && r != -ENOENT)
		doctor_find(d, DOCTOR_BAD, "configuration", "make it readable for all",
			    CONFIG_FILE " cannot be read: %s", strerror(-r));
	config_parse(from_environment, NULL, r < 0 ? NULL : text, len, ret, complain, d);
	if (r >= 0)
		free(text);
	if (ret->mode != CONFIG_MODE_ON)
		doctor_find(d, DOCTOR_NOTE, "mode", "set NOBLOCKDNS_MODE=on",
			    "NOBLOCKDNS_MODE is %s: every lookup is libc's", modes[ret->mode]);
	if (doctor_worst(d, d->area) == DOCTOR_GOOD)
		doctor_find(d, DOCTOR_GOOD, "configuration", NULL, "the configuration is valid%s",
			    r < 0 ? " (there is no " CONFIG_FILE ")" : "");
}

/* ---- clock ---- */

void doctor_clock(struct doctor *d)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64] = "?";

	d->area = "machine";
	if (gmtime_r(&now, &tm))
		(void)strftime(text, sizeof(text), "%e %B %Y, %H:%M UTC", &tm);
	if (now < TOOL_DATE || now > TOOL_DATE + FUTURE_S)
		doctor_find(d, DOCTOR_BAD, "clock",
			    "set it (timedatectl set-ntp true): certificates are judged by it",
			    "the clock says %s, which is %s", text,
			    now < TOOL_DATE ? "before this program was made" : "far ahead");
	else
		doctor_find(d, DOCTOR_GOOD, "clock", NULL, "the clock says %s", text);
}

/* ---- process ---- */

/* The number behind `key` in /proc/self/status, or -1. */
static long status_number(const char *text, const char *key)
{
	const char *line = strstr(text, key);

	return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

static void check_seccomp(struct doctor *d)
{
	size_t len;
	char *text;

	if (file_read_text("/proc/self/status", STATUS_MAX, &text, &len) < 0) {
		doctor_find(d, DOCTOR_NOTE, "no-proc", "mount /proc",
			    "/proc cannot be read: a few things are found out more slowly");
		return;
	}
	if (status_number(text, "\nSeccomp:\t") > 0)
		doctor_find(d, DOCTOR_NOTE, "seccomp",
			    "if lookups fail or programs die with SIGSYS here, allow futex, "
			    "epoll_*, eventfd2, memfd_create, statx and clone of threads",
			    "a seccomp filter decides which system calls are allowed here");
	free(text);
}

void doctor_process(struct doctor *d)
{
	const char *preload = getenv("LD_PRELOAD");

	d->area = "machine";
	if (getauxval(AT_SECURE))
		doctor_find(d, DOCTOR_BAD, "at-secure", "start it without set-user-ID",
			    "this process runs with raised privileges: the shim stands aside in "
			    "such");
	if (preload && strstr(preload, "libnoblockdns.so"))
		doctor_find(d, DOCTOR_GOOD, "preloaded", NULL, "LD_PRELOAD names the library: %s",
			    preload);
	check_seccomp(d);
}
