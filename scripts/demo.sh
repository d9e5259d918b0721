#!/bin/bash
# SPDX-License-Identifier: MIT
# demo.sh - the main job in a minute: a program with an event loop (demo_client.py) and curl, on a
# network of their own whose DNS server is 200 ms away and loses one packet in ten, and on which IPv6
# leads nowhere. `noblockdns compare` runs them without and with the shim, prints what they waited
# for, and draws it.
#
# It runs itself again inside the lab (lab-run), as root or in a user namespace. $O is the build
# folder (default build); the page is demo.html there. Nothing leaves the machine, and nothing else
# of it is left behind.
set -euo pipefail

O=$(realpath "${O:-build}")
here=$(dirname "$(realpath "$0")")
WEB=192.0.2.1 # the lab's own address
export PATH=$PATH:/usr/sbin:/sbin

wait_for_server() {
	for _ in $(seq 100); do
		curl --silent --output /dev/null "http://$WEB/" && return
		sleep 0.05
	done
	echo "the demo's web server did not start" >&2
	exit 1
}

inside() {
	# The kernel tries to connect for two minutes before it gives up; the demo has less time.
	echo 1 >/proc/sys/net/ipv4/tcp_syn_retries

	cd "$LAB_DIR"
	echo 'It does not block.' >index.html
	python3 -m http.server --bind $WEB 80 >/dev/null 2>&1 &
	server=$!
	trap 'kill "$server"' EXIT
	wait_for_server

	cat >programs <<-EOF
		python3 "$here/demo_client.py" www.demo.test dual.demo.test api.demo.test \
			www.demo.test dual.demo.test api.demo.test
		for name in www dual; do
			curl --silent --show-error http://\$name.demo.test/
		done
	EOF
	"$O/noblockdns" compare --runs 2 --html "$O/demo.html" -- sh programs
}

if [ "${1:-}" = inside ]; then
	inside
	exit
fi

cat <<EOF
demo: an event loop and curl fetch from three names, by turns without and with the shim.
The DNS server is 200 ms away and loses 10 %; dual.demo.test has an IPv6 address that is a black hole.

EOF
"$O/lab/lab-run" --timeout 120 --resolv-conf "nameserver 198.51.100.53
" --forward "ipv6 drop
out udp port 53 delay 100 loss 100
in udp port 53 delay 100
" --dns "listen 198.51.100.53:53
side far
rr demo.test 300 SOA 60
rr www.demo.test 300 CNAME web.demo.test
rr web.demo.test 300 A $WEB
rr api.demo.test 300 A $WEB
rr dual.demo.test 300 A $WEB
rr dual.demo.test 300 AAAA 2001:db8:2::80
" -- env O="$O" "$here/demo.sh" inside
printf '\nThe picture: %s\n' "$O/demo.html"
printf 'Your own program: %s compare -- PROGRAM\n' "$O/noblockdns"
