#!/usr/bin/env python3
"""poc.py - the sheet of a proof of concept: events at a rate through `evmend run`, kills in the middle, and what came of it.

  poc.py --evmend PROGRAM --rate N --seconds N [--rules FOLDER] [--bench EVENTS.xml[.xz]] [--hosts N] [--marks N] [--kill ROLE,...]

Only the standard library. Prints the sheet; exit code 1 when a mark was lost. docs/poc.md says how to read it.
"""
import argparse
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import events
import receivers
import writer

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROLES = ("main", "watch", "heal", "ship")
TICKS = os.sysconf("SC_CLK_TCK")
CONFIG = """state_dir: state
log: info
rules: [%(rules)s, %(mark)s]
tables: %(root)s/rules
sources:
  - {name: log, kind: follow, path: in.xml}
sinks:
  - {name: siem, kind: syslog, address: "127.0.0.1:%(port)d"}
  - {name: local, kind: file, path: findings.ndjson}
times: {idle_after: 1s, diagnose_every: 0}
"""


class Agent:
    """The process, and what its roles have cost, also those that were killed."""

    def __init__(self, program, work):
        self.work, self.peak, self.cpu, self.gone = work, {}, {}, {}
        self.log = open(os.path.join(work, "log"), "ab")
        self.p = subprocess.Popen([program, "run", "-c", os.path.join(work, "config.yaml")], stderr=self.log, stdout=self.log, stdin=subprocess.DEVNULL)

    def pids(self):
        out = {"main": self.p.pid}
        try:
            with open(os.path.join(self.work, "state", "pids")) as f:
                out.update((r, int(p)) for r, p in (line.split() for line in f))
        except (OSError, ValueError):
            pass
        return out

    def is_up(self):
        with open(os.path.join(self.work, "log"), "rb") as f:
            return b"all roles are up" in f.read()

    def look(self):
        for role, pid in self.pids().items():
            try:
                with open("/proc/%d/status" % pid) as f:
                    peak = [int(x.split()[1]) for x in f if x.startswith("VmHWM")]
                with open("/proc/%d/stat" % pid) as f:
                    t = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            self.peak[role] = max([self.peak.get(role, 0)] + peak)
            self.cpu[role, pid] = (int(t[11]) + int(t[12])) / TICKS

    def seconds_of(self, role):
        return sum(v for (r, _), v in self.cpu.items() if r == role)

    def kill(self, role):
        pid = self.pids().get(role)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        try:
            return self.p.wait(30)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return -9


def write(o, work, done):
    w = writer.Writer(work, o.rate, o.marks, o.hosts, o.rotate << 20, o.bench)
    w.run(o.seconds)
    w.finish()
    done.put({k: getattr(w, k) for k in ("n", "marks", "bytes", "generation", "removed", "most", "waited", "took")})


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))] if sorted_values else float("nan")


def coverage(o, work):
    """One event of each kind, asked of the program."""
    path = os.path.join(work, "kinds.xml")
    with open(path, "wb") as f:
        for n, (a, b, c, d) in enumerate((events.of_file(o.bench) if o.bench else events.quiet() + events.loud()) + [events.MARK]):
            f.write(b"".join((a, b"2026-01-01T00:00:00Z", b, b"%d" % n, c, b"srv.lab.example" if d else b"", d)))
    said = subprocess.run([o.evmend, "rules", "coverage", "-q", "--no-colour", path, "-t", os.path.join(ROOT, "rules"), "-r", o.rules, "-r", os.path.join(HERE, "rules")],
                          capture_output=True, text=True)
    return said.stdout.strip().split("\n")[0] or said.stderr.strip()[:300]


def sheet(o, work, agent, w, sinks, drained, killed):
    say = lambda key, value: print("  %-34s %s" % (key, value))
    reached = w["n"] / w["took"]
    print("\n%d events a second asked for, %d s, load %s" % (o.rate, o.seconds, " ".join("%.1f" % x for x in os.getloadavg())))
    say("events written", "%d (%.1f MB) in %.1f s: %.0f a second" % (w["n"], w["bytes"] / 1e6, w["took"], reached))
    say("the writer waited for the agent", "%.1f s%s" % (w["waited"], "; so this is the top rate here" if w["waited"] > w["took"] / 50 else ""))
    say("rotated files", "%d, removed behind the reader %d, at most %d at once" % (w["generation"], w["removed"], w["most"]))
    say("read to the end after the last", "%.1f s" % drained if drained is not None else "NOT within %d s" % o.patience)
    say("killed with SIGKILL", ", ".join("%s at %.0f s" % k for k in killed) or "nobody")
    lost = 0
    for s in sinks:
        d = sorted(s.delays.values())
        gone = w["marks"] - len(s.delays)
        lost += gone
        say("%s: delay, event to receiver" % s.name, "median %.3f s, 99 of 100 within %.3f s, longest %.3f s" % (quantile(d, .5), quantile(d, .99), d[-1] if d else -1))
        say("%s: marks" % s.name, "%d of %d came, lost %d, repeated %d" % (len(s.delays), w["marks"], gone, s.repeats))
        say("%s: records" % s.name, ", ".join("%s %d" % k for k in sorted(s.kinds.items())))
    days = w["took"] / 86400
    for level, n in sorted(sinks[0].levels.items()):
        hosts = max(1, len(sinks[0].hosts) if o.bench else o.hosts)
        say("findings, %s" % level, "%d: %.0f for each of %d hosts and day at this rate" % (n, n / hosts / days, hosts))
    say("rules", coverage(o, work))
    for role in ROLES:
        s = agent.seconds_of(role)
        say("role %s" % role, "peak memory %.1f MB, %.1f s of processor (%.0f %%)" % (agent.peak.get(role, 0) / 1024, s, 100 * s / w["took"]))
    return lost


def run(o, work):
    by_syslog, by_file = receivers.Received("syslog"), receivers.Received("file")
    port = receivers.serve_syslog(by_syslog)
    receivers.read_file(by_file, os.path.join(work, "findings.ndjson"))
    with open(os.path.join(work, "config.yaml"), "w") as f:
        f.write(CONFIG % {"rules": o.rules, "mark": os.path.join(HERE, "rules"), "root": ROOT, "port": port})
    agent = Agent(o.evmend, work)
    began = time.monotonic()
    while not agent.is_up():
        if agent.p.poll() is not None or time.monotonic() - began > 60:
            sys.exit("poc: the agent does not start; see %s/log" % work)
        time.sleep(0.05)
    done = multiprocessing.Queue()
    p = multiprocessing.Process(target=write, args=(o, work, done), daemon=True)
    p.start()
    t0, killed, plan = time.monotonic(), [], [((i + 1) / (len(o.kill) + 1) * o.seconds, r) for i, r in enumerate(o.kill)]
    while p.is_alive() and done.empty():
        agent.look()
        if plan and time.monotonic() - t0 >= plan[0][0]:
            at, role = plan.pop(0)
            if agent.kill(role):
                killed.append((role, at))
        time.sleep(0.25)
    w, ended, drained = done.get(), time.monotonic(), None
    while time.monotonic() - ended < o.patience:
        agent.look()
        if all(str(w["marks"]) in map(str, s.delays) for s in (by_syslog, by_file)):
            drained = time.monotonic() - ended
            break
        time.sleep(0.1)
    time.sleep(1)
    agent.look()
    code = agent.stop()
    lost = sheet(o, work, agent, w, (by_syslog, by_file), drained, killed)
    if code != 0:
        print("  the agent ended with code %d; see %s/log" % (code, work))
    return lost == 0 and code == 0 and drained is not None


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--evmend", default=os.path.join(ROOT, "build", "evmend"))
    a.add_argument("--rate", type=int, default=10000)
    a.add_argument("--seconds", type=int, default=600)
    a.add_argument("--rules", default=os.path.join(ROOT, "rules", "exchange"))
    a.add_argument("--bench")
    a.add_argument("--hosts", type=int, default=50)
    a.add_argument("--marks", type=int, default=20, help="a second")
    a.add_argument("--rotate", type=int, default=64, help="MiB")
    a.add_argument("--kill", type=lambda t: [x for x in t.split(",") if x], default=["watch", "ship", "heal"])
    a.add_argument("--patience", type=int, default=120, help="seconds until all must have come")
    a.add_argument("--keep", action="store_true", help="the folder, to look into")
    o = a.parse_args()
    o.evmend, o.rules = os.path.abspath(o.evmend), os.path.abspath(o.rules)
    work = tempfile.mkdtemp(prefix="evmend-poc.")
    ok = False
    try:
        ok = run(o, work)
    finally:
        if ok and not o.keep:
            shutil.rmtree(work, ignore_errors=True)
        else:
            print("  its files: %s" % work)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
