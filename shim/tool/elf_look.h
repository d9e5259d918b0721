// SPDX-License-Identifier: MIT
/*
 * elf_look.h - what an ELF file tells of how it will run: who loads it, what it needs, which of the
 * functions that matter here it calls or brings along. Pure; the file may hold any bytes.
 *
 * A file of another class or byte order than this program's is looked at no further than its
 * header: that alone decides.
 */
#ifndef NOBLOCKDNS_TOOL_ELF_LOOK_H
#define NOBLOCKDNS_TOOL_ELF_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_NEEDED_MAX 128 /* more libraries than any known program names itself */

enum elf_kind {
	ELF_NOT,     /* no ELF file */
	ELF_DAMAGED, /* `damage` says what is wrong */
	ELF_FOREIGN, /* another class or byte order; of the rest only class_bits and machine are set
		      */
	ELF_FINE,
};

/* Groups of functions. */
enum elf_calls {
	ELF_LOOKUP = 1,	 /* getaddrinfo() and the gethostbyname() family: those of libc that the
			  * shim answers */
	ELF_CONNECT = 2, /* connect() */
	ELF_RES = 4,	 /* res_query() and its kin: libc's own questions */
	ELF_DLOPEN = 8,	 /* dlopen(), dlmopen() */
};

struct elf_look {
	enum elf_kind kind;
	const char *damage;	 /* with ELF_DAMAGED; static */
	unsigned class_bits;	 /* 32 or 64 */
	uint16_t machine;	 /* EM_* */
	bool runs;		 /* a program: ET_EXEC, or ET_DYN with an interpreter or DF_1_PIE */
	const char *interpreter; /* in the file, NUL-terminated; NULL: none */
	bool dynamic;		 /* has a dynamic section */
	bool symbolic;		 /* -Bsymbolic */
	bool go;		 /* made by the Go compiler */
	unsigned nneeded;
	const char *needed[ELF_NEEDED_MAX]; /* names of libraries, in the file */
	const char *runpath;		    /* DT_RUNPATH, or DT_RPATH without it; or NULL */
	unsigned imports;		    /* elf_calls that it takes from others */
	unsigned defines;		    /* elf_calls that it has itself */
};

/* What it says is borrowed from `data`. */
void elf_look(const void *data, size_t len, struct elf_look *ret);

/* Does this text occur anywhere in it? */
bool elf_mentions(const void *data, size_t len, const char *text);

/* The group that a function of this name belongs to; 0: none. */
unsigned elf_group_of(const char *name);

/* "x86-64", "AArch64", ...; NULL for one that has no name here. */
const char *elf_machine_to_str(uint16_t machine);

#endif
