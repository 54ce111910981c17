#!/usr/bin/python3
"""The load and the checks of the scenario live: fnexec runs, fnscope collects, alerts arrive.

live_check.py PROGRAM ENDPOINT RECEIVED: PROGRAM is fnscope, RECEIVED what alert_receivers.py writes. Invokes, sends
orders, is throttled, and then compares each invocation with the store; prints how long things took.
LIVE_SLACK multiplies the times that are promised, for slow builds.
"""
import base64
import collections
import concurrent.futures
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PROGRAM, ENDPOINT, RECEIVED = sys.argv[1:4]
SLACK = float(os.environ.get("LIVE_SLACK", "1"))
POLL_S = 1.0
PATIENCE_S = 30 * SLACK
QUEUES = "http://localhost/123456789012/"
Done = collections.namedtuple("Done", "outcome billed")


def fail(text):
    sys.exit("FAILED: " + text)


def wait_for(what, ask, pause=0.02):
    """The first true answer, and when it came."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer, time.time()
        threading.Event().wait(pause)
    fail("never happened: " + what)


def post(path, body, headers):
    request = urllib.request.Request(ENDPOINT + path, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def call(target, body, version="1.1"):
    status, _, answer = post("/", json.dumps(body), {"X-Amz-Target": target,
                                                     "Content-Type": "application/x-amz-json-" + version})
    if status != 200:
        fail(f"{target}: status {status}: {answer[:200]}")
    return json.loads(answer or b"{}")


def sqs(action, **body):
    return call("AmazonSQS." + action, body, "1.0")


def sql(text):
    out = subprocess.run([PROGRAM, "sql", "-o", "json", text], check=True, capture_output=True).stdout
    return json.loads(out)["rows"]


REPORT = re.compile(r"REPORT RequestId: (\S+).*?Billed Duration: (\d+) ms|"
                    r'"type":"platform.report".*?"requestId":"([^"]+)".*?"billedDurationMs":(\d+)')
ERROR = {"ValueError": "error", "Sandbox.Timedout": "timeout"}


def read_report(text):
    """(request id, billed milliseconds) of a REPORT line in either format; None where there is none"""
    found = REPORT.search(text)
    return found and (found.group(1) or found.group(3), int(found.group(2) or found.group(4)))


def invoke(function, event, kind="RequestResponse"):
    """(status, request id, what its REPORT line says)"""
    status, headers, body = post(f"/2015-03-31/functions/{function}/invocations", json.dumps(event),
                                 {"X-Amz-Invocation-Type": kind, "X-Amz-Log-Type": "Tail"})
    done = None
    if status == 200:
        log = base64.b64decode(headers["X-Amz-Log-Result"]).decode()
        is_error = headers["X-Amz-Function-Error"] is not None
        outcome = ERROR[json.loads(body)["errorType"]] if is_error else "ok"
        done = Done(outcome, read_report(log)[1])
    return status, headers["x-amzn-RequestId"], done


def reported(function):
    """Each invocation as the function's log tells it, read without fnscope."""
    events, token = [], {}
    while True:
        page = call("Logs_20140328.FilterLogEvents", {"logGroupName": "/aws/lambda/" + function, **token})
        events += [e["message"] for e in page["events"]]
        if not page.get("nextToken"):
            break
        token = {"nextToken": page["nextToken"]}
    return [found for found in map(read_report, events) if found]


def depth(queue):
    return int(sqs("GetQueueAttributes", QueueUrl=QUEUES + queue, AttributeNames=["All"])
               ["Attributes"]["ApproximateNumberOfMessages"])


def told(rule, name):
    """When the receiver got the first message of it."""
    if not os.path.exists(RECEIVED):
        return None
    with open(RECEIVED, encoding="utf-8") as f:
        for line in f:
            if not line.endswith("\n"):
                continue
            message = json.loads(line)
            alert = json.loads(message["body"])
            if alert["event"] == "firing" and alert["rule"] == rule and alert["subject"]["name"] == name:
                return message["at"]
    return None


class Screen:
    """fnscope top on a terminal, with the newest invocations first."""

    def __init__(self):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", os.path.join(os.path.dirname(RECEIVED), "tmux")]
        subprocess.run(self.tmux + ["new-session", "-d", "-x", "160", "-y", "50", PROGRAM, "top", "--view", "invocations"],
                       check=True)
        wait_for("the dashboard", lambda: self.shows("Invocations"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(self.tmux + ["kill-server"], check=False)

    def shows(self, text):
        return text in subprocess.run(self.tmux + ["capture-pane", "-p"], check=True, capture_output=True, text=True).stdout


def measure_rows(times):
    """From the end of an invocation to its row on the screen, at arbitrary moments of the poll."""
    chance, waits = random.Random(1), []
    with Screen() as screen:
        for _ in range(times):
            threading.Event().wait(chance.random() * POLL_S)
            _, request, done = invoke("api", {})
            begin = time.time()
            _, end = wait_for("the row of " + request, lambda: screen.shows(request[:8]))
            ACCEPTED["api"][request] = done
            waits.append(end - begin)
    return waits


ACCEPTED = {"api": {}, "slow": {}}


def play_api():
    events = [{"work_ms": 2}] * 20 + [{"fail": "no such thing"}] * 6 + [{"work_ms": 5000}] + [{"work_ms": 30}] * 8
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for status, request, done in pool.map(lambda e: invoke("api", e), events):
            if status != 200:
                fail(f"an invocation of api was answered with {status}")
            ACCEPTED["api"][request] = done
    for _ in range(5):
        status, request, _ = invoke("api", {}, "Event")
        if status != 202:
            fail(f"an event was answered with {status}")
        ACCEPTED["api"][request] = None


def play_slow():
    """One at a time: the others of a burst are refused. When the first was, and how many."""
    refused = []
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for status, request, done in pool.map(lambda _: (*invoke("slow", {"work_ms": 400}), ), range(6)):
            if status == 429:
                refused.append(time.time())
            else:
                ACCEPTED["slow"][request] = done
    if not refused:
        fail("nothing was throttled")
    return min(refused), len(refused)


def play_orders():
    """When the first message came into the dead-letter queue."""
    for number in range(8):
        sqs("SendMessage", QueueUrl=QUEUES + "orders", MessageBody=json.dumps({"bad": number % 4 == 3}))
    return wait_for("a message in the dead-letter queue", lambda: depth("orders-dead"))[1]


def check_rows(function, wanted):
    def rows():
        found = sql(f"select request_id, outcome, billed_ms from invocations where function = '{function}' and is_final")
        return found if len(found) >= len(wanted) else None

    found, _ = wait_for(f"{len(wanted)} rows of {function}", rows, 0.2)
    if sorted(r["request_id"] for r in found) != sorted(wanted):
        fail(f"{function}: {len(found)} rows for {len(wanted)} invocations, or others")
    for row in found:
        done = wanted[row["request_id"]]
        if done is not None and (row["outcome"], row["billed_ms"]) != done:
            fail(f"{function}: {row} is not {done}")
    return len(found)


def check_logs(function, wanted):
    """The store holds what the log says, and the log what was accepted."""
    billed = reported(function)
    if wanted is not None and sorted(r for r, _ in billed) != sorted(wanted):
        fail(f"{function}: the log does not hold each accepted invocation once")
    known = wanted or {}
    return check_rows(function, {r: known.get(r) or Done("ok", ms) for r, ms in billed})


def promise(what, took, most):
    print(f"{what}: {took * 1000:.0f} ms (at most {most * 1000:.0f} ms)")
    if took > most * SLACK:
        fail(f"{what} took {took:.2f} s")


def main():
    play_api()
    refused_at, refused = play_slow()
    throttle_told, _ = wait_for("the alert on throttling", lambda: told("throttles", "slow"))
    dead_at = play_orders()
    dlq_told, _ = wait_for("the alert on the dead-letter queue", lambda: told("dlq-depth", "orders-dead"))
    wait_for("both bad orders in the dead-letter queue", lambda: depth("orders-dead") == 2)
    waits = measure_rows(9)
    counts = {f: check_logs(f, w) for f, w in [("api", ACCEPTED["api"]), ("slow", ACCEPTED["slow"]), ("orders", None)]}
    if len(sql("select 1 from costs where cost_usd is null")) > 0:
        fail("an invocation has no price")
    throttles = sql("select sum(value) n from (select max(value) value from metric_points where name = 'slow' and "
                    "metric = 'fnscope.throttles' group by time_ns)")
    if throttles[0]["n"] != refused:
        fail(f"{refused} were throttled, the store says {throttles[0]['n']}")
    queue = sql("select name, is_dlq, feeders, consumers from queues order by name")
    if [(q["name"], q["is_dlq"], q["feeders"] or "", q["consumers"] or "") for q in queue] != [
            ("orders", 0, "", "orders"), ("orders-dead", 1, "orders", "")]:
        fail(f"queues: {queue}")
    print("one row for each invocation: " + ", ".join(f"{n} of {f}" for f, n in counts.items()))
    promise("from the dead-letter queue to the delivered alert", dlq_told - dead_at, 2 * POLL_S)
    promise("from the first refusal to the delivered alert", throttle_told - refused_at, 2 * POLL_S)
    promise("from an invocation's end to its row on the screen, median of 9", statistics.median(waits), 2.0)
    print(f"the longest of them: {max(waits) * 1000:.0f} ms")


main()
