#!/usr/bin/env python3
"""compare.py - is what a receiver has what the file sink wrote?

  compare.py REFERENCE.ndjson opensearch URL INDEX      by its own search, page by page
  compare.py REFERENCE.ndjson ecs URL STREAM            the same; ECS is another shape, so its ids and names are compared
  compare.py REFERENCE.ndjson victorialogs URL          by its own query language
  compare.py REFERENCE.ndjson hec FILE                  the lines that the collector's file exporter wrote
  compare.py REFERENCE.ndjson otlp FILE                 the same, of log records with attributes
  compare.py REFERENCE.ndjson kafka FILE                values of messages, a line each, a partition in its order

Records are compared whole (opensearch, hec), or member by member where the receiver keeps another shape. Prints the counts; exit code 1
when a record is missing, differs, or was never sent.
"""
import datetime
import json
import sys
import urllib.parse
import urllib.request


def ask(url, body=None, kind="application/json"):
    with urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": kind}), timeout=60) as r:
        return r.read()


def canonical(d):
    return json.dumps(d, sort_keys=True)


def of_opensearch(url, index):
    ask("%s/%s/_refresh" % (url, index), b"")
    page = json.loads(ask("%s/%s/_search?scroll=2m" % (url, index), b'{"size":5000,"sort":["_doc"]}'))
    while page["hits"]["hits"]:
        for h in page["hits"]["hits"]:
            h["_source"].pop("@timestamp", None)
            yield h["_source"]
        page = json.loads(ask("%s/_search/scroll" % url, json.dumps({"scroll": "2m", "scroll_id": page["_scroll_id"]}).encode()))


def any_value(v):
    """OTLP's AnyValue."""
    (kind, x), = v.items() if v else ((None, None),)
    if kind == "kvlistValue":
        return {p["key"]: any_value(p.get("value", {})) for p in x.get("values", [])}
    if kind == "arrayValue":
        return [any_value(e) for e in x.get("values", [])]
    return int(x) if kind == "intValue" else x


def log_records(path):
    with open(path, "rb") as f:
        for line in f:
            if not line.endswith(b"\n"):
                continue  # torn by the kill
            for resource in json.loads(line)["resourceLogs"]:
                for scope in resource["scopeLogs"]:
                    yield from ((resource, r) for r in scope["logRecords"])


def of_hec(path):
    for _, r in log_records(path):
        yield any_value(r["body"])


def of_kafka(path):
    with open(path, "rb") as f:
        for line in f:
            yield json.loads(line)


def order(records):
    """The records of each host, in order, without repeats."""
    seen, hosts = set(), {}
    for d in records:
        c = canonical(d)
        if c not in seen and d.get("host"):
            seen.add(c)
            hosts.setdefault(d["host"], []).append(c)
    return hosts


# --- receivers with a shape of their own: these members must be there, as text ---

def flat_reference(d):
    return canonical([d["kind"], d.get("uid", ""), d.get("host", ""), (d.get("rule") or {}).get("title", ""), d.get("bytes", "")])


def of_ecs(url, stream):
    for d in of_opensearch(url, stream):
        own = d["evmend"]
        yield canonical([own.get("agent", {}).get("what", own["kind"]), own.get("finding", {}).get("uid", ""), d.get("host", {}).get("name", ""), d.get("rule", {}).get("name", ""),
                         own.get("agent", {}).get("bytes", "")])


def otlp_reference(d):
    """What a log record of OTLP tells of it; a finding with its evidence."""
    rule, own = d.get("rule") or {}, [d["kind"], d.get("host", ""), d.get("bytes", ""), d.get("reason", ""), d.get("offset")]
    if d["kind"] != "finding":
        return canonical(own)
    return canonical(own + [d["uid"], nanos(d["time"]), d["level"], d["replay"], d["count"], d["first"], d["last"], rule["id"], rule["title"], rule["name"],
                            d["evidence"], d.get("labels")])


def nanos(text):
    t = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") - datetime.datetime(1970, 1, 1)
    return str((t.days * 86400 + t.seconds) * 10**9 + t.microseconds * 1000)


def of_otlp(path):
    for resource, r in log_records(path):
        of = any_value({"kvlistValue": {"values": resource["resource"]["attributes"]}})
        a = any_value({"kvlistValue": {"values": r["attributes"]}})
        if of["service.name"] != "evmend" or r["eventName"] != "evmend." + a["evmend.kind"]:
            raise SystemExit("not ours: %s %s" % (of, r))
        own = [a.get("evmend.agent.what", a["evmend.kind"]), of.get("host.name", ""), a.get("evmend.agent.bytes", ""), a.get("evmend.agent.reason", ""),
               a.get("evmend.agent.offset")]
        if a["evmend.kind"] != "finding":
            yield canonical(own)
            continue
        labels = {k[len("evmend.label."):]: v for k, v in a.items() if k.startswith("evmend.label.")}
        yield canonical(own + [a["evmend.finding.uid"], r["timeUnixNano"], r["severityText"], a["evmend.replay"], a["evmend.count"], a["evmend.first"],
                               a["evmend.last"], a["security_rule.uuid"], a["security_rule.name"], a.get("evmend.finding.rule", ""), a["evmend.finding.evidence"],
                               labels or None])


def of_victorialogs(url):
    body = urllib.parse.urlencode({"query": "*", "limit": 10000000}).encode()
    for line in ask(url, body, "application/x-www-form-urlencoded").split(b"\n"):
        if line:
            d = json.loads(line)
            yield canonical([d.get("kind", ""), d.get("uid", ""), d.get("host", ""), d.get("rule.title", ""), d.get("bytes", "")])


def main():
    reference, kind, *rest = sys.argv[1:]
    with open(reference, "rb") as f:
        want = [json.loads(line) for line in f]
    if kind in ("victorialogs", "ecs"):
        want, got = {flat_reference(d) for d in want}, list({"victorialogs": of_victorialogs, "ecs": of_ecs}[kind](*rest))
    elif kind == "otlp":
        want, got = {otlp_reference(d) for d in want}, list(of_otlp(*rest))
    else:
        want = {canonical(d) for d in want}
        got = [canonical(d) for d in {"opensearch": of_opensearch, "hec": of_hec, "kafka": of_kafka}[kind](*rest)]
        if kind == "kafka":
            with open(reference, "rb") as f:
                ours = order(json.loads(line) for line in f)
            theirs = order(of_kafka(*rest))
            wrong = [h for h in ours if ours[h] != theirs.get(h)]
            print("%d hosts, those in another order: %d" % (len(ours), len(wrong)))
            if wrong:
                sys.exit(1)
    have = set(got)
    missing, foreign = sorted(want - have), sorted(have - want)
    print("%d records there, %d different, %d repeats; missing %d, unlike any that was sent %d" % (
        len(got), len(have), len(got) - len(have), len(missing), len(foreign)))
    for name, list_ in (("missing", missing), ("foreign", foreign)):
        for x in list_[:2]:
            print("%s: %s" % (name, x[:600]))
    sys.exit(1 if missing or foreign else 0)


if __name__ == "__main__":
    main()
