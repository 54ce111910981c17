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
# Every page that is named exists once installed.
made=$(mktemp -d)
sh packaging/manuals.sh "$program" "$made/man1" "$made/share"
cp docs/man/*.[1-8] "$made/man1"
for page in "$made"/man1/*; do
    while read -r name; do
        [ -f "$made/man1/$name" ] || { echo "${page##*/} names $name, which is no page"; bad=1; }
    done < <(sed -n 's/^\.Xr \(fn[a-z.-]*\) \([1-8]\).*/\1.\2/p' "$page")
done
for page in "$made"/man1/fnscope-*.1; do
    name=${page##*/}
    case $name in *-help.1 | *-version.1 | *-completion.1) continue ;; esac
    grep -q "^.Xr ${name%.1} 1" docs/man/fnscope.1 || { echo "fnscope.1 does not name $name"; bad=1; }
done
bash -n "$made/share/bash-completion/completions/fnscope" || bad=1
rm -r "$made"
# The permissions the README asks for are the calls the collector makes.
while read -r action; do
    grep -q "\"$action\"" README.md || { echo "README.md does not name $action"; bad=1; }
done < <(sed -n 's/^ *\.name = "\([a-z]*:[A-Za-z]*\)".*/\1/p' collector/aws/aws_ops.c)
executor=$(dirname "$program")/fnexec
for command in $("$executor" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v '^fnexec$'); do
    for flag in $("$executor" help "$command" | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        [ "$flag" = --help ] || grep -q -- "Fl .-${flag#--}\b" docs/man/fnexec.8 ||
            { echo "fnexec $command: $flag is not in fnexec(8)"; bad=1; }
    done
done
exit $bad
