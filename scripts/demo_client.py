# SPDX-License-Identifier: MIT
"""demo_client.py NAME... - a program as there are many: one thread, one loop (epoll), and in the loop
plain blocking calls. A timer ticks fifty times a second; at every tenth tick the next name is
fetched from, over HTTP. Prints what the servers said. What the loop missed, it cannot say itself.
"""
import select
import socket
import sys
import time

TICK = 0.02


def fetch(name):
    with socket.create_connection((name, 80)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: %s\r\n\r\n" % name.encode())
        answer = connection.makefile("rb").read()
    return answer.partition(b"\r\n\r\n")[2].decode().strip()


def main(names):
    loop = select.epoll()
    for name in names:
        until = time.monotonic() + 10 * TICK
        while time.monotonic() < until:
            loop.poll(TICK)
        print(name, fetch(name))


main(sys.argv[1:])
