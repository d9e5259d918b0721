// SPDX-License-Identifier: MIT
/* elf_names.c - names of functions that matter here, and of machines: see elf_look.h. */
#include "shim/tool/elf_look.h"

#include <elf.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned group;
} functions[] = {
	{"getaddrinfo", ELF_LOOKUP},	 {"getaddrinfo_a", ELF_LOOKUP},
	{"gethostbyname", ELF_LOOKUP},	 {"gethostbyname2", ELF_LOOKUP},
	{"gethostbyname_r", ELF_LOOKUP}, {"gethostbyname2_r", ELF_LOOKUP},
	{"connect", ELF_CONNECT},	 {"__connect", ELF_CONNECT},
	{"res_query", ELF_RES},		 {"res_search", ELF_RES},
	{"res_send", ELF_RES},		 {"res_nquery", ELF_RES},
	{"res_nsearch", ELF_RES},	 {"res_nsend", ELF_RES},
	{"__res_query", ELF_RES},	 {"__res_search", ELF_RES},
	{"__res_nquery", ELF_RES},	 {"__res_nsearch", ELF_RES},
	{"dlopen", ELF_DLOPEN},		 {"dlmopen", ELF_DLOPEN},
};

unsigned elf_group_of(const char *name)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strcmp(name, functions[i].name) == 0)
			return functions[i].group;
	return 0;
}

const char *elf_machine_to_str(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {{EM_386, "x86"},	    {EM_X86_64, "x86-64"},
		     {EM_ARM, "ARM"},	    {EM_AARCH64, "AArch64"},
		     {EM_RISCV, "RISC-V"},  {EM_PPC64, "POWER"},
		     {EM_S390, "s390x"},    {EM_MIPS, "MIPS"},
		     {EM_SPARCV9, "SPARC"}, {EM_LOONGARCH, "LoongArch"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}
