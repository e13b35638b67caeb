#!/usr/bin/env python3
"""http_proxy.py - a small proxy: CONNECT, and requests with a whole address.

  http_proxy.py FOLDER [--refuse CODE]

FOLDER/port has its port on 127.0.0.1. FOLDER/seen gets a line for each request: its first line and the names of its headers, so that a test
can see what a proxy sees. --refuse: it answers CONNECT with that status. Only the standard library.
"""
import argparse
import os
import select
import socket
import socketserver
import sys
import threading
import urllib.parse


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise EOFError
        data += more
    return data.split(b"\r\n\r\n", 1)


def both_ways(a, b):
    while True:
        for s in select.select([a, b], [], [], 60)[0]:
            data = s.recv(65536)
            if not data:
                return
            (b if s is a else a).sendall(data)


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.work()
        except (EOFError, OSError):
            pass

    def work(self):
        s = self.server
        head, rest = read_head(self.request)
        lines = head.decode("latin-1").split("\r\n")
        with s.lock, open(os.path.join(s.options.folder, "seen"), "a", encoding="utf-8") as f:
            f.write("%s | %s\n" % (lines[0], " ".join(sorted(line.split(":")[0].lower() for line in lines[1:]))))
        method, target, _ = lines[0].split(" ")
        if method == "CONNECT":
            if s.options.refuse:
                self.request.sendall(b"HTTP/1.1 %d no\r\nContent-Length: 3\r\n\r\nno\n" % s.options.refuse)
                return
            host, port = target.rsplit(":", 1)
            with socket.create_connection((host, int(port)), 10) as out:
                self.request.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
                both_ways(self.request, out)
            return
        url = urllib.parse.urlsplit(target)
        with socket.create_connection((url.hostname, url.port or 80), 10) as out:
            lines[0] = "%s %s%s HTTP/1.1" % (method, url.path, "?" + url.query if url.query else "")
            lines = [line for line in lines if not line.lower().startswith("proxy-")]
            out.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + rest)
            both_ways(self.request, out)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    p = argparse.ArgumentParser(description="a small proxy")
    p.add_argument("folder")
    p.add_argument("--refuse", type=int)
    options = p.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    server = Proxy(("127.0.0.1", 0), Handler)
    server.options = options
    server.lock = threading.Lock()
    with open(os.path.join(options.folder, "port.new"), "w", encoding="utf-8") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(os.path.join(options.folder, "port.new"), os.path.join(options.folder, "port"))
    server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    sys.exit(main())
