# SPDX-License-Identifier: MIT
"""figures.py - the figures of `make bench` as they were measured, and what is made of several.

Where one of them was not measured, None is what is made of it.
"""

import collections
import statistics

FORMS = {"stream": "SOCK_STREAM", "getaddrinfo": "no hints", "gethostbyname": "gethostbyname"}
DOT_FORMS = {"-a": "A alone", "": "A and AAAA"}
FLOODS = (
    ("none", "none"),
    ("names", "as many names"),
    ("names, 10 times as many", "10 times as many"),
    ("names that do not exist", "as many that do not exist"),
)


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
