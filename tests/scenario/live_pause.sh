#!/bin/bash
# live_pause.sh PROGRAM TESTS_DIR EXECUTOR: the collector is killed or stopped for a while, functions go on, it begins
# again: each invocation of the gap is stored once with its lines, its metrics come too, and no alert takes the gap for
# something that happened.
# shellcheck source=tests/scenario/live_lib.sh
. "$2/scenario/live_lib.sh"

cat > "$work/code/app.py" << 'PY'
def api(event, context):
    print("order", event["number"])
    return event["number"]
PY
cat > "$work/functions.yaml" << 'YAML'
account: "123456789012"
region: eu-west-1
functions:
  api: {runtime: python3.11, handler: app.api, code: code, timeout: 2s, isolation: process}
YAML
start_executor "$work/functions.yaml"

configure << 'YAML'
alerts:
  nothing-runs: {when: invocations < 1 over 1m}
YAML

number=0
invoke() { # times
    for ((i = 0; i < $1; i++)); do
        number=$((number + 1))
        [ "$(curl -sS --noproxy '*' -d "{\"number\":$number}" "$endpoint/2015-03-31/functions/api/invocations")" = $number ] ||
            fail "invocation $number"
    done
}

start_collector
invoke 5
wait_for has "select count(*) from invocations" 5
for how in KILL TERM KILL; do
    kill -$how "$collector_pid"
    wait "$collector_pid" 2> /dev/null || [ $how = KILL ] || fail "SIG$how ended the collector with $?"
    collector_pid=
    invoke 20
    start_collector
    wait_for has "select count(*) from invocations" $number
    invoke 1
    wait_for has "select count(*) from invocations" $number
done
wait_for has "select count(distinct body) from log_lines where body like '%order %'" $number
has "select count(*) from log_lines where body like '%order %'" $number || fail "a line is stored twice"
has "select count(*) from invocations where outcome = 'ok' and billed_ms > 0" $number || fail "an invocation is not whole"
# The gap's metrics as well: CloudWatch's count is that of the log.
counted="select coalesce(sum(value), 0) from metric_points where metric = 'fnscope.invocations' and scope = 'region'"
wait_for has "$counted" $number
[ "$("$program" alert list -o json | jq '[.rows[] | select(.state == "firing")] | length')" = 0 ] ||
    fail "an alert fires for the gap: $("$program" alert list)"
end_well
echo "$number invocations, those of three pauses among them, are stored once"
