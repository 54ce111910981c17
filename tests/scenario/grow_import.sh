#!/bin/bash
# grow_import.sh PROGRAM: raw text whose lines have no time of their own: a file that grew gives the store of one that did
# not, whatever it was cut at; files that begin alike share their beginning only; reading again changes nothing.
set -euo pipefail

program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# lines N NAME: N requests; one line of five has a time.
lines() {
    awk -v n="$1" -v name="$2" 'BEGIN {
        for (i = 0; i < n; i++) {
            id = sprintf("%08x-0000-4000-a000-%012x", i, index("ot", substr(name, 1, 1)) * 4096 + i)
            print "START RequestId: " id " Version: 1"
            printf "2025-10-21T19:%02d:%02d.000Z\t%s\tINFO\tstep of %s\n", i / 60 % 60, i % 60, id, name
            print "the same words of all requests"
            print "END RequestId: " id
            print "REPORT RequestId: " id "\tDuration: 10.00 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB"
        }
    }'
}
import() { "$program" import --quiet --store "$@" > out 2>&1 || { cat out; exit 1; }; }
dump() { "$program" sql --store "$1" -o csv 'select kind, body from log_lines' | sort; }
same() {
    cmp -s "$1" "$2" && return
    echo "$3:"
    diff "$1" "$2" | head -20
    exit 1
}

lines 900 one > one.log
[ "$(stat -c %s one.log)" -gt 250000 ]
import whole -f fx --region us-east-1 one.log
dump whole > whole.dump
[ "$(wc -l < whole.dump)" -eq 4501 ]

# At line ends below and above 1 KB, 64 KB and a batch, each in a store of its own; then all cuts in one store.
cuts="2 3 6 9 14 15 21 100 421 700 1001 1013 2500 3002 4499"
for n in $cuts; do
    head -n "$n" one.log > grown.log
    import "cut$n" -f fx --region us-east-1 grown.log
    import steps -f fx --region us-east-1 grown.log
    cp one.log grown.log
    import "cut$n" -f fx --region us-east-1 grown.log
    dump "cut$n" > grown.dump
    same whole.dump grown.dump "a file that grew from line $n on"
done
for again in once more; do
    gzip -c one.log > "grown$again.log.gz"
    import steps -f fx --region us-east-1 grown.log "grown$again.log.gz"
    dump steps > grown.dump
    same whole.dump grown.dump "a file that grew in many steps, and its compressed copy"
done

# Files that begin alike: all behind the banner is their own, though many lines are equal and at equal places.
banner() { for ((i = 0; i < $1; i++)); do echo "banner line $i of the application"; done; }
for n in 0 20 60 2500; do
    { banner "$n"; lines 300 one; } > a.log
    { banner "$n"; lines 300 two; } > b.log
    import "alike$n" -f fx --region us-east-1 a.log b.log
    import "alike$n" -f fx --region us-east-1 b.log a.log
    dump "alike$n" > alike.dump
    [ "$(wc -l < alike.dump)" -eq $((n + 3000 + 1)) ] && continue
    echo "$(wc -l < alike.dump) lines of two files that have $n lines in common"
    exit 1
done
echo "grown files give the same $(wc -l < whole.dump) lines"
