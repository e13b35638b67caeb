#!/usr/bin/env python3
"""resetting_proxy.py - hands bytes on to a receiver, and resets the connection on both sides now and then.

  resetting_proxy.py LEAST MOST LISTEN:TO...    ports of 127.0.0.1; after LEAST to MOST bytes, by chance, it resets

What it had read and not handed on is gone, as with a firewall that forgets a connection. Prints "N resets" at SIGTERM.
"""
import random
import selectors
import signal
import socket
import struct
import sys


class Pair:
    def __init__(self, a, b, left):
        self.peer = {a: b, b: a}
        self.client, self.left = a, left


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def main():
    least, most = int(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(5425)
    wait = selectors.DefaultSelector()
    resets = 0

    def told(*_):
        print("%d resets" % resets, flush=True)
        sys.exit(0)

    def drop(pair, hard):
        for s in pair.peer:
            wait.unregister(s)
            reset(s) if hard else s.close()

    signal.signal(signal.SIGTERM, told)
    for arg in sys.argv[3:]:
        listen, to = (int(p) for p in arg.split(":"))
        s = socket.create_server(("127.0.0.1", listen))
        wait.register(s, selectors.EVENT_READ, to)
    while True:
        for key, _ in wait.select():
            s = key.fileobj
            if isinstance(key.data, int):
                a, _ = s.accept()
                try:
                    b = socket.create_connection(("127.0.0.1", key.data))
                except OSError:
                    a.close()
                    continue
                pair = Pair(a, b, chance.randint(least, most))
                wait.register(a, selectors.EVENT_READ, pair)
                wait.register(b, selectors.EVENT_READ, pair)
                continue
            pair = key.data
            if s.fileno() < 0:
                continue
            try:
                data = s.recv(65536)
                if s is pair.client:
                    pair.left -= len(data)
                if data and pair.left > 0:
                    pair.peer[s].sendall(data)
                    continue
                resets += bool(data)
                drop(pair, bool(data))
            except OSError:
                drop(pair, False)


if __name__ == "__main__":
    main()
