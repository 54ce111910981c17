#!/usr/bin/env python3
"""A stand-in for the AWS APIs that fnscope collect asks, on loopback. Prints its port, then serves.

fake_aws.py [--functions N] [--invocations N] [--begin EPOCH] [--faults PERCENT] [--seed N]
            [--page N] [--groups-only] [--step MS] [--unlogged N]
            [--expire CALLS] [--query-metrics]

Logs are made from the seed: the same arguments give the same events. Faults are answers as AWS gives
them when it is busy or broken, and some nobody should give.
"""
import argparse
import calendar
import collections
import json
import random
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "123456789012"
REGION = "eu-west-1"


class World:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.lock = threading.Lock()
        self.names = ["fn-%d" % i for i in range(args.functions)]
        self.events = {"/aws/lambda/" + n: [] for n in self.names}
        self.calls = collections.Counter()
        self.counts = collections.Counter()
        self.session, self.signed, self.expired = 1, 0, 0
        if not args.groups_only:
            for i in range(args.invocations):
                self.invoke(i)
        for events in self.events.values():
            events.sort(key=lambda e: (e["timestamp"], e["eventId"]))

    def invoke(self, i):
        name = self.names[i % len(self.names)]
        start = int(self.args.begin * 1000) + i * self.args.step
        hour = start // 3600000 * 3600
        self.counts[name, hour] += 1
        self.counts[None, hour] += 1
        if 0 <= i - self.args.invocations // 2 < self.args.unlogged:
            return
        rid = "%08x-0000-4000-8000-%012x" % (i * 2654435761 % 2**32, i)
        stream = "2026/09/01/[$LATEST]%032x" % (i % len(self.names))
        took = 20 + i % 80
        lines = [
            (0, "START RequestId: %s Version: $LATEST\n" % rid),
            (3, "%s\t%s\tINFO\tstep of %d\n" % ("2026-09-01T10:00:00.000Z", rid, i)),
            (took, "END RequestId: %s\n" % rid),
            (took, "REPORT RequestId: %s\tDuration: %d.00 ms\tBilled Duration: %d ms\t"
                   "Memory Size: 128 MB\tMax Memory Used: 64 MB\t\n" % (rid, took, took)),
        ]
        for k, (at, text) in enumerate(lines):
            self.events["/aws/lambda/" + name].append({
                "logStreamName": stream, "timestamp": start + at, "message": text,
                "ingestionTime": start + at + 500, "eventId": "36%053d%d" % (i, k)})


def credentials(w):
    """What a container's endpoint, the instance's metadata and a credential_process give."""
    return {"Version": 1, "AccessKeyId": "ASIA%d" % w.session, "SecretAccessKey": "secret",
            "Token": "session-%d" % w.session, "SessionToken": "session-%d" % w.session,
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))}


def filter_log_events(w, q):
    events = [e for e in w.events[q["logGroupName"]]
              if q["startTime"] <= e["timestamp"] <= q["endTime"]]
    at = int(q.get("nextToken", "0"))
    out = {"events": events[at:at + w.args.page], "searchedLogStreams": []}
    if at + w.args.page < len(events):
        out["nextToken"] = str(at + w.args.page)
    return out


def describe_log_groups(w, q):
    names = [n for n in sorted(w.events) if n.startswith(q.get("logGroupNamePrefix", ""))]
    at = int(q.get("nextToken", "0"))
    arn = "arn:aws:logs:%s:%s:log-group:" % (REGION, ACCOUNT)
    out = {"logGroups": [{"logGroupName": n, "arn": arn + n + ":*", "creationTime": 1,
                          "logGroupClass": "STANDARD"} for n in names[at:at + 50]]}
    if at + 50 < len(names):
        out["nextToken"] = str(at + 50)
    return out


def queue_url(name):
    return "https://sqs.%s.amazonaws.com/%s/%s" % (REGION, ACCOUNT, name)


def list_queues(w, q):
    return {"QueueUrls": [queue_url("orders"), queue_url("orders-dlq")]}


def queue_attributes(w, q):
    name = q["QueueUrl"].rsplit("/", 1)[1]
    arn = "arn:aws:sqs:%s:%s:" % (REGION, ACCOUNT)
    out = {"QueueArn": arn + name, "ApproximateNumberOfMessages": "3",
           "ApproximateNumberOfMessagesNotVisible": "1",
           "ApproximateNumberOfMessagesDelayed": "0", "VisibilityTimeout": "30",
           "MessageRetentionPeriod": "345600"}
    if name == "orders":
        out["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn + "orders-dlq",
                                           "maxReceiveCount": "3"})
    return {"Attributes": out}


def metric_data(w, q):
    start = int(q["StartTime"])
    values = {"Throttles": 2.0, "ConcurrentExecutions": 7.0, "ApproximateAgeOfOldestMessage": 42.5}
    out = []
    for m in q["MetricDataQueries"]:
        metric, period = m["MetricStat"]["Metric"], m["MetricStat"]["Period"]
        name = metric["MetricName"]
        if name == "Invocations" and period == 3600:
            of = metric.get("Dimensions", [{"Value": None}])[0]["Value"]
            hours = sorted(h for n, h in w.counts if n == of and start <= h < int(q["EndTime"]))
            out.append({"Id": m["Id"], "Label": name, "StatusCode": "Complete",
                        "Timestamps": hours, "Values": [w.counts[of, h] * 1.0 for h in hours]})
            continue
        found = name in values
        out.append({"Id": m["Id"], "Label": name, "StatusCode": "Complete",
                    "Timestamps": [start] if found else [],
                    "Values": [values[name]] if found else []})
    return {"MetricDataResults": out, "Messages": []}


def query_metric_data(w, form):
    """The Query protocol: the form as the JSON question, the answer as XML."""
    queries = {}
    for key, value in form.items():
        if key.startswith("MetricDataQueries.member."):
            n, member = key[len("MetricDataQueries.member."):].split(".", 1)
            queries.setdefault(int(n), {})[member] = value
    seconds = {k: calendar.timegm(time.strptime(form[k], "%Y-%m-%dT%H:%M:%SZ")) for k in ("StartTime", "EndTime")}
    question = {**seconds, "MetricDataQueries": []}
    for _, m in sorted(queries.items()):
        metric = {"MetricName": m["MetricStat.Metric.MetricName"]}
        if "MetricStat.Metric.Dimensions.member.1.Value" in m:
            metric["Dimensions"] = [{"Value": m["MetricStat.Metric.Dimensions.member.1.Value"]}]
        question["MetricDataQueries"].append(
            {"Id": m["Id"], "MetricStat": {"Metric": metric, "Period": int(m["MetricStat.Period"])}})
    out = ""
    for r in metric_data(w, question)["MetricDataResults"]:
        times = "".join("<member>%s</member>" % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
                        for t in r["Timestamps"])
        values = "".join("<member>%s</member>" % v for v in r["Values"])
        out += ("<member><Id>%s</Id><Label>%s</Label><Timestamps>%s</Timestamps><Values>%s</Values>"
                "<StatusCode>Complete</StatusCode></member>" % (r["Id"], r["Label"], times, values))
    return ("<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricDataResult>"
            "<MetricDataResults>%s</MetricDataResults><Messages/></GetMetricDataResult></GetMetricDataResponse>" % out)


def trace_id(i):
    return "1-%08x-%024x" % (w_begin(i), i)


def w_begin(i):
    return i * 2654435761 % 2**32


def trace_summaries(w, q):
    """One trace for each function's first invocation; the second one grows a revision each time."""
    if q["EndTime"] - q["StartTime"] > 6 * 3600:
        return None
    at = int(q.get("NextToken", "0"))
    rows = [{"Id": trace_id(i), "Revision": w.calls["/TraceSummaries"] if i == 1 else 1,
             "IsPartial": False} for i in range(len(w.names))]
    out = {"TraceSummaries": rows[at:at + 3], "TracesProcessedCount": len(rows[at:at + 3])}
    if at + 3 < len(rows):
        out["NextToken"] = str(at + 3)
    return out


def segment(w, i):
    start = w.args.begin + i
    return json.dumps({
        "id": "%016x" % i, "name": w.names[i], "trace_id": trace_id(i), "start_time": start,
        "end_time": start + 0.5, "origin": "AWS::Lambda::Function", "subsegments": [
            {"id": "%016x" % (i + 1000), "name": "Invocation", "start_time": start + 0.25,
             "end_time": start + 0.5, "fault": i == 2}]})


def get_traces(w, q):
    """The third trace is not ready the first time."""
    ids = {trace_id(i): i for i in range(len(w.names))}
    if len(q["TraceIds"]) > 5:
        return None
    late = [t for t in q["TraceIds"] if ids[t] == 2 and w.calls["/Traces"] == 1]
    return {"UnprocessedTraceIds": late, "Traces": [
        {"Id": t, "Duration": 0.5, "Segments": [{"Id": "%016x" % ids[t],
                                                 "Document": segment(w, ids[t])}]}
        for t in q["TraceIds"] if t not in late]}


def list_functions(w):
    arn = "arn:aws:lambda:%s:%s:function:" % (REGION, ACCOUNT)
    return {"Functions": [{
        "FunctionName": n, "FunctionArn": arn + n, "Runtime": "python3.12", "Timeout": 30,
        "MemorySize": 128, "LastModified": "2026-08-01T10:00:00.000+0000", "CodeSha256": "abc=",
        "Version": "$LATEST", "Architectures": ["arm64"], "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/" + n},
    } for n in w.names]}


def mappings(w):
    return {"EventSourceMappings": [{
        "UUID": "u", "EventSourceArn": "arn:aws:sqs:%s:%s:orders" % (REGION, ACCOUNT),
        "FunctionArn": "arn:aws:lambda:%s:%s:function:fn-0" % (REGION, ACCOUNT)}]}


TARGETS = {
    "Logs_20140328.DescribeLogGroups": describe_log_groups,
    "Logs_20140328.FilterLogEvents": filter_log_events,
    "AmazonSQS.ListQueues": list_queues,
    "AmazonSQS.GetQueueAttributes": queue_attributes,
    "GraniteServiceVersion20100801.GetMetricData": metric_data,
    "/TraceSummaries": trace_summaries,
    "/Traces": get_traces,
}


def rest(w, path):
    if path.endswith("/account-settings"):
        return {"AccountLimit": {"ConcurrentExecutions": 1000}}
    if path.endswith("/functions"):
        return list_functions(w)
    if path.endswith("/event-source-mappings"):
        return mappings(w)
    if path.endswith("/fn-0/concurrency"):
        return {"ReservedConcurrentExecutions": 5}
    if path.endswith("/fn-0/provisioned-concurrency"):
        return {"ProvisionedConcurrencyConfigs": [
            {"RequestedProvisionedConcurrentExecutions": 3, "Status": "READY"},
            {"RequestedProvisionedConcurrentExecutions": 2, "Status": "FAILED"}]}
    if path.endswith("/provisioned-concurrency"):
        return {"ProvisionedConcurrencyConfigs": []}
    if path.endswith("/concurrency"):
        return {}
    return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args):
        pass

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fault(self):
        w = self.server.world
        with w.lock:
            if w.random.randrange(100) >= w.args.faults:
                return False
            kind = w.random.randrange(6)
        if kind == 0:
            self.reply(429, b'{"Reason":"CallerRateLimitExceeded"}', [("Retry-After", "0")])
        elif kind == 1:
            self.reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}')
        elif kind == 2:
            self.reply(500, b"<html>Internal Server Error</html>")
        elif kind == 3:
            self.reply(200, b'{"events":[{"logStreamName":"x","timest')
        elif kind == 4:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"events":[')
            self.close_connection = True
        else:
            self.wfile.write(b"\x01\x02\x03 garbage\r\n\r\n")
            self.close_connection = True
        return True

    def has_expired(self):
        """Each session is good for some calls, long before the time it was said to end."""
        w = self.server.world
        with w.lock:
            if not w.args.expire:
                return False
            if self.headers.get("X-Amz-Security-Token") != "session-%d" % w.session:
                w.expired += 1
                return True
            w.signed += 1
            w.session += w.signed % w.args.expire == 0
            return False

    def reply_expired(self, target):
        text = "The security token included in the request is expired"
        if target.startswith("/"):
            return self.reply(403, json.dumps({"message": text}).encode(),
                              [("x-amzn-ErrorType", "ExpiredTokenException")])
        return self.reply(400, json.dumps({"__type": "ExpiredTokenException",
                                           "message": text}).encode())

    def serve(self, body):
        w = self.server.world
        target = self.headers.get("X-Amz-Target", self.path.split("?")[0])
        with w.lock:
            w.calls[target] += 1
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return self.reply(403, b"<ErrorResponse><Error><Code>MissingAuthenticationToken</Code>"
                                   b"<Message>unsigned</Message></Error></ErrorResponse>")
        if self.has_expired():
            return self.reply_expired(target)
        if self.fault():
            return None
        if w.args.query_metrics and "GetMetricData" in target:
            return self.reply(400, b"<ErrorResponse><Error><Type>Sender</Type><Code>MissingAction</Code>"
                                   b"<Message>no action</Message></Error></ErrorResponse>")
        if w.args.query_metrics and body.startswith(b"Action=GetMetricData"):
            return self.reply(200, query_metric_data(w, dict(urllib.parse.parse_qsl(body.decode()))).encode())
        if target in TARGETS:
            answer = TARGETS[target](w, json.loads(body))
        else:
            answer = rest(w, target)
        if answer is None:
            return self.reply(404, b'{"Type":"User","Message":"not found"}',
                              [("x-amzn-ErrorType", "ResourceNotFoundException:http://x/")])
        return self.reply(200, json.dumps(answer).encode())

    def do_GET(self):
        w = self.server.world
        role = "/latest/meta-data/iam/security-credentials/"
        if self.path == "/calls":
            self.reply(200, json.dumps(w.calls).encode())
        elif self.path == "/expired":
            self.reply(200, str(w.expired).encode())
        elif self.path == role:
            self.reply(200, b"reader\n")
        elif self.path in ("/credentials", role + "reader"):
            self.reply(200, json.dumps(credentials(w)).encode())
        else:
            self.serve(b"")

    def do_PUT(self):
        if self.path == "/latest/api/token":
            self.reply(200, b"metadata-token")
        else:
            self.reply(404, b"")

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers.get("Content-Length", "0"))))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--functions", type=int, default=5)
    p.add_argument("--invocations", type=int, default=200)
    p.add_argument("--begin", type=float, default=time.time() - 3000)
    p.add_argument("--faults", type=int, default=0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--page", type=int, default=100)
    p.add_argument("--step", type=int, default=137)
    p.add_argument("--unlogged", type=int, default=0)
    p.add_argument("--expire", type=int, default=0)
    p.add_argument("--groups-only", action="store_true")
    p.add_argument("--query-metrics", action="store_true")
    args = p.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.world = World(args)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
