// SPDX-License-Identifier: MIT
/*
 * test_package.c - what `make install` and the Debian package put onto a machine: programs run with
 * it, and nothing of it is left when it has been removed.
 *
 * The package is installed by the real dpkg into an overlay over the machine's root, which is
 * dropped with the test's world.
 */
#include "tests/e2e/tool_run.h"

#include <glob.h>
#include <stdlib.h>

#define SCRIPT "listen 127.0.0.1:53\nrr www.test 300 A 192.0.2.1\n"
#define LOOKUP "import socket; print(socket.gethostbyname(\\\"www.test\\\"))"

/* $BUILD, $DEB and $DIR for the scripts; no flags of the make that runs this test, for theirs. */
static void use_package(struct lab_world *w)
{
	char pattern[4096];
	glob_t found;

	shim_not_under(NULL, "such a build is not packed");
	snprintf(pattern, sizeof pattern, "%s/noblockdns_*.deb", lab_build_dir());
	if (glob(pattern, 0, NULL, &found) != 0)
		lab_skip("there is no package: this system has no dpkg");
	setenv("BUILD", lab_build_dir(), 1);
	setenv("DEB", found.gl_pathv[0], 1);
	setenv("DIR", lab_world_dir(w), 1);
	unsetenv("MAKEFLAGS");
	unsetenv("MFLAGS");
	globfree(&found);
}

/* The script must succeed without a word on stderr. */
static void runs(const char *script)
{
	tool_shell(script);
	lab_assert_str(shim_got.err, "");
	tool_ended(0);
}

/*
 * $ROOT: the machine's root with the package installed, and the world's files that lookups read.
 * $IN runs a program there, by an installed system's PATH: the build folder, which the tests have
 * in theirs, is in that root as well, unless it lies below /tmp or /run.
 */
static void install_package(struct lab_world *w)
{
	use_package(w);
	setenv("ROOT", "/run/root", 1);
	setenv("IN", "chroot /run/root env PATH=/usr/sbin:/usr/bin:/sbin:/bin", 1);
	tool_shell("mkdir -p $DIR/up $DIR/work $ROOT && mount -t overlay overlay "
		   "-o lowerdir=/,upperdir=$DIR/up,workdir=$DIR/work $ROOT");
	if (shim_got.status != 0)
		lab_skip("no overlay over the root here: %.200s", shim_got.err);
	runs("set -e; cd $ROOT; mount --rbind /proc proc; mount --rbind /dev dev\n"
	     "mount -t tmpfs none tmp; mount -t tmpfs none run; cp $DEB tmp/noblockdns.deb\n"
	     "for f in resolv.conf hosts nsswitch.conf; do rm -f etc/$f; cp /etc/$f etc; done");
	tool_shell("$IN dpkg -i /tmp/noblockdns.deb");
	tool_ended(0);
}

LabTest(package, installed_command_wraps_programs)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	install_package(w);
	for (int i = 0; i < 2; i++) {
		runs("$IN noblockdns run -- getent hosts www.test");
		tool_printed("192.0.2.1");
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(package, library_is_preloaded_by_its_name)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	install_package(w);
	for (int i = 0; i < 2; i++) {
		runs("LD_PRELOAD= $IN env LD_PRELOAD=libnoblockdns.so python3 -c \"" LOOKUP "\"");
		lab_assert_str(shim_got.out, "192.0.2.1\n");
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(package, doctor_finds_the_installed_library)
{
	install_package(w);
	tool_shell("$IN noblockdns doctor --offline --json python3");
	lab_assert(strstr(shim_got.out, "\"findings\"") != NULL, "(%s%s)", shim_got.out,
		   shim_got.err);
	runs("[ $($IN noblockdns run sh -c 'echo $LD_PRELOAD') = "
	     "$($IN realpath /usr/lib/$(cc -print-multiarch)/libnoblockdns.so) ]");
}

LabTest(package, is_upgraded_and_reinstalled)
{
	install_package(w);
	tool_shell("$IN dpkg -i /tmp/noblockdns.deb");
	tool_ended(0);
	runs("$IN noblockdns run true");
}

LabTest(package, purge_leaves_nothing)
{
	install_package(w);
	tool_shell("$IN dpkg -P noblockdns");
	tool_ended(0);
	runs("find $DIR/up -name '*noblockdns*' ! -type c; $IN dpkg --audit");
	lab_assert_str(shim_got.out, "");
	tool_shell("$IN noblockdns --version");
	tool_ended(127);
}

LabTest(package, files_are_as_its_sums_say)
{
	use_package(w);
	runs("set -e; cd $DIR; dpkg-deb -R $DEB tree; cd tree; md5sum --quiet -c DEBIAN/md5sums\n"
	     "[ $(find usr -type f | wc -l) = $(wc -l <DEBIAN/md5sums) ]");
}

LabTest(package, has_the_manual_and_the_completions)
{
	use_package(w);
	runs("dpkg-deb -c $DEB | sed -n 's|.* \\./usr/share/||p' | grep -E "
	     "'^(man|zsh|bash).*[^/]$' | "
	     "sort");
	lab_assert_str(shim_got.out, "bash-completion/completions/noblockdns\n"
				     "man/man1/noblockdns.1.gz\n"
				     "man/man5/noblockdns.conf.5.gz\n"
				     "man/man7/libnoblockdns.7.gz\n"
				     "zsh/vendor-completions/_noblockdns\n");
}

LabTest(package, says_what_it_is_and_needs)
{
	use_package(w);
	runs("[ \"noblockdns $(dpkg-deb -f $DEB Version)\" = \"$(noblockdns --version)\" ]");
	runs("[ $(dpkg-deb -f $DEB Architecture) = $(dpkg --print-architecture) ]");
	runs("dpkg-deb -f $DEB Depends");
	tool_printed("libc6");
}

LabTest(package, is_the_same_each_time)
{
	use_package(w);
	runs("set -e; mkdir $DIR/b; cp $BUILD/noblockdns $BUILD/libnoblockdns*.so $DIR/b/\n"
	     "O=$DIR/b scripts/deb.sh $DIR/again.deb >/dev/null; cmp $DEB $DIR/again.deb");
}

/* ---- make install ---- */

LabTest(package, make_install_and_uninstall)
{
	lab_dns_start_text(w, SCRIPT);
	use_package(w);
	runs("make -s V=1 O=$BUILD DESTDIR=$DIR PREFIX=/opt/nbd install-files\n"
	     "$DIR/opt/nbd/bin/noblockdns run getent hosts www.test\n"
	     "ls $DIR/opt/nbd/share/man/man[157] | grep -c noblockdns");
	tool_printed("192.0.2.1");
	tool_printed("\n3\n");
	runs("make -s V=1 O=$BUILD DESTDIR=$DIR PREFIX=/opt/nbd uninstall; find $DIR/opt -type f");
	lab_assert_str(shim_got.out, "");
}

LabTest(package, installation_honours_the_folders)
{
	use_package(w);
	runs("make -s V=1 O=$BUILD DESTDIR=$DIR PREFIX=/usr LIBDIR=/usr/lib/$(cc -print-multiarch) "
	     "MANDIR=/usr/man install-files; cd $DIR\n"
	     "ls usr/man/man1/noblockdns.1 usr/lib/*/libnoblockdns.so >/dev/null");
	runs("[ $($DIR/usr/bin/noblockdns run sh -c 'echo $LD_PRELOAD') = "
	     "$DIR/usr/lib/$(cc -print-multiarch)/libnoblockdns.so ]");
}

/* A program has the old library mapped: it must not be written into. */
LabTest(package, installing_again_makes_new_files)
{
	use_package(w);
	runs("make -s V=1 O=$BUILD DESTDIR=$DIR PREFIX=/usr install-files\n"
	     "cd $DIR/usr/lib; ln libnoblockdns.so kept; cd - >/dev/null\n"
	     "make -s V=1 O=$BUILD DESTDIR=$DIR PREFIX=/usr install-files\n"
	     "cd $DIR/usr/lib; [ ! libnoblockdns.so -ef kept ] && cmp libnoblockdns.so kept");
}
