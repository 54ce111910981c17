#!/usr/bin/env python3
"""Many threads call functions of one fnexec at once and look at what they get.

    hammer.py limits ENDPOINT SEEN     no function runs more often at a time than it may, nor all together
    hammer.py memory ENDPOINT PID N    N calls leave no more than a megabyte behind
    hammer.py early ENDPOINT FUNCTION  whoever calls before there is a listener is answered as soon as there is one
"""
import collections
import http.client
import json
import pathlib
import re
import sys
import threading
import time

THREADS = 24
CALLS = 25
# As in tests/scenario/fnexec_limits.sh.
RESERVED = {"two": 2, "five": 5}
ACCOUNT = 12


class Client:
    def __init__(self, endpoint):
        self.connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)

    def invoke(self, name, payload="{}"):
        self.connection.request("POST", f"/2015-03-31/functions/{name}/invocations", payload)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def fail(text):
    sys.exit(f"FAILED: {text}")


def hammer(endpoint, names, results):
    client = Client(endpoint)
    for k in range(CALLS):
        name = names[k % len(names)]
        status, body = client.invoke(name)
        results.append((name, status, json.loads(body).get("Reason") if status == 429 else None))


def most_at_once(rows):
    """rows: (time, +1 or -1); an end counts before a begin of the same moment."""
    running = most = 0
    for _, step in sorted(rows):
        running += step
        most = max(most, running)
    return most


def limits(endpoint, seen):
    names = ["two", "five", "free", "other"]
    results = []
    threads = [threading.Thread(target=hammer, args=(endpoint, names[k % 4:] + names[:k % 4], results))
               for k in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rows = collections.defaultdict(list)
    for line in pathlib.Path(seen).read_text().splitlines():
        name, at, step = line.split()
        rows[name].append((int(at), int(step)))
    counts = collections.Counter((name, status) for name, status, _ in results)
    if len(results) != THREADS * CALLS or {status for _, status in counts} != {200, 429}:
        fail(f"answers: {counts}")
    for name in names:
        if 2 * counts[name, 200] != len(rows[name]):
            fail(f"{name} answered {counts[name, 200]} times and ran {len(rows[name]) / 2} times")
        most = most_at_once(rows[name])
        limit = RESERVED.get(name, ACCOUNT - sum(RESERVED.values()))
        print(f"{name}: {counts[name, 200]} ran, {counts[name, 429]} refused, {most} at once, limit {limit}")
        if most > limit:
            fail(f"{name} ran {most} times at once, limit {limit}")
        if name in RESERVED and counts[name, 429] == 0:
            fail(f"{name} was never refused: too few calls at a time to tell")
    together = most_at_once(rows["free"] + rows["other"])
    if together > ACCOUNT - sum(RESERVED.values()):
        fail(f"without a reservation: {together} at once")
    if most_at_once([r for name in names for r in rows[name]]) > ACCOUNT:
        fail("the account's limit was exceeded")
    for name, status, reason in results:
        wanted = "ReservedFunctionConcurrentInvocationLimitExceeded" if name in RESERVED else "ConcurrentInvocationLimitExceeded"
        if status == 429 and reason != wanted:
            fail(f"{name} was refused because of {reason}, not {wanted}")


def rss_kb(pid):
    """Not the proportional size: that changes when another fnexec of the machine begins or ends."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss: +(\d+)", text, re.M).group(1))


def call_many(endpoint, n):
    client = Client(endpoint)
    for _ in range(n):
        status, _ = client.invoke("echo", '{"n": 1}')
        if status != 200:
            fail(f"echo answered {status}")


def memory(endpoint, pid, n):
    """The first third fills caches, pools and the log's first pages."""
    marks = []
    for part in (n // 3, n // 3, n // 3):
        threads = [threading.Thread(target=call_many, args=(endpoint, part // 4)) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        marks.append(rss_kb(pid))
    print(f"after {n // 3}, {n // 3 * 2} and {n} invocations: {marks} KB")
    if marks[2] - marks[0] > 1024:
        fail(f"memory grew by {marks[2] - marks[0]} KB over {n} invocations")


def call_early(endpoint, name, headers, answers):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)
        try:
            connection.connect()
        except ConnectionRefusedError:
            continue
        connection.request("POST", f"/2015-03-31/functions/{name}/invocations", '{"early": 1}', headers)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read().decode()))
        return


def early(endpoint, name):
    """One of them needs the journal for its answer."""
    answers = []
    threads = [threading.Thread(target=call_early, args=(endpoint, name, headers, answers))
               for headers in ({}, {"X-Amz-Invocation-Type": "Event"})]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(sorted(answers))
    if sorted(status for status, _ in answers) != [200, 202]:
        fail("not everyone was answered")


def main():
    begin = time.monotonic()
    if sys.argv[1] == "limits":
        limits(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "early":
        early(sys.argv[2], sys.argv[3])
    else:
        memory(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print(f"{sys.argv[1]}: {time.monotonic() - begin:.1f} s")


main()
