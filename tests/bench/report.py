# SPDX-License-Identifier: MIT
"""report.py FIGURES JSON - the table of `make bench`, and build/bench.json.

FIGURES has a line `SECTION<tab>SUBJECT<tab>METRIC<tab>VALUE` for each figure of each round. A
figure of the report is the median of its rounds. A requirement whose figures are not there is
"none": the machine could not run that part.
"""

import collections
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

FORMS = {"stream": "SOCK_STREAM", "getaddrinfo": "no hints", "gethostbyname": "gethostbyname"}
DOT_FORMS = {"-a": "A alone", "": "A and AAAA"}


class Figures:
    """The rounds of each figure, by (section, subject, metric)."""

    def __init__(self, path):
        self.rounds = collections.defaultdict(list)
        with open(path, encoding="ascii") as lines:
            for line in lines:
                section, subject, metric, value = line.rstrip("\n").split("\t")
                self.rounds[section, subject, metric].append(float(value))

    def get(self, section, subject, metric="p50"):
        rounds = self.rounds.get((section, subject, metric))
        return statistics.median(rounds) if rounds else None

    def ratio(self, section, over, under, metric="p50"):
        """Median of the rounds' ratios: both sides of one round met the same machine."""
        pairs = zip(
            self.rounds.get((section, over, metric), ()),
            self.rounds.get((section, under, metric), ()),
        )
        ratios = [a / b for a, b in pairs if b]
        return statistics.median(ratios) if ratios else None

    def as_tree(self):
        tree = {}
        for (section, subject, metric), rounds in self.rounds.items():
            place = tree.setdefault(section, {}).setdefault(subject, {})
            place[metric] = {"median": statistics.median(rounds), "rounds": rounds}
        return tree


def requirements(f):
    """(text, measured, unit, "<=" or ">=", bound)"""
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


FLOODS = (
    ("none", "none"),
    ("names", "as many names"),
    ("names, 10 times as many", "10 times as many"),
    ("names that do not exist", "as many that do not exist"),
)


def flood_requirements(f):
    """Names in use, and names that are asked once: as requirements()"""
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
    """DNS over TLS: as requirements()"""
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


def dot_memory(f, metric):
    """KB of one connection: eight are open, or one."""
    one, eight = f.get("dot", "one", metric), f.get("dot", "eight", metric)
    return None if one is None or eight is None else (eight - one) / 7 / 1024


def worst(*values):
    """The largest of those that were measured."""
    return max((v for v in values if v is not None), default=None)


def difference(value, base):
    return None if value is None or base is None else value - base


def ms(value):
    return None if value is None else value / 1e6


def trace_requirements(f):
    """What it costs to be observed and traced: as requirements()"""
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
    """`noblockdns cache list`, while two processes read and write: as requirements()"""
    took = ms(f.get("list", "cache list"))
    yield "cache list of 8,000 names, two processes at work, p50", took, "ms", "<=", 50
    yield "cache list, names in it", f.get("list", "cache list", "names"), "", ">=", 8000


def stale_requirements(f):
    """An upstream that is down, crowded or lossy: as requirements()"""
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
    """connect() and its races: as requirements()"""
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


def number(value, unit=""):
    if value is None:
        return "-"
    if unit == "ns" or (not unit and abs(value) >= 100):
        return f"{value:,.0f}" + (f" {unit}" if unit else "")
    return f"{value:.2f}".rstrip("0").rstrip(".") + (f" {unit}" if unit else "")


def table(title, head, rows):
    """Columns without a heading are words and stand to the left."""
    cells = [head] + [[number(c) if not isinstance(c, str) else c for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        padded = (c.rjust(w) if h else c.ljust(w) for h, c, w in zip(head, row, widths))
        print("  " + "  ".join(padded).rstrip())


def times(f, section, subject, first_metric="p50"):
    metrics = (first_metric, "p90", "p99", "max")
    return [f.get(section, subject, m) for m in metrics]


def print_warm(f):
    rows = []
    for form, words in FORMS.items():
        for peer in ("shim", "nscd", "glibc"):
            subject = f"{peer} {form}"
            name = "glibc + unbound" if peer == "glibc" else peer
            ratio = f.ratio("warm", subject, f"shim {form}")
            counts = [f.get("counts", subject, m) for m in ("syscalls", "instructions")]
            rows.append([name, words] + times(f, "warm", subject) + [ratio] + counts)
    for subject, name in (("c-ares getaddrinfo", "c-ares + unbound"), ("floor", "bare hash")):
        words = FORMS["stream"] if subject != "floor" else "one malloc"
        ratio = f.ratio("warm", subject, "shim stream")
        rows.append([name, words] + times(f, "warm", subject) + [ratio, None, None])
    head = ["", "", "p50", "p90", "p99", "max", "x shim", "syscalls", "instructions"]
    table("Warm lookup, one A and one AAAA record, ns, one core", head, rows)
    packets = f.get("nscd", "nscd", "dns_packets")
    if packets is not None:
        asked = f.get("nscd", "nscd", "connections")
        print(f"  nscd was asked: {asked:.0f} connections, {packets:.0f} packets to port 53")


def print_scale(f):
    rows = [
        [name] + [f.get("scale", s, m) for m in ("rate_one", "rate_two", "wall", "cpu")]
        for s, name in (("shim", "shim"), ("floor", "bare hash, nothing shared"))
    ]
    head = ["", "one", "two", "ratio", "by CPU time"]
    table("Two processes on two cores, lookups a second", head, rows)


def print_many(f):
    rows = [
        [name, f.get("many", f"{s} 100"), f.get("many", f"{s} 50000")]
        + [f.ratio("many", f"{s} 50000", f"{s} 100")]
        for s, name in (
            ("many", "shim, distinct addresses"),
            ("same", "shim, one pair of addresses"),
            ("floor", "bare hash"),
        )
    ]
    table("Names in the cache, p50 ns", ["", "100", "50,000", "ratio"], rows)


def print_start(f):
    rows = []
    for section, subject, name in (
        ("true", "none", "/bin/true"),
        ("true", "empty", "/bin/true, empty library"),
        ("true", "shim", "/bin/true, shim"),
        ("first", "glibc", "first lookup, glibc + unbound"),
        ("first", "shim", "first lookup, shim, warm cache"),
    ):
        more = f.get(section, subject, "over_first")
        rows.append([name] + times(f, section, subject) + [more])
    table("New processes, ns", ["", "p50", "p90", "p99", "max", "over the first"], rows)


def print_cold(f):
    rows = []
    for section in ("cold loopback", "cold 20 ms"):
        for subject, name in (
            ("shim", "shim"),
            ("c-ares", "c-ares, ares_getaddrinfo"),
            ("c-ares-query", "c-ares, two ares_query"),
            ("glibc", "glibc"),
        ):
            ratio = f.ratio(section, subject, "c-ares")
            first = f.get(section, subject, "first")
            calls = f.get(section, subject, "syscalls")
            rows.append([section, name] + times(f, section, subject) + [ratio, calls, first])
    head = ["", "", "p50", "p90", "p99", "max", "x c-ares", "syscalls", "the first"]
    table("Cold lookup, ns", head, rows)


def print_dot(f):
    rows = []
    for server in ("unbound", "dnsdist"):
        for suffix, words in DOT_FORMS.items():
            for transport in ("udp", "tls"):
                subject = f"{server}-{transport}{suffix}"
                ratio = f.ratio("dot", subject, f"{server}-udp{suffix}")
                row = [server, words, transport.upper()] + times(f, "dot", subject)
                first = None if suffix else f.get("dot", subject, "first")
                rows.append(row + [ratio, first])
    head = ["", "", "", "p50", "p90", "p99", "max", "x UDP", "the first"]
    table("Cold lookup over TLS, round trip 20 ms, ns", head, rows)
    rows = [
        [server, words] + [f.get("dot", f"{server} {subject}", m) for m in ("rate", "lost")]
        for server in ("unbound", "dnsdist")
        for subject, words in (("shim", "shim, getaddrinfo_a"), ("dnsperf", "dnsperf"))
    ]
    table("1,000 new names at once over one TLS connection", ["", "", "a second", "lost"], rows)
    heap, memory = dot_memory(f, "heap"), dot_memory(f, "memory")
    if heap is not None:
        print(f"  a connection takes {heap:.0f} KB of the heap, {memory:.0f} KB of memory")


def print_race(f):
    rows = []
    for place in ("loopback", "near", "far"):
        for lookup in ("", ", looked up"):
            for suffix in ("", " non-blocking"):
                subject = place + lookup + suffix
                row = [f.get("race", subject, m) for m in ("hooked", "libc", "ratio")]
                if row[0] is not None:
                    rows.append([subject] + row)
    table("connect() to a literal, p50 ns", ["", "shim", "libc", "ratio"], rows)
    for lookup in ("", ", looked up"):
        counts = [f.get("race", s + lookup, "instructions") for s in ("hooked", "libc")]
        hook = difference(*counts)
        if hook is not None:
            print(f"  the hook{lookup}: {hook:.0f} instructions")
    rows = []
    for subject in (
        *(
            f"{s} {place} {mode}"
            for place in ("near", "far")
            for mode in ("blocking", "poll", "epoll")
            for s in ("won", "libc")
        ),
        *("libc near relay", "libc far relay"),
        *("swap alone", "swap in a crowd", "libc alone", "libc in a crowd"),
        *(f"{s} {mode}" for mode in ("blocking", "poll", "epoll") for s in ("first", "second")),
        *("dead libc blocking", "dead libc poll", "round trip"),
        *("1000 first wins", "1000 IPv6 dead"),
    ):
        row = [f.get("race", subject, m) for m in ("time", "worst", "all", "cpu")]
        rows.append([subject] + [v and v / 1e6 for v in row[:3]] + row[3:])
    table("Races", ["", "ms", "worst", "all", "CPU us each"], rows)


def print_flood(f):
    metrics = ("hits", "lru", "quiet", "each", "slowdown")
    rows = [[words] + [f.get("flood", subject, m) for m in metrics] for subject, words in FLOODS]
    head = ["", "hits %", "x LRU", "x LRU without the flood", "ns each", "slowdown"]
    table("Names in use, and to each lookup of one names that are asked once", head, rows)


def print_stale(f):
    rows = []
    for subject in ("storm KILL", "storm STOP", "crowd", "dead holder", "steady"):
        row = [f.get("stale", subject, m) for m in ("p50", "p99", "max", "then")]
        counts = [f.get("stale", subject, m) for m in ("lookups", "errors", "over", "waited")]
        rows.append([subject] + [ms(v) for v in row] + counts)
    head = ["", "p50 ms", "p99", "max", "then", "lookups", "errors", "over 1 ms", "waited"]
    table("An upstream in trouble", head, rows)


def print_trace(f):
    rows = []
    for call, subjects in (
        ("lookup", ("libc", "observed", "shim", "traced")),
        ("poll", ("libc", "shim", "traced")),
    ):
        for s in subjects:
            row = [f.get("trace", f"{call} {s}", m) for m in ("p10", "p50", "instructions")]
            rows.append([f"{call}, {s}"] + row)
    table("Observed and traced, ns", ["", "p10", "p50", "instructions"], rows)


def print_list(f):
    row = [ms(f.get("list", "cache list", m)) for m in ("p50", "p90", "p99", "max")]
    row.append(f.get("list", "cache list", "names"))
    table("The command, ms", ["", "p50", "p90", "p99", "max", "names"], [["cache list"] + row])


def print_requirements(reqs):
    rows = [
        [r["verdict"], r["requirement"]]
        + [number(r["measured"], r["unit"])]
        + [f"{'at most' if r['relation'] == '<=' else 'at least'} {number(r['bound'], r['unit'])}"]
        for r in reqs
    ]
    table("Requirements", ["", "", "measured", "bound"], rows)


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else None


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def machine():
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
    }


def versions():
    return {
        "commit": first_line("git", "describe", "--always", "--dirty"),
        "libc": " ".join(platform.libc_ver()),
        "compiler": first_line(os.environ.get("CC", "cc"), "--version"),
        "c-ares": first_line("pkg-config", "--modversion", "libcares"),
        "unbound": first_line("unbound", "-V"),
        "openssl": first_line("pkg-config", "--modversion", "libssl"),
        "dnsdist": first_line("dnsdist", "--version"),
        "nsd": first_line("nsd", "-v"),
        "nscd": first_line("nscd", "--version"),
    }


def main():
    figures = Figures(sys.argv[1])
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "requirements": [
            {
                "requirement": text,
                "measured": measured,
                "unit": unit,
                "relation": relation,
                "bound": bound,
                "verdict": verdict(measured, relation, bound),
            }
            for text, measured, unit, relation, bound in (
                *requirements(figures),
                *flood_requirements(figures),
                *dot_requirements(figures),
                *stale_requirements(figures),
                *trace_requirements(figures),
                *list_requirements(figures),
                *race_requirements(figures),
            )
        ],
        "figures": figures.as_tree(),
    }
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump(report, out, indent=1)
        out.write("\n")
    m = report["machine"]
    print(f"{m['cpu']}, {m['cores']} cores, Linux {m['kernel']}, load {m['load']:.1f}")
    for section in (
        *(print_warm, print_scale, print_many, print_start, print_cold, print_dot),
        *(print_stale, print_race, print_flood, print_trace, print_list),
    ):
        section(figures)
    print_requirements(report["requirements"])


if __name__ == "__main__":
    main()
