#!/usr/bin/env bash
# Mutable globals: symbols in writable sections of the libraries, but for the ones in globals_allowed.txt, each with its reason.
set -euo pipefail
build=$2
here=$(cd "$(dirname "$0")" && pwd)
bad=0
for library in "$build"/lib*.a; do
    while read -r symbol; do
        grep -q "^${symbol%%.*} " "$here/globals_allowed.txt" && continue
        echo "$(basename "$library"): mutable global $symbol"
        bad=1
    done < <(objdump -t "$library" 2>/dev/null | awk '$3 == "O" && ($4 == ".data" || $4 == ".bss") { print $6 }
        $4 == "O" && ($5 == ".data" || $5 == ".bss") { print $7 }' | grep -vE '^__')
done
exit $bad
