#!/bin/bash
# reprice.sh PROGRAM TESTS_DIR: everything is priced anew and nothing else changes, in a store of this version and of the
# first one, with more attempts than one batch takes and environments that take turns; and what an interrupted import moved.
set -euo pipefail

program=$1 tests=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=$work/store day=$work/store/20260115.db
rows=9000

# Two environments of one function: their names, and the hashes they are found by.
printf '%s\t/aws/lambda/mail\t%s\tREPORT RequestId: %s\tDuration: 9.50 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t\n' \
    2026-01-15T10:00:00.000Z "2026/01/15/[\$LATEST]00000000000000000000000000000000" 0a1b2c3d-0000-4000-a000-000000000001 \
    2026-01-15T10:00:01.000Z "2026/01/15/[\$LATEST]11111111111111111111111111111111" 0a1b2c3d-0000-4000-a000-000000000002 \
    > "$work/two.txt"
"$program" import --quiet --region eu-west-1 --store "$store" "$work/two.txt" > /dev/null

# The day as the first version kept it, in the place of this one's: a third of the attempts is of the first environment.
rm "$day"*
{
    cat "$tests/data/store/v1/20260115.sql"
    cat << SQL
delete from inv;
with recursive n(i) as (select 0 union all select i + 1 from n where i < $rows - 1)
insert into inv
    select 1, 36000000000000 + i * 390000000, 0, unhex_id, 1 + (i >= $rows / 3), 6217, 399000, 200, 128, 64, 0, 16391, 1, 0, 0, 1, null, x''
    from (select i, cast(substr(char(97 + i / 1000, 97 + i / 100 % 10, 97 + i / 10 % 10, 97 + i % 10) || 'wxyzwxyzwxyz', 1, 16) as blob) as unhex_id from n);
SQL
} | sqlite3 "$day"

shape() {
    "$program" sql --store "$store" --format csv \
        "select instance, count(*), count(distinct request_id), min(start_ns), max(start_ns), sum(billed_ms) from invocations group by 1 order by 1"
}
fail() {
    echo "$1"
    exit 1
}

shape > "$work/before"
[ "$(wc -l < "$work/before")" -eq 3 ] || fail "not the two environments: $(cat "$work/before")"
for round in "of schema 1" "of this schema"; do
    arch=arm64
    [ "$round" = "of schema 1" ] || arch=x86_64
    out=$("$program" db reprice --store "$store" --default-arch "$arch")
    [ "$out" = "$rows invocations priced anew" ] || fail "$round: $out"
    shape > "$work/after"
    cmp -s "$work/before" "$work/after" || fail "$round: $(diff "$work/before" "$work/after")"
    "$program" db verify --store "$store" > "$work/verify" || fail "$round: $(cat "$work/verify")"
    [ "$("$program" query functions --store "$store" --since 2026-01-15 --until 2026-01-16 --format json | grep -o '"invocations": *[0-9]*' | grep -o '[0-9]*')" = "$rows" ] ||
        fail "$round: the sums are not those of $rows attempts"
done
[ "$(sqlite3 "$day" 'pragma user_version')" -ge 5 ] || fail "the day was not migrated"

# A function gets its region by a later import, which is killed when meta.db says so and nothing was priced anew: doctor
# names it, and the next import ends it.
moved=$work/moved
"$program" import --quiet --store "$moved" "$work/two.txt"
sqlite3 "$moved/meta.db" "update fn set region = 'ap-east-1'; insert into born select id, account, '', name, 1 from fn;
    insert into counter values('moved', 1)"
"$program" doctor --store "$moved" > "$work/doctor" || true
grep -q 'LOOK .*1 function was told its place later' "$work/doctor" || fail "doctor says nothing of it: $(cat "$work/doctor")"
"$program" import --quiet --store "$moved" --region ap-east-1 "$work/two.txt"
"$program" import --quiet --store "$work/fresh" --region ap-east-1 "$work/two.txt"
cmp -s <("$program" db dump --store "$moved") <("$program" db dump --store "$work/fresh") ||
    fail "not as from the first: $(diff <("$program" db dump --store "$moved") <("$program" db dump --store "$work/fresh"))"
"$program" db verify --store "$moved" > "$work/verify" || fail "moved: $(cat "$work/verify")"
"$program" doctor --store "$moved" | grep -q 'told its place' && fail "it is not priced anew"
exit 0
