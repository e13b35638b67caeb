"""writer.py - writes events at a rate into a log that is rotated, and removes what was read.

A rotated file is removed when the agent's stored position is in a later one (that is "behind the reader"), so nothing can be lost that
the agent did not lose. When KEEP rotated files wait to be read, the writer waits too: then the rate that it reaches is the agent's.
"""
import datetime
import os
import re
import sqlite3
import time

import events

KEEP = 6
SLICE = 0.01


def stamp(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


class Writer:
    def __init__(self, work, rate, marks, hosts, rotate, bench):
        self.log, self.state = os.path.join(work, "in.xml"), os.path.join(work, "state")
        self.rate, self.every, self.rotate, self.hosts = rate, max(1, rate // marks), rotate, hosts
        self.source = events.endless(bench, hosts)
        self.n = self.marks = self.bytes = self.generation = self.removed = self.most = 0
        self.old = []  # (path, inode), oldest first
        self.waited = 0.0
        self.open()

    def open(self):
        self.f = open(self.log, "ab", buffering=0)
        self.size = 0

    def mark(self, now):
        self.marks += 1
        a, b, c, d = events.MARK
        return b"".join((a, now, b, b"%d" % self.marks, c, b"mark%03d.lab.example" % (self.marks % self.hosts), d))

    def slice(self, n):
        now, out = stamp(time.time()), []
        for _ in range(n):
            self.n += 1
            if self.n % self.every == 0:
                out.append(self.mark(now))
            else:
                (a, b, c, d), host = next(self.source)
                out.append(b"".join((a, now, b, b"%d" % self.n, c, host, d)))
        bulk = b"".join(out)
        self.f.write(bulk)
        self.size += len(bulk)
        self.bytes += len(bulk)

    def turn(self):
        """As logrotate with dates: a name that is used once."""
        self.generation += 1
        path = "%s.%d" % (self.log, self.generation)
        inode = os.fstat(self.f.fileno()).st_ino
        os.rename(self.log, path)
        self.f.close()
        self.old.append((path, inode))
        self.most = max(self.most, len(self.old))
        self.open()

    def position(self):
        """Inode of the file in which the agent is, by what it has stored."""
        try:
            db = sqlite3.connect("file:%s/watch.db?mode=ro" % self.state, uri=True, timeout=0.2)
            try:
                row = db.execute("select position from position where partition = ?", (self.log,)).fetchone()
            finally:
                db.close()
        except sqlite3.Error:
            return None
        found = re.search(r"inode=(\d+)", row[0]) if row else None
        return int(found.group(1)) if found else None

    def tidy(self):
        if not self.old:
            return
        at = self.position()
        known = [inode for _, inode in self.old]
        if at is None:
            return
        behind = known.index(at) if at in known else len(known) if at == os.fstat(self.f.fileno()).st_ino else 0
        for path, _ in self.old[:behind]:
            os.unlink(path)
            self.removed += 1
        del self.old[:behind]

    def run(self, seconds):
        began = time.monotonic()
        due, tidied = 0, began
        while time.monotonic() - began < seconds:
            now = time.monotonic()
            if now - tidied > 0.25:
                tidied = now
                self.tidy()
            if len(self.old) >= KEEP:
                time.sleep(SLICE)
                self.waited += time.monotonic() - now
                continue
            # what could not be written while waiting is not made up for: the rate is a rate
            want = int((now - began - self.waited) * self.rate) - due
            if want > 0:
                n = min(want, max(1, int(self.rate * 0.1)))
                due += n
                self.slice(n)
                if self.size >= self.rotate:
                    self.turn()
            rest = SLICE - (time.monotonic() - now)
            if rest > 0:
                time.sleep(rest)
        self.took = time.monotonic() - began

    def finish(self):
        """The last event is a mark, so that it can be seen that all was read."""
        self.f.write(self.mark(stamp(time.time())))
