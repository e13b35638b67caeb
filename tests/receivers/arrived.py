#!/usr/bin/env python3
"""arrived.py - did every record that the file sink wrote reach a stand-in of http_receiver.py?

  arrived.py REFERENCE.ndjson FOLDER [--any-order]

Counts findings of the reference, what arrived, repeats, what was refused for good; records of other kinds must have come all or none. The first
arrivals of each host must stand in the order of the reference, but for records that the receiver put off one by one (FOLDER/busy); --any-order:
they need not. With FOLDER/documents each record must have come out of the receiver's JSON parser as it stands in the reference. Exit code 1 when
a record is missing, differs, or came out of order.
"""
import collections
import json
import os
import sys


def lines(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [line.split() for line in f]


def canonical(d):
    return json.dumps({k: v for k, v in d.items() if k != "@timestamp"}, sort_keys=True)


def differences(folder, reference):
    with open(os.path.join(folder, "documents"), encoding="utf-8") as f:
        return [line for line in f if canonical(json.loads(line)) not in reference]


def main():
    path, folder, *options = sys.argv[1:]
    place, host, reference, agents = {}, {}, set(), 0
    with open(path, encoding="utf-8") as f:
        for line in f:
            d = json.loads(line)
            reference.add(canonical(d))
            agents += d["kind"] != "finding"
            if d["kind"] == "finding" and d["uid"] not in place:
                place[d["uid"]] = len(place)
                host[d["uid"]] = d["host"]
    refused = {x[0] for x in lines(folder, "refused")}
    busy = {x[0] for x in lines(folder, "busy")}
    times, newest, disorder = collections.Counter(), {}, []
    for uid, *_ in lines(folder, "received"):
        times[uid] += 1
        if times[uid] == 1 and uid in place and uid not in busy:
            if newest.get(host[uid], -1) > place[uid]:
                disorder.append(uid)
            newest[host[uid]] = max(newest.get(host[uid], -1), place[uid])
    lost = [u for u in place if u not in times and u not in refused]
    others = [u for u in times if u not in place]
    differ = differences(folder, reference) if os.path.exists(os.path.join(folder, "documents")) else []
    requests = lines(folder, "requests")
    print("findings in %d, arrived %d, and %d of %d others, repeats %d, refused for good %d, lost %d, out of order %d of %d hosts, different %d, requests %d" % (
        len(place), len(times) - len(others), len(others), agents, sum(times.values()) - len(times), len(refused), len(lost), len(disorder), len(newest), len(differ), len(requests)))
    for d in differ[:2]:
        print("# unlike any: " + d[:600])
    sys.exit(1 if lost or len(others) not in (0, agents) or (disorder and not options) or differ or refused & set(times) or not place else 0)


if __name__ == "__main__":
    main()
