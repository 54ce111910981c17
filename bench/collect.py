#!/usr/bin/env python3
"""The collector at the quota: 500 log groups asked 25 times a second (FilterLogEvents in us-east-1), each with an
invocation every 10 s, against a stand-in on loopback; beside it a puller that does the least one can: parse, insert, keep
a watermark.

collect.py [--fnscope PROGRAM] [--groups N] [--every SECONDS] [--seconds N]

Both run in turn against the same provider. CPU is user + system time of the process over the measured seconds, RSS the
peak. The stand-in runs in a process of its own and is not counted.
"""
import argparse
import functools
import http.client
import json
import multiprocessing
import os
import signal
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler

from legs import goal

CALLS_A_SECOND = 25
OVERLAP_S = 120
WARM_UP_S = 30
LINES_AN_INVOCATION = 4
PREFIX = "/aws/lambda/bench-"


# --- the provider: what a group did in a second follows from the time alone

@functools.lru_cache(maxsize=1 << 17)
def second_of(group, second):
    rid = "%08x-0000-4000-8000-%012x" % (group, second)
    texts = ("START RequestId: %s Version: $LATEST\n" % rid,
             "2026-09-01T10:00:00.000Z\t%s\tINFO\torder %d accepted\n" % (rid, second),
             "END RequestId: %s\n" % rid,
             "REPORT RequestId: %s\tDuration: 40.00 ms\tBilled Duration: 40 ms\tMemory Size: 128 MB\t"
             "Max Memory Used: 64 MB\t\n" % rid)
    return ",".join(json.dumps({
        "logStreamName": "2026/09/01/[$LATEST]%032x" % group, "timestamp": second * 1000 + 10 * k, "message": text,
        "ingestionTime": second * 1000 + 500, "eventId": "36%013d%039d%d" % (second, group, k)})
        for k, text in enumerate(texts))


def filter_log_events(q, every):
    first = max(-(-q["startTime"] // 1000), int(time.time()) - 900)
    last = min(q["endTime"] // 1000, int(time.time()) - 1)
    at = int(q.get("nextToken", first))
    end = min(last, at + 600)
    group = int(q["logGroupName"][len(PREFIX):])
    token = ', "nextToken": "%d"' % (end + 1) if end < last else ""
    return '{"events":[%s]%s}' % (",".join(second_of(group, s) for s in range(at, end + 1) if (s + group) % every == 0), token)


def describe_log_groups(q, groups):
    at = int(q.get("nextToken", "0"))
    out = {"logGroups": [{"logGroupName": PREFIX + str(i), "creationTime": 1, "logGroupClass": "STANDARD",
                          "arn": "arn:aws:logs:us-east-1:123456789012:log-group:%s%d:*" % (PREFIX, i)}
                         for i in range(at, min(at + 50, groups))]}
    if at + 50 < groups:
        out["nextToken"] = str(at + 50)
    return json.dumps(out)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args):
        pass

    def do_POST(self):
        q = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls += 1
        if self.headers["X-Amz-Target"].endswith("FilterLogEvents"):
            answer = filter_log_events(q, self.server.every)
        else:
            answer = describe_log_groups(q, self.server.groups)
        body = answer.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = str(self.server.calls).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    calls = 0


def serve(groups, every, port):
    with Server(("127.0.0.1", 0), Handler) as server:
        server.groups, server.every = groups, every
        port.value = server.server_address[1]
        server.serve_forever()


# --- the peer

def naive(port, groups, path):
    db = sqlite3.connect(path)
    db.execute("create table event(id text primary key, grp text, time int, message text)")
    c = http.client.HTTPConnection("127.0.0.1", port)
    watermark = {}
    while True:
        began = time.monotonic()
        for i in range(groups):
            name = PREFIX + str(i)
            q = {"logGroupName": name, "startTime": watermark.get(name, int(time.time() - OVERLAP_S) * 1000),
                 "endTime": int(time.time() * 1000)}
            c.request("POST", "/", json.dumps(q), {"X-Amz-Target": "Logs_20140328.FilterLogEvents"})
            events = json.loads(c.getresponse().read())["events"]
            db.executemany("insert or ignore into event values(?,?,?,?)",
                           [(e["eventId"], name, e["timestamp"], e["message"]) for e in events])
            if events:
                watermark[name] = events[-1]["timestamp"] - OVERLAP_S * 1000
            pause = began + (i + 1) / CALLS_A_SECOND - time.monotonic()
            if pause > 0:
                db.commit()
                time.sleep(pause)


# --- measuring

def cpu_of(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_of(pid):
    return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))


def calls_at(port):
    c = http.client.HTTPConnection("127.0.0.1", port)
    c.request("GET", "/")
    return int(c.getresponse().read())


def measure(pid, port, seconds):
    """CPU in cores, peak RSS in MB, calls a second."""
    time.sleep(WARM_UP_S)
    cpu, calls, began = cpu_of(pid), calls_at(port), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return (cpu_of(pid) - cpu) / took, rss_of(pid), (calls_at(port) - calls) / took


def measure_fnscope(args, port, folder):
    config = os.path.join(folder, "config.yaml")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"sources:\n  bench:\n    type: aws-logs\n    region: us-east-1\n    endpoint: http://127.0.0.1:{port}\n"
                f"    poll: {args.groups // CALLS_A_SECOND}s\n    backfill: 2m\n    late_every: 0s\n    late_window: 2m\n    deep_every: 0s\n"
                f"    discover: 1h\n")
    env = dict(os.environ, HOME=folder, AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    store = os.path.join(folder, "store")
    child = subprocess.Popen([args.fnscope, "collect", "-q", "--config", config, "--store", store], env=env)
    try:
        result = measure(child.pid, port, args.seconds)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()
    rows = subprocess.run([args.fnscope, "sql", "--store", store, "-o", "tsv", "select count(*) from invocations"],
                          env=env, check=True, capture_output=True, text=True).stdout
    return result, int(rows.split()[-1])


def measure_naive(args, port, folder):
    path = os.path.join(folder, "naive.db")
    child = multiprocessing.Process(target=naive, args=(port, args.groups, path))
    child.start()
    try:
        result = measure(child.pid, port, args.seconds)
    finally:
        child.terminate()
        child.join()
    return result, sqlite3.connect(path).execute("select count(*) from event").fetchone()[0] // LINES_AN_INVOCATION


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--fnscope", default="../build/release/fnscope")
    p.add_argument("--groups", type=int, default=500)
    p.add_argument("--every", type=int, default=10)
    p.add_argument("--seconds", type=int, default=60)
    args = p.parse_args()
    args.fnscope = os.path.abspath(args.fnscope)
    port = multiprocessing.Value("i", 0)
    provider = multiprocessing.Process(target=serve, args=(args.groups, args.every, port), daemon=True)
    provider.start()
    while port.value == 0 and provider.is_alive():
        time.sleep(0.01)
    with tempfile.TemporaryDirectory() as folder:
        rows = [("fnscope collect", *measure_fnscope(args, port.value, folder)),
                ("naive puller (Python)", *measure_naive(args, port.value, folder))]
    provider.terminate()
    print(f"{'':<24}{'cores':>8}{'RSS MB':>8}{'calls/s':>9}{'invocations':>13}")
    for name, (cores, rss, calls), n in rows:
        print(f"{name:<24}{cores:>8.3f}{rss:>8.1f}{calls:>9.1f}{n:>13}")
    mine, other = rows[0][1], rows[1][1]
    print(f"ratio of CPU to the naive puller: {mine[0] / other[0]:.2f}")
    good = goal("C1", "500 log groups at the quota: cores", mine[0], 0.05)
    good &= goal("C2", "the same: peak RSS in MB", mine[1], 64)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
