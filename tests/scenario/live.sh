#!/bin/bash
# live.sh PROGRAM TESTS_DIR EXECUTOR: fnexec runs functions, fnscope collects from it as from AWS: each accepted
# invocation is one row with its outcome and billed duration, alerts on a dead-letter queue and on throttling reach a
# receiver, and all of it within the times that are promised.
# shellcheck source=tests/scenario/live_lib.sh
. "$2/scenario/live_lib.sh"

cat > "$work/code/app.py" << 'PY'
import json, time

def api(event, context):
    time.sleep(event.get("work_ms", 1) / 1000)
    if "fail" in event:
        raise ValueError(event["fail"])
    return "done"

def orders(event, context):
    bad = [r["messageId"] for r in event["Records"] if json.loads(r["body"])["bad"]]
    return {"batchItemFailures": [{"itemIdentifier": i} for i in bad]}
PY
cat > "$work/functions.yaml" << 'YAML'
account: "123456789012"
region: eu-west-1
queues:
  orders: {visibility_timeout: 2s, dead_letter: orders-dead, max_receives: 1}
functions:
  api: {runtime: python3.11, handler: app.api, code: code, timeout: 2s, log_format: json, isolation: process}
  slow: {runtime: python3.11, handler: app.api, code: code, timeout: 2s, concurrency: 1, isolation: process}
  orders: {runtime: python3.11, handler: app.orders, code: code, timeout: 2s, isolation: process,
           triggers: [{type: queue, queue: orders, report_failures: true}]}
YAML
start_executor "$work/functions.yaml"

start_receiver "$2"
configure << YAML
notify:
  hook: {type: webhook, url: "$hook"}
YAML
start_collector
wait_for has "select count(*) from queues" 2

/usr/bin/python3 "$2/support/live_check.py" "$program" "$endpoint" "$received" ||
    { cat "$work/collect.log"; fail "see above"; }

end_well
