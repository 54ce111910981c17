#!/bin/bash
# fnexec_kill.sh PROGRAM TESTS_DIR EXECUTOR: kills fnexec 100 times with SIGKILL while events and messages come in,
# then lets it finish. Nothing that was accepted is lost; every event ends once, in one of its two destinations; every
# call that was answered has its log lines, each once.
set -euo pipefail
executor=$3
export work PATH=/usr/bin:/bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/code"
cat > "$work/code/app.py" << 'PY'
import os

def note(line):
    fd = os.open(os.environ["SEEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, (line + "\n").encode())
    os.close(fd)

def event(e, context):
    note("event " + e["id"])
    if e["fail"]:
        raise ValueError("as asked")
    return e["id"]

def messages(e, context):
    for r in e["Records"]:
        note("message " + r["body"])
    return {"batchItemFailures": []}

def answer(e, context):
    print("answers " + context.aws_request_id)
    return e
PY
cat > "$work/functions.yaml" << YAML
queues:
  orders: {visibility_timeout: 3s, dead_letter: orders-dead, max_receives: 1000}
functions:
  events:
    {runtime: python3.11, handler: app.event, code: code, timeout: 2s, isolation: process, instances: 4, dlq: failed,
     environment: {SEEN: $work/seen}, async: {retries: 1, retry_wait: 100ms, on_success: done}}
  messages:
    {runtime: python3.11, handler: app.messages, code: code, timeout: 2s, isolation: process, instances: 2,
     environment: {SEEN: $work/seen}, triggers: [{type: queue, queue: orders, report_failures: true}]}
  answers: {runtime: python3.11, handler: app.answer, code: code, timeout: 2s, isolation: process, instances: 2}
YAML
python3 - "$executor" "$work" << 'PY'
import collections, fcntl, http.client, json, os, random, re, signal, subprocess, sys, threading, time

executor, work = sys.argv[1:]
seed = int(os.environ.get("SEED", "1"))
random.seed(seed)
ROUNDS = int(os.environ.get("ROUNDS", "100"))
accepted_events, accepted_messages, answered = {}, set(), []
numbers = iter(range(10**9))
lock = threading.Lock()

def fail(text):
    print(f"FAILED (SEED={seed}): {text}", file=sys.stderr)
    sys.stderr.write(open(f"{work}/log").read()[-3000:])
    sys.exit(1)

def start():
    port_file = f"{work}/port"
    if os.path.exists(port_file):
        os.unlink(port_file)
    log = open(f"{work}/log", "a")
    p = subprocess.Popen([executor, "serve", f"{work}/functions.yaml", "--port", "0", "--port-file", port_file,
                          "--state", f"{work}/state", "--scratch", f"{work}/scratch", "-q"], stderr=log)
    end = time.monotonic() + 30
    while not (os.path.exists(port_file) and os.path.getsize(port_file)):
        if p.poll() is not None or time.monotonic() > end:
            fail(f"fnexec does not start: {p.poll()}")
        time.sleep(0.005)
    return p, int(open(port_file).read())

def sqs(conn, op, body):
    conn.request("POST", "/", json.dumps(body), {"X-Amz-Target": "AmazonSQS." + op,
                                                 "Content-Type": "application/x-amz-json-1.0"})
    r = conn.getresponse()
    text = r.read()
    if r.status != 200:
        fail(f"{op}: {r.status} {text}")
    return json.loads(text or b"{}")

# One client: events and messages in turn, until its connection breaks. What was answered was accepted.
def client(port):
    try:
        conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while True:
            with lock:
                n = str(next(numbers))
            bad = int(n) % 10 == 0
            conn.request("POST", "/2015-03-31/functions/events/invocations", json.dumps({"id": n, "fail": bad}),
                         {"X-Amz-Invocation-Type": "Event"})
            r = conn.getresponse()
            r.read()
            if r.status == 202:
                with lock:
                    accepted_events[n] = r.headers["x-amzn-RequestId"]
            elif r.status != 503:
                fail(f"Event: {r.status}")
            body = f"m{n}"
            conn.request("POST", "/", json.dumps({"QueueUrl": "http://x/1/orders", "MessageBody": body}),
                         {"X-Amz-Target": "AmazonSQS.SendMessage", "Content-Type": "application/x-amz-json-1.0"})
            r = conn.getresponse()
            r.read()
            if r.status == 200:
                with lock:
                    accepted_messages.add(body)
            time.sleep(0.01)
    except (OSError, http.client.HTTPException):
        pass

# Another: calls that wait for their answer.
def caller(port):
    try:
        conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while True:
            conn.request("POST", "/2015-03-31/functions/answers/invocations", "{}")
            r = conn.getresponse()
            r.read()
            if r.status == 200:
                answered.append(r.headers["x-amzn-RequestId"])
    except (OSError, http.client.HTTPException):
        pass

# What is logged of the calls: kind and request of each line.
def logged(conn):
    lines, token = collections.Counter(), {}
    while True:
        body = {"logGroupName": "/aws/lambda/answers", "limit": 10000, **token}
        conn.request("POST", "/", json.dumps(body), {"X-Amz-Target": "Logs_20140328.FilterLogEvents",
                                                     "Content-Type": "application/x-amz-json-1.1"})
        r = conn.getresponse()
        page = json.loads(r.read())
        if r.status != 200:
            fail(f"FilterLogEvents: {r.status} {page}")
        for event in page["events"]:
            lines.update(re.findall("^(START|END|REPORT)(?: RequestId:)? ([-0-9a-f]{36})|^(answers) ([-0-9a-f]{36})",
                                    event["message"]))
        if "nextToken" not in page:
            return collections.Counter({(a or c, b or d): n for (a, b, c, d), n in lines.items()})
        token = {"nextToken": page["nextToken"]}

# What a killed fnexec was just starting may hold its lock a moment longer.
os.makedirs(f"{work}/state", 0o700, exist_ok=True)
held = open(f"{work}/state/lock", "a")
fcntl.flock(held, fcntl.LOCK_EX)
threading.Timer(0.3, held.close).start()
for _ in range(ROUNDS):
    p, port = start()
    threads = [threading.Thread(target=client, args=(port,)) for _ in range(3)]
    threads.append(threading.Thread(target=caller, args=(port,)))
    for t in threads:
        t.start()
    # At any moment, but on a slow machine too some of the lives must be long enough to accept something.
    wanted, end = len(accepted_messages) + random.randrange(0, 5), time.monotonic() + 10
    while len(accepted_messages) < wanted and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(random.uniform(0.0, 0.1))
    p.send_signal(signal.SIGKILL)
    p.wait()
    for t in threads:
        t.join()

p, port = start()
conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
ends = collections.Counter()
end = time.monotonic() + 150
while time.monotonic() < end:
    got = 0
    for queue in ("done", "failed"):
        url = f"http://x/1/{queue}"
        found = sqs(conn, "ReceiveMessage", {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600,
                                             "MessageAttributeNames": ["All"]}).get("Messages", [])
        for m in found:
            got += 1
            ends[m["MessageAttributes"]["RequestID"]["StringValue"] if queue == "failed"
                 else json.loads(m["Body"])["requestContext"]["requestId"]] += 1
    depth = sqs(conn, "GetQueueAttributes", {"QueueUrl": "http://x/1/orders", "AttributeNames": ["All"]})["Attributes"]
    left = sum(int(depth["ApproximateNumberOfMessages" + k]) for k in ("", "NotVisible", "Delayed"))
    if not got:
        # Events whose acceptance a kill kept from its client end as well: the number says nothing.
        if left == 0 and all(ends[request] for request in accepted_events.values()):
            break
        time.sleep(0.1)
lines = logged(conn)
p.send_signal(signal.SIGTERM)
if p.wait() != 0:
    fail("fnexec did not end well")

lost = [n for n, request in accepted_events.items() if ends[request] == 0]
twice = [r for r, n in ends.items() if n > 1]
seen = set(open(f"{work}/seen").read().splitlines())
unseen = [m for m in accepted_messages if "message " + m not in seen]
untold = [(kind, r) for r in answered for kind in ("START", "answers", "END", "REPORT") if not lines[kind, r]]
doubled = [line for line, n in lines.items() if n > 1]
print(f"{ROUNDS} kills, {len(accepted_events)} events and {len(accepted_messages)} messages accepted, "
      f"{len(answered)} calls answered")
if untold or doubled:
    fail(f"{len(untold)} log lines of answered calls lost: {untold[:3]}; {len(doubled)} stored twice: {doubled[:3]}")
if lost or twice or unseen or left:
    fail(f"events lost: {lost[:5]} ({len(lost)}), ended twice: {twice[:5]} ({len(twice)}), "
         f"messages lost: {unseen[:5]} ({len(unseen)}), left in the queue: {left}")
if min(len(accepted_events), len(accepted_messages), len(answered)) < ROUNDS:
    fail("too little was accepted to prove anything")
PY
