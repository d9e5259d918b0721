// SPDX-License-Identifier: MIT
/*
 * config_load.c - the configuration of this process: environment, file, and where complaints go.
 */
#include "shim/config.h"
#include "shim/file.h"
#include "shim/sys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COMPLAINTS_MAX 8192

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static const char *from_nowhere(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

/* One walk over the environment saves most processes twenty. */
static bool environment_has_any(void)
{
	for (char **variable = environ; variable && *variable; variable++)
		if (strncmp(*variable, CONFIG_PREFIX, strlen(CONFIG_PREFIX)) == 0)
			return true;
	return false;
}

/* A file that this process cannot see is none. Any other failure is one of the moment; but without
 * a descriptor open() does not even look whether the file is there. */
static bool is_absent(int err)
{
	struct file_id id, none = {0};

	switch (err) {
	case -EACCES:
	case -EISDIR:
	case -ELOOP:
	case -ENOENT:
	case -ENOTDIR:
	case -ENXIO:
	case -EPERM:
		return true;
	}
	file_identify(CONFIG_FILE, &id);
	return memcmp(&id, &none, sizeof id) == 0;
}

/* What a line is when the limit cuts it: nothing. Half a value may be another value. */
static size_t whole_lines(const char *text, size_t len)
{
	if (len < CONFIG_FILE_MAX)
		return len;
	while (len > 0 && text[len - 1] != '\n')
		len--;
	return len;
}

/* Without the file, NULL and 0. */
static int read_config(char **ret_text, size_t *ret_len)
{
	struct file_id id;
	int r;

	*ret_text = NULL;
	*ret_len = 0;
	r = file_read_head(CONFIG_FILE, CONFIG_FILE_MAX, ret_text, ret_len, &id);
	if (r < 0)
		return is_absent(r) ? 0 : r;
	*ret_len = whole_lines(*ret_text, *ret_len);
	return 0;
}

/*
 * Complaints are kept until the log is configured, which the same text decides. What does not fit
 * is lost: a file with that many mistakes has been complained about enough.
 */
struct complaints {
	char *text; /* borrows; COMPLAINTS_MAX bytes, which nobody touches as long as all is well */
	size_t len;
};

static void collect(void *ctx, const char *line)
{
	struct complaints *c = ctx;
	size_t len = strlen(line) + 1;

	if (len > COMPLAINTS_MAX - c->len)
		return;
	memcpy(c->text + c->len, line, len);
	c->len += len;
}

int config_load(struct config *ret)
{
	static char complaints_text[COMPLAINTS_MAX];
	struct complaints complaints = {complaints_text, 0};
	size_t len;
	char *text;
	int r = read_config(&text, &len);

	if (r < 0)
		return r;
	config_parse(environment_has_any() ? from_environment : from_nowhere, NULL, text, len, ret,
		     collect, &complaints);
	free(text);
	log_configure(ret->log, ret->log_file);
	for (size_t at = 0; at < complaints.len; at += strlen(complaints.text + at) + 1)
		log_error("%s", complaints.text + at);
	return 0;
}

/* Fills `text`. 0 and the length, which is 0 without a file; or a negative errno. */
static int read_raw(char *text, size_t *ret_len)
{
	int fd = sys_open(CONFIG_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	ssize_t n = fd;

	*ret_len = 0;
	while (fd >= 0 && *ret_len < CONFIG_FILE_MAX) {
		n = sys_read(fd, text + *ret_len, CONFIG_FILE_MAX - *ret_len);
		if (n > 0)
			*ret_len += (size_t)n;
		else if (n != -EINTR)
			break;
	}
	if (fd >= 0)
		sys_close(fd);
	if (n >= 0)
		return 0;
	*ret_len = 0;
	return is_absent((int)n) ? 0 : (int)n;
}

bool config_load_private(void)
{
	int saved = errno;
	char *text = mmap(NULL, CONFIG_FILE_MAX, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool asks = true;
	size_t len;

	if (text == MAP_FAILED)
		asks = !is_absent(-ENOMEM) || config_asks_private(from_environment, NULL, NULL, 0);
	else if (read_raw(text, &len) == 0)
		asks = config_asks_private(from_environment, NULL, text, whole_lines(text, len));
	if (text != MAP_FAILED)
		munmap(text, CONFIG_FILE_MAX);
	errno = saved;
	return asks;
}
