# SPDX-License-Identifier: MIT
"""report.py FIGURES JSON - the table of `make bench`, and build/bench.json.

FIGURES has a line `SECTION<tab>SUBJECT<tab>METRIC<tab>VALUE` for each figure of each round. A
figure of the report is the median of its rounds. A requirement whose figures are not there is
"none": the machine could not run that part.
"""

import datetime
import json
import os
import platform
import subprocess
import sys

from figures import DOT_FORMS, FLOODS, FORMS, Figures, difference, dot_memory, ms
from requirements import requirements


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
        "requirements": list(requirements(figures)),
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
