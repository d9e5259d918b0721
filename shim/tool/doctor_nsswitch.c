// SPDX-License-Identifier: MIT
/*
 * doctor_nsswitch.c - which modules of nsswitch.conf(5) take lookups away from the shim: it has
 * files and dns; what it meets besides on the way through the `hosts` line is left to libc, whole.
 */
#include "shim/file.h"
#include "shim/nsswitch.h"
#include "shim/tool/doctor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSSWITCH_CONF "/etc/nsswitch.conf"
#define FILE_MAX      ((size_t)4 << 20)
#define WORD_MAX      64

enum place { BEFORE_DNS, AFTER_DNS };

/* Modules that are met in practice, and what to do about them before dns. */
static const struct {
	const char *name, *is, *remedy;
} modules[] = {
	{"resolve", "systemd-resolved's",
	 "put dns before resolve, or take resolve out: its stub at 127.0.0.53 answers dns as well"},
	{"mymachines", "systemd's, for containers", "put it behind dns"},
	{"mdns", "multicast DNS for every name", "use mdns4_minimal [NOTFOUND=return] instead"},
	{"mdns4", "multicast DNS for every name", "use mdns4_minimal [NOTFOUND=return] instead"},
	{"mdns6", "multicast DNS for every name", "use mdns6_minimal [NOTFOUND=return] instead"},
	{"wins", "Samba's, NetBIOS names", "put it behind dns"},
	{"winbind", "Samba's", "put it behind dns"},
	{"sss", "SSSD's", "put it behind dns"},
	{"ldap", "hosts in LDAP", "put it behind dns"},
	{"nis", "hosts in NIS", "put it behind dns"},
	{"libvirt", "virtual machines' names", "put it behind dns"},
	{"libvirt_guest", "virtual machines' names", "put it behind dns"},
};

/* The shim knows these itself, or knows what they do not answer. */
static bool is_known(const char *module)
{
	static const char *const known[] = {"files",	     "dns",	      "mdns_minimal",
					    "mdns4_minimal", "mdns6_minimal", "myhostname"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(module, known[i]) == 0)
			return true;
	return false;
}

/* What becomes of a name that gets to such a module. */
static const char *fate(bool private)
{
	return private ? "refused, as libc would ask in clear text"
		       : "left to libc, uncached and blocking";
}

static void judge(struct doctor *d, const char *module, enum place place, bool private)
{
	const char *is = "another module", *remedy = "put it behind dns";

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (strcmp(module, modules[i].name) == 0) {
			is = modules[i].is;
			remedy = modules[i].remedy;
		}
	if (place == BEFORE_DNS)
		doctor_find(d, DOCTOR_BAD, "nsswitch", remedy,
			    NSSWITCH_CONF ": %s (%s) stands before dns: every name that is not in "
					  "/etc/hosts is %s",
			    module, is, fate(private));
	else
		doctor_find(d, DOCTOR_NOTE, "nsswitch",
			    "write `dns [NOTFOUND=return]` if it has nothing to add",
			    NSSWITCH_CONF ": %s (%s) stands behind dns: names that DNS does not "
					  "have are %s",
			    module, is, fate(private));
}

/* `[NOTFOUND=return]` and the like; `!` turns the meaning round and is not met in practice. */
static bool ends_what_is_not_found(const char *actions, size_t len)
{
	char text[128];
	size_t n = len < sizeof(text) - 1 ? len : sizeof(text) - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)tolower((unsigned char)actions[i]);
	text[n] = '\0';
	return strstr(text, "notfound=return") || strstr(text, "!unavail=return");
}

struct line {
	bool dns, foreign;
};

/* `line` is what follows `hosts:`. */
static struct line walk(struct doctor *d, const char *line, bool private)
{
	struct line met = {false, false};
	bool returns = false;

	for (size_t len; *(line += strspn(line, " \t")); line += len) {
		char module[WORD_MAX];

		if (*line == '[') {
			len = strcspn(line, "]");
			returns |= met.dns && ends_what_is_not_found(line, len);
			len += line[len] == ']';
			continue;
		}
		len = strcspn(line, " \t[");
		(void)snprintf(module, sizeof(module), "%.*s", (int)len, line);
		if (strcmp(module, "dns") == 0) {
			met.dns = true;
		} else if (!is_known(module)) {
			met.foreign = true;
			if (!returns)
				judge(d, module, met.dns ? AFTER_DNS : BEFORE_DNS, private);
		}
	}
	return met;
}

/* The last line of a database counts, as in glibc. */
static char *hosts_line(char *text)
{
	char *found = NULL, *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (strncmp(line, "hosts", 5) == 0 && strchr(": \t", line[5]))
			found = line + 5 + strspn(line + 5, ": \t");
	}
	return found;
}

void doctor_nsswitch(struct doctor *d, bool private)
{
	struct line met = {.dns = true};
	struct nsswitch_plan plan;
	size_t len, before = d->n;
	char *text, *line;

	d->area = "machine";
	if (file_read_text(NSSWITCH_CONF, FILE_MAX, &text, &len) < 0) {
		doctor_find(d, DOCTOR_GOOD, "nsswitch", NULL,
			    "there is no " NSSWITCH_CONF ": files, then dns");
		return;
	}
	nsswitch_parse(text, len, &plan);
	line = hosts_line(text);
	if (line)
		met = walk(d, line, private);
	free(text);
	/* No module is to blame: a mistake for which libc refuses the whole file, or an action that
	 * makes the result depend on several sources. */
	if (!met.foreign && plan.n == 1 && plan.entries[0].module == NSSWITCH_FOREIGN)
		doctor_find(d, DOCTOR_BAD, "nsswitch",
			    "correct the file, or take SUCCESS=continue and SUCCESS=merge out",
			    NSSWITCH_CONF " cannot be followed: every lookup is %s", fate(private));
	else if (!met.dns)
		doctor_find(d, DOCTOR_BAD, "nsswitch", "add dns to the line",
			    NSSWITCH_CONF ": the hosts line has no dns: nothing is asked, and "
					  "nothing cached");
	else if (d->n == before)
		doctor_find(d, DOCTOR_GOOD, "nsswitch", NULL,
			    "no module of " NSSWITCH_CONF " takes lookups away");
}
