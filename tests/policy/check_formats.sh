#!/usr/bin/env bash
# Each command either honours every --format it lists or refuses the option and says what it prints instead. A command,
# or an action of one, that has no line below is refused: add the words to try it with, and nobody can ignore the option.
set -euo pipefail
program=$3
data=$1/tests/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
bad=0

# Words: as a user types them. "own" in front: it has one form of its own.
tries() {
    cat <<LINES
own demo generate --dir $work/again --days 1 --functions 1
import --dry-run $work/logs
own collect
own collect --policy
collect --plan
top --once
report
query functions
query invocations
query errors
query series
show $1
logs
cost
cost --by day
cost --explain $1
cost --usage $data/../golden/cost/usage/usage.yaml
alert list
alert check
own alert ack 0123
own alert silence --rule dlq-depth
own alert unsilence 1
alert silences
alert episodes
alert messages
alert rules
alert signals
alert test
own check
own metrics
sql select 1
db info
db prune --until 2020-01-01
db reprice
db move -f checkout-api --to-region eu-west-1
db verify
own db dump
doctor
config check
config print
own completion bash
version
own help
own help top
LINES
}

# Output of a format looks like one: the report's own formats are among them.
is_form() {
    case $1 in
    table | text) [ -s "$2" ] ;;
    json) jq -e . "$2" >"$work/null" ;;
    ndjson) jq -s . "$2" >"$work/null" ;;
    csv) head -n 1 "$2" | grep -q $'^[a-z_,0-9]*\r$' ;;
    tsv) head -n 1 "$2" | grep -qE $'^[a-z_0-9]+(\t[a-z_0-9]+)*$' ;;
    markdown) head -n 1 "$2" | grep -q '^[|#]' ;;
    html) head -n 1 "$2" | grep -qi '^<!doctype html' ;;
    *) return 1 ;;
    esac
}

mkdir -p "$work/config/fnscope"
cat >"$work/config/fnscope/config.yaml" <<'YAML'
sources: {prod: {type: aws, region: eu-west-1}}
notify: {ops: {type: exec, command: [/bin/true]}}
YAML
"$program" demo generate --dir "$work/logs" --days 1 --functions 2 --end 2026-01-15 >"$work/null"
"$program" import -q "$work/logs"
id=$("$program" query invocations --since 2026-01-14 -o json | jq -r '.rows[0].request_id')

while read -r line; do
    read -ra words <<<"${line#own }"
    [ "${words[0]}" != sql ] || words=(sql 'select 1 as one')
    formats=$("$program" help --mdoc "${words[0]}" | grep -A 1 'Fl .-format' | tail -n 1 |
        grep -oE ': [a-z]+(, [a-z]+)+' | tail -n 1 | tr -d ':,') || formats=json
    for format in $formats; do
        status=0
        timeout 20 "$program" "${words[@]}" -o "$format" >"$work/out" 2>"$work/err" </dev/null || status=$?
        if [ "$line" != "${line#own }" ]; then
            if [ "$status" != 2 ] || ! grep -q 'takes no --format: it prints' "$work/err"; then
                echo "${words[*]} -o $format: not refused"
                bad=1
            fi
        elif { [ "$status" != 0 ] && [ "$status" != 3 ]; } || ! is_form "$format" "$work/out"; then
            echo "${words[*]} -o $format: ignored, or status $status: $(head -n 2 "$work/out" "$work/err")"
            bad=1
        fi
    done
done < <(tries "$id")

# Every command, and every action its usage names, stands above.
tried=$(tries ID | sed 's/^own //')
for command in $("$program" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v '^fnscope$'); do
    grep -qE "^$command( |$)" <<<"$tried" || { echo "$command is not tried with --format"; bad=1; }
    usage=$("$program" help "$command" | sed -n '1s/^Usage: fnscope [a-z]* \[OPTION\]\.\.\.//p')
    [ "$command" != completion ] || continue # one form for all shells
    for action in $(grep -oE '(^| |\|)[a-z]+' <<<"$usage" | tr -d ' |'); do
        grep -q "^$command $action\b" <<<"$tried" || { echo "$command $action is not tried with --format"; bad=1; }
    done
done
exit $bad
