#!/usr/bin/env python3
"""kafka_seen.py N LARGE - reads kcat's lines "PARTITION OFFSET KEY HEADERS VALUE" from stdin: are all findings of `fill_spool N LARGE` there but
the large ones, each with its key and headers, those of a host in one partition, and in order once repeats are left out? Prints the counts;
exit code 1 when something is lost, foreign or out of order."""
import json
import sys

want, large = int(sys.argv[1]), int(sys.argv[2])
seen, last, partition, bad, total, late, others = set(), {}, {}, [], 0, 0, 0
for line in sys.stdin.buffer:
    where, _, key, headers, value = line.rstrip(b"\n").split(b" ", 4)
    d = json.loads(value)
    h = dict(x.split("=", 1) for x in headers.decode().split(","))
    if key.decode() != d.get("host", "") or h != {"uid": d["uid"], "type": d["kind"], "content-type": "application/json", "schema": "ndjson"}:
        bad.append("key or headers: %r" % line[:300])
    if "n" not in d:
        others += 1  # what the agent itself has found
        continue
    total += 1
    if partition.setdefault(key, where) != where:
        bad.append("two partitions: %r" % line[:300])
    if d["n"] in seen:
        continue
    seen.add(d["n"])
    if last.get(key, -1) > d["n"]:
        late += 1
        bad.append("out of order: %d behind %d of %s" % (d["n"], last[key], d["host"]))
    last[key] = max(last.get(key, -1), d["n"])
should = {n for n in range(want) if n % large != large - 1}
print("%d records: %d arrived, %d repeats, %d lost, %d out of order, %d refused; %d others; %d partitions" % (
    want, len(seen), total - len(seen), len(should - seen), late, want - len(should), others, len(set(partition.values()))))
for b in bad[:3]:
    print(b)
sys.exit(seen != should or bool(bad))
