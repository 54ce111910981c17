#!/bin/bash
# fnexec_aws.sh PROGRAM TESTS_DIR EXECUTOR: functions in three languages and a runtime of its own, driven by
# Debian's awscli; errors, limits and logs as Lambda has them; nothing left behind.
program=$1
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$(dirname "$0")/fnexec_lib.sh"
copy_functions "$2"

echo "s3cret-value" > "$work/functions/token"
chmod 600 "$work/functions/token"
cat > "$work/functions/functions.yaml" <<YAML
functions:
  py: {runtime: python3.11, handler: app.handler, code: python, timeout: 5s, secrets: {TOKEN: file:token},
       environment: {STAGE: test}, triggers: [{type: http}]}
  slow: {runtime: python3.11, handler: app.handler, code: python, timeout: 300ms, keep_alive: 1s}
  js: {runtime: nodejs20.x, handler: app.handler, code: node, timeout: 5s, tracing: true, log_format: json}
  next: {runtime: nodejs20.x, handler: app.handler, code: node, timeout: 5s, tracing: true}
  site: {runtime: nodejs20.x, handler: app.url, code: node, timeout: 5s, triggers: [{type: http}]}
  streams: {runtime: nodejs20.x, handler: app.streams, code: node, timeout: 5s, triggers: [{type: http}]}
  back: {runtime: nodejs20.x, handler: app.callback, code: node, timeout: 5s}
  c: {runtime: c, handler: echo, code: c, timeout: 5s}
  own: {runtime: provided, code: bootstrap, timeout: 5s}
  stopped: {runtime: c, handler: echo, code: c, concurrency: 0}
  broken: {runtime: python3.11, handler: app.nothing, code: python, timeout: 5s}
  none: {runtime: c, handler: no_program, code: c, timeout: 5s}
  ready: {runtime: c, handler: echo, code: c, provisioned: 2}
YAML
aws_client_start
printf '#!/bin/sh\n' > "$work/functions/c/no_program"
chmod +x "$work/functions/c/no_program"
start_executor "$work/functions/functions.yaml"

# --- three languages ---
aws_invoke py '{"a": 1}' --log-type Tail --query LogResult --output text
expect "$work/answer" '{"event":{"a":1},"left":true}'
base64 -d "$work/head" > "$work/tail"
for text in 'START RequestId: ' 'event of ' 'END RequestId: ' $'REPORT RequestId: ' $'\tInit Duration: '; do
    expect "$work/tail" "$text"
done
invoke js '{"b": 2}'
expect "$work/answer" '{"event":{"b":2}}'
invoke back '{}'
expect "$work/answer" '"called back"'
invoke c '{"c": 3}'
expect "$work/answer" '{"c": 3}'
invoke py '{"env": "STAGE"}'
expect "$work/answer" '"test"'
invoke py '{"client": 1}' -H "X-Amz-Client-Context: $(printf '{"custom":{"k":"v"},"client":{"app_title":"t"}}' | base64 -w0)"
expect "$work/answer" '[{"k":"v"},"t",null]'

# --- a runtime of its own ---
invoke own '{}' -H "X-Amz-Client-Context: $(printf '{"custom":{"k":"v"}}' | base64 -w0)"
for text in '"deadline": true' '"arn": "arn:aws:lambda:us-east-1:000000000000:function:own"' '"trace": true' \
    '"again": true' '"wrong_id": 400' '"init_error": 403' '"nowhere": 404' '\"k\":\"v\"'; do
    expect "$work/answer" "$text"
done
invoke own '"fail"'
expect "$work/head" 'X-Amz-Function-Error: Unhandled'
expect "$work/answer" '{"errorMessage": "as asked", "errorType": "Asked", "stackTrace": []}'
invoke own '"stream"'
expect "$work/answer" '{"errorMessage":"cut"}'
invoke own '"mode"'
expect "$work/answer" 'Runtime.InvalidResponseModeHeader'
for kind in large larger chunks error; do # over the limit; over what is read, by its length, in chunks, as an error
    invoke own "\"$kind\""
    expect "$work/answer" 'Function.ResponseSizeTooLarge'
done

# --- errors ---
invoke py '{"large": 7000000}'
expect "$work/answer" '"errorType":"Function.ResponseSizeTooLarge"'
invoke py '{"unknown": 1}'
expect "$work/answer" '"errorMessage": "Unable to marshal response: Object of type Context is not JSON serializable"'
expect "$work/answer" '"errorType": "Runtime.MarshalError"'
head -c 6291457 /dev/zero | tr '\0' 1 > "$work/payload"
invoke py "@$work/payload"
expect "$work/head" 'HTTP/1.1 413'
expect "$work/head" 'x-amzn-ErrorType: RequestTooLargeException'
aws_invoke py '{"fail": "boom"}'
expect "$work/head" '"FunctionError": "Unhandled"'
expect "$work/answer" '"errorMessage": "boom", "errorType": "RuntimeError"'
invoke js '{"fail": "boom"}'
expect "$work/answer" '{"errorType":"TypeError","errorMessage":"boom","trace":'
invoke c '"fail"'
expect "$work/answer" '{"errorMessage":"as asked","errorType":"Function.Error"'
# Its own /tmp: of the machine's there is what holds the code, if that is below it.
invoke py '{"folder": "/tmp"}'
[ "$(jq '.[0] | length' "$work/answer")" -le 1 ] || ! machine_allows 'private /tmp' || fail "/tmp is the machine's: $(cat "$work/answer")"
[ "$(jq -r '.[1]' "$work/answer")" = "$work/functions/python" ] || fail "the code is elsewhere: $(cat "$work/answer")"
for way in fork spawn forkserver; do
    invoke py "{\"process\": \"$way\"}"
    [ "$(cat "$work/answer")" = 0 ] || fail "a process by $way: $(cat "$work/answer")"
done
invoke py '{"die": 3}'
expect "$work/answer" 'Error: Runtime exited with error: exit status 3"}'
invoke py '{"die": 0}'
expect "$work/answer" 'Error: Runtime exited without providing a reason"}'
invoke py '{"signal": 9}'
expect "$work/answer" 'Error: Runtime exited with error: signal: killed"}'
invoke py '{"signal": 15}'
expect "$work/answer" 'Error: Runtime exited with error: signal: terminated"}'
invoke py '{"abort": true}'
expect "$work/answer" 'Error: Runtime exited with error: signal: aborted"}'
aws_invoke py '{"children": 20}' --log-type Tail
expect "$work/answer" 'fed'
used=$(jq -r .LogResult "$work/head" | base64 -d | sed -n 's/.*Max Memory Used: \([0-9]*\) MB.*/\1/p')
{ [ "$used" -ge 65 ] && [ "$used" -le 115 ]; } || fail "three children of 20 MB and a program use $used MB"
invoke py '{"children": 80}' # no process over 128 MB, but all of them
expect "$work/answer" '"errorType":"Runtime.OutOfMemory"'
invoke py '{"eat": 300}'
expect "$work/answer" '"errorType":"Runtime.OutOfMemory"'
invoke py '{"a": 2}'
expect "$work/answer" '{"event":{"a":2},"left":true}'
invoke slow '{"sleep": 5}'
invoke slow '{"sleep": 5}'
expect "$work/answer" '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: '
expect "$work/answer" ' Error: Task timed out after 0.30 seconds"}'
invoke broken '{}'
expect "$work/answer" '"errorType": "Runtime.HandlerNotFound"'
mv "$work/functions/c/no_program" "$work/functions/c/gone" # it was there when the manifest was read
invoke none '{}'
expect "$work/answer" '"errorType":"Runtime.InvalidEntrypoint"'
mv "$work/functions/c/gone" "$work/functions/c/no_program"
aws_invoke stopped '{}' && fail "a function with reserved concurrency 0 ran"
expect "$work/head" 'TooManyRequestsException'
for name in arn:aws:lambda:eu-west-1:000000000000:function:py arn:aws:lambda:us-east-1:111111111111:function:py \
    111111111111:function:py; do
    aws_invoke "$name" '{}' && fail "a function of elsewhere ran: $name"
    grep -E "not reachable in this region|AccessDenied" "$work/head" > /dev/null || fail "$name: $(cat "$work/head")"
done
aws_invoke arn:aws:lambda:us-east-1:000000000000:function:py '{"a": 1}'
refused() { # status, error, head of its message: of the call before
    expect "$work/head" "HTTP/1.1 $1"
    expect "$work/head" "x-amzn-ErrorType: $2"
    expect "$work/answer" "$3"
}
for name in arn:aws:s3:::py 'py:a%20b' 'py?Qualifier=a%20b'; do # no name of a function
    curl -sS -D "$work/head" -o "$work/answer" "$endpoint/2015-03-31/functions/${name/\?//configuration?}"
    refused 400 ValidationException '1 validation error detected: Value '
done
invoke py:7 '{}'
refused 404 ResourceNotFoundException 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:py:7'
invoke nowhere '{}'
refused 404 ResourceNotFoundException "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nowhere:\$LATEST"
curl -sS -D "$work/head" -o "$work/answer" "$endpoint/2015-03-31/functions/py?Qualifier=$(printf 'a%.0s' {1..129})"
refused 400 ValidationException 'Member must have length less than or equal to 128'
curl -sS -D "$work/head" -o "$work/answer" "$endpoint/2015-03-31/functions?FunctionVersion=1"
refused 400 ValidationException 'Member must satisfy enum value set: [ALL]'
[ "$(curl -sS "$endpoint/2015-03-31/functions?FunctionVersion=ALL" | jq -r '.Functions[0].FunctionArn')" = \
    "arn:aws:lambda:us-east-1:000000000000:function:py:\$LATEST" ] || fail "the ARN among all versions"
invoke py '{}' -H "X-Amz-Client-Context: $(printf 'no json' | base64 -w0)"
refused 400 InvalidRequestContentException 'Client context must be a valid Base64-encoded JSON object.'
head -c 1048577 /dev/zero | tr '\0' 1 > "$work/payload" # an event is at most 1 MB; its log is not what is asked for
invoke py "@$work/payload" -H 'X-Amz-Invocation-Type: Event'
refused 413 RequestTooLargeException '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)'
invoke py '{"event": 1}' -H 'X-Amz-Invocation-Type: Event' -H 'X-Amz-Log-Type: Tail'
expect "$work/head" 'HTTP/1.1 202'
invoke py '{}' -H 'X-Amz-Log-Type: Wild'
expect "$work/head" 'HTTP/1.1 400'
expect "$work/answer" 'Log type must be None or Tail'
aws_invoke nothing '{}' && fail "a function that is not there ran"
expect "$work/head" 'ResourceNotFoundException'
expect "$work/head" 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nothing'
invoke stopped '{}'
for text in 'HTTP/1.1 429' 'x-amzn-ErrorType: TooManyRequestsException' 'Retry-After: 1'; do
    expect "$work/head" "$text"
done
expect "$work/answer" '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User"'
invoke py 'no json'
expect "$work/head" 'HTTP/1.1 400'
expect "$work/head" 'InvalidRequestContentException'
aws_invoke py '{}' --invocation-type DryRun
expect "$work/head" '"StatusCode": 204'

# --- fences: what the sandbox refuses is refused, whoever fnexec runs as ---
invoke py '{"fences": true}'
for text in '"trace":"EPERM"' '"mount":"EPERM"' '"unshare":"EPERM"' '"clone":"EPERM"' '"clone3":"ENOSYS"' '"host name":"EPERM"' '"no new privileges":"1"' \
    '"capabilities":[0,0,0,0]' '"filter":"2"' '"files":[1024,1024]' '"core":[0,0]' '"own group":true' '"batch":true'; do
    expect "$work/answer" "$text"
done
"$executor" doctor > "$work/doctor" || [ $? -eq 3 ] || fail "doctor ended with a surprise"
expect "$work/doctor" 'system calls       works'
expect "$work/doctor" 'no new privileges  works'
expect "$work/doctor" 'batch scheduling   works'

# --- secrets ---
invoke py '{"print": "the token is s3cret-value."}'
invoke py '{"env": "TOKEN"}'
expect "$work/answer" '"s3cret-value"'
aws_cli lambda get-function-configuration --function-name py > "$work/configuration"
expect "$work/configuration" '"TOKEN": "[redacted]"'

# --- function URLs ---
curl -sS -i -H 'Cookie: x=1; y=2' -d 'hello' "$endpoint/lambda-url/site/a/b?q=1&q=2" > "$work/url"
for text in 'HTTP/1.1 201' 'x-path: /a/b' 'Set-Cookie: a=1' 'Set-Cookie: b=2' 'POST q=1&q=2 hello'; do
    expect "$work/url" "$text"
done
# A stream has its own type, or a head before it; buffered URLs gather it, and an error of it is one.
curl -sS -D "$work/url" -o "$work/answer" "$endpoint/lambda-url/streams/x"
for text in "HTTP/1.1 418" 'x-path: /x' 'Set-Cookie: a=1'; do
    expect "$work/url" "$text"
done
printf 'one,\0\377' | cmp - "$work/answer" || fail "a stream behind a head"
curl -sS -D "$work/url" -o "$work/answer" "$endpoint/lambda-url/streams/plain"
expect "$work/url" 'HTTP/1.1 200'
expect "$work/url" 'Content-Type: application/octet-stream'
printf 'one,\0\377' | cmp - "$work/answer" || fail "a stream as it is"
stream() { # payload, curl options
    curl -sS -D "$work/head" -o "$work/answer" -d "$1" "${@:2}" \
        "$endpoint/2021-11-15/functions/streams/response-streaming-invocations"
}
stream '{"rawPath":"/plain"}' -H 'X-Amz-Log-Type: Tail'
expect "$work/head" 'Content-Type: application/vnd.amazon.eventstream'
for text in PayloadChunk 'application/octet-streamone,' InvokeComplete LogResult; do
    grep -qaF "$text" "$work/answer" || fail "a stream of events without $text"
done
stream '{"parts":[{"a":1},[2,"b"],3,"text"],"rawPath":"/plain"}'
for text in 'stream{"a":1}' 'stream[2,"b"]' stream3 streamtext; do
    grep -qaF "application/octet-$text" "$work/answer" || fail "a stream of objects is their JSON, each a piece: $text"
done
stream '{"fail":"boom"}'
grep -qaF '{"ErrorCode":"TypeError","ErrorDetails":"{\"errorType\":\"TypeError\",\"errorMessage\":\"boom\"' "$work/answer" ||
    fail "the error of a stream"
stream '{}' -H 'X-Amz-Invocation-Type: Event'
refused 400 InvalidParameterValueException 'Invocation type must be RequestResponse or DryRun'
curl -sS -i "$endpoint/lambda-url/c/" > "$work/url"
expect "$work/url" 'HTTP/1.1 404'
curl -sS -i -d '{"fail":"x"}' -H 'Host: py.lambda-url.localhost' "$endpoint/" > "$work/url"
expect "$work/url" '"rawPath":"/"'
# What AWS's front adds; the answer names its request, by the id that the log has.
curl -sS -i -d '{}' -H 'X-Forwarded-For: 192.0.2.1' "$endpoint/lambda-url/py/" > "$work/url"
for text in '"x-forwarded-for":"192.0.2.1, 127.0.0.1"' "\"x-forwarded-port\":\"${endpoint##*:}\"" \
    '"x-forwarded-proto":"http"' '"x-amzn-trace-id":"Root=1-' 'X-Amzn-Trace-Id: Root=1-'; do
    expect "$work/url" "$text"
done
id=$(sed -n 's/^x-amzn-RequestId: \([0-9a-f-]*\).*/\1/p' "$work/url")
expect "$work/url" "\"requestId\":\"$id\""
# Pages of other sites, under a name that leads here or from elsewhere, run nothing.
[ "$(curl -sS -o /dev/null -w '%{http_code}' -d '{}' -H 'Host: evil.example' "$endpoint/lambda-url/py/")" = 421 ] ||
    fail "a foreign name is answered"
[ "$(curl -sS -o /dev/null -w '%{http_code}' -d '{}' -H 'Origin: http://evil.example' "$endpoint/lambda-url/py/")" = 403 ] ||
    fail "a page of another site runs functions"

# --- logs ---
group=/aws/lambda/py
aws_cli logs describe-log-groups --log-group-name-prefix /aws/lambda/p > "$work/groups"
expect "$work/groups" '"logGroupName": "/aws/lambda/py"'
aws_cli logs filter-log-events --log-group-name $group --query 'events[].message' --output text > "$work/lines"
expect "$work/lines" 'the token is [redacted].'
if grep -rqF s3cret-value "$work/lines" "$work/executor.log"; then fail "a secret reached a log"; fi
for text in 'INIT_START Runtime Version: python:3.11.v' $'\tStatus: error\tError Type: Runtime.ExitError' \
    $'\tStatus: error\tError Type: Runtime.OutOfMemory' '[ERROR] RuntimeError: boom'; do
    expect "$work/lines" "$text"
done
aws_cli logs filter-log-events --log-group-name /aws/lambda/slow --filter-pattern '"REPORT RequestId"' \
    --query 'events[].message' --output text > "$work/lines"
expect "$work/lines" $'Duration: 300.00 ms\tBilled Duration: '
expect "$work/lines" $'\tStatus: timeout'
if grep -q START "$work/lines"; then fail "a filter pattern let through what it should not"; fi
# Pages of two events hold what one page holds.
aws_cli logs filter-log-events --log-group-name $group --query 'events[].eventId' --output text | tr '\t' '\n' \
    | grep -v None > "$work/ids"
aws_cli logs filter-log-events --log-group-name $group --page-size 2 --query 'events[].eventId' --output text \
    | tr '\t' '\n' | grep -v None > "$work/paged"
cmp "$work/ids" "$work/paged" || fail "pages differ"
[ "$(sort -u "$work/ids" | wc -l)" -eq "$(wc -l < "$work/ids")" ] || fail "an event identity came twice"
grep -vqE '^[0-9]{56}$' "$work/ids" && fail "an event identity has not 56 digits"
stream=$(aws_cli logs describe-log-streams --log-group-name $group --order-by LastEventTime --descending \
    --query 'logStreams[0].logStreamName' --output text)
aws_cli logs get-log-events --log-group-name $group --log-stream-name "$stream" --start-from-head > "$work/got"
expect "$work/got" 'INIT_START'
token=$(sed -n 's/.*"nextForwardToken": "\(.*\)",*/\1/p' "$work/got")
aws_cli logs get-log-events --log-group-name $group --log-stream-name "$stream" --next-token "$token" > "$work/got"
expect "$work/got" '"events": []'
expect "$work/got" "\"nextForwardToken\": \"$token\""
columns=$(aws_cli logs filter-log-events --log-group-name $group --filter-pattern '[kind = START, id = "RequestId:", ...]' \
    --query 'length(events)')
[ "$columns" -gt 3 ] || fail "a pattern of columns finds $columns events"
logs_refuse() { # operation, members of the request, error: by curl, since the CLI checks some itself
    curl -sS -H "X-Amz-Target: Logs_20140328.$1" -H 'Content-Type: application/x-amz-json-1.1' \
        -d "{\"logGroupName\":\"$group\",$2}" -D "$work/head" -o "$work/got" "$endpoint/"
    expect "$work/head" "HTTP/1.1 400"
    expect "$work/got" "${3:-InvalidParameterException}"
}
for members in '"nextToken":"00ff"' '"limit":10001' '"limit":0' '"startTime":2,"endTime":1' \
    '"filterPattern":"{ $.level = \"ERROR\""' '"filterPattern":"[a, b"' '"filterPattern":"foo.bar"' \
    "\"logStreamNames\":[\"$stream\"],\"logStreamNamePrefix\":\"2\""; do
    logs_refuse FilterLogEvents "$members"
done
logs_refuse FilterLogEvents "\"logStreamNames\":[\"$stream\",\"no such\"]" ResourceNotFoundException
logs_refuse GetLogEvents '"logStreamName":"no such"' ResourceNotFoundException
! aws_cli logs filter-log-events --log-group-name $group --log-stream-names "no such" 2> "$work/err" || fail "an unknown stream"
expect "$work/err" '(ResourceNotFoundException)'
logs_refuse FilterLogEvents "\"logGroupIdentifier\":\"$group\"" ValidationException
for members in '"limit":0' '"startTime":2,"endTime":1' "\"nextToken\":\"${token/\/3/\/4}\""; do
    logs_refuse GetLogEvents "\"logStreamName\":\"$stream\",$members"
done
for members in '"limit":51' '"orderBy":"Age"' '"orderBy":"LastEventTime","logStreamNamePrefix":"2"'; do
    logs_refuse DescribeLogStreams "$members"
done

# --- reads of the control plane, traces ---
[ "$(aws_cli lambda list-functions --max-items 3 --query 'length(Functions)')" -eq 3 ] || fail "list-functions"
[ "$(aws_cli lambda list-functions --query 'length(Functions)')" -eq 13 ] || fail "list-functions, all"
[ "$(aws_cli lambda list-functions --page-size 3 --query 'length(Functions)')" -eq 13 ] || fail "list-functions, in pages"
for query in Marker=3 Marker=zz MaxItems=0 MaxItems=10001; do
    curl -sS -D "$work/head" -o "$work/answer" "$endpoint/2015-03-31/functions/?$query"
    refused 400 InvalidParameterValueException M
done
aws_cli lambda list-provisioned-concurrency-configs --function-name ready --output text > "$work/got" --query \
    'ProvisionedConcurrencyConfigs[].[RequestedProvisionedConcurrentExecutions, AllocatedProvisionedConcurrentExecutions, Status]'
expect "$work/got" $'2\t2\tREADY'
[ "$(aws_cli lambda list-provisioned-concurrency-configs --function-name py --query 'length(ProvisionedConcurrencyConfigs)')" \
    -eq 0 ] || fail "provisioned concurrency of a function without"
aws_cli lambda get-function-event-invoke-config --function-name ready > "$work/got" 2>&1 && fail "an event invoke config"
expect "$work/got" "ready:\$LATEST doesn't have an EventInvokeConfig"
[ "$(aws_cli lambda list-function-event-invoke-configs --function-name ready --query 'length(FunctionEventInvokeConfigs)')" \
    -eq 0 ] || fail "event invoke configs of a function without"
invoke ready '{}'
metrics_of() { aws_cli cloudwatch list-metrics --metric-name "$1" --query 'length(Metrics)'; }
for metric in ProvisionedConcurrentExecutions ProvisionedConcurrencyUtilization ProvisionedConcurrencyInvocations; do
    [ "$(metrics_of $metric)" -gt 0 ] || fail "no metric $metric"
done
[ "$(metrics_of ProvisionedConcurrencySpilloverInvocations)" -eq 0 ] || fail "a single call spilled over"
aws_cli lambda get-account-settings > "$work/got"
expect "$work/got" '"UnreservedConcurrentExecutions": 1000'
aws_cli lambda get-function-concurrency --function-name stopped > "$work/got"
expect "$work/got" '"ReservedConcurrentExecutions": 0'
[ "$(aws_cli sts get-caller-identity --query '[UserId,Account,Arn]' --output text)" = \
    $'000000000000\t000000000000\tarn:aws:iam::000000000000:root' ] || fail "get-caller-identity"
now=$(date +%s)
trace=$(aws_cli xray get-trace-summaries --start-time $((now - 600)) --end-time $((now + 5)) \
    --query 'TraceSummaries[-1].Id' --output text)
summaries() { aws_cli xray get-trace-summaries --start-time $((now - 600)) --end-time $((now + 120)) "$@"; }
finds() { # expression: whether a trace is found
    [ "$(summaries --filter-expression "$1" --query 'length(TraceSummaries)')" -gt 0 ]
}
for expression in 'service("js")' 'http.status = 200' 'responsetime > 0.0001 duration < 60' 'error = true' \
    'service(id(name: "js", type: "AWS::Lambda::Function")) { error }' \
    'edge(id(name: "js", type: "AWS::Lambda"), id(name: "js", type: "AWS::Lambda::Function")) { ok }'; do
    finds "$expression" || fail "no trace for $expression"
done
for expression in 'service("py") OR responsetime > 600' 'http.status >= 500' 'edge("js", "py")' 'partial' \
    'service(id(name: "js", type: "AWS::EC2::Instance"))' 'annotation.stage = "test"' 'http.method = "GET"'; do
    ! finds "$expression" || fail "a trace for $expression"
done
for expression in 'foo bar (' 'group.name = "x"' 'service("js") { '; do
    summaries --filter-expression "$expression" > "$work/got" 2>&1 && fail "no expression was taken: $expression"
    expect "$work/got" 'InvalidRequestException'
    expect "$work/got" 'at character'
done
# A call that carries its caller's trace on is an edge of it.
invoke js '{}' -D "$work/head"
called=$(sed -n 's/^X-Amzn-Trace-Id: //p' "$work/head" | tr -d '\r')
invoke next '{}' -H "X-Amzn-Trace-Id: $called"
finds 'edge("js", "next") { ok }' || fail "the call of one function by another is no edge"
[ "$(summaries --filter-expression 'edge("js", "next")' --query 'TraceSummaries[0].ServiceIds[].Name' --output text | tr '\t' ' ')" \
    = 'js js next next' ] || fail "the services of a trace"
summaries --query 'TraceSummaries[0]' > "$work/got"
for text in '"HttpStatus": 200' '"Type": "AWS::Lambda"' '"Type": "AWS::Lambda::Function"' '"EntryPoint"' '"ARN": "arn:aws:lambda'; do
    expect "$work/got" "$text"
done
for token in zz 0; do
    curl -sS -d "{\"StartTime\":$now,\"EndTime\":$now,\"NextToken\":\"$token\"}" "$endpoint/TraceSummaries" > "$work/got"
    expect "$work/got" 'NextToken is not valid'
done
aws_cli xray batch-get-traces --trace-ids "$trace" > "$work/got"
expect "$work/got" 'AWS::Lambda::Function'
expect "$work/got" 'Initialization'

# --- the end: also of what functions started ---
invoke py '{"spawn": true}'
[ -n "$(leftovers)" ] || fail "the check for leftovers sees nothing"
stop_executor
check_nothing_left

# --- logs outlive the executor ---
start_executor "$work/functions/functions.yaml"
aws_cli logs filter-log-events --log-group-name $group --query 'events[].eventId' --output text | tr '\t' '\n' \
    | grep -v None > "$work/again"
head -"$(wc -l < "$work/ids")" "$work/again" | cmp - "$work/ids" || fail "the log changed over a restart"
kill -KILL "$executor_pid"
wait "$executor_pid" 2> /dev/null || true
executor_pid=
wait_for no_leftovers
# --- who may: with access keys, what they signed and nothing else; beyond loopback not without them ---
"$executor" serve "$work/functions/functions.yaml" --listen 192.0.2.1 --port 0 2> "$work/got" && fail "it listens to anybody"
expect "$work/got" 'needs authentication'
printf '# who may\nAKIDREADER s3cr3t/key+1\n' > "$work/keys"
chmod 644 "$work/keys"
"$executor" serve "$work/functions/functions.yaml" --credentials "$work/keys" --port 0 2> "$work/got" && fail "keys for all to read"
expect "$work/got" 'others may read it'
chmod 600 "$work/keys"
start_executor "$work/functions/functions.yaml" --credentials "$work/keys"
signed() { # service, KEY:SECRET, path, data: by curl, which starts sooner than the CLI
    curl -sS --aws-sigv4 "aws:amz:us-east-1:$1" --user "$2" -D "$work/head" -o "$work/answer" -d "$4" "$endpoint$3"
}
run_c=/2015-03-31/functions/c/invocations
as() { AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 "${@:3}"; }
for payload in '{}' ''; do
    invoke c "$payload"
    expect "$work/head" 'HTTP/1.1 403'
done
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$endpoint/lambda-url/py/")" = 403 ] || fail "a function URL is open"
# Who it does not know is told so as AWS would, before any of the body is taken.
signed lambda AKIDOTHER:s3cr3t/key+1 $run_c '{}'
expect "$work/head" 'HTTP/1.1 403'
expect "$work/head" 'x-amzn-ErrorType: UnrecognizedClientException'
expect "$work/answer" '"Message":"The security token included in the request is invalid."'
signed sqs AKIDOTHER:s3cr3t/key+1 / 'Action=ListQueues&Version=2012-11-05'
expect "$work/answer" '<Type>Sender</Type><Code>InvalidClientTokenId</Code>'
as AKIDOTHER wrong aws_cli logs describe-log-groups 2> "$work/got" && fail "a stranger reads logs"
expect "$work/got" 'An error occurred (UnrecognizedClientException) when calling the DescribeLogGroups operation'
signed lambda AKIDREADER:wrong $run_c '{}'
expect "$work/head" 'HTTP/1.1 403'
expect "$work/head" 'x-amzn-ErrorType: InvalidSignatureException'
signed sqs AKIDREADER:wrong / 'Action=ListQueues&Version=2012-11-05'
expect "$work/answer" '<Code>SignatureDoesNotMatch</Code>'
signed lambda AKIDREADER:s3cr3t/key+1 $run_c '{"curl": 1}'
expect "$work/answer" '{"curl": 1}'
as AKIDREADER s3cr3t/key+1 aws_invoke "arn:aws:lambda:us-east-1:000000000000:function:c:\$LATEST" '{"signed": 1}'
expect "$work/answer" '{"signed": 1}'
printf 'sources: {here: {type: aws, region: us-east-1, endpoint: "%s"}}\n' "$endpoint" > "$work/sources.yaml"
as AKIDREADER s3cr3t/key+1 "$program" collect --config "$work/sources.yaml" --store "$work/store" --once 2> "$work/got" ||
    fail "fnscope collect: $(cat "$work/got")"
"$program" query functions --store "$work/store" --since 1h > "$work/got"
expect "$work/got" 'py'
stop_executor
check_nothing_left
echo "functions in three languages and a runtime of its own behaved"
