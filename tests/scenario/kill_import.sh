#!/bin/bash
# kill_import.sh PROGRAM TESTS_DIR: an import that is killed again and again ends with the store of one that was not.
# KILLS (default 20; 200 in full runs) random points of the time an undisturbed import takes; the dumps must be equal.
set -euo pipefail

program=$1
kills=${KILLS:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Some thousand invocations of a few functions: text with groups and streams, 6 lines each.
awk -v n="${LINES_OF:-120000}" 'BEGIN {
    for (i = 0; i * 6 < n; i++) {
        f = i % 7; t = 1761073200000 + i * 350
        id = sprintf("%08x-0000-4000-a000-%012x", i * 2654435761 % 4294967296, i)
        s = sprintf("2025/10/21/[$LATEST]%032x", f * 3 + i % 3)
        p = sprintf("/aws/lambda/fn-%d\t%s\t", f, s)
        line(t, p "START RequestId: " id " Version: $LATEST")
        for (k = 0; k < 3; k++)
            line(t + 10 * k, p sprintf("[INFO]\t%s\t%s\tstep %d of %d", iso(t + 10 * k), id, k, i))
        line(t + 100, p "END RequestId: " id)
        line(t + 100, p sprintf("REPORT RequestId: %s\tDuration: %d.%02d ms\tBilled Duration: %d ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t", id, 20 + i % 80, i % 100, 21 + i % 80))
    }
}
function iso(ms) { return strftime("%Y-%m-%dT%H:%M:%S", int(ms / 1000), 1) sprintf(".%03dZ", ms % 1000) }
function line(ms, text) { print iso(ms) "\t" text }' > "$work/logs.txt"

run() {
    "$program" import --quiet --store "$1" "$work/logs.txt" > "$work/out" 2> "$work/err" && return
    echo "the import into $1 failed with status $?:"
    cat "$work/out" "$work/err"
    exit 1
}
dump() { "$program" db dump --store "$1"; }

begin=$(date +%s%N)
run "$work/whole"
took=$((($(date +%s%N) - begin) / 1000))
dump "$work/whole" > "$work/whole.dump"
[ -s "$work/whole.dump" ]

RANDOM=${SEED:-1}
hits=0 tries=0
check() {
    run "$work/killed"
    dump "$work/killed" > "$work/killed.dump"
    cmp -s "$work/whole.dump" "$work/killed.dump" && return
    diff "$work/whole.dump" "$work/killed.dump" | head -20
    exit 1
}
while [ "$hits" -lt "$kills" ] && [ "$tries" -lt $((kills * 5)) ]; do
    # A fresh store every third time, so that early and late points and several kills in a row are met.
    [ $((tries % 3)) -ne 0 ] || rm -rf "$work/killed"
    tries=$((tries + 1))
    delay=$(((RANDOM * 32768 + RANDOM) % took + 1000))
    "$program" import --quiet --store "$work/killed" "$work/logs.txt" > /dev/null 2> "$work/err" &
    pid=$!
    sleep "$(printf '%d.%06d' $((delay / 1000000)) $((delay % 1000000)))"
    # Every fourth is interrupted as by Ctrl-C: what was read is then stored.
    signal=9
    [ $((tries % 4)) -ne 0 ] || signal=INT
    if kill -"$signal" "$pid" 2> /dev/null; then hits=$((hits + 1)); fi
    wait "$pid" 2> /dev/null || true
    [ $((tries % 3)) -ne 0 ] || check
done
check
[ "$hits" -ge "$kills" ] || echo "only $hits kills met a running import"
echo "$hits imports were killed at random points; the dumps are equal ($(wc -l < "$work/whole.dump") lines)"
