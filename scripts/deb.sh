#!/bin/bash
# SPDX-License-Identifier: MIT
# deb.sh FILE - packs what is built in $O (default build) as the Debian package FILE.
#
# The folder scripts/debian is what debian/ is in a source package. Nothing is compiled here and no
# helper is needed but dpkg-dev. The same input gives the same bytes: every time in the package is
# that of the last entry of the changelog, and every owner is root.
set -euo pipefail

O=${O:-build}
file=$(realpath -m "$1")
work=$(realpath "$O")/deb
tree=$work/debian/noblockdns
doc=$tree/usr/share/doc/noblockdns
multiarch=$("${CC:-cc}" -print-multiarch)

unset MAKEFLAGS MFLAGS # of the make that calls this: a package does not depend on them
version=$(dpkg-parsechangelog -l scripts/debian/changelog -S Version)
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l scripts/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
told=$("$O/noblockdns" --version)
if [ "$told" != "noblockdns $version" ]; then
	echo "deb.sh: scripts/debian/changelog is of $version, and this is $told" >&2
	exit 1
fi

# Source and version of a package whose static library is inside ours (Built-Using).
built_using() { # PACKAGE...
	# shellcheck disable=SC2016
	dpkg-query -W -f '${source:Package} (= ${source:Version}), ' "$@" 2>/dev/null || true
}

copyright() {
	echo "libnoblockdns, and the noblockdns command:"
	echo
	cat LICENSE
	[ "${STATIC:-1}" = 1 ] || return 0
	echo
	echo "libnoblockdns-resolver.so has c-ares and OpenSSL inside, and two functions of the GNU C"
	echo "Library's libresolv (LGPL 2.1 or later, see /usr/share/common-licenses/LGPL-2.1)."
	for package in libc-ares-dev libssl-dev; do
		printf '\n%s\n%s:\n\n' ---------------------------------------- $package
		cat /usr/share/doc/$package/copyright ||
			echo "deb.sh: not fit to be given away: the licence of $package is not here" >&2
	done
}

rm -rf "$work"
install -d "$tree/DEBIAN" "$doc"
cp scripts/debian/control scripts/debian/changelog "$work/debian/"
make --no-print-directory -s O="$O" PACKAGED=1 PREFIX=/usr LIBDIR="/usr/lib/$multiarch" \
	DESTDIR="$tree" install-files >/dev/null
strip --strip-unneeded --remove-section=.comment --remove-section=.gnu_debuglink \
	"$tree/usr/bin/noblockdns" "$tree/usr/lib/$multiarch"/*.so
chmod 0644 "$tree/usr/lib/$multiarch"/*.so
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
copyright >"$doc/copyright"
gzip -9nc scripts/debian/changelog >"$doc/changelog.gz"
install -m 0644 README.md "$doc/"
install -D -m 0644 scripts/debian/noblockdns.lintian-overrides \
	"$tree/usr/share/lintian/overrides/noblockdns"
install -m 0644 scripts/debian/triggers "$tree/DEBIAN/"
(
	cd "$tree"
	find usr -type f -printf '%P\0' | sort -z | sed -z 's|^|usr/|' |
		xargs -0 md5sum >DEBIAN/md5sums
	cd "$work"
	dpkg-shlibdeps -O debian/noblockdns/usr/bin/noblockdns \
		debian/noblockdns/usr/lib/"$multiarch"/*.so >debian/substvars
	[ "${STATIC:-1}" != 1 ] ||
		echo "static:Built-Using=$(built_using libc-ares-dev libssl-dev)" >>debian/substvars
	dpkg-gencontrol -pnoblockdns -Pdebian/noblockdns -Tdebian/substvars -fdebian/files \
		-cdebian/control -ldebian/changelog
)
chmod -R u=rwX,go=rX "$tree"
# The tree was just written: its times are later than the changelog's, which is what they become.
dpkg-deb --root-owner-group -Zxz --build "$tree" "$file.part" >/dev/null
mv "$file.part" "$file"
