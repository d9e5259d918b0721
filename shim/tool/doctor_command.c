// SPDX-License-Identifier: MIT
/*
 * doctor_command.c - can this command be wrapped? From a name to a file, as execvp(3) finds it;
 * what the kernel makes of the file (permissions, privileges); then the program in it, or the one
 * that runs it.
 */
#include "shim/tool/doctor.h"
#include "shim/tool/shebang.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DEPTH_MAX  6 /* scripts that run scripts; Linux gives up after 5 (BINPRM_MAX_RECURSION) */
#define PATH_UNSET "/bin:/usr/bin" /* of execvp(3) */

/* Programs that start others with an environment of their own making, or somewhere else. */
static const struct {
	const char *name, *does, *remedy;
} wrappers[] = {
	{"sudo", "takes LD_PRELOAD out of the environment", "sudo noblockdns run -- CMD"},
	{"doas", "takes LD_PRELOAD out of the environment", "doas noblockdns run -- CMD"},
	{"pkexec", "takes LD_PRELOAD out of the environment", "pkexec noblockdns run -- CMD"},
	{"su", "takes LD_PRELOAD out of the environment where it is set-user-ID, and with --login",
	 "su USER -c 'noblockdns run -- CMD'"},
	{"runuser", "gives a new environment with --login",
	 "runuser -u USER -- noblockdns run -- CMD"},
	{"setpriv", "empties the environment with --reset-env",
	 "setpriv OPTIONS noblockdns run -- CMD"},
	{"systemd-run", "has the service manager start the command, with the manager's environment",
	 "systemd-run noblockdns run -- CMD"},
	{"machinectl", "starts the command in a container",
	 "install libnoblockdns there, and run noblockdns there"},
	{"docker", "starts the command in a container, with the container's environment",
	 "install libnoblockdns in the image, and set LD_PRELOAD there (ENV)"},
	{"podman", "starts the command in a container, with the container's environment",
	 "install libnoblockdns in the image, and set LD_PRELOAD there (ENV)"},
	{"flatpak", "starts the command in a sandbox with libraries of its own",
	 "install libnoblockdns there"},
	{"snap", "starts the command in a sandbox with libraries of its own",
	 "install libnoblockdns there"},
	{"ssh", "starts the command on another machine; its own lookups can be wrapped",
	 "ssh HOST noblockdns run -- CMD"},
	{"at", "starts the command later, from a daemon", "at: noblockdns run -- CMD"},
	{"batch", "starts the command later, from a daemon", "batch: noblockdns run -- CMD"},
	{"crontab", "has a daemon start the command", "write noblockdns run -- CMD into the table"},
	{"chroot", "starts the command where the library may not be seen",
	 "install libnoblockdns under the new root, too"},
};

static void check_wrapper(struct doctor *d, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
		if (strcmp(base, wrappers[i].name) == 0)
			doctor_find(d, DOCTOR_NOTE, "wrapper", wrappers[i].remedy,
				    "%s runs other commands, and %s", path, wrappers[i].does);
}

/* ---- finding the file ---- */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp(3): the first in PATH that can be executed. */
static bool find_in_path(const char *name, char ret[PATH_MAX])
{
	const char *path = getenv("PATH");
	size_t len;

	for (path = path ? path : PATH_UNSET;; path += len + 1) {
		int n;

		len = strcspn(path, ":");
		n = snprintf(ret, PATH_MAX, "%.*s%s%s", (int)len, path, len ? "/" : "", name);
		if (n < PATH_MAX && is_program(ret))
			return true;
		if (path[len] == '\0')
			return false;
	}
}

/* False: there is nothing to look at, and it has been said why. */
static bool check_file(struct doctor *d, const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0) {
		doctor_find(d, DOCTOR_BAD, "not-found", "check how it is spelt", "%s: %s", path,
			    strerror(errno));
		return false;
	}
	if (!S_ISREG(ret->st_mode)) {
		doctor_find(d, DOCTOR_BAD, "not-executable", "name a file", "%s is not a file",
			    path);
		return false;
	}
	if (access(path, X_OK) < 0)
		doctor_find(d, DOCTOR_BAD, "not-executable", "chmod +x, if it is a program",
			    "%s cannot be executed: %s", path, strerror(errno));
	return true;
}

/* ---- privileges ---- */

#define ASIDE                                                                                      \
	"there is no way to preload into it; what it looks up often can be cached by a local "     \
	"resolver instead"

/* A program that gains privileges when it starts is a stranger to LD_PRELOAD (AT_SECURE, ld.so(8)).
 */
static void check_privileges(struct doctor *d, const char *path, const struct stat *st)
{
	struct statvfs fs;
	bool sets_uid = (st->st_mode & S_ISUID) != 0;
	bool sets_gid = (st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP);

	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID))
		return;
	if (sets_uid)
		doctor_find(d, st->st_uid == geteuid() ? DOCTOR_NOTE : DOCTOR_BAD, "setuid", ASIDE,
			    "%s runs as user %u, whoever starts it (set-user-ID): the loader "
			    "ignores the library for all others",
			    path, (unsigned)st->st_uid);
	if (sets_gid)
		doctor_find(d, st->st_gid == getegid() ? DOCTOR_NOTE : DOCTOR_BAD, "setgid", ASIDE,
			    "%s runs as group %u, whoever starts it (set-group-ID): the loader "
			    "ignores the library for all others",
			    path, (unsigned)st->st_gid);
	if (getxattr(path, "security.capability", NULL, 0) > 0)
		doctor_find(d, geteuid() == 0 ? DOCTOR_NOTE : DOCTOR_BAD, "capabilities",
			    "give it the capabilities in another way: AmbientCapabilities= of "
			    "systemd, or setpriv --ambient-caps",
			    "%s has file capabilities: the loader ignores the library for all "
			    "users but root",
			    path);
}

/* ---- programs and scripts ---- */

static void examine(struct doctor *d, const char *command, unsigned depth);

static void examine_script(struct doctor *d, const char *path, const struct elf_file *file,
			   unsigned depth)
{
	struct shebang shebang;

	if (!shebang_parse(file->data, file->len, &shebang)) {
		doctor_find(d, DOCTOR_NOTE, "no-interpreter",
			    "begin it with #! and the path of its interpreter",
			    "%s is no program, and names none: shells take it for a script of "
			    "/bin/sh",
			    path);
		examine(d, "/bin/sh", depth + 1);
		return;
	}
	doctor_find(d, DOCTOR_GOOD, "script", NULL, "%s is a script, run by %s", path,
		    shebang.program);
	if (shebang.env_clears)
		doctor_find(d, DOCTOR_BAD, "environment-cleared",
			    "take that out of its first line, or start the interpreter by "
			    "noblockdns run",
			    "the first line of %s has env take LD_PRELOAD out of the environment",
			    path);
	if (!shebang.by_env && strchr(shebang.program, '/') == NULL)
		doctor_find(d, DOCTOR_NOTE, "relative-interpreter", "give the whole path",
			    "the interpreter of %s is looked for in the current folder", path);
	examine(d, shebang.program, depth + 1);
}

static void examine_file(struct doctor *d, const char *path, unsigned depth)
{
	struct elf_file file;
	struct stat st;
	int r;

	if (!check_file(d, path, &st))
		return;
	check_wrapper(d, path);
	check_privileges(d, path, &st);
	r = elf_file_open(path, &file);
	if (r == -ENODATA) {
		doctor_find(d, DOCTOR_BAD, "empty", "install it anew", "%s is empty", path);
		return;
	}
	if (r < 0) {
		doctor_find(d, DOCTOR_BAD, "unreadable", "run noblockdns doctor as a user who may",
			    "%s cannot be read, so nobody knows what it is: %s", path,
			    strerror(-r));
		return;
	}
	if (!doctor_program(d, path, &file))
		examine_script(d, path, &file, depth);
	elf_file_close(&file);
}

static void examine(struct doctor *d, const char *command, unsigned depth)
{
	char path[PATH_MAX];

	if (depth == DEPTH_MAX)
		doctor_find(d, DOCTOR_BAD, "too-deep", "name the interpreter itself",
			    "%s: scripts that run scripts, deeper than Linux allows", command);
	else if (strchr(command, '/'))
		examine_file(d, command, depth);
	else if (find_in_path(command, path))
		examine_file(d, path, depth);
	else
		doctor_find(d, DOCTOR_BAD, "not-found", "check how it is spelt, and PATH",
			    "%s is not found in PATH", command);
}

void doctor_command(struct doctor *d, const char *command)
{
	d->area = "command";
	examine(d, command, 0);
	if (doctor_worst(d, d->area) != DOCTOR_BAD)
		doctor_find(d, DOCTOR_GOOD, "wrappable", NULL, "%s can be wrapped", command);
}
