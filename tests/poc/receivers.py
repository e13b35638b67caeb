"""receivers.py - what came, and when: a syslog server over TCP (octet counting) and a reader of the file that grows."""
import json
import os
import re
import socket
import threading
import time

UID = re.compile(rb'uid="([0-9a-f]{64})"')


class Received:
    """Findings as they came: those of marks with their delay, the others by level; the first of each uid counts."""

    def __init__(self, name):
        self.name, self.delays, self.marks, self.repeats, self.kinds, self.last = name, {}, 0, 0, {}, 0.0
        self.levels, self.hosts, self.uids = {}, set(), set()

    def take(self, body, now):
        d = json.loads(body)
        kind = d.get("kind", "?")
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.last = now
        if kind != "finding":
            return
        if d["rule"]["name"] == "evmend-mark":
            self.marks += 1
            n = d["evidence"][0]["record_id"]
            if n in self.delays:
                self.repeats += 1
            else:
                self.delays[n] = now - micros(d["evidence"][0]["time"])
        elif d["uid"] not in self.uids:  # told again when its count grows
            self.uids.add(d["uid"])
            level = d["rule"].get("level") or d.get("level") or "?"
            self.levels[level] = self.levels.get(level, 0) + 1
            self.hosts.add(d["host"])


def micros(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def serve_syslog(to):
    s = socket.create_server(("127.0.0.1", 0))

    def connection(c):
        have = b""
        while True:
            more = c.recv(1 << 20)
            if not more:
                return
            have += more
            now = time.time()
            while True:
                space = have.find(b" ", 0, 8)
                if space < 0 or len(have) < space + 1 + int(have[:space]):
                    break
                end = space + 1 + int(have[:space])
                frame, have = have[space + 1:end], have[end:]
                to.take(frame[frame.index(b'{"'):], now)

    def accept():
        while True:
            threading.Thread(target=connection, args=(s.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return s.getsockname()[1]


def read_file(to, path):
    def follow():
        have, at = b"", 0
        while True:
            if os.path.exists(path):
                with open(path, "rb") as f:
                    f.seek(at)
                    more = f.read()
                now = time.time()
                at += len(more)
                *lines, have = (have + more).split(b"\n")
                for line in lines:
                    to.take(line, now)
            time.sleep(0.02)
    threading.Thread(target=follow, daemon=True).start()
