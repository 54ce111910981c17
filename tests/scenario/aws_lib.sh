#!/bin/bash
# Sourced by scenarios that drive fnexec with Debian's awscli: `aws_client ARGUMENTS` is /usr/bin/aws, loaded once
# (aws_driver.py). One at a time. Expects the folder $work; `aws_client_end` belongs into the scenario's clean-up.
aws_folder=${work:?is set by the scenario}/aws-client
aws_driver=

aws_client_start() {
    mkdir "$aws_folder"
    mkfifo "$aws_folder/asked" "$aws_folder/answered"
    "$(dirname "${BASH_SOURCE[0]}")/aws_driver.py" "$aws_folder" &
    aws_driver=$!
}

# Output goes through files: the driver has no part in the pipes and redirections of whoever calls.
aws_client() {
    local status
    [ -d "/proc/$aws_driver" ] || { echo "aws_driver.py has ended" >&2; return 1; }
    : > "$aws_folder/out"
    : > "$aws_folder/err"
    jq -cn --arg folder "$PWD" --arg out "$aws_folder/out" --arg err "$aws_folder/err" \
        '{$folder, $out, $err, environment: (env | with_entries(select(.key | startswith("AWS_")))),
          arguments: $ARGS.positional}' --args -- "$@" > "$aws_folder/asked"
    read -r status < "$aws_folder/answered"
    cat "$aws_folder/out"
    cat "$aws_folder/err" >&2
    return "$status"
}

aws_client_end() {
    [ -z "$aws_driver" ] || kill "$aws_driver" 2> /dev/null || true
}
