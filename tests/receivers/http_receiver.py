#!/usr/bin/env python3
"""http_receiver.py - strict stand-ins for receivers over HTTP: Splunk's event collector, the bulk endpoint of Elasticsearch, OTLP in JSON,
webhooks.

  http_receiver.py hec|bulk|otlp|hook FOLDER [options]

Looks at every byte of the protocol: what a real receiver would let pass, but a sender must not do, is a line in FOLDER/violations.
Each record that was taken is a line "UID HOST SEQ-IN-BATCH" in FOLDER/received, on disk before the answer, so that a receiver that is
killed and started again knows what it has. FOLDER/refused has the uids that were refused for good, FOLDER/requests a line for each request.
Only the standard library.

  --port N        where it listens (127.0.0.1); 0: any. FOLDER/port has it
  --token TEXT    the token of HEC, or "ApiKey xyz" / "Basic xyz" for bulk, "Bearer xyz" for otlp
  --path PATH     of hook: the only one; --key TEXT: each request is signed with it; --chat: messages for Slack, not records
  --index RE      of bulk: what the name of each action's index must match
  --tls CERT KEY  TLS 1.2 at least; --client-ca FILE: a client certificate is asked for and verified
  --refuse TEXT   records that hold this text are refused for good
  --max-bytes N   413 for larger bodies (as they come)
  --ack           HEC: acknowledgement. A batch is on disk after --ack-after seconds and not before; that is said once. Numbers count from 0
                  for each channel, also after a restart. --ack-lose N: every N-th batch is lost and never acknowledged
  --keep          FOLDER/documents has each record as our parser read it, a JSON object a line (HEC: the event)
  --mute          HEC: takes a channel and acknowledges nothing, as Splunk does with a token without that setting
  --page CODE     answers everything as another server would, with a page
  --anonymous     HEC: does not name the event that it refuses
  --faults FILE   what happens to the requests, in order, again and again: lines "COUNT WHAT [ARGUMENT]" with WHAT one of
                  ok; status CODE[:RETRY-AFTER] (nothing is taken); slow SECONDS; freeze SECONDS (read, never answered);
                  reset-body (half of it is read, then RST); reset-answer (all is taken, then RST in the middle of the answer);
                  busy-items SHARE (bulk: that share of the items is 429);
                  partial N (otlp: N of the records are thrown away, and nobody says which);
                  page CODE (a page of some other server)
"""
import argparse
import hmac
import json
import os
import random
import re
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zlib

UID = re.compile(r"[0-9a-f]{64}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")


class Violation(Exception):
    """What a sender must not do; the request is answered with 400 all the same."""


class Reset(Exception):
    pass


def once(pairs):
    d = dict(pairs)
    if len(d) != len(pairs):
        raise Violation("a member of an object stands there twice: %s" % [k for k, _ in pairs])
    return d


def no_constant(name):
    raise Violation("%s is no JSON" % name)


DECODER = json.JSONDecoder(object_pairs_hook=once, parse_constant=no_constant)


class Store:
    """What was taken, on disk."""

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.known = set()
        path = os.path.join(folder, "received")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            cut = text.rfind("\n") + 1  # a line that was torn by kill -9 was not answered
            if cut != len(text):
                with open(path, "r+", encoding="utf-8") as f:
                    f.truncate(len(text[:cut].encode()))
            self.known = {line.split(" ", 1)[0] for line in text[:cut].splitlines()}
        self.file = open(path, "a", encoding="utf-8")

    def note(self, name, line):
        with self.lock, open(os.path.join(self.folder, name), "a", encoding="utf-8") as f:
            f.write(line.replace("\n", " ") + "\n")

    def take(self, records):
        """records: (uid, host). Which of them were new."""
        with self.lock:
            fresh = [uid not in self.known for uid, _ in records]
            self.file.write("".join("%s %s %d\n" % (u, urllib.parse.quote(h), i) for i, (u, h) in enumerate(records)))
            self.file.flush()
            os.fdatasync(self.file.fileno())
            self.known.update(u for u, _ in records)
            return fresh


class Faults:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.steps = []
        self.at = 0
        if path:
            with open(path, encoding="utf-8") as f:
                for line in f:
                    words = line.split("#")[0].split()
                    if words:
                        self.steps += [(words[1], words[2] if len(words) > 2 else None)] * int(words[0])

    def next(self):
        with self.lock:
            if not self.steps:
                return "ok", None
            step = self.steps[self.at % len(self.steps)]
            self.at += 1
            return step


class Handler(socketserver.BaseRequestHandler):
    def setup(self):
        self.request.settimeout(60)
        self.rest = b""

    def more(self):
        got = self.request.recv(1 << 18)
        if not got:
            raise EOFError
        self.rest += got

    def reset(self):
        raw = self.request
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(raw, ssl.SSLSocket):
            raw = socket.socket(fileno=raw.detach())
        raw.close()
        raise Reset

    def handle(self):
        try:
            while self.one():
                pass
        except (EOFError, Reset, ConnectionError, socket.timeout, ssl.SSLError, OSError):
            pass

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            if len(self.rest) > 65536:
                raise EOFError
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if not _ or name != name.strip() or name.lower() in headers:
                raise Violation("a bad header line, or one twice: %s" % name)
            headers[name.lower()] = value.strip()
        return lines[0].split(" "), headers

    def answer(self, status, body, extra=(), tear=False):
        text = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        head = ["HTTP/1.1 %d X" % status, "Content-Type: application/json", "Content-Length: %d" % len(text), *extra]
        whole = ("\r\n".join(head) + "\r\n\r\n").encode() + text
        if tear:
            self.request.sendall(whole[: len(whole) - len(text) // 2 - 1])
            time.sleep(0.02)
            self.reset()
        self.request.sendall(whole)

    def one(self):
        s = self.server
        try:
            line, headers = self.head()
            if len(line) != 3 or line[2] != "HTTP/1.1":
                raise Violation("the request line is %s" % line)
            for wanted in ("host", "content-length") if line[0] == "POST" else ("host",):
                if wanted not in headers:
                    raise Violation("no header %s" % wanted)
            for unwanted in ("expect", "transfer-encoding", "cookie", "x-forwarded-for"):
                if unwanted in headers:
                    raise Violation("a header %s" % unwanted)
            n = int(headers.get("content-length", "0"))
        except Violation as v:
            s.store.note("violations", str(v))
            self.answer(400, {"text": str(v)})
            return False
        s.store.note("requests", "%s %s %d" % (line[0], line[1], n))
        is_batch = n > 0 and not line[1].startswith("/services/collector/ack")
        what, argument = s.faults.next() if is_batch else ("ok", None)
        if what == "reset-body":
            while len(self.rest) < n // 2:
                self.more()
            self.reset()
        if s.options.max_bytes and n > s.options.max_bytes:
            self.answer(413, {"text": "too large"}, ["Connection: close"])  # the body is not read
            time.sleep(0.05)
            return False
        while len(self.rest) < n:
            self.more()
        body, self.rest = self.rest[:n], self.rest[n:]
        if what == "freeze":
            time.sleep(float(argument))
            return False
        if what == "slow":
            time.sleep(float(argument))
        if what == "page":
            self.answer(int(argument), b"<html><body>nothing at " + line[1].encode() + b"</body></html>")
            return True
        if what == "status":
            code, _, after = argument.partition(":")
            self.answer(int(code), {"text": "not now", "code": 9} if s.options.kind == "hec" else {"error": {"type": "busy", "reason": "not now"},
                        "status": int(code)}, ["Retry-After: " + after.replace("_", " ")] if after else [])
            return True
        if s.options.page:
            self.answer(s.options.page, b"<html><body><h1>A proxy has an opinion</h1></body></html>")
            return True
        try:
            if line[0] == "HEAD" and s.options.kind == "hook":
                self.request.sendall(b"HTTP/1.1 405 X\r\nContent-Length: 0\r\nAllow: POST\r\n\r\n")
                return True
            if line[0] != "POST":
                raise Violation("the method is %s" % line[0])
            if not self.authorized(headers):
                return True
            self.server.work(self, line[1], headers, body, what, argument)
        except Violation as v:
            s.store.note("violations", str(v))
            self.answer(400, {"text": str(v), "code": 6, "error": {"type": "violation", "reason": str(v)}, "message": str(v)})
        return True

    def authorized(self, headers):
        s = self.server
        given = headers.get("authorization")
        wanted = s.options.token
        if s.options.kind == "hec":
            wanted = "Splunk " + wanted
            if given == wanted:
                return True
            self.answer(401 if given is None else 403, {"text": "Token is required" if given is None else "Invalid token",
                                                        "code": 2 if given is None else 4})
            return False
        if given == wanted or not wanted:
            return True
        self.answer(401, {"error": {"type": "security_exception", "reason": "missing or wrong credentials"}, "status": 401,
                          "message": "no authorization"})
        return False


def plain(headers, body):
    encoding = headers.get("content-encoding")
    if encoding is None:
        return body
    if encoding != "gzip":
        raise Violation("Content-Encoding %s" % encoding)
    d = zlib.decompressobj(31)
    out = d.decompress(body)
    if not d.eof or d.unused_data:
        raise Violation("the gzip body is cut short, or something follows it")
    return out


def text_of(body):
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Violation("the body is no UTF-8")


def members(o, wanted, where):
    """Exactly these members, of these types."""
    if not isinstance(o, dict) or set(o) != set(wanted) or not all(type(o[k]) is t for k, t in wanted.items()):
        raise Violation("%s has %s" % (where, {k: type(v).__name__ for k, v in o.items()} if isinstance(o, dict) else type(o)))


def attributes(pairs):
    for p in pairs:
        members(p, {"key": str, "value": dict}, "an attribute")
    d = {p["key"]: any_value(p["value"]) for p in pairs}
    if len(d) != len(pairs) or "" in d:
        raise Violation("an attribute is there twice, or has no name: %s" % [p["key"] for p in pairs])
    return d


def any_value(v):
    """OTLP's AnyValue in JSON."""
    if v == {}:
        return None
    if len(v) != 1:
        raise Violation("a value of several types: %s" % list(v))
    (kind, x), = v.items()
    if kind == "stringValue" and isinstance(x, str):
        return x
    if kind == "boolValue" and isinstance(x, bool):
        return x
    if kind == "intValue" and isinstance(x, str) and re.match(r"-?\d{1,19}\Z", x):
        return int(x)
    if kind == "doubleValue" and isinstance(x, float):
        return x
    if kind == "arrayValue" and list(x) == ["values"]:
        return [any_value(e) for e in x["values"]]
    if kind == "kvlistValue" and list(x) == ["values"]:
        return attributes(x["values"])
    raise Violation("a value that is none: %s" % str(v)[:100])


class Receiver(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, options):
        self.options = options
        self.store = Store(options.folder)
        self.faults = Faults(options.faults)
        self.random = random.Random(7)
        self.acks = {}  # channel -> for each number [when it is indexed, or None: never; its records, then None]
        self.ack_lock = threading.Lock()
        self.batches = 0
        super().__init__(("127.0.0.1", options.port), Handler)
        self.tls = None
        if options.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*options.tls)
            self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
            if options.client_ca:
                self.tls.verify_mode = ssl.CERT_REQUIRED
                self.tls.load_verify_locations(options.client_ca)

    def get_request(self):
        s, address = super().get_request()
        return s, address

    def finish_request(self, request, client_address):
        if self.tls:  # in the thread of the connection: a slow handshake stops nobody
            try:
                request.settimeout(20)
                request = self.tls.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError) as e:
                self.store.note("tls", str(e))
                return
        super().finish_request(request, client_address)
        try:
            request.shutdown(socket.SHUT_RDWR)
            request.close()
        except OSError:
            pass

    # --- Splunk ---

    def work_hec(self, handler, path, headers, body):
        where, _, query = path.partition("?")
        if where == "/services/collector/ack":
            return self.work_ack(handler, query, headers, body)
        if where != "/services/collector/event" or query:
            return handler.answer(404, {"text": "The requested URL was not found on this server.", "code": 404})
        if headers.get("content-type") != "application/json":
            raise Violation("Content-Type %s" % headers.get("content-type"))
        channel = headers.get("x-splunk-request-channel")
        if (channel is not None) != (self.options.ack or self.options.mute) or (channel and not GUID.match(channel)):
            raise Violation("the channel is %s" % channel)
        if not body:
            return handler.answer(400, {"text": "No data", "code": 5})
        text, at, records = text_of(plain(headers, body)), 0, []
        bad = None
        while at < len(text):
            start = at
            try:
                o, at = DECODER.raw_decode(text, at)
            except ValueError as e:
                raise Violation("event %d is no JSON: %s" % (len(records), e))
            records.append(self.look_at_event(o, len(records)))
            if self.options.keep:
                self.store.note("documents", json.dumps(o["event"]))
            if self.options.refuse and self.options.refuse in text[start:at] and bad is None:
                bad = len(records) - 1
        if bad is not None:
            if len(records) == 1:
                self.store.note("refused", records[0][0])
            told = {} if self.options.anonymous else {"invalid-event-number": bad}
            return handler.answer(400, {"text": "Event field cannot be blank", "code": 13, **told})
        said = {"text": "Success", "code": 0}
        if not self.options.ack:
            self.store.take(records)
            return said
        with self.ack_lock:
            self.batches += 1
            batches = self.acks.setdefault(channel, [])
            lost = self.options.ack_lose and self.batches % self.options.ack_lose == 0
            said["ackId"] = len(batches)
            batches.append([None if lost else time.monotonic() + self.options.ack_after, records])
            self.index()
        return said

    def index(self):
        now = time.monotonic()
        for batches in self.acks.values():
            for b in batches:
                if b[1] is not None and b[0] is not None and b[0] <= now:
                    self.store.take(b[1])
                    b[1] = None

    def work_ack(self, handler, query, headers, body):
        channel = headers.get("x-splunk-request-channel")
        if query != "channel=%s" % channel:
            raise Violation("the channel of the question is %s, of the header %s" % (query, channel))
        if headers.get("content-type") != "application/json" or not channel or not GUID.match(channel):
            raise Violation("Content-Type %s, channel %s" % (headers.get("content-type"), channel))
        asked = DECODER.decode(text_of(plain(headers, body)))
        if list(asked) != ["acks"] or not asked["acks"] or not all(type(i) is int for i in asked["acks"]):
            raise Violation("a question about acks that is none: %s" % asked)
        said = {}
        with self.ack_lock:
            self.index()
            batches = self.acks.get(channel, [])
            for i in asked["acks"]:
                said[str(i)] = i < len(batches) and batches[i][0] is not None and batches[i][1] is None
                if said[str(i)]:
                    batches[i][0] = None  # said once
        return {"acks": said}

    @staticmethod
    def look_at_event(o, i):
        unknown = set(o) - {"time", "host", "source", "sourcetype", "index", "event", "fields"}
        if unknown or not isinstance(o.get("event"), dict) or not isinstance(o.get("fields"), dict):
            raise Violation("event %d: its members are %s" % (i, list(o)))
        uid = o["fields"].get("uid")
        if not isinstance(uid, str) or not UID.match(uid):
            raise Violation("event %d: uid %s" % (i, uid))
        if any(isinstance(v, (dict, list)) for v in o["fields"].values()):
            raise Violation("event %d: fields are not flat" % i)
        if type(o.get("time")) is not float or o["time"] < 1e9 or o["time"] > 1e11:
            raise Violation("event %d: time %s" % (i, o.get("time")))
        e = o["event"]
        if "uid" in e and (o.get("sourcetype") != "evmend:" + e["kind"] or e["uid"] != uid):
            raise Violation("event %d: sourcetype %s, uid %s in the event" % (i, o.get("sourcetype"), e.get("uid")))
        return uid, o.get("host", "-")

    # --- bulk ---

    def work_bulk(self, handler, path, headers, body, share):
        where, _, query = path.partition("?")
        if where != "/_bulk":
            return handler.answer(400, b"unsupported path: " + where.encode())
        if not query.startswith("filter_path="):
            raise Violation("the path is %s" % path)
        if headers.get("content-type") != "application/x-ndjson":
            raise Violation("Content-Type %s" % headers.get("content-type"))
        if not body:
            return handler.answer(400, {"error": {"type": "parse_exception", "reason": "request body is required"}, "status": 400})
        text = text_of(plain(headers, body))
        if not text.endswith("\n"):
            raise Violation("the body does not end with a newline")
        lines = text[:-1].split("\n")
        if len(lines) % 2:
            raise Violation("%d lines" % len(lines))
        records, refused = [], []
        for i in range(0, len(lines), 2):
            records.append(self.look_at_document(lines[i], lines[i + 1], i // 2))
            if self.options.keep:
                self.store.note("documents", lines[i + 1])
            refused.append(bool(self.options.refuse) and self.options.refuse in lines[i + 1])
        busy = [self.random.random() < share for _ in records]
        took = [r for r, no, b in zip(records, refused, busy) if not no and not b]
        fresh = iter(self.store.take(took))
        items = []
        for (uid, _), no, b in zip(records, refused, busy):
            if b:
                self.store.note("busy", uid)
                items.append({"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}})
            elif no:
                self.store.note("refused", uid)
                items.append({"status": 400, "error": {"type": "document_parsing_exception", "reason": "failed to parse field [x]",
                                                       "caused_by": {"reason": "For input string"}}})
            else:
                items.append({"status": 201} if next(fresh) else {"status": 409, "error": {
                    "type": "version_conflict_engine_exception", "reason": "document already exists"}})
        return {"errors": any(i["status"] > 299 for i in items), "items": [{"create": i} for i in items]}

    def look_at_document(self, action, document, i):
        try:
            a, d = DECODER.decode(action), DECODER.decode(document)
        except ValueError as e:
            raise Violation("document %d is no JSON: %s" % (i, e))
        if list(a) != ["create"] or sorted(a["create"]) != ["_id", "_index"]:
            raise Violation("action %d is %s" % (i, action))
        uid = a["create"]["_id"]
        if not isinstance(uid, str) or not UID.match(uid) or not TIME.match(str(d.get("@timestamp"))):
            raise Violation("document %d: _id %s, @timestamp %s" % (i, uid, d.get("@timestamp")))
        index = a["create"]["_index"]
        if not re.match(r"[a-z0-9][a-z0-9._-]*\Z", index) or not re.match((self.options.index or ".*") + r"\Z", index):
            raise Violation("document %d: _index %s" % (i, index))
        event = d.get("event")
        if isinstance(event, dict) and "kind" in event and event.get("id") != uid:
            raise Violation("document %d: event.id %s" % (i, event.get("id")))
        host = d.get("host")
        return uid, (host.get("name", "-") if isinstance(host, dict) else host or "-")

    # --- OTLP in JSON ---

    def work_otlp(self, handler, path, headers, body, thrown):
        if path != "/v1/logs":
            raise Violation("the path is %s" % path)
        if headers.get("content-type") != "application/json":
            raise Violation("Content-Type %s" % headers.get("content-type"))
        try:
            o = DECODER.decode(text_of(plain(headers, body)))
        except ValueError as e:
            raise Violation("the body is no JSON: %s" % e)
        records, bad, resources = [], [], set()
        members(o, {"resourceLogs": list}, "the request")
        for i, r in enumerate(o["resourceLogs"]):
            members(r, {"resource": dict, "scopeLogs": list}, "resourceLogs")
            resource = attributes(r["resource"]["attributes"])
            if resource.get("service.name") != "evmend" or str(resource) in resources:
                raise Violation("resource %d: %s, or it is there twice" % (i, resource))
            resources.add(str(resource))
            for s in r["scopeLogs"]:
                members(s, {"scope": dict, "logRecords": list}, "scopeLogs")
                if s["scope"].get("name") != "evmend" or not s["logRecords"]:
                    raise Violation("scope %s, %d records" % (s["scope"], len(s["logRecords"])))
                for x in s["logRecords"]:
                    records.append((self.look_at_log(x), resource.get("host.name", "-")))
                    if self.options.refuse and (self.options.refuse in json.dumps(x, ensure_ascii=False) or
                                                self.options.refuse in records[-1][1]):
                        bad.append(records[-1][0])
        if bad:
            if len(records) == 1:
                self.store.note("refused", bad[0])
            handler.answer(400, {"code": 3, "message": "a record is not acceptable"})
            return None
        if thrown and len(records) > thrown:
            for uid, _ in records[:thrown]:
                self.store.note("thrown", uid)
            self.store.take(records[thrown:])
            return {"partialSuccess": {"rejectedLogRecords": str(thrown), "errorMessage": "the day is over"}}
        self.store.take(records)
        return {"partialSuccess": {}} if records and len(records) % 2 else {}

    @staticmethod
    def look_at_log(x):
        members(x, {"timeUnixNano": str, "observedTimeUnixNano": str, "severityNumber": int, "severityText": str, "eventName": str, "body": dict,
                    "attributes": list}, "a record")
        for t in ("timeUnixNano", "observedTimeUnixNano"):
            if not re.match(r"[1-9]\d{17,18}\Z", x[t]):
                raise Violation("%s is %s" % (t, x[t]))
        if not 1 <= x["severityNumber"] <= 24 or not any_value(x["body"]):
            raise Violation("severityNumber %s, body %s" % (x["severityNumber"], x["body"]))
        a = attributes(x["attributes"])
        if not UID.match(str(a.get("log.record.uid"))) or "evmend." + str(a.get("evmend.kind")) != x["eventName"]:
            raise Violation("log.record.uid %s, kind %s, eventName %s" % (a.get("log.record.uid"), a.get("evmend.kind"), x["eventName"]))
        return a["log.record.uid"]

    # --- webhooks ---

    def work_hook(self, handler, path, headers, body):
        if path != self.options.path:
            return handler.answer(404, b"no_service", [])
        if headers.get("content-type") != "application/json" or "content-encoding" in headers:
            raise Violation("Content-Type %s, Content-Encoding %s" % (headers.get("content-type"), headers.get("content-encoding")))
        uid, when = headers.get("x-evmend-uid", ""), headers.get("x-evmend-timestamp", "")
        if not UID.match(uid) or not when.isdigit() or abs(int(when) - time.time()) > 300:
            raise Violation("uid %s, timestamp %s at %d" % (uid, when, time.time()))
        wanted = None
        if self.options.key:
            wanted = "sha256=" + hmac.new(self.options.key.encode(), when.encode() + b"." + body, "sha256").hexdigest()
        if headers.get("x-evmend-signature") != wanted:
            raise Violation("the signature is %s, should be %s" % (headers.get("x-evmend-signature"), wanted))
        try:
            o = DECODER.decode(text_of(body))
        except ValueError as e:
            raise Violation("the body is no JSON: %s" % e)
        if self.options.chat:
            members(o, {"text": str, "unfurl_links": bool, "unfurl_media": bool}, "a message")
            if re.sub("&(amp|lt|gt);", "", o["text"]).strip("<>&") != re.sub("&(amp|lt|gt);", "", o["text"]) or ("uid: " + uid) not in o["text"]:
                raise Violation("the text is %s" % o["text"])
            host = re.search("^Host: (.*)$", o["text"], re.M).group(1)
        else:
            if o.get("uid") != uid:
                raise Violation("uid %s of %s" % (uid, o.get("uid")))
            host = o.get("host", "-")
        if self.options.refuse and self.options.refuse in text_of(body):
            self.store.note("refused", uid)
            return handler.answer(400, b"invalid_payload")
        self.store.take([(uid, host)])
        return b"ok"

    def work(self, handler, path, headers, body, what, argument):
        if self.options.kind == "hec":
            said = self.work_hec(handler, path, headers, body)
        elif self.options.kind == "hook":
            said = self.work_hook(handler, path, headers, body)
        elif self.options.kind == "otlp":
            said = self.work_otlp(handler, path, headers, body, int(argument) if what == "partial" else 0)
        else:
            said = self.work_bulk(handler, path, headers, body, float(argument) if what == "busy-items" else 0.0)
        if said is not None:
            handler.answer(200, said, tear=what == "reset-answer")


def main():
    p = argparse.ArgumentParser(description="strict stand-ins for receivers over HTTP")
    p.add_argument("kind", choices=["hec", "bulk", "otlp", "hook"])
    p.add_argument("folder")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--token", default="")
    p.add_argument("--index")
    p.add_argument("--path", default="/")
    p.add_argument("--key")
    p.add_argument("--chat", action="store_true")
    p.add_argument("--tls", nargs=2)
    p.add_argument("--client-ca")
    p.add_argument("--refuse")
    p.add_argument("--max-bytes", type=int)
    p.add_argument("--ack", action="store_true")
    p.add_argument("--ack-after", type=float, default=0.2)
    p.add_argument("--ack-lose", type=int)
    p.add_argument("--keep", action="store_true")
    p.add_argument("--mute", action="store_true")
    p.add_argument("--page", type=int)
    p.add_argument("--anonymous", action="store_true")
    p.add_argument("--faults")
    options = p.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    server = Receiver(options)
    with open(os.path.join(options.folder, "port.new"), "w", encoding="utf-8") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(os.path.join(options.folder, "port.new"), os.path.join(options.folder, "port"))
    server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    sys.exit(main())
