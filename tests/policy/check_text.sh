#!/usr/bin/env bash
# Words that mean unfinished, paths of a developer's machine, spelling, shell scripts.
set -euo pipefail
cd "$1"
bad=0
words='TO''DO|FIX''ME|XX''X|HA''CK|not implem''ented|place''holder'
if git ls-files '*.c' '*.h' '*.sh' '*.py' '*.md' '*.txt' run .ci/run | grep -v '^tests/policy/' |
    xargs grep -nE "\b($words)\b"; then
    echo "finish it, or say what it is"
    bad=1
fi
if git ls-files | grep -vE '^tests/(data|fuzz/corpus|golden)/' | xargs grep -nIE '(^|[^a-zA-Z])/(work|farm|home/[a-z]+)/' ; then
    echo "paths of a machine"
    bad=1
fi
if ! git ls-files '*.c' '*.h' '*.md' docs | xargs codespell -q 3 --ignore-regex '\\[tn]' -L fo,te,nd,ot,inout,lod,tha,hist,statics,ba,levl,erro,eror; then
    bad=1
fi
if ! git ls-files '*.sh' run .ci/run | xargs shellcheck; then
    bad=1
fi
exit $bad
