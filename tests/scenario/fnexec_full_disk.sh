#!/bin/bash
# fnexec_full_disk.sh PROGRAM TESTS_DIR EXECUTOR: functions run on while the disk of the state is full; their log lines and
# metrics wait, and are there once it has room.
: "${1:?fnscope}"
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$(dirname "$0")/fnexec_lib.sh"
copy_functions "$2"

mkdir "$work/state"
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=3m none "$work/state" 2> /dev/null; then
    echo "no mount allowed: the full disk was left out"
    exit 0
fi
trap 'umount -l "$work/state"; clean_up' EXIT
aws_client_start
echo "functions: {c: {runtime: c, handler: echo, code: c}}" > "$work/functions/functions.yaml"
start_executor "$work/functions/functions.yaml"

invoke c '{"n":1}'
dd if=/dev/zero of="$work/state/filler" bs=64k 2> /dev/null && fail "the disk has no end"
for n in 2 3 4; do
    invoke c "{\"n\":$n}"
    expect "$work/answer" "{\"n\":$n}"
done
wait_for grep -q 'lines wait' "$work/executor.log"
wait_for grep -q 'metrics wait' "$work/executor.log"
aws_cli logs filter-log-events --log-group-name /aws/lambda/c > "$work/got" 2>&1 && fail "logs were read in part"
expect "$work/got" "disk is full"
rm "$work/state/filler"
wait_for grep -q 'that waited are stored' "$work/executor.log"
[ "$(aws_cli logs filter-log-events --log-group-name /aws/lambda/c --filter-pattern REPORT --query 'length(events)')" -eq 4 ] ||
    fail "REPORT lines are lost"
counted() {
    [ "$(aws_cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Invocations --period 3600 \
        --start-time "$(date -u -d '5 min ago' +%FT%TZ)" --end-time "$(date -u -d '2 min' +%FT%TZ)" \
        --statistics Sum --query 'sum(Datapoints[].Sum)')" = 4.0 ]
}
wait_for counted
stop_executor
check_nothing_left
