#!/bin/bash
# live_gone.sh PROGRAM TESTS_DIR EXECUTOR: what goes while an alert is about it: a queue that is deleted at the provider,
# and made again; parts that are taken out of `collect:`.
executor=$3
program=$1
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$2/scenario/fnexec_lib.sh"

collector_pid=
end_all() {
    [ -z "$collector_pid" ] || kill -KILL "$collector_pid" 2> /dev/null || true
    clean_up
}
trap end_all EXIT

mkdir "$work/code"
printf 'def api(event, context):\n    return "done"\n' > "$work/code/app.py"
cat > "$work/functions.yaml" << 'YAML'
account: "123456789012"
region: eu-west-1
queues:
  kept: {}
functions:
  api: {runtime: python3.11, handler: app.api, code: code, timeout: 2s, isolation: process}
YAML
start_executor "$work/functions.yaml"

export HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state.home
mkdir -p "$work/config/fnscope"
configure() { # parts
    cat > "$work/config/fnscope/config.yaml" << YAML
sources:
  local: {type: aws, region: eu-west-1, endpoint: "$endpoint", budget: 0, discover: 1s, config_every: 5s,
          poll: 1s, queues_every: 1s, metrics_every: 1s, overlap: 10s, collect: [$1]}
alerts:
  too-deep: {when: queue.depth > 0}
YAML
}
configure "logs, config, queues, metrics"
store=$work/state.home/fnscope
ask() { sqlite3 "$store/meta.db" "$1" 2> /dev/null; }
has() { [ "$(ask "$1")" = "$2" ]; }
alerts() { "$program" alert list -o json 2> /dev/null || true; } # status 3: one fires
alert_is() { alerts | jq -e --arg s "$1" '[.rows[] | select(.rule == "too-deep") | .state] == [$s]' > /dev/null; }
queue_says() { "$program" top --once --view queues --size 140x30 2> /dev/null | grep -q "doomed.*$1"; }
url=http://127.0.0.1
make_queue() { url=$(aws_cli sqs create-queue --region eu-west-1 --queue-name doomed --query QueueUrl --output text); }

aws_client_start
make_queue
aws_cli sqs send-message --region eu-west-1 --queue-url "$url" --message-body x > /dev/null
invoke api '{}'
"$program" collect 2>> "$work/collect.log" &
collector_pid=$!
wait_for alert_is firing
wait_for queue_says "not draining"

aws_cli sqs delete-queue --region eu-west-1 --queue-url "$url"
wait_for alert_is resolved
alerts | jq -r '.rows[].summary' | grep -q 'no longer watched: the queue is no longer there' ||
    fail "it does not say why it ended: $("$program" alert list)"
queue_says "no longer there" || fail "the Queues view does not say it: $("$program" top --once --view queues --size 140x30)"

# Made again under its name, with a message: there is a queue, and an alert.
make_queue
wait_for queue_says "empty"
aws_cli sqs send-message --region eu-west-1 --queue-url "$url" --message-body x > /dev/null
wait_for alert_is firing

# What is not collected any more is nothing to wait for.
parts="select group_concat(part, ' ') from (select part from source_part order by part)"
wait_for has "$parts" "config log groups logs metrics queues reconcile"
wait_for has "select watermark_ns > 0 from source_state" 1
configure "config"
kill -HUP "$collector_pid"
wait_for has "$parts" "config"
has "select watermark_ns from source_state" 0 || fail "how far logs were read still counts"
queue_says "no source reads it" || fail "the Queues view does not say it: $("$program" top --once --view queues --size 140x30)"
kill -TERM "$collector_pid"
wait "$collector_pid" || fail "fnscope collect ended with status $?"
collector_pid=
! grep -E 'level=(warn|error)' "$work/collect.log" || fail "the collector complained"
stop_executor
check_nothing_left
