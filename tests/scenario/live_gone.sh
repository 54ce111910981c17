#!/bin/bash
# live_gone.sh PROGRAM TESTS_DIR EXECUTOR: what goes while an alert is about it: a queue that is deleted at the provider,
# and made again; parts that are taken out of `collect:`.
# shellcheck source=tests/scenario/live_lib.sh
. "$2/scenario/live_lib.sh"

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

collect_parts() {
    more="collect: [$1]" configure << 'YAML'
alerts:
  too-deep: {when: queue.depth > 0}
YAML
}
collect_parts "logs, config, queues, metrics"
meta() { sqlite3 "$store/meta.db" "$1" 2> /dev/null; }
meta_is() { [ "$(meta "$1")" = "$2" ]; }
alerts() { "$program" alert list -o json 2> /dev/null || true; } # status 3: one fires
alert_is() { alerts | jq -e --arg s "$1" '[.rows[] | select(.rule == "too-deep") | .state] == [$s]' > /dev/null; }
queue_says() { "$program" top --once --view queues --size 140x30 2> /dev/null | grep -q "doomed.*$1"; }
url=http://127.0.0.1
make_queue() { url=$(aws_cli sqs create-queue --region eu-west-1 --queue-name doomed --query QueueUrl --output text); }

aws_client_start
make_queue
aws_cli sqs send-message --region eu-west-1 --queue-url "$url" --message-body x > /dev/null
invoke api '{}'
start_collector
wait_for alert_is firing
wait_for queue_says "not draining"

aws_cli sqs delete-queue --region eu-west-1 --queue-url "$url"
wait_for alert_is resolved
alerts | jq -r '.rows[].summary' | grep -q 'no longer watched: the queue is no longer there' ||
    fail "it does not say why it ended: $("$program" alert list)"
queue_says "no longer there" || fail "the Queues view does not say it: $("$program" top --once --view queues --size 140x30)"

# Made again under its name, which is free after a minute, with a message: there is a queue, and an alert.
patience=90 wait_for make_queue
wait_for queue_says "empty"
aws_cli sqs send-message --region eu-west-1 --queue-url "$url" --message-body x > /dev/null
wait_for alert_is firing

# What is not collected any more is nothing to wait for.
parts="select group_concat(part, ' ') from (select part from source_part order by part)"
wait_for meta_is "$parts" "config log groups logs metrics queues reconcile"
wait_for meta_is "select watermark_ns > 0 from source_state" 1
collect_parts "config"
kill -HUP "$collector_pid"
wait_for meta_is "$parts" "config"
meta_is "select watermark_ns from source_state" 0 || fail "how far logs were read still counts"
queue_says "no source reads it" || fail "the Queues view does not say it: $("$program" top --once --view queues --size 140x30)"

# Settings come with SIGHUP, too: how long to keep what is stored, and where functions run that say no region.
printf '2020-01-01T00:00:00.000Z\told\n' > "$work/old.log"
"$program" import --quiet --function other "$work/old.log" || fail "a file was not taken"
[ -e "$store/20200101.db" ] || fail "the old line is not stored"
more="collect: [config]" configure << 'YAML'
store: {retention: 30d}
cost: {default_region: eu-north-1}
YAML
kill -HUP "$collector_pid"
wait_for test ! -e "$store/20200101.db"
expect "$work/collect.log" "priced before the configuration or the price book changed"
sed -i '/fnscope db reprice/d' "$work/collect.log"
end_well
