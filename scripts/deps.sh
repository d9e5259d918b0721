#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh [GROUP...] - installs from the distribution what is not there yet of what these groups need:
#
#	build	the two libraries, and nothing else
#	demo	make demo
#	test	make test, asan, tsan
#	bench	make bench
#	fuzz	make fuzz
#	lint	make lint, which compiles the tests as well
#	deb	make deb
#	debug	to look into what went wrong
#
# Without a group, all of them. Where all is there it says nothing, takes a few milliseconds and
# needs no network.
#
# Servers (unbound, nsd, dnsdist, Knot Resolver, nscd, nginx, sshd) are installed for their programs
# alone: the tests start them in namespaces of their own. Their packages would start system services,
# so a policy-rc.d that forbids it stands in /usr/sbin during the installation, if the machine has
# none of its own.
set -euo pipefail

all=(build demo test bench fuzz lint deb debug)
groups=("${@:-${all[@]}}")

# Package; a program or file that shows it is there however it came (a hyphen: ask dpkg alone); the
# groups that need it.
needed='
gcc                   gcc                         build demo test bench lint deb
libc6-dev             /usr/include/features.h     build demo test bench lint fuzz deb
make                  make                        build demo test bench lint deb
libc-ares-dev         /usr/include/ares.h         build demo test bench lint deb
libssl-dev            /usr/include/openssl/ssl.h  build demo test bench lint deb
libcriterion-dev      -                           test lint
libseccomp-dev        -                           test lint
libuv1-dev            -                           test
libjemalloc2          -                           test
libtcmalloc-minimal4  -                           test
libidn2-0             -                           test
openssl               openssl                     test
unbound               unbound                     test bench
nsd                   nsd                         test bench
dnsdist               dnsdist                     test bench
nscd                  nscd                        test bench
knot-resolver         kresd                       test
bind9-dnsutils        dig                         test bench
knot-dnsutils         kdig                        test
dnsperf               dnsperf                     bench
netbase               /etc/services               demo test bench
iproute2              ip                          demo test bench
nftables              nft                         demo test bench
util-linux            unshare                     demo test bench
procps                ps                          test bench
curl                  curl                        demo test
wget                  wget                        test
python3               python3                     demo test bench
nodejs                node                        test
nginx-light           nginx                       test
openssh-client        ssh                         test
openssh-server        sshd                        test
postgresql-client     psql                        test
redis-tools           redis-cli                   test
strace                strace                      test bench
zsh                   zsh                         test
valgrind              valgrind                    bench
chromium-headless-shell chromium-headless-shell   test
clang                 clang                       fuzz lint
libclang-rt-dev       -                           fuzz
git                   git                         test lint
clang-format          clang-format                lint
clang-tidy            clang-tidy                  lint
cppcheck              cppcheck                    lint
shellcheck            shellcheck                  lint
mandoc                mandoc                      lint
dpkg-dev              dpkg-shlibdeps              test deb
lintian               lintian                     deb
gdb                   gdb                         debug
tcpdump               tcpdump                     debug
'

for group in "${groups[@]}"; do
	[[ " ${all[*]} " == *" $group "* ]] && continue
	echo "deps.sh: no group $group; there are: ${all[*]}" >&2
	exit 2
done

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # servers are no users' programs

# Is this list of groups asked for?
wanted() { # group...
	local group
	for group; do
		[[ " ${groups[*]} " == *" $group "* ]] && return 0
	done
	return 1
}

# Does the program or the file exist?
there() { # program|file|-
	case $1 in
	-) return 1 ;;
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# The packages that are missing, one a line.
missing() {
	local package sign of
	local -a ask=()
	while read -r package sign of; do
		[ -n "$package" ] || continue
		# shellcheck disable=SC2086 # words
		wanted $of || continue
		there "$sign" || ask+=("$package")
	done <<<"$needed"
	[ ${#ask[@]} -gt 0 ] || return 0
	if ! command -v dpkg-query >/dev/null; then
		printf '%s\n' "${ask[@]}"
		return 0
	fi
	# A package that dpkg has never heard of is missing from the list, which is as good.
	comm -23 <(printf '%s\n' "${ask[@]}" | sort) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${ask[@]}" 2>/dev/null |
			sed -n 's/^installed //p' | sort)
}

policy=/usr/sbin/policy-rc.d
our_policy=

# shellcheck disable=SC2317 # called by the trap
remove_policy() {
	if [ -n "$our_policy" ]; then
		$sudo rm -f "$policy"
	fi
}

forbid_services() {
	trap remove_policy EXIT
	[ -e "$policy" ] && return
	our_policy=yes
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 0755 "$policy"
}

mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0

command="apt-get install -y --no-install-recommends ${packages[*]}"
sudo=
if ! command -v apt-get >/dev/null; then
	echo "These are missing, and this system has no apt-get to get them: ${packages[*]}" >&2
	echo "On Debian: sudo $command" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "Packages are missing, and only root may install them. Run:" >&2
		echo "    sudo $command" >&2
		exit 1
	fi
	sudo=sudo
fi

echo "Installing from the distribution: ${packages[*]}"
forbid_services
apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"
# An unreachable extra source must not stop what the lists at hand can install.
$apt update || echo "apt-get update failed; going on with the lists that are there" >&2
$apt install -y --no-install-recommends "${packages[@]}"
still=$(missing)
if [ -n "$still" ]; then
	echo "Still missing after the installation: ${still//$'\n'/ }" >&2
	exit 1
fi
