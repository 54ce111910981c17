#!/bin/bash
# collect.sh PROGRAM TESTS_DIR: fnscope collect against a stand-in for AWS on loopback: everything once, faults, an
# import beside it, reload, a clean stop, kill -9 at random moments (KILLS, default 10; 200 in full runs).
set -euo pipefail

program=$1
tests=$2
kills=${KILLS:-10}
work=$(mktemp -d)
fake_pid=
collector=
cleanup() {
    [ -z "$collector" ] || kill -9 "$collector" 2>/dev/null || true
    [ -z "$fake_pid" ] || kill "$fake_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret HOME=$work
export AWS_EC2_METADATA_DISABLED=true
begin=$(($(date +%s) - 3000))

fail() {
    echo "FAILED: $*"
    cat "$work/err" 2>/dev/null || true
    exit 1
}

# Waits until the command succeeds; at most 30 s.
wait_for() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        read -r -t 0.05 <> <(:) || true
    done
}

start_fake() {
    [ -z "$fake_pid" ] || kill "$fake_pid"
    : > "$work/port"
    python3 "$tests/support/fake_aws.py" --begin "$begin" --seed 7 "$@" > "$work/port" 2> "$work/fake" &
    fake_pid=$!
    wait_for test -s "$work/port"
    cat > "$work/config.yaml" <<YAML
sources:
  local:
    type: aws
    region: eu-west-1
    endpoint: http://127.0.0.1:$(cat "$work/port")
    backfill: 2h
    poll: 100ms
    queues_every: 1s
YAML
}

collect() { # store, further words; never longer than a minute
    timeout -k 5 60 "$program" collect --config "$work/config.yaml" --store "$1" "${@:2}" 2>> "$work/err"
}
start_collector() { # store: in the background, as itself, so that its pid is known
    "$program" collect --config "$work/config.yaml" --store "$1" 2>> "$work/err" &
    collector=$!
}
dump() { "$program" db dump --store "$1" | grep -vE "^(point|queue|source|series|counter)"; } # what does not depend on the hour
count() { "$program" sql --store "$1" -o csv "select count(*) from invocations" | tail -1 | tr -d '\r'; }
has_count() { [ "$(count "$1" 2>/dev/null)" = "$2" ]; }

# Everything once, without and with faults: the same store.
start_fake --invocations 400
collect "$work/whole" --once || fail "a single round ended with $?"
has_count "$work/whole" 400 || fail "400 invocations expected, $(count "$work/whole") found"
dump "$work/whole" > "$work/whole.dump"
grep -q . "$work/whole.dump" || fail "the dump is empty"
sqlite3 "$work/whole/meta.db" "select name, depth, is_dlq, feeders, dead_letter, consumers from queue order by name" > "$work/queues"
diff "$work/queues" - <<'OUT' || fail "queues"
orders|3|0||orders-dlq|fn-0
orders-dlq|3|1|orders||
OUT
[ "$("$program" sql --store "$work/whole" -o csv "select distinct arch from functions" | tail -1 | tr -d '\r')" = arm64 ] ||
    fail "the configuration came too late for the price"
[ "$("$program" sql --store "$work/whole" -o csv "select count(*), count(distinct trace_id), sum(state = 'fault') from spans" |
    tail -1 | tr -d '\r')" = 10,5,1 ] || fail "5 traces of 2 spans expected: $("$program" sql --store "$work/whole" "select * from spans")"
"$program" sql --store "$work/whole" -o csv "select name, value from metric_points where metric = 'fnscope.provisioned.limit'
    and value > 0 union all select name, value from metric_points where metric = 'fnscope.provisioned.limit' and name = 'fn-1'" |
    tr -d '\r' > "$work/got"
diff "$work/got" - <<'OUT' || fail "provisioned concurrency"
name,value
fn-0,3
fn-1,0
OUT
later=$(date -u -d '+1 hour' +%FT%TZ)
"$program" cost --store "$work/whole" --since 8h --until "$later" > /dev/null 2> "$work/got" || fail "cost ended with $?"
grep -q '1 function (fn-0) kept something ready for which the price book has no price' "$work/got" ||
    fail "what is kept ready is not charged: $(cat "$work/got")"
"$program" top --once --view functions --store "$work/whole" --since 8h --until "$later" -f fn-0 --keys '<Enter>' --size 120x60 |
    grep -q 'up to 3 provisioned, at most ' || fail "top does not show what is kept ready"

# A single round that could not read a source says so, and keeps what it read of the others.
status_of() { local status=0; "$@" || status=$?; echo "$status"; }
[ "$(AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' status_of collect "$work/keyless" --once)" = 1 ] ||
    fail "without credentials it did not end with 1"
grep -q '1 of 1 sources could not be read whole: local: .*no AWS credentials' "$work/err" || fail "it does not say which"
printf '  other:\n    type: aws-logs\n    region: eu-west-1\n    profile: nowhere\n' >> "$work/config.yaml"
[ "$(status_of collect "$work/half" --once)" = 1 ] || fail "one of two sources failed, and it did not end with 1"
grep -q '1 of 2 sources could not be read whole: other: ' "$work/err" || fail "it does not say which of two"
has_count "$work/half" 400 || fail "what was read of the other is not stored"

start_fake --invocations 400 --faults 20 --page 40
collect "$work/faulty" --once || fail "a round with faults ended with $?"
dump "$work/faulty" > "$work/dump"; diff "$work/dump" "$work/whole.dump" | head -20; cmp "$work/dump" "$work/whole.dump" || fail "faults changed what was stored"

# Sessions that end in the midst of it all, long before their time: fetched anew, and nothing is lost.
start_fake --invocations 400 --page 40 --expire 9
fake=http://127.0.0.1:$(cat "$work/port")
printf '[profile fresh]\ncredential_process = curl -sS %s/credentials\n' "$fake" > "$work/aws"
for from in "AWS_CONTAINER_CREDENTIALS_FULL_URI=$fake/credentials" "AWS_EC2_METADATA_SERVICE_ENDPOINT=$fake" \
    "AWS_PROFILE=fresh"; do
    before=$(curl -sS "$fake/expired")
    (unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED
        export "${from?}" AWS_CONFIG_FILE="$work/aws" AWS_SHARED_CREDENTIALS_FILE=/dev/null
        collect "$work/${from%%=*}" --once) || fail "with $from it ended with $?"
    dump "$work/${from%%=*}" | cmp - "$work/whole.dump" || fail "expired sessions changed what was stored with $from"
    [ $(($(curl -sS "$fake/expired") - before)) -ge 4 ] || fail "with $from no session expired"
done

# The provider counts five that no log tells of; the first hour's begin in its midst, and none of them lacks.
logs_begin=$begin begin=$(($(date +%s) / 3600 * 3600 - 4 * 3600 + 1800))
start_fake --functions 1 --invocations 200 --step 36000 --unlogged 5
sed -i 's/backfill: 2h/backfill: 6h/' "$work/config.yaml"
collect "$work/counted" --once || fail "a round with counts ended with $?"
"$program" doctor --store "$work/counted" > "$work/doctor" && fail "doctor saw nothing"
grep -q "^LOOK  5 invocations of the provider's count have no log: most of fn-0, 5 of 100 in the hour from" "$work/doctor" ||
    fail "$(cat "$work/doctor")"
grep -qE "^ok    [0-9]+ of [0-9]+ invocations the provider counted from .* have a log$" "$work/doctor" ||
    fail "$(cat "$work/doctor")"
"$program" metrics --store "$work/counted" > "$work/metrics"
grep -qx "fnscope_reconcile_missing_invocations 5" "$work/metrics" || fail "the metric lacks"
"$program" report --store "$work/counted" --since 8h | grep -q "5 invocations of the provider's count have no log" ||
    fail "the report does not say it"
"$program" top --once --view sources --size 140x30 --store "$work/counted" |
    grep -q "! 5 invocations of the provider's count have no log" || fail "the Sources view does not say it"
grep -q "reconcile: 5 invocations of the provider's count have no log" "$work/err" || fail "the log does not say it"
# The same where CloudWatch knows no JSON: it is asked in the Query protocol.
start_fake --functions 1 --invocations 200 --step 36000 --unlogged 5 --query-metrics
sed -i 's/backfill: 2h/backfill: 6h/' "$work/config.yaml"
collect "$work/query" --once || fail "a round in the Query protocol ended with $?"
metrics_of() { "$program" db dump --store "$work/$1" | awk -F'\t' '$1 == "point" && $8 > 0' | cut -f3- | sort -u; }
metrics_of query > "$work/metrics"
grep -q "fnscope.throttles" "$work/metrics" || fail "no metrics in the Query protocol"
metrics_of counted | diff - "$work/metrics" || fail "the Query protocol gives other values"
begin=$logs_begin

# Killed at any moment.
start_fake --invocations 400 --page 20
for ((i = 0; i < kills; i++)); do
    start_collector "$work/killed"
    read -r -t "0.$((RANDOM % 7))$((RANDOM % 10))" <> <(:) || true
    kill -9 "$collector" 2>/dev/null || true
    wait "$collector" 2>/dev/null || true
    collector=
done
collect "$work/killed" --once || fail "the round after the kills ended with $?"
dump "$work/killed" | cmp - "$work/whole.dump" || fail "kills changed what was stored"

# A disk that is full ends it, nothing it could not store counts as read, and with room it goes on.
full=0
for room in 80 100 120 140; do # KB a file
    status=0
    (ulimit -f $room; trap '' XFSZ; collect "$work/full" --once) || status=$?
    [ "$status" -le 1 ] || fail "a full disk ended it with $status"
    full=$((full + status))
done
[ "$full" -ge 1 ] || fail "the disk was never full"
collect "$work/full" --once || fail "with room again it ended with $?"
dump "$work/full" | cmp - "$work/whole.dump" || fail "a full disk changed what was stored"

# The store taken away, or another put in its place: it ends and says so.
for how in removed replaced; do
    start_collector "$work/gone"
    wait_for has_count "$work/gone" 400
    rm -rf "$work/gone"
    [ "$how" = removed ] || cp -r "$work/whole" "$work/gone"
    status=0
    wait "$collector" || status=$?
    collector=
    [ "$status" = 1 ] || fail "a store that was $how ended it with $status"
    grep -q "fnscope: .*store $work/gone was $how while it was open" "$work/err" || fail "it does not say that the store was $how"
    rm -rf "$work/gone"
done

# One day of it taken away ends it too, and says which. `db reprice` beside it says to stop it.
start_collector "$work/day"
wait_for has_count "$work/day" 400
day=$(cd "$work/day" && printf "%s\n" 2*.db | tail -1)
"$program" db reprice --store "$work/day" 2> "$work/beside" && fail "reprice beside a collector"
grep -q "being written by process $collector.*stop it first" "$work/beside" || fail "reprice does not say what to do: $(cat "$work/beside")"
rm "$work/day/$day"*
status=0
wait "$collector" || status=$?
collector=
[ "$status" = 1 ] || fail "a day file that was removed ended it with $status"
grep -q "day file $work/day/$day was removed while it was open" "$work/err" || fail "it does not say which day file was removed"

# /healthz says so in the moment before it ends: asked again where the collector was quicker.
healthz_of_gone() {
    "$program" collect --config "$work/config.yaml" --store "$work/ill" --metrics 127.0.0.1:0 > "$work/url" 2>> "$work/err" &
    collector=$!
    wait_for grep -q '/metrics' "$work/url" "$work/err"
    url=$(grep -oh 'http://127.0.0.1:[0-9]*/' "$work/url" "$work/err" | tail -1)
    wait_for has_count "$work/ill" 400
    [ "$(curl -sS --noproxy '*' "${url}healthz")" = ok ] || fail "healthz of a store that is there"
    rm -rf "$work/ill"
    health=$(curl -s --noproxy '*' -w '%{http_code}' "${url}healthz") || true
    wait "$collector" || true
    collector=
}
health=
for _ in 1 2 3 4 5; do
    [ "${health: -3}" = 503 ] || healthz_of_gone
done
[[ "$health" = "store $work/ill was removed"*503 ]] || fail "healthz of a store that is gone: $health"

# An import beside a running collector; reload; a second collector; a clean stop.
start_collector "$work/live"
wait_for has_count "$work/live" 400
"$program" import --quiet --store "$work/live" --function other \
    "$tests/data/aws/scenario/proactive-init-2025-10.ndjson" || fail "import beside the collector"
before=$(count "$work/live")
[ "$before" -gt 400 ] || fail "the import brought nothing"
if collect "$work/live" --once; then fail "a second collector was let in"; fi
sed -i 's/  local:/  renamed:/' "$work/config.yaml"
kill -HUP "$collector"
is_renamed() { sqlite3 "$work/live/meta.db" "select count(*) from source_state where name='renamed'" 2>/dev/null | grep -q 1; }
wait_for is_renamed
rules() { sed -nE 's/.*reload: sources=1 rules=([0-9]+) .*/\1/p' "$work/err" | tail -1; }
reloads() { grep -cE 'reload: ' "$work/err"; }
has_reloaded() { [ "$(reloads)" -gt "$1" ]; }
first=$(rules)
[ -n "$first" ] || fail "the reload says nothing of the rules"
seen=$(reloads)
printf 'alerts:\n  mine:\n    when: errors > 5 over 10m\n' >> "$work/config.yaml"
kill -HUP "$collector"
wait_for has_reloaded "$seen"
[ "$(rules)" = $((first + 1)) ] || fail "a reload brought $(rules) rules, $((first + 1)) were expected"
# What comes after a change of the prices has the new one, and what is due for the rest is said.
grep -q 'db reprice' "$work/err" && fail "no price has changed yet"
seen=$(reloads)
sed -i '1i functions:\n  late:\n    region: ap-east-1\n    arch: arm64' "$work/config.yaml"
kill -HUP "$collector"
wait_for has_reloaded "$seen"
grep -q 'priced before .* changed: run .fnscope db reprice' "$work/err" || fail "the reload does not say that prices changed"
printf '%s\t/aws/lambda/late\t%s\tREPORT RequestId: %s\tDuration: 9.50 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n' \
    2026-01-15T10:00:00.000Z "2026/01/15/[\$LATEST]00000000000000000000000000000000" 0a1b2c3d-0000-4000-a000-000000000001 > "$work/late.txt"
for store in live late; do
    "$program" import --quiet --config "$work/config.yaml" --store "$work/$store" "$work/late.txt" 2>> "$work/err" ||
        fail "import after new prices: $store"
    "$program" sql --config "$work/config.yaml" --store "$work/$store" -o csv "select region, arch, sum(cost_pico), count(*)
        from invocations where function = 'late' group by 1, 2" > "$work/$store.late" 2>> "$work/err"
done
[ "$(wc -l < "$work/late.late")" = 2 ] || fail "nothing of late: $(cat "$work/late.late")"
diff "$work/late.late" "$work/live.late" || fail "what comes after new prices has the old ones"
before=$(count "$work/live")
seen=$(reloads)
printf '  other:\n    when: nonsense\n' >> "$work/config.yaml"
kill -HUP "$collector"
wait_for has_reloaded "$seen"
grep -q 'the old configuration goes on' "$work/err" || fail "a wrong rule was taken"
kill -TERM "$collector"
wait "$collector" || fail "SIGTERM ended it with $?"
collector=
[ "$(count "$work/live")" = "$before" ] || fail "the reload changed the invocations"
[ ! -e "$work/live/control" ] || fail "the control socket was left behind"

# Wrong words and files say so.
printf 'sources:\n  x:\n    type: aws-log\n' > "$work/bad.yaml"
"$program" collect --config "$work/bad.yaml" --plan 2> "$work/bad" && fail "a wrong type was taken"
grep -q 'bad.yaml:3:5: there is no source type aws-log; did you mean aws-logs?' "$work/bad" || fail "$(cat "$work/bad")"
"$program" collect --config "$work/config.yaml" --plan > "$work/plan" || fail "--plan"
grep -q 'cloudwatch:GetMetricData' "$work/plan" || fail "the plan lacks metrics"
echo "collected through faults, $kills kills, an import and a reload"
