#!/usr/bin/env python3
"""arrived.py - did every record that the file sink wrote reach a stand-in of http_receiver.py?

  arrived.py REFERENCE.ndjson FOLDER

Counts findings of the reference, what arrived, repeats, what was refused for good. The first arrivals of each host must stand in the order of
the reference, but for records that the receiver put off one by one (FOLDER/busy). With FOLDER/documents each record must have come out of the
receiver's JSON parser as it stands in the reference. Exit code 1 when a record is missing, was never sent, differs, or came out of order.
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


def differences(folder, reference):
    with open(os.path.join(folder, "documents"), encoding="utf-8") as f:
        for line in f:
            got = json.loads(line)
            want = reference[got["uid"]]
            if {k: v for k, v in got.items() if k != "@timestamp"} != want:
                yield "%s\n# %s" % (json.dumps(want)[:500], json.dumps(got)[:500])


def main():
    path, folder = sys.argv[1:]
    place, host, reference = {}, {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            d = json.loads(line)
            reference[d["uid"]] = d
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
    foreign = [u for u in times if u not in reference]
    differ = list(differences(folder, reference)) if os.path.exists(os.path.join(folder, "documents")) else []
    requests = lines(folder, "requests")
    print("records in %d, arrived %d, repeats %d, refused for good %d, lost %d, foreign %d, out of order %d of %d hosts, different %d, requests %d" % (
        len(place), len(times), sum(times.values()) - len(times), len(refused), len(lost), len(foreign), len(disorder), len(newest), len(differ), len(requests)))
    for d in differ[:2]:
        print("# " + d)
    sys.exit(1 if lost or foreign or disorder or differ or refused & set(times) or not place else 0)


if __name__ == "__main__":
    main()
