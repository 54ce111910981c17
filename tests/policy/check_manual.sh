#!/usr/bin/env bash
# Every command has help and a manual page without lint, every option stands in both.
set -euo pipefail
cd "$1"
program=$3
bad=0
for page in docs/man/*.[1-8]; do
    mandoc -Tlint -Werror "$page" || bad=1
done
for command in $("$program" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v '^fnscope$'); do
    page=$(mktemp)
    "$program" help --mdoc "$command" >"$page"
    mandoc -Tlint -Werror "$page" || { echo "manual page of $command"; bad=1; }
    for flag in $("$program" help "$command" | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        grep -q -- "Fl .-${flag#--}\b" "$page" || { echo "$command: $flag is not in its manual page"; bad=1; }
    done
    rm -f "$page"
done
executor=$(dirname "$program")/fnexec
for command in $("$executor" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v '^fnexec$'); do
    for flag in $("$executor" help "$command" | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        [ "$flag" = --help ] || grep -q -- "Fl .-${flag#--}\b" docs/man/fnexec.8 ||
            { echo "fnexec $command: $flag is not in fnexec(8)"; bad=1; }
    done
done
exit $bad
