# SPDX-License-Identifier: MIT
"""requirements.py - what the figures must reach.

Each function below gives tuples: text, measured (None: not), unit, "<=" or ">=", bound.
"""

import statistics

from figures import DOT_FORMS, FLOODS, FORMS, difference, dot_memory, ms, worst


def lookup_requirements(f):
    """Warm, first and cold lookups."""
    for form in ("stream", "getaddrinfo"):
        shim, words = "shim " + form, FORMS[form]
        yield f"warm lookup, {words}, p50", f.get("warm", shim), "ns", "<=", 400
        yield f"warm lookup, {words}, p99", f.get("warm", shim, "p99"), "ns", "<=", 2000
        yield (
            f"warm lookup, {words}, system calls",
            f.get("counts", shim, "syscalls"),
            "",
            "<=",
            0,
        )
        for peer, bound in (("nscd", 40), ("glibc", 200)):
            name = "nscd" if peer == "nscd" else "glibc + unbound"
            ratio = f.ratio("warm", f"{peer} {form}", shim)
            yield f"faster than {name}, {words}, p50", ratio, "x", ">=", bound
    for form, words in FORMS.items():
        ratio = f.ratio("warm", f"shim {form}", f"base {form}")
        if ratio is not None:
            yield f"warm lookup beside BASE, {words}, p50", ratio, "x", "<=", 1.05
    yield "two processes on two cores", f.get("scale", "shim", "wall"), "x", ">=", 1.8
    many = f.ratio("many", "many 50000", "many 100")
    yield "50,000 names beside 100, p50", many, "x", "<=", 1.5
    yield "first lookup of a process, p50", f.get("first", "shim"), "ns", "<=", 100000
    idle = f.get("true", "shim", "over_first")
    yield "idle preload of /bin/true", idle, "ns", "<=", 150000
    for section in ("cold loopback", "cold 20 ms"):
        ratio = f.ratio(section, "shim", "c-ares")
        yield f"{section} beside c-ares, p50", ratio, "x", "<=", 1.1


def flood_requirements(f):
    """Names in use, and names that are asked once."""
    for subject, words in FLOODS:
        words = "no flood" if subject == "none" else f"flood: {words}"
        ratio = f.get("flood", subject, "lru")
        yield f"hits beside an exact LRU list, {words}", ratio, "x", ">=", 0.95
    bytes_more, pages = (f.get("flood", "names", m) for m in ("bytes", "pages"))
    yield "10 million names: growth of the cache file", bytes_more, "bytes", "<=", 0
    yield "10 million names: growth of its memory", pages, "pages", "<=", 0
    slowdown = f.get("flood", "names", "slowdown")
    yield "10 million names: time of a store, second half beside the first", slowdown, "x", "<=", 1.1


def dot_requirements(f):
    """DNS over TLS."""
    for server in ("unbound", "dnsdist"):
        for suffix, words in DOT_FORMS.items():
            ratio = f.ratio("dot", f"{server}-tls{suffix}", f"{server}-udp{suffix}")
            yield f"TLS beside UDP, {server}, 20 ms, {words}, p50", ratio, "x", "<=", 1.05
        for start, words in (("full", "no ticket"), ("resumed", "ticket")):
            trips = f.get("dot", f"{server} {start}", "round_trips")
            yield f"first lookup over TLS, {server}, {words}, round trips", trips, "", "<=", 3
        ratio = f.ratio("dot", f"{server} shim", f"{server} dnsperf", "rate")
        yield f"1,000 names over TLS beside dnsperf, {server}, rate", ratio, "x", ">=", 0.9
        lost = f.get("dot", f"{server} shim", "lost")
        yield f"1,000 names over TLS, {server}, lost", lost, "", "<=", 0
    memory = dot_memory(f, "memory")
    yield "memory of a connection over TLS", memory, "KB", "<=", 200
    wake_ups = f.get("dot", "idle", "wake_ups")
    yield "wake-ups in 10 s of an idle connection", wake_ups, "", "<=", 0


def trace_requirements(f):
    """What it costs to be observed and traced."""
    more = minus(f, "p10", "lookup observed", "lookup libc")
    share = None if more is None else more * 100000 / 1e9 * 100
    yield "observe, 100,000 lookups a second by libc", share, "% of the time", "<=", 2
    for call in ("lookup", "poll"):
        more = minus(f, "p10", f"{call} traced", f"{call} shim")
        yield f"trace, a call of {call}", more, "ns", "<=", 150
    more = minus(f, "instructions", "poll shim", "poll libc")
    yield "poll() without trace, more than libc's", more, "instructions", "<=", 8


def minus(f, metric, subject, base):
    """Median of the rounds' differences."""
    pairs = zip(*(f.rounds.get(("trace", s, metric), ()) for s in (subject, base)))
    differences = [a - b for a, b in pairs]
    return statistics.median(differences) if differences else None


def list_requirements(f):
    """`noblockdns cache list`, while two processes read and write."""
    took = ms(f.get("list", "cache list"))
    yield "cache list of 8,000 names, two processes at work, p50", took, "ms", "<=", 50
    yield "cache list, names in it", f.get("list", "cache list", "names"), "", ">=", 8000


def stale_requirements(f):
    """An upstream that is down, crowded or lossy."""
    for fault, words in (("KILL", "killed"), ("STOP", "frozen")):
        subject = f"storm {fault}"
        words = f"upstream {words}, 1,000 expired names by 8 processes"
        yield f"{words}, errors", f.get("stale", subject, "errors"), "", "<=", 0
        yield f"{words}, longest wait", ms(f.get("stale", subject, "max")), "ms", "<=", 320
        waited = f.get("stale", subject, "waited")
        yield f"{words}, waits of over 1 ms after the first", waited, "", "<=", 0
        yield f"{words}, recovery", ms(f.get("stale", subject, "recovery")), "ms", "<=", 2000
    for rrtype, words in ((1, "A"), (28, "AAAA")):
        queries = f.get("stale", "crowd", f"queries {rrtype}")
        yield f"a cold name for 200 processes, {words} queries", queries, "", "<=", 1
    spread = ms(f.get("stale", "crowd", "spread"))
    yield "a cold name for 200 processes, all began within", spread, "ms", "<=", 10
    words = "TTL 5 s, 100 lookups a second, 200 ms, 10 % lost"
    waited = f.get("stale", "steady", "waited")
    yield f"{words}, waits of over 1 ms after the first", waited, "", "<=", 0
    for rrtype, name in ((1, "A"), (28, "AAAA")):
        queries = f.get("stale", "steady", f"queries {rrtype}")
        queries = None if queries is None else queries / 12
        yield f"{words}, {name} queries a TTL", queries, "", "<=", 2
    longest = ms(f.get("stale", "dead holder", "max"))
    yield "holder of the lease killed, longest wait of the others", longest, "ms", "<=", 1000


def race_requirements(f):
    """connect() and its races."""
    for place, words in (("loopback", "loopback"), ("near", "own address"), ("far", "20 ms")):
        for suffix, mode in (("", "blocking"), (" non-blocking", "non-blocking")):
            subjects = (f"{place}{suffix}", f"{place}, looked up{suffix}")
            ratio = worst(*(f.get("race", s, "ratio") for s in subjects))
            yield f"connect() to a literal, {words}, {mode}", ratio, "x libc", "<=", 1.05
    for place, words in (("near", "answered at once"), ("far", "every 20 ms")):
        for mode in ("blocking", "poll", "epoll"):
            subjects = (f"won {place} {mode}", f"libc {place} {mode}")
            cpu = difference(*(f.get("race", s, "cpu") for s in subjects))
            yield f"CPU of a race that the first attempt wins, {words}, {mode}", cpu, "us", "<=", 60
    ratio = f.ratio("race", "swap in a crowd", "swap alone", "cpu")
    yield "CPU of a race beside 100,000 others in the epoll set", ratio, "x", "<=", 1.1
    trip = f.get("race", "round trip", "time")
    for process, bound in (("first", 270), ("second", 5)):
        for mode in ("blocking", "poll", "epoll"):
            late = difference(f.get("race", f"{process} {mode}", "time"), trip)
            late = None if late is None else late / 1e6
            words = f"IPv6 a black hole, {process} process, {mode}, beyond the round trip"
            yield words, late, "ms", "<=", bound
    for subject in ("first wins", "IPv6 dead"):
        for metric, words, bound in (
            ("failed", "failed", 0),
            ("descriptors", "descriptors left", 0),
            ("threads", "threads", 2),
        ):
            measured = f.get("race", f"1000 {subject}", metric)
            yield f"1,000 races at once, {subject}: {words}", measured, "", "<=", bound


def verdict(measured, relation, bound):
    if measured is None:
        return "none"
    good = measured <= bound if relation == "<=" else measured >= bound
    return "PASS" if good else "MISS"


def requirements(f):
    """Each as a dictionary; "measured" is None, and the verdict "none", where there are no
    figures."""
    for text, measured, unit, relation, bound in (
        *lookup_requirements(f),
        *flood_requirements(f),
        *dot_requirements(f),
        *stale_requirements(f),
        *trace_requirements(f),
        *list_requirements(f),
        *race_requirements(f),
    ):
        yield {
            "requirement": text,
            "measured": measured,
            "unit": unit,
            "relation": relation,
            "bound": bound,
            "verdict": verdict(measured, relation, bound),
        }
