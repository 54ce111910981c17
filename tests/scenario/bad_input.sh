#!/bin/bash
# bad_input.sh PROGRAM TESTS_DIR: damaged and hostile files end in a clear error or a quarantined event with its place;
# what is good around them is imported.
set -euo pipefail

program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# expect NAME EXIT PATTERN ARGUMENT...: imports into a fresh store; output and errors must match the pattern.
expect() {
    local name=$1 status=0 wanted=$2 pattern=$3
    shift 3
    rm -rf store
    "$program" import --store store "$@" > out 2>&1 || status=$?
    if ! [[ $status =~ ^$wanted$ ]] || ! grep -Eq "$pattern" out; then
        echo "$name: exit $status, expected $wanted and /$pattern/"
        cat out
        failed=1
    fi
}

line() { printf '2025-10-21T19:00:%02d.000Z message %s\n' "$(($1 % 60))" "$1"; }
lines() { for ((i = 0; i < $1; i++)); do line "$i"; done; }
zeros() { head -c "$1" /dev/zero; }

lines 2000 > good.log
gzip -k good.log
expect "plain file" 0 '^2000 events of 1 file' good.log
expect "gzip" 0 '^2000 events' good.log.gz
cat good.log.gz good.log.gz > twice.gz
expect "two members" 0 '2000 were stored already' twice.gz
gzip -c good.log.gz > nested.gz
expect "gzip in gzip" 0 '^2000 events' nested.gz
expect "standard input" 0 '^2000 events' - < good.log.gz
expect "a pipe by its path" 0 '^2000 events' <(cat good.log.gz)

# A named pipe, and a stop while nothing comes: what was read is kept. Five thousand lines are more than a pipe holds, so
# some were read once all are written.
mkfifo pipe
cat good.log > pipe &
expect "a named pipe" 0 '^2000 events' pipe
wait
timeout --foreground -s KILL 30 "$program" import --store stopped pipe > out 2>&1 &
importer=$!
exec 9> pipe
lines 5000 >&9
status=0
"$program" import --store stopped good.log 2> busy || status=$?
if [ "$status" -ne 1 ] || ! grep -q 'is being written by process' busy; then
    echo "a store that is being written: exit $status"
    cat busy
    failed=1
fi
kill -TERM "$importer"
status=0
wait "$importer" || status=$?
exec 9>&-
if [ "$status" -ne 1 ] || ! grep -Eq '^[1-9][0-9]* events' out || ! grep -q 'stopped; what was read is stored' out; then
    echo "stopped while it waits: exit $status"
    cat out
    failed=1
fi

head -c $(($(stat -c %s good.log.gz) * 2 / 3)) good.log.gz > cut.gz
expect "truncated gzip" 0 'cut.gz: byte [0-9]+: truncated' cut.gz
expect "truncated gzip, its beginning" 0 '^[0-9]{3,4} events' cut.gz
expect "truncated gzip, the next file" 0 '^[0-9]{4} events of 2 files' cut.gz good.log
{ head -c 300 good.log.gz; head -c 500 /dev/urandom; } > damaged.gz
expect "damaged gzip" '[01]' 'damaged|truncated' damaged.gz
printf '\x1f\x8b\x08' > stub.gz
expect "three bytes of gzip" 1 'stub.gz: byte 0: truncated|nothing could be read' stub.gz

{ printf '\x7fELF'; head -c 100000 /dev/urandom; } > program.bin
expect "binary" 1 'program.bin: byte 0: binary data' program.bin
expect "binary beside good" 0 '^2000 events of 2 files' program.bin good.log
printf '\xff\xfeh\0i\0' > utf16.txt
expect "UTF-16" 1 'UTF-16 text; convert it' utf16.txt
: > empty
expect "empty file" 0 '^0 events of 1 file' empty
expect "missing file" 1 'nowhere.*No such file|nowhere.*check the name' nowhere

{ line 1; printf '2025-10-21T19:00:02.000Z '; zeros 1000000 | tr '\0' x; echo; line 3; } > long.log
expect "a line of 1 MB" 0 '^3 events' long.log
{ line 1; printf '2025-10-21T19:00:02.000Z '; zeros 30000000 | tr '\0' x; echo; line 3; } > longer.log
expect "a line of 30 MB" 0 'longer than 1 MB was cut' longer.log
expect "a line of 30 MB, the others" 0 '^3 events' longer.log
{ line 1; printf '2025-10-21T19:00:02.000Z a\xff\xc0\xafz\n'; } > latin.log
expect "invalid UTF-8" 0 '1 holds invalid UTF-8' latin.log

event() { printf '{"logStreamName":"s","timestamp":%s,"message":"%s","eventId":"%s"}' "$1" "$2" "$3"; }
page() { printf '{"events":[%s,%s,%s]}' "$(event 1761073245945 a 1)" "$1" "$(event 1761073245947 c 3)"; }
page "$(event 1761073245946 '\ud800' 2)" > surrogate.json
expect "lone surrogate" 0 'surrogate.json: byte [0-9]+, event 2: a surrogate stands alone' surrogate.json
expect "lone surrogate, the others" 0 '^2 events' surrogate.json
page "$(event 99999999999999999999999999 b 2)" > far.json
expect "number out of range" 0 'event 2: its time is out of range' far.json
page "$(event 5 b 2)" > old.json
expect "time out of range" 0 'its time is not between 2010 and 2100' old.json
page "$(printf '\xff\xfe')" > bytes.json
expect "bytes that are no JSON" 0 '^2 events' bytes.json
printf '{"events":[%s,{"timest' "$(event 1761073245945 a 1)" > cut.json
expect "cut page" 0 'cut.json: byte [0-9]+, event 2: the text ends inside' cut.json
printf '%s' "$(zeros 100000 | tr '\0' '[')" > deep.json
expect "100000 open brackets" 0 '^1 event ' deep.json
printf '{"events":[{"timestamp":1761073245945,"message":%s' "$(zeros 100000 | tr '\0' '[')" > deeper.json
expect "100000 open brackets in an event" 1 'deeper.json: byte [0-9]+, event 1: ' deeper.json

zeros 600000000 | tr '\0' x | gzip -1 > bomb.gz
expect "decompression bomb" 0 'a decompression bomb' bomb.gz
zeros 600000000 | gzip -1 > zero.gz
expect "a bomb of zeros" 1 'binary data' zero.gz

mkdir foreign && printf 'SQLite format 3\0%s' "$(zeros 4096 | tr '\0' x)" > foreign/meta.db
status=0
"$program" import --store foreign good.log > out 2>&1 || status=$?
if [ "$status" -eq 0 ] || ! grep -q 'meta.db' out; then
    echo "foreign database: exit $status"
    cat out
    failed=1
fi
# refused NAME PATTERN ARGUMENT...: the command fails with a message that matches, by no wrong usage and no signal.
refused() {
    local name=$1 pattern=$2 status=0
    shift 2
    "$@" > out 2>&1 || status=$?
    if ! [[ $status =~ ^[13]$ ]] || ! grep -Eq "$pattern" out; then
        echo "$name: exit $status, expected a failure and /$pattern/"
        cat out
        failed=1
    fi
}
events() { "$program" sql --store "$1" -o csv 'select count(*) from log_lines' | tr -d '\r' | tail -1; }

# A real database of another program, and one that a newer fnscope has written.
mkdir other newer
python3 -c 'import sqlite3; sqlite3.connect("other/meta.db").execute("create table t(x)")'
refused "another program's database" 'meta.db: a SQLite file of another program' \
    "$program" import --store other good.log
"$program" import --quiet --store newer good.log
for db in newer/*.db; do
    python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("pragma user_version = 999")' "$db"
done
refused "a newer schema" 'written by a newer fnscope .schema 999' "$program" import --store newer good.log
refused "a newer schema, reading" 'written by a newer fnscope' "$program" query functions --store newer

# A day file that is no database any more costs its day, not the store.
"$program" import --quiet --store broken good.log
printf 'no database' > "$(ls broken/2*.db)"
refused "a damaged day" '20251021.db' "$program" db verify --store broken

# Very many functions (FUNCTIONS, 50,000 here, 10^6 in full runs), one line each: all are kept, in bounded memory.
functions=${FUNCTIONS:-50000}
awk -v n="$functions" 'BEGIN { for (i = 0; i < n; i++)
    printf "2025-10-21T19:%02d:%02d.000Z\t/aws/lambda/fn-%d\tstream\thello\n", i / 60 % 60, i % 60, i }' > many.log
python3 - "$program" "$functions" <<'PY' || failed=1
import resource, sqlite3, subprocess, sys
program, functions = sys.argv[1], int(sys.argv[2])
subprocess.run([program, "import", "--quiet", "--store", "many", "many.log"], check=True)
used_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
kept = sqlite3.connect("many/meta.db").execute("select count(*) from fn").fetchone()[0]
if kept != functions or used_mb > 800:
    sys.exit(f"many functions: {kept} of {functions} kept in {used_mb} MB")
PY
# Answers about all of them are printed as they come: 48 MB and what 200 bytes a function are; sanitizers keep what is freed.
is_sanitized=$(grep -q __asan_init "$program" && echo 1 || echo 0)
python3 - "$program" "$functions" "$is_sanitized" <<'PY' || failed=1
import os, subprocess, sys
program, functions, is_sanitized = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
most_mb = 48 + functions * 200 // 1000000 if not is_sanitized else 1 << 20
answers = ["cost -o csv", "cost", "cost --by day -o csv", "query functions -n 0", "query functions -n 0 --order costliest -o json", "report",
    "top --view functions -o csv", "top --view cost -o json", "top --view cost --once"]
fewer = ("day", "report", "--once")
bad = 0
for answer in answers:
    args = [program, *answer.split(), "--store", "many", "--quiet"]
    child = subprocess.Popen(args, stdout=open("answer", "w"))
    _, status, used = os.wait4(child.pid, 0)
    rows = sum(1 for _ in open("answer"))
    if status != 0 or used.ru_maxrss >> 10 > most_mb or (rows < functions and not any(word in answer for word in fewer)):
        bad = 1
        print(f"many functions: {answer}: status {status}, {rows} rows, {used.ru_maxrss >> 10} MB of {most_mb}")
os.unlink("answer")
sys.exit(bad)
PY
rm -rf many many.log

# A full disk: what was committed stays readable, and once there is room the same command goes on.
if [ "$(id -u)" -eq 0 ] && mkdir full && mount -t tmpfs -o size=1m none full 2> /dev/null; then
    trap 'umount "$work/full" 2> /dev/null || true; rm -rf "$work"' EXIT
    for ((i = 0; i < 60000; i++)); do
        echo "2025-10-21T19:00:01.$((i % 900 + 100))Z $RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM $i"
    done > wide.log
    refused "a full disk" '[Nn]o space|full' "$program" import --store full/store wide.log
    "$program" db verify --store full/store > out 2>&1 || { echo "full disk, verify:"; cat out; failed=1; }
    mount -o remount,size=200m full
    "$program" import --quiet --store full/store wide.log > out 2>&1 || { echo "room again:"; cat out; failed=1; }
    [ "$(events full/store)" = 60000 ] || { echo "full disk: $(events full/store) of 60000 events"; failed=1; }
    umount full
    trap 'rm -rf "$work"' EXIT
else
    echo "no mount allowed: the full disk was left out"
fi

# A disk that may only be read.
if [ "$(id -u)" -eq 0 ] && mkdir ro && mount -t tmpfs none ro 2> /dev/null; then
    trap 'umount "$work/ro" 2> /dev/null || true; rm -rf "$work"' EXIT
    "$program" import --quiet --store ro/store good.log
    mount -o remount,ro ro
    refused "a read-only disk" 'ead-only' "$program" import --store ro/store good.log
    refused "a read-only disk, a new store" 'ead-only' "$program" import --store ro/new good.log
    [ "$(events ro/store)" = 2000 ] || { echo "a read-only disk cannot be read: $(events ro/store)"; failed=1; }
    umount ro
    trap 'rm -rf "$work"' EXIT
else
    echo "no mount allowed: the read-only disk was left out"
fi

# The store of another user.
if [ "$(id -u)" -eq 0 ]; then
    chmod 0711 "$work"
    mkdir -m 0755 closed
    install -m 0755 "$program" closed/fnscope
    "$program" import --quiet --store closed/store good.log
    refused "another user's store" 'may not look into it' setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$work/closed/fnscope" query functions --store "$work/closed/store"
fi

# What root writes into another user's store stays that user's: it can be opened, and written to, afterwards.
if [ "$(id -u)" -eq 0 ]; then
    their() { setpriv --reuid 65534 --regid 65534 --clear-groups "$work/closed/fnscope" "$@"; }
    mkdir -m 0700 closed/theirs
    chown 65534:65534 closed/theirs
    "$program" import --quiet --store closed/theirs good.log
    "$program" report --quiet --store closed/theirs --nightly closed/theirs/reports
    strangers=$(find closed/theirs ! \( -uid 65534 -gid 65534 \) ! -type l)
    [ -z "$strangers" ] || { echo "root left files of its own in another's store: $strangers"; failed=1; }
    [ -d closed/theirs/reports ] || { echo "no reports in another's store"; failed=1; }
    sed 's/2025-10-21/2025-10-22/' good.log > closed/next.log
    sed 's/message/later/' good.log > closed/same.log
    chmod 0644 closed/*.log
    their import --quiet --store "$work/closed/theirs" "$work/closed/next.log" "$work/closed/same.log" > out 2>&1 ||
        { echo "the owner cannot write after root"; cat out; failed=1; }
    [ "$(events closed/theirs)" = 6000 ] || { echo "the owner's store holds $(events closed/theirs)"; failed=1; }
fi

cp good.log file
status=0
"$program" import --store file good.log > out 2>&1 || status=$?
[ "$status" -ne 0 ] || { echo "a file as store: exit $status"; cat out; failed=1; }

[ "$failed" -eq 0 ] && echo "all bad inputs were met"
exit "$failed"
