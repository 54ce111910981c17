#!/usr/bin/env python3
"""play.py ENDPOINT PICTURES [--seed N] [--seconds S]: uneven load for the functions of the demonstration.

The same seed gives the same calls in the same order: quiet and busy stretches, orders of which some never work,
bursts at the function that runs one at a time, new pictures, mails to bad addresses, and requests at the leaking
function until it is out of memory. Prints what was sent and what came back.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request


class Player:
    def __init__(self, endpoint, pictures, seed):
        self.endpoint, self.pictures = endpoint, pictures
        self.random = random.Random(seed)
        self.counts, self.lock = collections.Counter(), threading.Lock()
        self.pool = concurrent.futures.ThreadPoolExecutor(max_workers=16)
        self.order = self.picture = 0

    def note(self, what):
        with self.lock:
            self.counts[what] += 1

    def post(self, path, body, headers):
        request = urllib.request.Request(self.endpoint + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def invoke(self, function, body, kind="RequestResponse"):
        status, headers, _ = self.post(f"/2015-03-31/functions/{function}/invocations", body,
                                       {"X-Amz-Invocation-Type": kind, "Content-Type": "application/json"})
        failed = "failed" if headers.get("X-Amz-Function-Error") else "ok"
        self.note(f"{function} " + {429: "throttled"}.get(status, failed if status < 300 else f"status {status}"))

    def send_order(self, number):
        self.post("/", {"QueueUrl": "http://localhost/123456789012/orders", "MessageBody": json.dumps({"number": number})},
                  {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"})
        self.note("orders sent")

    def draw(self):
        self.picture += 1
        size = self.random.randrange(8, 48) * 2
        name = os.path.join(self.pictures, f"picture {self.picture}.ppm")
        with open(name + ".part", "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % (size, size) + self.random.randbytes(size * size * 3))
        os.rename(name + ".part", name)
        self.note("pictures put")

    def moves(self, busy):
        """The calls of one tenth of a second, drawn here and not in the threads, so that they are the same each time."""
        r = self.random
        for _ in range(r.randrange(0, 6 if busy else 2)):
            path = r.choice(["/", "/cart", "/cart", "/missing"])
            yield self.invoke, "api", {"rawPath": path, "work_ms": int(r.expovariate(0.1))}
        if r.random() < 0.4:
            yield self.invoke, "transform", {"line": [r.randrange(-99, 99) for _ in range(r.randrange(1, 9))]}
        for _ in range(r.randrange(0, 4) if r.random() < (0.5 if busy else 0.1) else 0):
            self.order += 1
            yield self.send_order, self.order
        if r.random() < 0.05:
            for _ in range(6):
                yield self.invoke, "slow", {"seconds": 0.3}
        if r.random() < 0.2:
            yield self.invoke, "leaky", {"megabytes": 8}
        if r.random() < 0.1:
            body = {"fail": "bad address"} if r.random() < 0.3 else {"rawPath": "/mail"}
            yield self.invoke, "mail", body, "Event"
        if r.random() < 0.05:
            yield (self.draw,)

    def play(self, seconds):
        start = time.monotonic()
        for tick in range(int(seconds * 10)):
            for call, *arguments in self.moves(busy=tick // 50 % 3 == 1):
                if call == self.draw:
                    call()
                else:
                    self.pool.submit(call, *arguments)
            time.sleep(max(0.0, start + (tick + 1) / 10 - time.monotonic()))
        self.pool.shutdown()
        for what, n in sorted(self.counts.items()):
            print(f"{n:6} {what}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("endpoint")
    parser.add_argument("pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    Player(options.endpoint, options.pictures, options.seed).play(options.seconds)


if __name__ == "__main__":
    main()
