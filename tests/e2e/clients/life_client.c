// SPDX-License-Identifier: MIT
/*
 * life_client.c - programs that look names up at awkward moments of their lives: in many
 * threads, on both sides of fork, inside of the loader, at exit: life_client MODE [ARGUMENT].
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "life_util.h"

#define THREADS 64

static const char *argument;

/* ---- many names, many threads ---- */

static void many_names(void)
{
	char name[64];

	for (int i = 0; i < atoi(argument); i++) {
		const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
		struct addrinfo *list;

		snprintf(name, sizeof(name), "n%d.many.test", i);
		must(getaddrinfo(name, NULL, &hints, &list) == 0);
		freeaddrinfo(list);
	}
}

static pthread_barrier_t barrier;

static void *find_my_name_twice(void *number)
{
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&barrier);
		must_find_number("t", (int)(intptr_t)number);
	}
	return NULL;
}

static void names_of_threads(void)
{
	pthread_t threads[THREADS];

	must(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	start_threads(threads, THREADS, find_my_name_twice);
	join_threads(threads, THREADS);
}

/* ---- fork and vfork ---- */

static _Atomic bool stop;

static void *keep_looking_up(void *number)
{
	for (int i = 0; !atomic_load(&stop); i++)
		must_find_number(i % 2 ? "busy" : "warm",
				 i % 2 ? (int)(intptr_t)number * 1000 + i : 0);
	return NULL;
}

static void look_up_in_child(int number, int depth)
{
	pid_t pid = fork();

	if (pid != 0) {
		must_exit_with_0(pid);
		return;
	}
	must_find_number("warm", 0);
	must_find_number(depth ? "grandchild" : "child", number);
	must_find_number("warm", 0);
	if (depth == 0)
		look_up_in_child(number, 1);
	_exit(0);
}

static void children_of_busy_threads(void)
{
	pthread_t threads[4];

	must_find_number("warm", 0);
	start_threads(threads, 4, keep_looking_up);
	for (int i = 0; i < 25; i++)
		look_up_in_child(i, 0);
	atomic_store(&stop, true);
	join_threads(threads, 4);
}

static volatile int vfork_results[3];

static void vfork_child(void)
{
	pid_t pid;

	must_find_number("warm", 0);
	pid = vfork();
	if (pid == 0) {
		vfork_results[0] = look_up("warm0.life.test");
		vfork_results[1] = look_up("vfork.life.test");
		vfork_results[2] = look_up("warm0.life.test");
		_exit(0);
	}
	must_exit_with_0(pid);
	for (int i = 0; i < 3; i++)
		must(vfork_results[i] == 0);
	must_find_number("warm", 0);
	must_find_number("after", 0);
}

/* ---- loaders ---- */

static void *load(void *path)
{
	void *library = dlopen(path, RTLD_NOW);

	if (library == NULL)
		dprintf(1, "%s\n", dlerror());
	must(library != NULL);
	return library;
}

static void look_up_in_dlopen(void)
{
	must(dlclose(load((void *)argument)) == 0); /* its destructor looks up, too */
}

static void *first_lookup(void *arg)
{
	must_find_number("first", 0);
	return arg;
}

static void *load_another(void *arg)
{
	must(dlopen("libanl.so.1", RTLD_NOW) != NULL);
	return arg;
}

/* The library's constructor takes its time; the others come while it holds the loader's lock. */
static void look_up_under_the_loaders_lock(void)
{
	pthread_t threads[3];

	must(pthread_create(&threads[0], NULL, load, (void *)argument) == 0);
	usleep(20000);
	must(pthread_create(&threads[1], NULL, load_another, NULL) == 0);
	must(pthread_create(&threads[2], NULL, first_lookup, NULL) == 0);
	join_threads(threads, 3);
}

/* ---- exit ---- */

static void key_destructor(void *arg)
{
	(void)arg;
	must_find_number("key", 0);
	atomic_store(&stop, true);
}

static void *set_key(void *arg)
{
	pthread_key_t key;

	must(pthread_key_create(&key, key_destructor) == 0);
	must(pthread_setspecific(key, &key) == 0);
	return arg;
}

static void lookup_at_thread_exit(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, set_key, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
	must(atomic_load(&stop));
}

static void *wait_for_nothing(void *arg)
{
	look_up("a.lost.test");
	return arg;
}

static void exit_while_a_thread_waits(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, wait_for_nothing, NULL) == 0);
	usleep(100000);
	exit(0);
}

/* The first thread ends; the others go on, and the process with them. */
static void *find_and_exit(void *arg)
{
	(void)arg;
	usleep(50000);
	must_find_number("late", 0);
	exit(0);
}

static void main_thread_ends_first(void)
{
	pthread_t thread;

	must_find_number("early", 0);
	must(pthread_create(&thread, NULL, find_and_exit, NULL) == 0);
	pthread_exit(NULL);
}

static const struct mode modes[] = {
	{"many_names", many_names},
	{"names_of_threads", names_of_threads},
	{"children_of_busy_threads", children_of_busy_threads},
	{"vfork_child", vfork_child},
	{"look_up_in_dlopen", look_up_in_dlopen},
	{"look_up_under_the_loaders_lock", look_up_under_the_loaders_lock},
	{"lookup_at_thread_exit", lookup_at_thread_exit},
	{"exit_while_a_thread_waits", exit_while_a_thread_waits},
	{"main_thread_ends_first", main_thread_ends_first},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	argument = argc > 2 ? argv[2] : "";
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}
