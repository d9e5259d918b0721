// SPDX-License-Identifier: MIT
/*
 * doctor_program.c - will a program take part? What its file and its libraries tell: whether the
 * loader preloads into it at all, and whether its lookups and connects come by.
 */
#include "shim/tool/doctor.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REBUILD	 "build it with the system's C library as a shared one"
#define RESOLVER "tell it to use the system's resolver, if it has such an option"

/* Libraries that ask DNS by themselves. */
static const struct {
	const char *library, *name;
} resolvers[] = {
	{"libcares.so", "c-ares"},  {"libunbound.so", "libunbound"}, {"libldns.so", "ldns"},
	{"libgetdns.so", "getdns"}, {"libadns.so", "adns"},	     {"libudns.so", "udns"},
	{"libasr.so", "asr"},
};

/* Texts in a program that has something linked into it. */
static const struct {
	const char *text, *id, *says, *remedy;
} marks[] = {
	{"c-ares library initialization", "own-resolver",
	 "has c-ares inside: what it asks through that is not seen", RESOLVER},
	{"org.freedesktop.resolve1", "systemd-resolved",
	 "knows how to ask systemd-resolved over D-Bus: what it asks there is not seen", RESOLVER},
	{"io.systemd.Resolve", "systemd-resolved",
	 "knows how to ask systemd-resolved over Varlink: what it asks there is not seen",
	 RESOLVER},
	{"UV_USE_IO_URING", "io-uring",
	 "has libuv inside, which may use io_uring: lookups and connects come by all the same, "
	 "but what it does with a socket through io_uring while a connect races does not",
	 "set UV_USE_IO_URING=0 if connects misbehave"},
};

/* Programs that load modules with RTLD_DEEPBIND: those find libc before the library. (PHP before
 * 8.5.) The flag cannot be seen in a file. */
static const char *const deepbind[] = {"php"};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* This program's own header, which the linker names. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const char *machine_name(uint16_t machine)
{
	const char *name = elf_machine_to_str(machine);

	return name ? name : "another machine";
}

/* ---- does the loader preload into it? ---- */

static bool is_glibcs(const char *interpreter)
{
	const char *base = base_of(interpreter);

	return begins(base, "ld-linux") || begins(base, "ld64.so") || begins(base, "ld.so");
}

static void check_static(struct doctor *d, const char *path, const struct elf_look *look)
{
	if (look->go)
		doctor_find(
			d, DOCTOR_BAD, "go",
			"build it with CGO_ENABLED=1 and -tags netcgo, where that is yours to "
			"do",
			"%s is made by Go and static: it asks DNS by itself, and nothing can be "
			"preloaded",
			path);
	else if (look->runs)
		doctor_find(d, DOCTOR_BAD, "static", REBUILD,
			    "%s is static%s: it has no loader, so nothing can be preloaded", path,
			    look->dynamic ? " (static-pie)" : "");
	else
		doctor_find(d, DOCTOR_BAD, "library", "name the program that uses it",
			    "%s is a library, no program", path);
}

static void check_loader(struct doctor *d, const char *path, const struct elf_look *look)
{
	const char *loader = look->interpreter;

	if (strstr(base_of(loader), "ld-musl"))
		doctor_find(d, DOCTOR_BAD, "musl", REBUILD " (glibc)",
			    "%s is made for musl (%s), which does not start a program with "
			    "libnoblockdns.so: that needs glibc",
			    path, loader);
	else if (!is_glibcs(loader))
		doctor_find(d, DOCTOR_BAD, "other-libc", REBUILD " (glibc)",
			    "%s is loaded by %s, which is not glibc's: libnoblockdns.so needs "
			    "glibc",
			    path, loader);
	if (access(loader, X_OK) < 0)
		doctor_find(d, DOCTOR_BAD, "no-loader", "install the C library that it is made for",
			    "%s cannot start at all: its loader %s is not there", path, loader);
}

/* False: there is no more to look at. */
static bool check_kind(struct doctor *d, const char *path, const struct elf_look *look)
{
	uint16_t own = __ehdr_start.e_machine;

	if (look->kind == ELF_DAMAGED) {
		doctor_find(d, DOCTOR_BAD, "damaged", "install it anew",
			    "%s is a damaged program: %s", path, look->damage);
		return false;
	}
	if (look->kind == ELF_FOREIGN || look->machine != own) {
		doctor_find(d, DOCTOR_BAD, "architecture",
			    "install libnoblockdns for that architecture as well",
			    "%s is for %s (%u bits), the library for %s: the loader will not "
			    "preload it",
			    path, machine_name(look->machine), look->class_bits, machine_name(own));
		return false;
	}
	if (look->interpreter == NULL) {
		check_static(d, path, look);
		return false;
	}
	return true;
}

/* ---- do its lookups come by? ---- */

struct libraries {
	struct doctor *d;
	const char *path;
	unsigned imports; /* of the program and all its libraries */
};

/* libc's own, which is what all others mean, and the parts that it once had. */
static bool is_libcs(const char *name)
{
	static const char *const own[] = {
		"libc.so",   "libresolv.so", "libpthread.so", "libanl.so",	  "libdl.so",
		"libnsl.so", "libm.so",	     "librt.so",      "libnoblockdns.so", "ld-linux"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (begins(name, own[i]))
			return true;
	return false;
}

static void check_library(void *ctx, const char *name, const char *path,
			  const struct elf_look *look, const struct elf_file *file)
{
	struct libraries *l = ctx;

	(void)file;
	if (path == NULL) {
		doctor_find(l->d, DOCTOR_BAD, "missing-library", "install it",
			    "%s needs %s, which is not found: it may not start", l->path, name);
		return;
	}
	if (is_libcs(name))
		return;
	l->imports |= look->imports;
	for (size_t i = 0; i < sizeof(resolvers) / sizeof(resolvers[0]); i++)
		if (begins(name, resolvers[i].library))
			doctor_find(l->d, DOCTOR_BAD, "own-resolver", RESOLVER,
				    "%s uses %s (%s): what is asked through that is not seen",
				    l->path, resolvers[i].name, path);
	if (begins(name, "liburing.so"))
		doctor_find(l->d, DOCTOR_NOTE, "io-uring",
			    "turn io_uring off in it, if it has such an option",
			    "%s uses io_uring: connects that it makes through that do not race",
			    l->path);
	if (look->defines & ELF_LOOKUP)
		doctor_find(l->d, DOCTOR_NOTE, "other-getaddrinfo",
			    look->symbolic ? "do without that library" : NULL,
			    "%s brings a getaddrinfo() of its own, which %s", path,
			    look->symbolic ? "it calls itself (-Bsymbolic)"
					   : "the preloaded one comes before");
}

static void check_go(struct doctor *d, const char *path, const struct elf_look *look)
{
	const char *debug = getenv("GODEBUG");
	bool by_libc = debug && strstr(debug, "netdns=cgo");

	if (!look->go)
		return;
	if (!(look->imports & ELF_LOOKUP))
		doctor_find(d, DOCTOR_BAD, "go", "build it with -tags netcgo",
			    "%s is made by Go and asks DNS by itself", path);
	else
		doctor_find(d, by_libc ? DOCTOR_NOTE : DOCTOR_BAD, "go",
			    "set GODEBUG=netdns=cgo; its connects go past libc in any case",
			    "%s is made by Go: it asks DNS by itself unless GODEBUG=netdns=cgo "
			    "sends its lookups to libc%s",
			    path, by_libc ? ", as it does here" : "");
}

static void check_inside(struct doctor *d, const char *path, const struct elf_look *look,
			 const struct elf_file *file)
{
	if (look->defines & ELF_LOOKUP)
		doctor_find(d, DOCTOR_BAD, "own-getaddrinfo", REBUILD,
			    "%s has a getaddrinfo() linked into it, which its calls go to", path);
	if (look->imports & ELF_RES)
		doctor_find(d, DOCTOR_NOTE, "res-query", NULL,
			    "%s also asks through res_query(), which remains libc's", path);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (elf_mentions(file->data, file->len, marks[i].text))
			doctor_find(d, DOCTOR_NOTE, marks[i].id, marks[i].remedy, "%s %s", path,
				    marks[i].says);
	for (size_t i = 0; i < sizeof(deepbind) / sizeof(deepbind[0]); i++)
		if (begins(base_of(path), deepbind[i]))
			doctor_find(d, DOCTOR_NOTE, "deepbind",
				    "build those modules into the program, if their lookups stall",
				    "%s loads modules with RTLD_DEEPBIND: lookups that those make "
				    "themselves go to libc",
				    path);
}

bool doctor_program(struct doctor *d, const char *path, const struct elf_file *file)
{
	struct libraries l = {.d = d, .path = path};
	struct elf_look look;

	elf_look(file->data, file->len, &look);
	if (look.kind == ELF_NOT)
		return false;
	if (!check_kind(d, path, &look))
		return true;
	check_loader(d, path, &look);
	check_go(d, path, &look);
	check_inside(d, path, &look, file);
	if (!is_glibcs(look.interpreter))
		return true; /* it looks for its libraries elsewhere */
	l.imports = look.imports;
	elf_libraries(path, &look, check_library, &l);
	if (!(l.imports & (ELF_LOOKUP | ELF_CONNECT)))
		doctor_find(d, DOCTOR_NOTE, "no-lookups", NULL,
			    "neither %s nor its libraries look names up or connect%s", path,
			    l.imports & ELF_DLOPEN ? "; what it loads later may" : "");
	return true;
}
