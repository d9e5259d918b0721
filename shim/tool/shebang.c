// SPDX-License-Identifier: MIT
/*
 * shebang.c - see shebang.h. execve(2) hands on all behind the interpreter as one argument; env -S
 * takes it apart again. Its quotes and escapes are left as they are: they do not stand in the name
 * of a program.
 */
#include "shim/tool/shebang.h"

#include <string.h>

#define BLANKS " \t"

/* Copies the word at *p and moves behind it and the blanks that follow. */
static void next_word(const char **p, char ret[SHEBANG_MAX])
{
	size_t len = strcspn(*p, BLANKS);

	memcpy(ret, *p, len);
	ret[len] = '\0';
	*p += len;
	*p += strspn(*p, BLANKS);
}

static bool is_env(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash ? slash + 1 : program, "env") == 0;
}

/* An option of env. True: the next word is its value. */
static bool env_option(const char *word, struct shebang *ret)
{
	if (strcmp(word, "-") == 0 || strcmp(word, "--ignore-environment") == 0 ||
	    strcmp(word, "-uLD_PRELOAD") == 0 || strcmp(word, "--unset=LD_PRELOAD") == 0)
		ret->env_clears = true;
	if (word[1] == '-')
		return false;
	/* -i may stand among others, -iS */
	if (word[1] != 'u' && word[1] != 'C' && strchr(word, 'i'))
		ret->env_clears = true;
	return strcmp(word, "-u") == 0 || strcmp(word, "-C") == 0;
}

/* The words behind env: options, assignments, the program. */
static void parse_env(const char *p, struct shebang *ret)
{
	char word[SHEBANG_MAX];
	bool value = false, unset = false;

	ret->by_env = true;
	ret->program[0] = '\0';
	while (*p) {
		if (strncmp(p, "-S", 2) == 0 && p[2] != '\0' && !strchr(BLANKS, p[2])) {
			p += 2; /* -Sprogram */
			continue;
		}
		if (strncmp(p, "--split-string=", 15) == 0) {
			p += 15;
			continue;
		}
		next_word(&p, word);
		if (value) {
			ret->env_clears |= unset && strcmp(word, "LD_PRELOAD") == 0;
			value = false;
		} else if (word[0] == '-') {
			value = env_option(word, ret);
			unset = word[1] == 'u';
		} else if (strchr(word, '=')) {
			ret->env_clears |= strncmp(word, "LD_PRELOAD=", 11) == 0;
		} else {
			memcpy(ret->program, word, sizeof(word));
			return;
		}
	}
}

bool shebang_parse(const char *text, size_t len, struct shebang *ret)
{
	char line[SHEBANG_MAX];
	const char *p = line;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	if (len < 2 || text[0] != '#' || text[1] != '!')
		return false;
	text += 2;
	len -= 2;
	n = len < sizeof(line) - 3 ? len : sizeof(line) - 3;
	memcpy(line, text, n);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	for (n = strlen(line); n > 0 && strchr(BLANKS, line[n - 1]); n--)
		line[n - 1] = '\0';
	p += strspn(p, BLANKS);
	next_word(&p, ret->program);
	if (is_env(ret->program))
		parse_env(p, ret);
	return ret->program[0] != '\0';
}
