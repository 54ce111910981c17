#!/bin/sh
# Writes the manual page of every command and the completions of three shells, from the program's own tables:
# manuals.sh PROGRAM MAN-FOLDER SHARE-FOLDER
set -eu
program=$1 manuals=$2 share=$3
mkdir -p "$manuals" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d"
for command in $("$program" help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
    "$program" help --mdoc "$command" >"$manuals/fnscope-$command.1"
done
"$program" completion bash >"$share/bash-completion/completions/fnscope"
"$program" completion zsh >"$share/zsh/site-functions/_fnscope"
"$program" completion fish >"$share/fish/vendor_completions.d/fnscope.fish"
