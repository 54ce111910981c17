#!/bin/bash
# alerts_killed.sh PROGRAM TESTS_DIR: alerting is killed at random points and begun again. Every message reaches its
# receiver once or, where the kill came between sending and storing, twice with the same id; never not at all.
# KILLS (default 20; 100 in full runs).
set -euo pipefail

program=$1
tests=$2
kills=${KILLS:-20}
work=$(mktemp -d)
receiver=
cleanup() {
    [ -z "$receiver" ] || kill "$receiver" 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

export XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state HOME=$work TZ=UTC
mkdir -p "$work/config/fnscope"
/usr/bin/python3 "$tests/support/alert_receivers.py" "$work" &
receiver=$!
until=$((SECONDS + 20))
until [ -s "$work/http.port" ]; do
    [ "$SECONDS" -lt "$until" ] || { echo "the receiver does not start"; exit 1; }
    read -rt 0.05 <> <(:) || true
done
cat > "$work/config/fnscope/config.yaml" <<YAML
alerts:
  failures: {when: errors > 2 over 10m, severity: critical}
  memory: {enabled: false}
  error-rate: {enabled: false}
notify:
  one: {type: webhook, url: "http://127.0.0.1:$(cat "$work/http.port")/one"}
  two: {type: webhook, url: "http://127.0.0.1:$(cat "$work/http.port")/two"}
YAML

for f in 1 2 3; do
    for i in 1 2 3 4 5; do
        id=$(printf '%08x-0000-4000-a000-%012x' "$i" "$f")
        # shellcheck disable=SC2016 # the text is $LATEST
        printf '2026-01-15T12:00:0%d.000Z START RequestId: %s Version: $LATEST\n' "$i" "$id"
        printf '2026-01-15T12:00:0%d.000Z REPORT RequestId: %s\tDuration: 12.00 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: error\tError Type: ValueError\t\n' "$i" "$id"
    done > "$work/f$f.txt"
    "$program" import --quiet --function "fn-$f" --store "$work/base" "$work/f$f.txt"
done

check() { # exit status 3: it fires, as it should
    "$program" alert check --send --quiet --clock 2026-01-15T12:03:00Z --store "$work/store" > "$work/out" 2> "$work/err"
}
begin=$(date +%s%N)
cp -r "$work/base" "$work/store"
check || [ $? = 3 ]
took=$((($(date +%s%N) - begin) / 1000))
[ "$(wc -l < "$work/http.ndjson")" = 6 ] || { echo "an undisturbed run sends $(wc -l < "$work/http.ndjson"), not 6"; exit 1; }

RANDOM=${SEED:-1}
hits=0 tries=0 twice=0
while [ "$hits" -lt "$kills" ] && [ "$tries" -lt $((kills * 4)) ]; do
    tries=$((tries + 1))
    rm -rf "$work/store" "$work/http.ndjson"
    cp -r "$work/base" "$work/store"
    delay=$(((RANDOM * 32768 + RANDOM) % took))
    "$program" alert check --send --quiet --clock 2026-01-15T12:03:00Z --store "$work/store" > /dev/null 2>&1 &
    pid=$!
    sleep "$(printf '%d.%06d' $((delay / 1000000)) $((delay % 1000000)))"
    if kill -9 "$pid" 2> /dev/null; then hits=$((hits + 1)); fi
    wait "$pid" 2> /dev/null || true
    check || [ $? = 3 ] || { cat "$work/err"; exit 1; }
    jq -r '.headers["Idempotency-Key"]' "$work/http.ndjson" | sort | uniq -c > "$work/counts"
    [ "$(wc -l < "$work/counts")" = 6 ] || { echo "try $tries: messages are missing:"; cat "$work/counts"; exit 1; }
    if awk '$1 > 2 { bad = 1 } END { exit !bad }' "$work/counts"; then
        echo "try $tries: more than twice:"
        cat "$work/counts"
        exit 1
    fi
    twice=$((twice + $(awk '$1 == 2' "$work/counts" | wc -l)))
done
[ "$hits" -ge "$kills" ] || echo "only $hits kills met a running check"
echo "$hits kills during alerting: every one of 6 messages arrived, $twice of $((tries * 6)) twice with the same id"
