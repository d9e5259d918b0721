// SPDX-License-Identifier: MIT
/*
 * elf_libraries.c - see elf_libraries.h. A library is looked for in the folders of the one that
 * needs it (DT_RUNPATH, $ORIGIN), of LD_LIBRARY_PATH, of /etc/ld.so.conf, and in the usual ones.
 * The loader's cache is not read: it is made of the same folders.
 */
#include "shim/tool/elf_libraries.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARIES_MAX 512 /* of one program */
#define CONF_DEPTH    4	  /* of `include` in ld.so.conf */

#ifndef TOOL_MULTIARCH
#define TOOL_MULTIARCH ""
#endif

struct walk {
	char *names[LIBRARIES_MAX]; /* owns; every name that was met */
	char *paths[LIBRARIES_MAX]; /* owns; its file, or NULL */
	unsigned n;
	char conf[8192]; /* folders of ld.so.conf, separated by colons */
};

int elf_file_open(const char *path, struct elf_file *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	struct stat st;
	void *data;

	*ret = (struct elf_file){NULL, 0};
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EACCES;
	else if (st.st_size == 0)
		r = -ENODATA;
	if (r == 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			r = -errno;
		else
			*ret = (struct elf_file){data, (size_t)st.st_size};
	}
	(void)close(fd);
	return r;
}

void elf_file_close(struct elf_file *file)
{
	(void)munmap((void *)file->data, file->len);
}

/* ---- folders ---- */

static void read_conf(struct walk *w, const char *path, unsigned depth);

static void read_conf_line(struct walk *w, char *line, unsigned depth)
{
	size_t used = strlen(w->conf);
	glob_t found;

	line[strcspn(line, "#\n")] = '\0';
	line += strspn(line, " \t");
	if (strncmp(line, "include", 7) == 0 && depth < CONF_DEPTH) {
		line += 7 + strspn(line + 7, " \t");
		if (glob(line, 0, NULL, &found) != 0)
			return;
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_conf(w, found.gl_pathv[i], depth + 1);
		globfree(&found);
	} else if (line[0] == '/') {
		line[strcspn(line, " \t:=,")] = '\0';
		(void)snprintf(w->conf + used, sizeof(w->conf) - used, "%s:", line);
	}
}

static void read_conf(struct walk *w, const char *path, unsigned depth)
{
	FILE *file = fopen(path, "re");
	char line[PATH_MAX];

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file))
		read_conf_line(w, line, depth);
	(void)fclose(file);
}

/* The folder, with $ORIGIN replaced by that of `needer`. False: it does not fit. */
static bool expand(const char *folder, size_t len, const char *needer, char *buf, size_t size)
{
	static const char *const tokens[] = {"$ORIGIN", "${ORIGIN}"};
	const char *slash = strrchr(needer, '/');
	int origin = slash ? (int)(slash - needer) : 0;

	for (size_t i = 0; i < 2; i++) {
		size_t token = strlen(tokens[i]);

		if (len >= token && strncmp(folder, tokens[i], token) == 0)
			return (size_t)snprintf(buf, size, "%.*s%.*s", origin, needer,
						(int)(len - token), folder + token) < size;
	}
	return (size_t)snprintf(buf, size, "%.*s", (int)len, folder) < size;
}

/* Is it a library that this needer could be loaded with? The loader passes over others. */
static bool fits(const char *path)
{
	struct elf_file file;
	struct elf_look look;

	if (elf_file_open(path, &file) < 0)
		return false;
	elf_look(file.data, file.len, &look);
	elf_file_close(&file);
	return look.kind == ELF_FINE;
}

static bool find_in(const char *list, const char *name, const char *needer, char ret[PATH_MAX])
{
	char folder[PATH_MAX];

	for (size_t len; list && *list; list += len + (list[len] != '\0')) {
		len = strcspn(list, ":");
		if (len > 0 && expand(list, len, needer, folder, sizeof(folder)) &&
		    snprintf(ret, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && fits(ret))
			return true;
	}
	return false;
}

static bool find(const struct walk *w, const char *name, const char *needer, const char *runpath,
		 char ret[PATH_MAX])
{
	static const char usual[] = "/lib/" TOOL_MULTIARCH ":/usr/lib/" TOOL_MULTIARCH
				    ":/lib64:/usr/lib64:/lib:/usr/lib";

	if (strchr(name, '/'))
		return snprintf(ret, PATH_MAX, "%s", name) < PATH_MAX && fits(ret);
	return find_in(runpath, name, needer, ret) ||
	       find_in(getenv("LD_LIBRARY_PATH"), name, needer, ret) ||
	       find_in(w->conf, name, needer, ret) || find_in(usual, name, needer, ret);
}

/* ---- the walk ---- */

static bool is_known(const struct walk *w, const char *name)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(w->names[i], name) == 0)
			return true;
	return false;
}

static void add_needed(struct walk *w, const char *path, const struct elf_look *look)
{
	char found[PATH_MAX];

	for (unsigned i = 0; i < look->nneeded && w->n < LIBRARIES_MAX; i++) {
		const char *name = look->needed[i];

		if (is_known(w, name))
			continue;
		w->names[w->n] = strdup(name);
		if (w->names[w->n] == NULL)
			return;
		w->paths[w->n++] = find(w, name, path, look->runpath, found) ? strdup(found) : NULL;
	}
}

void elf_libraries(const char *path, const struct elf_look *program,
		   void (*each)(void *ctx, const char *name, const char *path,
				const struct elf_look *look, const struct elf_file *file),
		   void *ctx)
{
	static struct walk w;

	memset(&w, 0, sizeof(w));
	read_conf(&w, "/etc/ld.so.conf", 0);
	add_needed(&w, path, program);
	for (unsigned i = 0; i < w.n; i++) {
		struct elf_file file;
		struct elf_look look;

		if (w.paths[i] == NULL || elf_file_open(w.paths[i], &file) < 0) {
			each(ctx, w.names[i], NULL, NULL, NULL);
			continue;
		}
		elf_look(file.data, file.len, &look);
		each(ctx, w.names[i], w.paths[i], &look, &file);
		add_needed(&w, w.paths[i], &look);
		elf_file_close(&file);
	}
	for (unsigned i = 0; i < w.n; i++) {
		free(w.names[i]);
		free(w.paths[i]);
	}
}
