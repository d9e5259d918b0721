// SPDX-License-Identifier: MIT
/*
 * fuzz_elf.c - any bytes as a program: what `noblockdns doctor` reads of files that it does not
 * know.
 *
 * links: shim/tool/elf_look.c shim/tool/elf_names.c shim/tool/shebang.c shim/tool/text.c
 *
 * The first bytes are made those of an ELF file of this machine in every other run, so that the
 * fuzzer does not have to find them. All that is said must lie within the input.
 */
#include "shim/tool/elf_look.h"
#include "shim/tool/shebang.h"
#include "shim/tool/text.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_text(const char *text, const unsigned char *file, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;

	if (text &&
	    (at < file || at >= file + size || !memchr(at, '\0', size - (size_t)(at - file))))
		abort();
}

static void look(const unsigned char *file, size_t size)
{
	struct elf_look found;

	elf_look(file, size, &found);
	must_be_text(found.interpreter, file, size);
	must_be_text(found.runpath, file, size);
	for (unsigned i = 0; i < found.nneeded; i++)
		must_be_text(found.needed[i], file, size);
	if ((found.kind == ELF_DAMAGED) != (found.damage != NULL))
		abort();
}

/* A header that gets past the first checks; the rest is the fuzzer's. */
static void look_as_elf(const uint8_t *data, size_t size)
{
	unsigned char *file = malloc(size);
	ElfW(Ehdr) head;

	memcpy(file, data, size);
	memcpy(&head, data, sizeof(head));
	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	head.e_phentsize = sizeof(ElfW(Phdr));
	head.e_shentsize = sizeof(ElfW(Shdr));
	head.e_phoff %= 256;
	memcpy(file, &head, sizeof(head));
	look(file, size);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shebang shebang;
	char shown[256];

	look(data, size);
	if (size >= sizeof(ElfW(Ehdr)))
		look_as_elf(data, size);
	if (shebang_parse((const char *)data, size, &shebang) && shebang.program[0] == '\0')
		abort();
	if (size > 0 &&
	    text_escape((const char *)data, size, shown, sizeof(shown)) >= sizeof(shown))
		abort();
	return 0;
}
