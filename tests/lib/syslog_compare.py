#!/usr/bin/env python3
"""syslog_compare.py - is what a log server wrote what the file sink of the same format wrote?

  syslog_compare.py json REFERENCE.ndjson RECEIVED     each line one MSG, a JSON object: whole records are compared
  syslog_compare.py data REFERENCE.ndjson RECEIVED     each line what syslog-ng's or rsyslog's own parser made of a message, as JSON: the structured
                                                       data, where control characters are blanks (docs/formats.md)
  syslog_compare.py lines REFERENCE RECEIVED           CEF, LEEF: byte by byte, but for blanks at the ends
  syslog_compare.py short REFERENCE.ndjson RECEIVED    lines of structured data, where messages are cut to a frame: each record once, under its uid

Prints the counts; exit code 1 when a record is missing, came twice, differs, or was never sent.
"""
import json
import re
import sys


def lines(path):
    with open(path, "rb") as f:
        return [line for line in f.read().split(b"\n") if line.strip()]


def canonical(d):
    return json.dumps(d, sort_keys=True)


def element(d):
    """The parameters of the structured data: rsyslog's mmpstrucdata says {"rfc5424-sd": {...}}, syslog-ng _SDATA or .SDATA.finding@32473..."""
    for top in ("rfc5424-sd", "_SDATA", "SDATA"):
        if top in d:
            (params,) = (v for k, v in d[top].items() if k.endswith("@32473"))
            return params
    raise ValueError("no structured data in %s" % d)


def blank(s):
    return s and re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", s)


def of_reference(d):
    """Records without a uid in their JSON have one in the structured data alone."""
    return canonical([d.get("uid"), blank(d.get("rule", {}).get("title")), blank(d["labels"]["hostile"])])


def of_received(line):
    p = element(json.loads(line))
    assert re.fullmatch("[0-9a-f]{64}", p["uid"]), line
    return canonical([p["uid"] if "title" in p else None, p.get("title"), p["hostile"]])


def main():
    how, reference, received = sys.argv[1:]
    if how == "json":
        want = [canonical(json.loads(x)) for x in lines(reference)]
        got = [canonical(json.loads(x)) for x in lines(received)]
    elif how == "data":
        want = [of_reference(json.loads(x)) for x in lines(reference)]
        got = [of_received(x) for x in lines(received)]
    elif how == "short":
        uids = [re.fullmatch(rb'\[[a-z]+@32473 uid="([0-9a-f]{64})".*\]', x).group(1).decode() for x in lines(received)]
        want = [json.loads(x).get("uid") for x in lines(reference)]
        got = [u if u in want else None for u in uids]
        if len(set(uids)) != len(uids):
            sys.exit("a uid came twice")
    else:
        want, got = [x.strip() for x in lines(reference)], [x.strip() for x in lines(received)]
    missing, foreign = set(want) - set(got), set(got) - set(want)
    print("%d records: %d lines, missing %d, never sent %d" % (len(want), len(got), len(missing), len(foreign)))
    for name, some in (("missing", missing), ("never sent", foreign)):
        for x in sorted(map(str, some))[:2]:
            print("%s: %s" % (name, x[:300]))
    sys.exit(1 if missing or foreign or len(got) != len(want) else 0)


if __name__ == "__main__":
    main()
