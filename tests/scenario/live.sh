#!/bin/bash
# live.sh PROGRAM TESTS_DIR EXECUTOR: fnexec runs functions, fnscope collects from it as from AWS: each accepted
# invocation is one row with its outcome and billed duration, alerts on a dead-letter queue and on throttling reach a
# receiver, and all of it within the times that are promised.
executor=$3
program=$1
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$2/scenario/fnexec_lib.sh"

receiver_pid=
collector_pid=
end_all() {
    [ -z "$collector_pid" ] || kill -KILL "$collector_pid" 2> /dev/null || true
    [ -z "$receiver_pid" ] || kill -TERM "$receiver_pid" 2> /dev/null || true
    clean_up
}
trap end_all EXIT

mkdir "$work/code"
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

mkdir "$work/hooks" "$work/config"
/usr/bin/python3 "$2/support/alert_receivers.py" "$work/hooks" &
receiver_pid=$!
wait_for test -s "$work/hooks/http.port"

export HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state.home
mkdir "$work/config/fnscope"
cat > "$work/config/fnscope/config.yaml" << YAML
sources:
  local: {type: aws, region: eu-west-1, endpoint: "$endpoint", budget: 0, discover: 1s, config_every: 5s,
          poll: 1s, queues_every: 1s, metrics_every: 1s, overlap: 10s}
notify:
  hook: {type: webhook, url: "http://127.0.0.1:$(cat "$work/hooks/http.port")/hook"}
YAML
"$program" collect 2> "$work/collect.log" &
collector_pid=$!
has_rows() { [ "$("$program" sql -o csv "select count(*) from queues" 2> /dev/null | tail -1 | tr -d '\r')" = 2 ]; }
wait_for has_rows

/usr/bin/python3 "$2/support/live_check.py" "$program" "$endpoint" "$work/hooks/http.ndjson" ||
    { cat "$work/collect.log"; fail "see above"; }

kill -TERM "$collector_pid"
wait "$collector_pid" || fail "fnscope collect ended with status $?"
collector_pid=
! grep -E 'level=(warn|error)' "$work/collect.log" || fail "the collector complained"
stop_executor
check_nothing_left
