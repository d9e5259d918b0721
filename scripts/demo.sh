#!/bin/bash
# SPDX-License-Identifier: MIT
# demo.sh - the main job in a minute: a real curl fetches a page by name from a real web server, on a
# network of its own whose DNS server takes 200 ms for each answer; without and with the shim, the
# first and the second time. Then a program that knows nothing of Happy Eyeballs connects to a name
# with an IPv6 address where nobody is.
#
# It runs itself again inside the lab (lab-run), as root or in a user namespace. $O is the build
# folder (default build). Nothing leaves the machine, and nothing of it is left behind.
set -euo pipefail

O=$(realpath "${O:-build}")
HOST=www.demo.test
ADDRESS=192.0.2.80
DUAL=dual.demo.test # has an IPv6 address too, where nobody is
DELAY_MS=200

# Inside the lab. ------------------------------------------------------------------------------

# Prints curl's own figures for one fetch, in milliseconds: lookup, then the rest.
fetch() { # [preload]
	LD_PRELOAD=${1:-} curl --silent --show-error --output /dev/null --max-time 20 \
		--write-out '%{time_namelookup} %{time_total}\n' "http://$HOST/" |
		awk '{ printf "%8.1f %8.1f", $1 * 1000, $2 * 1000 }'
}

# A program that looks the name up and nothing else: what an event loop would stand still for.
lookup() { # [preload]
	LD_PRELOAD=${1:-} python3 - "$HOST" <<-'EOF'
		import socket, sys, time
		socket.getaddrinfo("localhost", 80)  # what the first call loads is not the lookup's
		times = []
		for _ in range(5):
		    start = time.perf_counter()
		    socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM)
		    times.append(time.perf_counter() - start)
		print("%8.3f %8.3f" % (times[0] * 1000, min(times[1:]) * 1000), end="")
	EOF
}

# From the lookup's end to the connection, in milliseconds.
connect() { # [preload]
	LD_PRELOAD=${1:-} python3 - "$DUAL" <<-'EOF'
		import socket, sys, time
		family, type, _, _, address = socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM)[0]
		start = time.perf_counter()
		try:
		    socket.socket(family, type).connect(address)
		    result = "connected"
		except OSError as error:
		    result = error.strerror
		print("%8.1f   %s" % ((time.perf_counter() - start) * 1000, result), end="")
	EOF
}

wait_for_server() {
	for _ in $(seq 100); do
		curl --silent --output /dev/null "http://$ADDRESS/" && return
		sleep 0.05
	done
	echo "the demo's web server did not start" >&2
	exit 1
}

inside() {
	local shim=$O/libnoblockdns.so

	cd "$LAB_DIR"
	echo '<h1>It does not block.</h1>' >index.html
	python3 -m http.server --bind $ADDRESS 80 >/dev/null 2>&1 &
	server=$!
	trap 'kill "$server"' EXIT
	wait_for_server

	printf '\n%-44s %8s %8s\n' "curl http://$HOST/ (new process each)" 'lookup' 'total ms'
	printf '%-44s %s\n' '  without the shim, first time' "$(fetch)"
	printf '%-44s %s\n' '  without the shim, second time' "$(fetch)"
	printf '%-44s %s\n' '  with the shim, first time' "$(fetch "$shim")"
	printf '%-44s %s\n' '  with the shim, second time' "$(fetch "$shim")"
	printf '\n%-44s %8s %8s\n' 'python3 getaddrinfo() in one process' 'first' 'next ms'
	printf '%-44s %s\n' '  without the shim' "$(lookup)"
	printf '%-44s %s\n' '  with the shim (cache shared with curl)' "$(lookup "$shim")"
	printf '\n%-44s %8s\n' 'python3 connect(), nobody at the IPv6 address' 'ms'
	printf '%-44s %s\n' '  without the shim' "$(connect)"
	printf '%-44s %s\n' '  with the shim, first process' "$(connect "$shim")"
	printf '%-44s %s\n' '  with the shim, next process' "$(connect "$shim")"
	printf '\nTry it: LD_PRELOAD=%s PROGRAM\n' "$shim"
}

if [ "${1:-}" = inside ]; then
	inside
	exit
fi

echo "demo: a lab with a DNS server that takes $DELAY_MS ms, a web server, and curl"
exec "$O/lab/lab-run" --address $ADDRESS/24 --address 2001:db8::1/64 --timeout 120 \
	--dns "listen 127.0.0.1:53
rr $HOST 300 CNAME web.demo.test
rr web.demo.test 300 A $ADDRESS
rr $DUAL 300 A $ADDRESS
rr $DUAL 300 AAAA 2001:db8::80
rr demo.test 300 SOA 60
on * * delay $DELAY_MS
" -- env O="$O" "$(realpath "$0")" inside
