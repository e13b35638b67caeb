#!/usr/bin/env python3
"""syslog_arrived.py - which findings of a file sink a log server has written.

  syslog_arrived.py REFERENCE.ndjson NAME=RECEIVED...

A line of RECEIVED is "HOST [finding@32473 uid="...". Prints for each NAME what arrived, what is lost, what came again, what came out of order
(a first arrival behind a later one of the same host), and lines that are none (a receiver that is killed may tear one).
"""
import re
import sys


def main():
    uid = re.compile(rb'"kind":"finding","uid":"([0-9a-f]{64})"')
    place = {}
    with open(sys.argv[1], "rb") as f:
        for line in f:
            m = uid.search(line)
            if m:
                place[m.group(1)] = len(place)
    for arg in sys.argv[2:]:
        name, path = arg.split("=", 1)
        seen, last, again, disorder, torn, foreign = set(), {}, 0, 0, 0, 0
        with open(path, "rb") as f:
            for line in f:
                m = re.fullmatch(rb'(\S+) \[finding@32473 uid="([0-9a-f]{64})"\n', line)
                if not m:
                    torn += 1
                    continue
                host, u = m.groups()
                if u not in place:
                    foreign += 1
                elif u in seen:
                    again += 1
                else:
                    seen.add(u)
                    disorder += place[u] < last.get(host, -1)
                    last[host] = max(place[u], last.get(host, -1))
        print("%s: %d records, %d arrived, %d lost, %d again, %d out of order, %d torn lines, %d never sent" % (
            name, len(place), len(seen), len(place) - len(seen), again, disorder, torn, foreign))


if __name__ == "__main__":
    main()
