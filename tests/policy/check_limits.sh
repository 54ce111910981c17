#!/usr/bin/env bash
# Sizes: 600 lines a file, 80 lines a function, McCabe 15, 6 parameters.
set -euo pipefail
cd "$1"
bad=0
while read -r lines file; do
    if [ "$file" != total ] && [ "$lines" -gt 600 ]; then
        echo "$file: $lines lines, at most 600"
        bad=1
    fi
done < <(git ls-files '*.c' '*.h' | xargs wc -l)
while read -r modified mccabe statements first lines place function; do
    : "$mccabe" "$statements" "$first"
    if [ "$modified" -gt 15 ]; then
        echo "$place $function: McCabe complexity $modified, at most 15"
        bad=1
    fi
    if [ "$lines" -gt 80 ]; then
        echo "$place $function: $lines lines, at most 80"
        bad=1
    fi
done < <(git ls-files '*.c' | grep -v '^tests/unit/' | xargs pmccabe)
exit $bad
