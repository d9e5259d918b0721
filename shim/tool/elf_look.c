// SPDX-License-Identifier: MIT
/*
 * elf_look.c - see elf_look.h. Every offset and every count comes from a stranger: nothing is read
 * but through take(), which knows where the file ends, and each structure is copied out first, for
 * it may be unaligned. Loops are bounded by what fits into the file, or by what Linux bears with;
 * no table is read more than once, however often it is named.
 *
 * The order is the loader's: header, program headers, dynamic section. Section headers, which need
 * not be there, tell how many symbols there are, and of Go.
 */
#include "shim/tool/elf_look.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#if __ELF_NATIVE_CLASS == 64
#define NATIVE_CLASS ELFCLASS64
#else
#define NATIVE_CLASS ELFCLASS32
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif
#define HEADERS_MAX (65536 / sizeof(ElfW(Phdr))) /* Linux starts no program with more */
#define DYNAMIC_MAX 4096			 /* entries looked at; real ones have some 40 */
#define NOTES_MAX   64				 /* of a segment; real ones have four */
#define GO_NOTE	    4				 /* NT_GO_BUILD_ID */

struct file {
	const unsigned char *data;
	size_t len;
	ElfW(Ehdr) head;
	struct elf_look *look;
};

/* What was found in the dynamic section: addresses, to be turned into offsets. */
struct tables {
	uint64_t strings, strings_size, symbols;
	uint64_t needed[ELF_NEEDED_MAX];
	uint64_t runpath, rpath; /* offsets in the strings; 0: none */
};

static bool within(const struct file *f, uint64_t offset, uint64_t size)
{
	return offset <= f->len && size <= f->len - offset;
}

static bool take(const struct file *f, uint64_t offset, size_t size, void *ret)
{
	if (!within(f, offset, size))
		return false;
	memcpy(ret, f->data + offset, size);
	return true;
}

/* The text at `offset`, if it ends before `limit` bytes and the file do. */
static const char *text_at(const struct file *f, uint64_t offset, uint64_t limit)
{
	if (!within(f, offset, limit) || limit == 0)
		return NULL;
	return memchr(f->data + offset, '\0', limit) ? (const char *)f->data + offset : NULL;
}

static void damaged(struct file *f, const char *what)
{
	f->look->kind = ELF_DAMAGED;
	f->look->damage = what;
}

static bool read_program(const struct file *f, unsigned i, ElfW(Phdr) * ret)
{
	return take(f, f->head.e_phoff + (uint64_t)i * sizeof(*ret), sizeof(*ret), ret);
}

static bool read_section(const struct file *f, unsigned i, ElfW(Shdr) * ret)
{
	return take(f, f->head.e_shoff + (uint64_t)i * sizeof(*ret), sizeof(*ret), ret);
}

/* The offset in the file of what is loaded at `address`. */
static bool locate(const struct file *f, uint64_t address, uint64_t *ret)
{
	ElfW(Phdr) ph;

	for (unsigned i = 0; i < f->head.e_phnum && read_program(f, i, &ph); i++)
		if (ph.p_type == PT_LOAD && address >= ph.p_vaddr &&
		    address - ph.p_vaddr < ph.p_filesz) {
			*ret = ph.p_offset + (address - ph.p_vaddr);
			return *ret >= ph.p_offset;
		}
	return false;
}

/* ---- symbols ---- */

/* Symbols of one table, with their names in [strings, strings + size). */
static void look_at_symbols(struct file *f, uint64_t symbols, uint64_t count, uint64_t strings,
			    uint64_t size)
{
	ElfW(Sym) sym;

	for (uint64_t i = 0; i < count && take(f, symbols + i * sizeof(sym), sizeof(sym), &sym);
	     i++) {
		const char *name = NULL;
		unsigned bind = ELF64_ST_BIND(sym.st_info);

		if (sym.st_name < size && (bind == STB_GLOBAL || bind == STB_WEAK))
			name = text_at(f, strings + sym.st_name, size - sym.st_name);
		if (name == NULL)
			continue;
		if (sym.st_shndx == SHN_UNDEF)
			f->look->imports |= elf_group_of(name);
		else if (ELF64_ST_TYPE(sym.st_info) == STT_FUNC ||
			 ELF64_ST_TYPE(sym.st_info) == STT_GNU_IFUNC)
			f->look->defines |= elf_group_of(name);
	}
}

/* ---- dynamic section ---- */

static void note_entry(struct file *f, const ElfW(Dyn) * d, struct tables *t)
{
	switch (d->d_tag) {
	case DT_NEEDED:
		if (f->look->nneeded < ELF_NEEDED_MAX)
			t->needed[f->look->nneeded++] = d->d_un.d_val;
		break;
	case DT_STRTAB:
		t->strings = d->d_un.d_ptr;
		break;
	case DT_STRSZ:
		t->strings_size = d->d_un.d_val;
		break;
	case DT_SYMTAB:
		t->symbols = d->d_un.d_ptr;
		break;
	case DT_RUNPATH:
		t->runpath = d->d_un.d_val;
		break;
	case DT_RPATH:
		t->rpath = d->d_un.d_val;
		break;
	case DT_SYMBOLIC:
		f->look->symbolic = true;
		break;
	case DT_FLAGS:
		f->look->symbolic |= (d->d_un.d_val & DF_SYMBOLIC) != 0;
		break;
	case DT_FLAGS_1:
		f->look->runs |= (d->d_un.d_val & DF_1_PIE) != 0;
		break;
	}
}

/* The names that the entries stand for. */
static void name_entries(struct file *f, const struct tables *t, uint64_t strings)
{
	struct elf_look *look = f->look;
	unsigned n = look->nneeded;
	uint64_t path = t->runpath ? t->runpath : t->rpath;

	look->nneeded = 0;
	for (unsigned i = 0; i < n; i++) {
		const char *name = NULL;

		if (t->needed[i] < t->strings_size)
			name = text_at(f, strings + t->needed[i], t->strings_size - t->needed[i]);
		if (name == NULL)
			damaged(f, "the name of a library that it needs is outside of its strings");
		else
			look->needed[look->nneeded++] = name;
	}
	if (path > 0 && path < t->strings_size)
		look->runpath = text_at(f, strings + path, t->strings_size - path);
}

/* Without section headers nothing says how many symbols there are; the strings follow them in what
 * the linkers make. */
static void look_at_dynamic_symbols(struct file *f, const struct tables *t, uint64_t strings)
{
	uint64_t symbols;

	if (t->strings > t->symbols && locate(f, t->symbols, &symbols))
		look_at_symbols(f, symbols, (t->strings - t->symbols) / sizeof(ElfW(Sym)), strings,
				t->strings_size);
}

static void look_at_dynamic(struct file *f, const ElfW(Phdr) * ph)
{
	struct tables t = {0};
	uint64_t strings;
	ElfW(Dyn) d;

	f->look->dynamic = true;
	for (unsigned i = 0; i < DYNAMIC_MAX && i < ph->p_filesz / sizeof(d); i++) {
		if (!take(f, ph->p_offset + (uint64_t)i * sizeof(d), sizeof(d), &d)) {
			damaged(f, "its dynamic section is cut off");
			f->look->nneeded = 0;
			return;
		}
		if (d.d_tag == DT_NULL)
			break;
		note_entry(f, &d, &t);
	}
	if (!locate(f, t.strings, &strings) || !within(f, strings, t.strings_size)) {
		if (f->look->nneeded > 0)
			damaged(f, "the strings of its dynamic section are not in the file");
		f->look->nneeded = 0;
		return;
	}
	name_entries(f, &t, strings);
	look_at_dynamic_symbols(f, &t, strings);
}

/* ---- notes, sections ---- */

static void look_at_notes(struct file *f, const ElfW(Phdr) * ph)
{
	uint64_t at = ph->p_offset, end = ph->p_offset + ph->p_filesz;
	ElfW(Nhdr) note;
	char name[4];

	for (unsigned i = 0;
	     i < NOTES_MAX && at >= ph->p_offset && at < end && take(f, at, sizeof(note), &note);
	     i++) {
		if (note.n_type == GO_NOTE && note.n_namesz == sizeof(name) &&
		    take(f, at + sizeof(note), sizeof(name), name) && memcmp(name, "Go\0", 4) == 0)
			f->look->go = true;
		at += sizeof(note) + ((uint64_t)note.n_namesz + 3) / 4 * 4 +
		      ((uint64_t)note.n_descsz + 3) / 4 * 4;
	}
}

/* The program's own table tells what is linked into it, where it has not been stripped. */
static void look_at_sections(struct file *f)
{
	ElfW(Shdr) names, sh, strings;
	bool symtab = false, dynsym = false;

	if (f->head.e_shentsize != sizeof(sh) || !read_section(f, f->head.e_shstrndx, &names))
		memset(&names, 0, sizeof(names));
	if (f->head.e_shentsize != sizeof(sh))
		return;
	for (unsigned i = 0; i < f->head.e_shnum && read_section(f, i, &sh); i++) {
		const char *name = NULL;

		if (sh.sh_name < names.sh_size)
			name = text_at(f, names.sh_offset + sh.sh_name, names.sh_size - sh.sh_name);
		if (name && strcmp(name, ".go.buildinfo") == 0)
			f->look->go = true;
		if (((sh.sh_type == SHT_SYMTAB && !symtab) ||
		     (sh.sh_type == SHT_DYNSYM && !dynsym)) &&
		    read_section(f, sh.sh_link, &strings))
			look_at_symbols(f, sh.sh_offset, sh.sh_size / sizeof(ElfW(Sym)),
					strings.sh_offset, strings.sh_size);
		symtab |= sh.sh_type == SHT_SYMTAB;
		dynsym |= sh.sh_type == SHT_DYNSYM;
	}
}

/* ---- program headers, header ---- */

static void look_at_program(struct file *f, const ElfW(Phdr) * ph)
{
	if (ph->p_type == PT_INTERP) {
		f->look->interpreter = text_at(f, ph->p_offset, ph->p_filesz);
		if (f->look->interpreter == NULL)
			damaged(f, "the path of its interpreter is not in the file");
	} else if (ph->p_type == PT_DYNAMIC && !f->look->dynamic) {
		look_at_dynamic(f, ph);
	} else if (ph->p_type == PT_NOTE) {
		look_at_notes(f, ph);
	} else if (ph->p_type == PT_LOAD && !within(f, ph->p_offset, ph->p_filesz)) {
		damaged(f, "a part of it that is to be loaded is cut off");
	}
}

static void look_inside(struct file *f)
{
	ElfW(Phdr) ph;

	f->look->kind = ELF_FINE;
	if (f->head.e_phentsize != sizeof(ph) || f->head.e_phnum == 0 ||
	    f->head.e_phnum > HEADERS_MAX) {
		damaged(f, f->head.e_phnum > HEADERS_MAX ? "it has too many program headers"
							 : "it has no program headers");
		return;
	}
	for (unsigned i = 0; i < f->head.e_phnum; i++) {
		if (!read_program(f, i, &ph)) {
			damaged(f, "its program headers are cut off");
			return;
		}
		look_at_program(f, &ph);
	}
	f->look->runs |= f->head.e_type == ET_EXEC ||
			 (f->head.e_type == ET_DYN && f->look->interpreter != NULL);
	look_at_sections(f);
}

void elf_look(const void *data, size_t len, struct elf_look *ret)
{
	struct file f = {.data = data, .len = len, .look = ret};
	const unsigned char *ident = f.data;

	memset(ret, 0, sizeof(*ret));
	if (len < SELFMAG || memcmp(data, ELFMAG, SELFMAG) != 0)
		return;
	if (len < EI_NIDENT + 4) {
		damaged(&f, "its header is cut off");
		return;
	}
	ret->kind = ELF_FOREIGN;
	ret->class_bits = ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	ret->machine = ident[EI_DATA] == ELFDATA2MSB
			       ? (uint16_t)(ident[EI_NIDENT + 2] << 8 | ident[EI_NIDENT + 3])
			       : (uint16_t)(ident[EI_NIDENT + 3] << 8 | ident[EI_NIDENT + 2]);
	if (ident[EI_CLASS] != NATIVE_CLASS || ident[EI_DATA] != NATIVE_DATA)
		return;
	if (take(&f, 0, sizeof(f.head), &f.head))
		look_inside(&f);
	else
		damaged(&f, "its header is cut off");
}

bool elf_mentions(const void *data, size_t len, const char *text)
{
	return memmem(data, len, text, strlen(text)) != NULL;
}
