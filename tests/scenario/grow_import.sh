#!/bin/bash
# grow_import.sh PROGRAM: raw text whose lines have no time of their own: a file that grew gives the store of one that did
# not, whatever it was cut at and however far its times moved; files that begin alike share their beginning only; reading again
# changes nothing.
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

# No line has a time: that of the file stands in, which moves whenever it grows. untimed N: N requests, some of two lines
# more than others; plain N: no request at all.
untimed() {
    awk -v n="$1" 'BEGIN {
        for (i = 0; i < n; i++) {
            id = sprintf("%08x-0000-4000-b000-%012x", i, i)
            if (i % 50 == 0) print "INIT_START Runtime Version: python:3.12.v64\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:1"
            print "START RequestId: " id " Version: 1"
            for (k = 0; k <= i % 3; k++) print "the same words of all requests"
            print "END RequestId: " id
            print "REPORT RequestId: " id "\tDuration: 10.00 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB"
        }
    }'
}
plain() { for ((i = 0; i < $1; i++)); do echo "line $((i % 7)) of a program"; done; }
grow() { # folder of stores, kind, count of lines, lines at each step
    local kind=$1 n=$2 day=1
    "$kind" "$n" > "$kind.log"
    import "$kind" -f fx --region us-east-1 "$kind.log"
    dump "$kind" > "$kind.dump"
    for at in "${@:3}" 999999; do
        head -n "$at" "$kind.log" > grown.log
        touch -d "2026-03-$day" grown.log
        day=$((day + 3))
        import "$kind.grown" -f fx --region us-east-1 grown.log
        touch -d "2026-04-$day" grown.log # moved without growing, and as a copy
        gzip -c grown.log > "grown-$at.log.gz"
        import "$kind.grown" -f fx --region us-east-1 grown.log "grown-$at.log.gz"
    done
    dump "$kind.grown" > grown.dump
    same "$kind.dump" grown.dump "$kind: a file without any time that grew"
    # A copy of what it was in between.
    head -n $(($3 + 2)) "$kind.log" > between.log
    import "$kind.grown" -f fx --region us-east-1 between.log
    dump "$kind.grown" > grown.dump
    same "$kind.dump" grown.dump "$kind: a copy of what it was in between"
}
requests() { "$program" sql --store "$1" -o csv 'select count(*), sum(billed_ms) from invocations' | tail -1 | tr -d '\r'; }
grow untimed 30 1 2 3 4 7 20 41 90
[ "$(requests untimed.grown)" = 30,300 ]
rm -rf untimed untimed.grown
grow untimed 900 1 3 900 1001 1500 2999 3000 3003
[ "$(requests untimed.grown)" = 900,9000 ]
grow plain 40 1 2 3 20 39
rm -rf plain plain.grown
grow plain 20000 40 7000 7001 15000

# The head is gone: only what stands before the first REPORT counts as new.
n=0
for at in 702 1500 3000; do
    tail -n +"$at" untimed.log > rotated.log
    touch -d 2026-06-01 rotated.log
    n=$((n + $(awk '/^REPORT/ { exit } { n++ } END { print n + 0 }' rotated.log)))
    import untimed.grown -f fx --region us-east-1 rotated.log
    dump untimed.grown > grown.dump
    [ "$(wc -l < grown.dump)" -eq $(($(wc -l < untimed.dump) + n)) ] && [ "$(requests untimed.grown)" = 900,9000 ] && continue
    echo "a file without its first $at lines brought $(($(wc -l < grown.dump) - $(wc -l < untimed.dump))) lines, $n expected"
    exit 1
done

# A request that is tried again has the same id: attempts in files of their own, one after another or at once, in any order
# and however much of them is there at first, are all counted, and no bill goes down; copies of them are none.
attempt() { # id, ms, lines of the function, extra fields of its REPORT
    echo "START RequestId: $1 Version: 1"
    for ((i = 0; i < $3; i++)); do echo "line $i of a program that takes $2 ms"; done
    echo "END RequestId: $1"
    printf 'REPORT RequestId: %s\tDuration: %s.00 ms\tBilled Duration: %s ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB\n' "$1" "$2" "$2"
}
id=77777777-0000-4000-b000-000000000000
attempt $id 20 1 > try1.log
attempt $id 333 1 > try2.log
{ attempt 88888888-0000-4000-b000-000000000000 7 1; attempt $id 4000 6000; } > try3.log
attempts() { # store, files in their order: each adds what it bills once (in `total`; `seen`: the files that were read)
    local store=$1 sum=0 file
    shift
    for file; do
        import "$store" -f fx --region us-east-1 "$file"
        [[ $seen == *" $file "* ]] || sum=$(awk -F'Billed Duration: ' -v s="$sum" '/^REPORT/ { s += $2 } END { print s }' "$file")
        [ "$(requests "$store" | cut -d, -f2)" = "$((total += sum))" ] || { echo "$store: $(requests "$store") behind $file, not $total"; exit 1; }
        seen+="$file " sum=0
    done
}
for order in "1 2 3" "3 2 1" "2 1 3" "2 3 1"; do
    total=0 seen=" " day=1
    for n in $order $order; do
        touch -d "2026-07-0$day" "try$n.log"
        day=$((day + 1))
        attempts "tries${order// /}" "try$n.log"
    done
done
for cut in 1 2 3; do # the second attempt is seen before its REPORT is there
    total=0 seen=" "
    head -n "$cut" try2.log > growing.log
    touch -d 2026-07-11 growing.log
    attempts "cut.tries$cut" try1.log growing.log
    cp try2.log growing.log
    touch -d 2026-07-12 growing.log
    seen=" "
    attempts "cut.tries$cut" growing.log
    seen=" growing.log "
    attempts "cut.tries$cut" growing.log
    [ "$(requests "cut.tries$cut")" = 2,353 ]
done

# Of one file, whole or grown: each REPORT is an attempt with its bill, in the order of the file, and a line without an id is of
# the run it stands in.
{
    attempt $id 3000 1 | sed '/^REPORT/s/$/\tStatus: timeout/'
    attempt 99999999-0000-4000-b000-000000000000 5 1
    attempt $id 20 2 | sed '2s/.*/[ERROR] ValueError: no such thing/; 3s/.*/Traceback (most recent call last):/'
    attempt $id 7000 0
} > retries.log
rows() { "$program" sql --store "$1" -o csv 'select request_id, billed_ms, outcome, attempt from invocations order by billed_ms' | tr -d '\r'; }
import retries -f fx --region us-east-1 retries.log
rows retries > whole.rows
[ "$(requests retries)" = 4,10025 ]
[ "$(grep "$id" whole.rows | cut -d, -f2- | tr '\n' ' ')" = "20,error,2 3000,timeout,1 7000,ok,3 " ] || { cat whole.rows; exit 1; }
for n in $(seq $(($(wc -l < retries.log) - 1))); do
    rm -rf retries.grown
    head -n "$n" retries.log > growing.log
    touch -d 2026-08-01 growing.log
    import retries.grown -f fx --region us-east-1 growing.log
    cp retries.log growing.log
    touch -d 2026-08-09 growing.log
    import retries.grown -f fx --region us-east-1 growing.log
    rows retries.grown > grown.rows
    [ "$(cut -d, -f1-3 grown.rows)" = "$(cut -d, -f1-3 whole.rows)" ] || { echo "a file with retries, cut behind line $n:"; cat grown.rows; exit 1; }
done

# The file was rotated in the middle of a run: both halves are one request, in one run of the program or two, in any order,
# and a START that another file tells in full is none of its own.
for n in 1 2 3 6 7 11 12 13 15; do
    rm -rf half.*
    head -n "$n" retries.log > app.log.1
    tail -n +$((n + 1)) retries.log > app.log
    touch -d 2026-08-01 app.log.1
    touch -d 2026-08-02 app.log
    import half.once -f fx --region us-east-1 app.log.1 app.log
    import half.back -f fx --region us-east-1 app.log app.log.1
    for file in app.log.1 app.log; do import half.two -f fx --region us-east-1 "$file"; done
    for file in app.log app.log.1 app.log.1; do import half.turn -f fx --region us-east-1 "$file"; done
    head -n 1 retries.log > begun.log
    touch -d 2026-08-03 begun.log
    import half.begun -f fx --region us-east-1 begun.log
    import half.begun -f fx --region us-east-1 app.log.1 app.log
    for store in half.*; do
        rows "$store" > half.rows
        [ "$(cut -d, -f1-3 half.rows)" = "$(cut -d, -f1-3 whole.rows)" ] || { echo "$store: rotated behind line $n:"; cat half.rows; exit 1; }
    done
done

# Written in pieces that know nothing of lines, while imports run: no line is there in part.
write_in_pieces() {
    for ((at = 0; at * 97 < $(stat -c %s "$1"); at++)); do
        dd if="$1" bs=97 skip=$at count=1 status=none
        sleep 0.01
    done
}
for kind in untimed lines; do
    "$kind" 60 one > whole.log
    rm -rf pieces whole
    import whole -f fx --region us-east-1 whole.log
    dump whole > whole.dump
    : > pieces.log
    write_in_pieces whole.log >> pieces.log &
    writer=$!
    while kill -0 "$writer" 2> /dev/null; do
        import pieces -f fx --region us-east-1 pieces.log
    done
    cmp whole.log pieces.log
    import pieces -f fx --region us-east-1 pieces.log
    dump pieces > grown.dump
    same whole.dump grown.dump "$kind: a file that was written while it was imported"
done
echo "grown files give the same $(wc -l < whole.dump) lines"
