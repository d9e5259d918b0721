// SPDX-License-Identifier: MIT
/*
 * test_tool_elf.c - what is seen in programs that the compiler makes here, and that damaged ones do
 * no harm. Every file is looked at where the next page cannot be read: a byte too far is a crash.
 */
#include "shim/tool/elf_libraries.h"
#include "shim/tool/elf_look.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROGRAM                                                                                    \
	"#include <netdb.h>\nint main(void){struct addrinfo*a;return getaddrinfo(\"x\",0,0,&a);}"

static char folder[] = "/tmp/noblockdns-elf-XXXXXX";
static char made[128];

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(made, sizeof(made), "%s/made", folder);
}

static void end(void)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

/* Compiles `source` with these flags to `made`. Skips where this compiler cannot. */
static void make(const char *source, const char *flags)
{
	char command[1024];

	snprintf(command, sizeof(command), "cc -x c - -x none -o %s %s 2>/dev/null", made, flags);
	FILE *cc = popen(command, "w");

	cr_assert_not_null(cc);
	fputs(source, cc);
	if (pclose(cc) != 0)
		cr_skip_test("cc %s does not work here", flags);
}

static struct elf_file file;
static struct elf_look look;

static void look_at(const char *source, const char *flags)
{
	make(source, flags);
	cr_assert_eq(elf_file_open(made, &file), 0);
	elf_look(file.data, file.len, &look);
}

static bool needs(const char *name)
{
	for (unsigned i = 0; i < look.nneeded; i++)
		if (strcmp(look.needed[i], name) == 0)
			return true;
	return false;
}

TestSuite(tool_elf, .init = begin, .fini = end);

Test(tool_elf, dynamic_program_is_fine)
{
	look_at(PROGRAM, "");
	cr_assert_eq(look.kind, ELF_FINE, "%s", look.damage);
	cr_assert(look.runs);
	cr_assert(look.dynamic);
	cr_assert_not_null(look.interpreter);
	cr_assert(needs("libc.so.6"));
	cr_assert_eq(look.imports, ELF_LOOKUP);
	cr_assert_eq(look.defines, 0);
	cr_assert_not(look.go);
	cr_assert_not(look.symbolic);
	cr_assert_eq(look.class_bits, sizeof(void *) * 8);
}

Test(tool_elf, stripped_program_tells_the_same)
{
	look_at(PROGRAM, "-s");
	cr_assert_eq(look.imports, ELF_LOOKUP);
}

Test(tool_elf, program_without_sections_tells_the_same)
{
	ElfW(Ehdr) head;
	unsigned char *copy;

	look_at(PROGRAM, "-s");
	copy = malloc(file.len);
	memcpy(copy, file.data, file.len);
	memcpy(&head, copy, sizeof(head));
	head.e_shnum = 0;
	head.e_shoff = 0;
	memcpy(copy, &head, sizeof(head));
	elf_look(copy, file.len, &look);
	cr_assert_eq(look.imports, ELF_LOOKUP);
	free(copy);
}

Test(tool_elf, static_program_has_no_interpreter)
{
	look_at("int main(void){return 0;}", "-static");
	cr_assert_eq(look.kind, ELF_FINE, "%s", look.damage);
	cr_assert(look.runs);
	cr_assert_null(look.interpreter);
}

Test(tool_elf, static_pie_is_a_program)
{
	look_at("int main(void){return 0;}", "-static-pie -fPIE");
	cr_assert(look.runs);
	cr_assert(look.dynamic);
	cr_assert_null(look.interpreter);
}

Test(tool_elf, library_is_none)
{
	look_at("int f(void){return 0;}", "-shared -fPIC");
	cr_assert_eq(look.kind, ELF_FINE);
	cr_assert_not(look.runs);
	cr_assert_null(look.interpreter);
}

Test(tool_elf, interpreter_is_named)
{
	look_at(PROGRAM, "-Wl,--dynamic-linker,/lib/ld-musl-x86_64.so.1");
	cr_assert_str_eq(look.interpreter, "/lib/ld-musl-x86_64.so.1");
}

Test(tool_elf, runpath_is_found)
{
	look_at(PROGRAM, "-Wl,-rpath,'$ORIGIN/lib'");
	cr_assert_str_eq(look.runpath, "$ORIGIN/lib");
}

Test(tool_elf, symbolic_library_with_its_own_lookup_is_seen)
{
	look_at("int getaddrinfo(void){return 0;}", "-shared -fPIC -Wl,-Bsymbolic");
	cr_assert(look.symbolic);
	cr_assert_eq(look.defines, ELF_LOOKUP);
}

Test(tool_elf, lookup_that_is_linked_in_is_seen)
{
	look_at("int getaddrinfo(void){return 0;}int main(void){return getaddrinfo();}", "");
	cr_assert_eq(look.defines, ELF_LOOKUP);
}

/* The note that Go's linker writes. */
Test(tool_elf, go_is_known_by_its_note)
{
	look_at("__asm__(\".pushsection .note.go.buildid,\\\"a\\\",@note\\n"
		".long 4,4,4\\n.ascii \\\"Go\\\\0\\\\0\\\"\\n.ascii \\\"abcd\\\"\\n.popsection\");"
		"int main(void){return 0;}",
		"");
	cr_assert(look.go);
}

Test(tool_elf, go_is_known_by_its_section)
{
	look_at("__attribute__((section(\".go.buildinfo\"))) int x = 1;int main(void){return 0;}",
		"-static");
	cr_assert(look.go);
}

Test(tool_elf, groups_of_functions_are_told_apart)
{
	look_at("int ares_init();int connect();int res_nquery();int dlopen();"
		"int main(void){return ares_init()+connect()+res_nquery()+dlopen();}",
		"-w -shared -fPIC");
	cr_assert_eq(look.imports, ELF_CONNECT | ELF_RES | ELF_DLOPEN, "got %#x", look.imports);
}

/* ---- no ELF, another machine's ---- */

Test(tool_elf, what_is_no_elf_is_none)
{
	elf_look("#!/bin/sh\n", 10, &look);
	cr_assert_eq(look.kind, ELF_NOT);
	elf_look("", 0, &look);
	cr_assert_eq(look.kind, ELF_NOT);
}

Test(tool_elf, other_class_is_foreign)
{
	unsigned char head[64] = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2MSB, EV_CURRENT};

	head[19] = EM_MIPS;
	elf_look(head, sizeof(head), &look);
	cr_assert_eq(look.kind, sizeof(void *) == 8 ? ELF_FOREIGN : ELF_DAMAGED);
	cr_assert_eq(look.class_bits, 32);
	cr_assert_eq(look.machine, EM_MIPS);
	cr_assert_str_eq(elf_machine_to_str(look.machine), "MIPS");
}

/* ---- damage ---- */

/* The end of a mapping behind which nothing is. */
static unsigned char *guarded_end(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page;
	unsigned char *at =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	cr_assert_eq(mprotect(at + room, page, PROT_NONE), 0);
	return at + room;
}

Test(tool_elf, truncated_anywhere_does_no_harm, .timeout = 60)
{
	unsigned char *end_of;
	unsigned damaged = 0;

	look_at(PROGRAM, "-s");
	end_of = guarded_end(file.len);
	for (size_t len = 0; len < file.len; len++) {
		memcpy(end_of - len, file.data, len);
		elf_look(end_of - len, len, &look);
		damaged += look.kind == ELF_DAMAGED;
		cr_assert(len > 3 || look.kind == ELF_NOT);
	}
	/* Only what comes behind all that is loaded may be missing. */
	cr_assert_gt(damaged, file.len / 2, "%u of %zu", damaged, file.len);
}

/* Bytes of header, program headers and dynamic section, each with the values that break sums. */
Test(tool_elf, any_byte_wrong_does_no_harm, .timeout = 60)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
	unsigned char *copy;

	look_at(PROGRAM, "-s");
	copy = guarded_end(file.len) - file.len;
	memcpy(copy, file.data, file.len);
	for (size_t i = 4; i < file.len; i++)
		for (size_t v = 0; v < sizeof(values); v++) {
			unsigned char was = copy[i];

			copy[i] = values[v];
			elf_look(copy, file.len, &look);
			copy[i] = was;
		}
	elf_look(copy, file.len, &look);
	cr_assert_eq(look.kind, ELF_FINE);
}

Test(tool_elf, random_bytes_do_no_harm, .timeout = 60)
{
	unsigned char *copy;
	unsigned seed = 7;

	look_at(PROGRAM, "-s");
	copy = guarded_end(file.len) - file.len;
	for (unsigned round = 0; round < 2000; round++) {
		memcpy(copy, file.data, file.len);
		for (unsigned i = 0; i < 40; i++) {
			size_t at = (size_t)rand_r(&seed) % (round % 2 ? file.len : 1024);

			copy[at < 6 ? 6 : at] = (unsigned char)rand_r(&seed);
		}
		elf_look(copy, file.len, &look);
		cr_assert_neq(look.kind, ELF_NOT);
	}
}

/* Every header and every section names all of the file: read for each, it would take hours. */
Test(tool_elf, tables_that_are_named_again_are_read_once, .timeout = 20)
{
	size_t len = 8 << 20;
	unsigned char *large = calloc(1, len);
	ElfW(Ehdr) *head = (void *)large;
	ElfW(Phdr) *ph = (void *)(head + 1);
	ElfW(Shdr) * sh;

	look_at(PROGRAM, "");
	memcpy(head, file.data, sizeof(*head));
	head->e_phoff = sizeof(*head);
	head->e_phnum = (ElfW(Half))(65536 / sizeof(*ph));
	head->e_shoff = 128 << 10;
	head->e_shnum = 60000;
	for (unsigned i = 0; i < head->e_phnum; i++)
		ph[i] = (ElfW(Phdr)){.p_type = i % 2 ? PT_NOTE : PT_DYNAMIC, .p_filesz = len};
	sh = (void *)(large + head->e_shoff);
	for (unsigned i = 0; i < head->e_shnum; i++)
		sh[i] = (ElfW(Shdr)){.sh_type = i % 2 ? SHT_SYMTAB : SHT_DYNSYM, .sh_size = len};
	elf_look(large, len, &look);
	cr_assert_neq(look.kind, ELF_NOT);
	free(large);
}

/* ---- libraries ---- */

static unsigned nfound, nmissing;
static bool found_libc;

static void note(void *ctx, const char *name, const char *path, const struct elf_look *library,
		 const struct elf_file *of)
{
	(void)ctx;
	(void)of;
	nfound += path != NULL;
	nmissing += path == NULL;
	if (strcmp(name, "libc.so.6") == 0)
		found_libc = path && library->kind == ELF_FINE && library->defines & ELF_LOOKUP;
}

Test(tool_elf, libraries_of_libraries_are_found_once)
{
	make("int f(void){return 0;}", "-shared -fPIC -Wl,-soname,libinner.so");
	char command[512];

	snprintf(command, sizeof(command),
		 "cd %s && mkdir lib && mv made lib/libinner.so && "
		 "echo 'int f(void);int g(void){return f();}' | cc -shared -fPIC -x c - -x none "
		 "-o lib/libouter.so lib/libinner.so -Wl,-soname,libouter.so,-rpath,'$ORIGIN'",
		 folder);
	cr_assert_eq(system(command), 0);
	snprintf(command, sizeof(command), "%s/lib/libouter.so -Wl,-rpath,'$ORIGIN/lib'", folder);
	look_at("int g(void);int main(void){return g();}", command);
	elf_libraries(made, &look, note, NULL);
	cr_assert_eq(nmissing, 0);
	cr_assert_eq(nfound, 4, "%u: outer, inner, libc, the loader", nfound);
	cr_assert(found_libc);
}

Test(tool_elf, missing_library_is_named)
{
	make("int f(void){return 0;}", "-shared -fPIC -Wl,-soname,libgone-for-good.so");
	char path[256];

	snprintf(path, sizeof(path), "%s/gone.so", folder);
	cr_assert_eq(rename(made, path), 0);
	look_at("int f(void);int main(void){return f();}", path);
	elf_libraries(made, &look, note, NULL);
	cr_assert_eq(nmissing, 1);
}

Test(tool_elf, marks_in_a_file_are_found)
{
	cr_assert(elf_mentions("abc UV_USE_IO_URING", 19, "UV_USE_IO_URING"));
	cr_assert_not(elf_mentions("abc UV_USE_IO_URIN", 18, "UV_USE_IO_URING"));
}
