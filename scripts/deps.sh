#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh - installs from the distribution what building, testing and benchmarking need and what is
# not there yet. Where all is there it says nothing, takes a few milliseconds and needs no network.
#
# Servers (unbound, nsd, dnsdist, nscd) are installed for their programs alone: the tests start them
# in namespaces of their own. Their packages would start system services, so a policy-rc.d that
# forbids it stands in /usr/sbin during the installation, if the machine has none of its own.
set -euo pipefail

# Package, and a program that shows it is there however it came (a hyphen: ask dpkg alone).
needed='
gcc                   gcc
libc6-dev             -
make                  make
pkg-config            pkg-config
git                   git
libc-ares-dev         -
libssl-dev            -
libcriterion-dev      -
libseccomp-dev        -
libuv1-dev            -
libjemalloc2          -
libtcmalloc-minimal4  -
libidn2-0             -
openssl               openssl
libclang-rt-dev       -
unbound               unbound
nsd                   nsd
dnsdist               dnsdist
nscd                  nscd
bind9-dnsutils        dig
knot-dnsutils         kdig
netbase               -
iproute2              ip
nftables              nft
util-linux            unshare
procps                ps
clang                 clang
clang-format          clang-format
clang-tidy            clang-tidy
cppcheck              cppcheck
shellcheck            shellcheck
strace                strace
valgrind              valgrind
gdb                   gdb
curl                  curl
wget                  wget
python3               python3
nodejs                node
tcpdump               tcpdump
mandoc                mandoc
'

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # servers are no users' programs

# The packages that are missing, one a line.
missing() {
	local package program
	local -a ask=()
	while read -r package program; do
		[ -n "$package" ] || continue
		[ "$program" != - ] && command -v "$program" >/dev/null && continue
		ask+=("$package")
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
