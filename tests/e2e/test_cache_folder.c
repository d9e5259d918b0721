// SPDX-License-Identifier: MIT
/*
 * test_cache_folder.c - where the shared cache lives, when something is wrong with that place: the
 * lookup is right all the same, the reason is logged once where somebody asked for it, and nothing
 * is said where nobody did.
 */
#include "tests/e2e/shim_run.h"

#include "shim/cache_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr *.many.test 300 A 192.0.2.2\n"

#define NOBODY	    65534
#define FOLDER	    "/dev/shm/noblockdns.0"
#define TEXT(x)	    #x
#define NUMBER(x)   TEXT(x)
#define FILE_NAME   "cache-v" NUMBER(CACHE_LAYOUT)
#define ANSWER	    "www.test: 192.0.2.1\n"
#define LOOKUP(...) SHIM_ARGV("clients/lookup", "-4", __VA_ARGS__)

/* With the log on the reason comes once, however many lookups; without, nothing comes. */
static void serves_and_says(const char *setting, const char *reason)
{
	shim_run(SHIM_ENV("NOBLOCKDNS_LOG=warn", setting), LOOKUP("-n3", "www.test"));
	lab_assert_int(shim_got.signal, 0);
	lab_assert_str(shim_got.out, ANSWER ANSWER ANSWER);
	shim_warned(reason);
}

static void serves_in_silence(const char *setting)
{
	shim_says(SHIM_ENV(setting), LOOKUP("-n3", "www.test"), ANSWER ANSWER ANSWER);
}

/* A setting that changes nothing, for the default place. */
#define DEFAULT_PLACE "NOBLOCKDNS_CACHE="

/* It stands in the way for good: every process finds it so. */
static void is_refused(struct lab_dns *dns, const char *setting, const char *reason)
{
	lab_dns_reset_counts(dns);
	serves_and_says(setting, reason);
	serves_in_silence(setting);
	/* a private cache each */
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

/* The first process puts a new one in its place, which the second one uses. */
static void is_replaced(struct lab_dns *dns, const char *setting, const char *reason)
{
	lab_dns_reset_counts(dns);
	serves_and_says(setting, reason);
	shim_says(SHIM_ENV("NOBLOCKDNS_LOG=warn", setting), LOOKUP("www.test"), ANSWER);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

static const char *place(const struct lab_world *w, const char *name)
{
	static char setting[256];

	snprintf(setting, sizeof setting, "NOBLOCKDNS_CACHE=%s/%s", lab_world_dir(w), name);
	return setting;
}

static const char *path_of(const char *setting)
{
	return strchr(setting, '=') + 1;
}

static void write_bytes(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	lab_assert(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

/* ---- the default place ---- */

LabTest(cache_folder, is_made_for_the_user_alone)
{
	struct stat st;

	lab_dns_start_text(w, ZONE);
	serves_in_silence(DEFAULT_PLACE);
	lab_assert(lstat(FOLDER, &st) == 0 && S_ISDIR(st.st_mode));
	lab_assert_int(st.st_mode & 07777, 0700);
	lab_assert(lstat(FOLDER "/" FILE_NAME, &st) == 0 && S_ISREG(st.st_mode));
	lab_assert_int(st.st_mode & 07777, 0600);
}

LabTest(cache_folder, symbolic_link_is_not_followed)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	char elsewhere[256];

	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", lab_world_dir(w));
	lab_assert(mkdir(elsewhere, 0700) == 0);
	lab_assert(symlink(elsewhere, FOLDER) == 0);
	is_refused(dns, DEFAULT_PLACE, FOLDER);
	lab_assert(rmdir(elsewhere) == 0); /* still empty */
}

LabTest(cache_folder, somebody_elses_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	lab_assert(mkdir(FOLDER, 0700) == 0);
	if (chown(FOLDER, NOBODY, NOBODY) != 0)
		lab_skip("no second user: %s", strerror(errno));
	is_refused(dns, DEFAULT_PLACE, "belongs to user 65534");
}

LabTest(cache_folder, open_to_others_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	lab_assert(mkdir(FOLDER, 0700) == 0 && chmod(FOLDER, 0777) == 0);
	is_refused(dns, DEFAULT_PLACE, "open to others");
}

LabTest(cache_folder, file_in_its_place_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	write_bytes(FOLDER, "x", 1);
	is_refused(dns, DEFAULT_PLACE, FOLDER);
}

LabTest(cache_folder, read_only_dev_shm_is_survived)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	lab_assert(mount("lab", "/dev/shm", "tmpfs", MS_RDONLY, "mode=1777") == 0);
	is_refused(dns, DEFAULT_PLACE, FOLDER);
}

/* ---- the file ---- */

LabTest(cache_folder, symbolic_link_for_a_file_is_not_followed)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "link");
	char target[256];

	snprintf(target, sizeof target, "%s/target", lab_world_dir(w));
	write_bytes(target, "", 0);
	lab_assert(symlink(target, path_of(setting)) == 0);
	is_refused(dns, setting, "symbolic link");
}

LabTest(cache_folder, dangling_link_for_a_file_makes_none)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "link");

	lab_assert(symlink("/etc/made-by-a-link", path_of(setting)) == 0);
	is_refused(dns, setting, "symbolic link");
	lab_assert(access("/etc/made-by-a-link", F_OK) != 0);
}

LabTest(cache_folder, folder_for_a_file_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "folder");

	lab_assert(mkdir(path_of(setting), 0700) == 0);
	is_refused(dns, setting, path_of(setting));
}

LabTest(cache_folder, fifo_for_a_file_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "fifo");

	lab_assert(mkfifo(path_of(setting), 0600) == 0);
	is_refused(dns, setting, "not a regular file");
}

LabTest(cache_folder, device_for_a_file_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	is_refused(dns, "NOBLOCKDNS_CACHE=/dev/null", "not a regular file");
	is_refused(dns, "NOBLOCKDNS_CACHE=/dev/zero", "not a regular file");
}

LabTest(cache_folder, file_of_somebody_else_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "theirs");

	serves_in_silence(setting);
	if (chown(path_of(setting), NOBODY, NOBODY) != 0)
		lab_skip("no second user: %s", strerror(errno));
	is_refused(dns, setting, "belongs to user 65534");
}

LabTest(cache_folder, file_open_to_others_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "open");

	serves_in_silence(setting);
	lab_assert(chmod(path_of(setting), 0666) == 0);
	is_refused(dns, setting, "mode is 0666");
}

LabTest(cache_folder, file_with_a_second_name_is_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "linked");
	char second[256];

	serves_in_silence(setting);
	snprintf(second, sizeof second, "%s/second", lab_world_dir(w));
	lab_assert(link(path_of(setting), second) == 0);
	is_refused(dns, setting, "2 links");
}

LabTest(cache_folder, file_that_is_no_cache_is_left_alone)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "letter");
	char text[64];

	write_bytes(path_of(setting), "Dear Sir or Madam,\n", 19);
	is_refused(dns, setting, "left alone");
	lab_assert_int(lab_file_read(path_of(setting), text, sizeof text), 19);
	lab_assert_str(text, "Dear Sir or Madam,\n");
}

LabTest(cache_folder, random_file_in_the_default_place_is_replaced)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	static unsigned char junk[100000];

	for (size_t i = 0; i < sizeof junk; i++)
		junk[i] = (unsigned char)(i * 2654435761u >> 13);
	lab_assert(mkdir(FOLDER, 0700) == 0);
	write_bytes(FOLDER "/" FILE_NAME, junk, sizeof junk);
	is_replaced(dns, DEFAULT_PLACE, "replaced");
}

LabTest(cache_folder, truncated_file_is_replaced)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "short");

	serves_in_silence(setting);
	lab_assert(truncate(path_of(setting), 100000) == 0);
	is_replaced(dns, setting, "replaced");
	lab_assert(truncate(path_of(setting), 10) == 0);
	is_replaced(dns, setting, "replaced");
}

LabTest(cache_folder, file_of_another_layout_is_left_alone)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = place(w, "other");
	struct cache_header header;
	int fd;

	serves_in_silence(setting);
	fd = open(path_of(setting), O_RDWR | O_CLOEXEC);
	lab_assert(fd >= 0 && pread(fd, &header, sizeof header, 0) == sizeof header);
	header.layout++;
	lab_assert(pwrite(fd, &header, sizeof header, 0) == sizeof header);
	close(fd);
	is_refused(dns, setting, "left alone");
}

/* ---- the file system ---- */

static const char *mounted(const struct lab_world *w, unsigned long flags, const char *options)
{
	const char *setting = place(w, "fs");

	lab_assert(mkdir(path_of(setting), 0755) == 0);
	lab_assert(mount("lab", path_of(setting), "tmpfs", MS_NOSUID | flags, options) == 0);
	return place(w, "fs/cache");
}

LabTest(cache_folder, read_only_file_system_is_survived)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	is_refused(dns, mounted(w, MS_RDONLY, "mode=700"), "Read-only");
}

LabTest(cache_folder, missing_folder_is_not_made)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	is_refused(dns, place(w, "nowhere/cache"), "No such file");
}

LabTest(cache_folder, full_file_system_is_survived)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	is_refused(dns, mounted(w, 0, "mode=700,size=16k"), "no memory for it");
}

LabTest(cache_folder, file_system_without_inodes_is_survived)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	is_refused(dns, mounted(w, 0, "mode=700,nr_inodes=1"), "cannot be made");
}

/* A page that cannot be had is SIGBUS for who touches it. */
LabTest(cache_folder, file_system_that_fills_up_later_is_survived)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *setting = mounted(w, 0, "mode=700,size=1m");

	shim_says(SHIM_ENV("NOBLOCKDNS_LOG=warn", setting),
		  SHIM_ARGV("clients/life_client", "many_names", "3000"), "");
	lab_assert_int(shim_asked(dns, NULL, LAB_A), 3000);
}

LabTest(cache_folder, limit_on_file_size_raises_no_signal)
{
	char client[4096];

	shim_not_under("thread", "its runtime maps a file of its own, and is killed by SIGBUS");
	snprintf(client, sizeof client, "%s/clients/lookup", lab_build_dir());
	lab_dns_start_text(w, ZONE);
	shim_run(SHIM_ENV("NOBLOCKDNS_LOG=warn"),
		 SHIM_ARGV("prlimit", "--fsize=65536", client, "-4", "-n3", "www.test"));
	lab_assert_str(shim_got.out, ANSWER ANSWER ANSWER);
	shim_warned("RLIMIT_FSIZE");
}

/* ---- while programs run ---- */

/* A program that looks up twice, 1.2 s apart; what is done to the file in between, it notices. */
static void changes_between(struct lab_world *w, const char *setting, void (*change)(const char *))
{
	const struct lab_proc_opts opts = {
		.argv = LOOKUP("-n2", "-w1200", "www.test"),
		.env = SHIM_ENV(setting),
		.preload = true,
	};
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	pid_t pid = lab_proc_spawn(w, &opts);
	struct stat before, after;

	lab_dns_wait_count(dns, "www.test", LAB_A, 1, 10000);
	while (stat(path_of(setting), &before) != 0)
		usleep(1000);
	usleep(50000); /* the answer is stored */
	change(path_of(setting));
	lab_assert_int(lab_proc_wait(pid, 20000), 0);
	/* once more for the new file, and then from it */
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert(stat(path_of(setting), &after) == 0);
	lab_assert(after.st_ino != before.st_ino, "(the program goes on with the old file)");
	shim_says(SHIM_ENV(setting), LOOKUP("www.test"), ANSWER);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

static void remove_file(const char *path)
{
	lab_assert(unlink(path) == 0);
}

LabTest(cache_folder, removed_file_is_made_again_by_running_programs)
{
	changes_between(w, place(w, "removed"), remove_file);
}

static void truncate_file(const char *path)
{
	lab_assert(truncate(path, 4096) == 0);
}

LabTest(cache_folder, file_truncated_under_running_programs_kills_nobody)
{
	changes_between(w, place(w, "truncated"), truncate_file);
}

static void replace_file(const char *path)
{
	char other[256];

	snprintf(other, sizeof other, "%s.other", path);
	write_bytes(other, "", 0);
	lab_assert(rename(other, path) == 0);
}

LabTest(cache_folder, file_replaced_under_running_programs_is_left)
{
	changes_between(w, place(w, "replaced"), replace_file);
}

/* ---- users ---- */

LabTest(cache_folder, two_users_do_not_share)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *const prefix[] = {"setpriv",	"--reuid=65534", "--regid=65534",
				      "--clear-groups", "true",		 NULL};
	char script[2048], shim[512];
	struct stat st;

	shim_not_under(NULL, "its runtime is not where the copies are");
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = prefix}, &shim_got);
	if (shim_got.status != 0)
		lab_skip("cannot become nobody: %s", shim_got.err);
	/* nobody may not be able to reach the build folder */
	snprintf(script, sizeof script,
		 "set -e; cp %s/*.so %s/clients/lookup %s/; chmod a+rx %s %s/*", lab_build_dir(),
		 lab_build_dir(), lab_world_dir(w), lab_world_dir(w), lab_world_dir(w));
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", script)},
		     &shim_got);
	lab_assert_str(shim_got.err, "");
	snprintf(shim, sizeof shim, "LD_PRELOAD=%s/libnoblockdns.so", lab_world_dir(w));
	snprintf(script, sizeof script,
		 "%s setpriv --reuid=65534 --regid=65534 --clear-groups %s/lookup -4 www.test",
		 shim, lab_world_dir(w));
	for (int i = 0; i < 2; i++) {
		serves_in_silence(DEFAULT_PLACE);
		lab_proc_run(NULL, &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", script)},
			     &shim_got);
		lab_assert_str(shim_got.err, "");
		lab_assert_str(shim_got.out, ANSWER);
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2); /* one each */
	lab_assert(stat("/dev/shm/noblockdns.65534/" FILE_NAME, &st) == 0);
	lab_assert_int(st.st_uid, NOBODY);
}
