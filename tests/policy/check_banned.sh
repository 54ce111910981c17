#!/usr/bin/env bash
# Calls that are not to be used: unbounded copies, locale-dependent numbers, static buffers, shells, bare malloc.
set -euo pipefail
cd "$1"
calls='strcpy|strcat|sprintf|vsprintf|strtok|strncpy|gets|atoi|atol|atof|strtol|strtoul|sscanf|localtime|gmtime|ctime|asctime|rand|system|popen|tmpnam|alloca'
bad=0
sources() { git ls-files '*.c' '*.h' | grep -vE '^(tests|bench|data)/'; }
if sources | xargs grep -nE "(^|[^A-Za-z0-9_.>])($calls) *\(" | grep -vE ':[0-9]+: *(\*|/\*|//)'; then
    echo "banned calls"
    bad=1
fi
if sources | grep -v '^core/base/mem.c$' | xargs grep -nE '(^|[^A-Za-z0-9_.>])(malloc|calloc|realloc|strdup|strndup) *\(' |
    grep -vE ':[0-9]+: *(\*|/\*|//)'; then
    echo "memory comes from core/base/mem.h"
    bad=1
fi
exit $bad
