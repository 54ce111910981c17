#!/bin/bash
# fnexec_queues.sh PROGRAM TESTS_DIR EXECUTOR: queues, triggers and metrics through Debian's awscli (Query/XML) and,
# where npm can install it, @aws-sdk/client-sqs (awsJson, checksums verified by the client).
set -euo pipefail
executor=$3
work=$(mktemp -d)
pid=
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-west-1 AWS_MAX_ATTEMPTS=1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
# The system's interpreters: shims of version managers take seconds to start.
export PATH=/usr/bin:/bin:$PATH

# shellcheck source=tests/scenario/aws_lib.sh
. "$(dirname "$0")/aws_lib.sh"
clean_up() {
    aws_client_end
    [ -z "$pid" ] || kill -KILL "$pid" 2> /dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
aws_client_start

fail() {
    echo "FAILED: $*" >&2
    tail -20 "$work/log" >&2
    exit 1
}

wait_for() { # command that succeeds within 30 s
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited for: $*"
        read -rt 0.1 <> <(:) || true
    done
}

cli() { aws_client --endpoint-url "$endpoint" --output text "$@" 2>> "$work/log"; }
expect() { # value, wanted, what
    [ "$1" = "$2" ] || fail "$3: \"$1\", expected \"$2\""
}
depth() { # queue: visible messages
    cli sqs get-queue-attributes --queue-url "$url/$1" --attribute-names ApproximateNumberOfMessages --query 'Attributes.*'
}
has_depth() { [ "$(depth "$1")" = "$2" ]; }
seen() { grep -qF "$1" "$work/seen" 2> /dev/null; }

mkdir "$work/code" "$work/inbox"
cat > "$work/code/app.py" << 'PY'
import json, os

def note(line):
    with open(os.environ["SEEN"], "a") as f:
        f.write(line + "\n")

def batch(e, context):
    failed = []
    for r in e["Records"]:
        note("batch " + r["body"] + " " + r["attributes"]["ApproximateReceiveCount"] + " " + r["eventSourceARN"])
        if r["body"].startswith("bad"):
            failed.append({"itemIdentifier": r["messageId"]})
    return {"batchItemFailures": failed}

def file(e, context):
    r = e["Records"][0]
    note(r["eventName"] + " " + r["s3"]["bucket"]["name"] + "/" + r["s3"]["object"]["key"])

def tick(e, context):
    note("tick " + json.dumps(e))

def fails(e, context):
    note("attempt " + context.aws_request_id)
    raise RuntimeError("no luck")
PY
cat > "$work/functions.yaml" << YAML
account: "123456789012"
region: eu-west-1
queues:
  orders: {visibility_timeout: 8s, dead_letter: orders-dead, max_receives: 2}
  plain: {}
  lost: {}
  records: {}
functions:
  batch: {runtime: python3.11, handler: app.batch, code: code, timeout: 2s, isolation: process,
          environment: {SEEN: $work/seen}, triggers: [{type: queue, queue: orders, report_failures: true}]}
  file: {runtime: python3.11, handler: app.file, code: code, timeout: 2s, isolation: process,
         environment: {SEEN: $work/seen},
         triggers: [{type: storage, folder: inbox, bucket: photos, suffix: .txt, events: both}]}
  fails: {runtime: python3.11, handler: app.fails, code: code, timeout: 5s, isolation: process,
          environment: {SEEN: $work/seen}, dlq: lost, async: {retries: 2, retry_wait: 300ms, on_failure: records}}
  soon: {runtime: python3.11, handler: app.tick, code: code, timeout: 2s, isolation: process,
         environment: {SEEN: $work/seen}, triggers: [{type: schedule, schedule: "at($(date -u -d '+10 sec' +%FT%T))",
                                                      input: '{"soon":1}'}]}
  tick: {runtime: python3.11, handler: app.tick, code: code, timeout: 2s, isolation: process,
         environment: {SEEN: $work/seen}, triggers: [{type: schedule, schedule: "at(2020-01-01T00:00:00)"},
                                                     {type: schedule, schedule: cron(* * * * ? *), input: '{"min":1}'}]}
YAML

start() {
    rm -f "$work/port"
    "$executor" serve "$work/functions.yaml" --port 0 --port-file "$work/port" --state "$work/state" \
        --scratch "$work/scratch" 2>> "$work/log" &
    pid=$!
    wait_for test -s "$work/port"
    endpoint=http://127.0.0.1:$(cat "$work/port")
    url=$endpoint/123456789012
}
stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "fnexec ended with status $?"
    pid=
}
start

# --- queues ---
expect "$(cli sqs list-queues --queue-name-prefix orders --query 'QueueUrls[]' | tr '\t' ' ')" \
    "$url/orders $url/orders-dead" "queues of the manifest"
expect "$(cli sqs list-dead-letter-source-queues --queue-url "$url/orders-dead" --query 'queueUrls[]')" "$url/orders" \
    "sources of the dead-letter queue"
expect "$(cli sqs create-queue --queue-name made --attributes VisibilityTimeout=60,DelaySeconds=0 --tags team=a)" \
    "$url/made" "a queue made"
expect "$(cli sqs list-queue-tags --queue-url "$url/made" --query 'Tags.team')" a "its tag"
cli sqs set-queue-attributes --queue-url "$url/made" --attributes VisibilityTimeout=45
expect "$(cli sqs get-queue-attributes --queue-url "$url/made" --attribute-names VisibilityTimeout \
    --query 'Attributes.*')" 45 "its visibility timeout"
! cli sqs get-queue-url --queue-name nowhere || fail "a queue that is not there was found"
grep -q 'AWS.SimpleQueueService.NonExistentQueue' "$work/log" || fail "no code of the missing queue"

# --- messages: text that XML must escape, attributes, batches, visibility, delete ---
cli sqs send-message --queue-url "$url/made" --message-body 'a <b> & "c" ü' --message-attributes \
    '{"n":{"DataType":"Number","StringValue":"7"},"raw":{"DataType":"Binary","BinaryValue":"AAEC"}}' > "$work/sent"
cli sqs receive-message --queue-url "$url/made" --attribute-names All --message-attribute-names n --query \
    'Messages[0].[Body,MessageAttributes.n.StringValue,Attributes.ApproximateReceiveCount,ReceiptHandle]' > "$work/got"
expect "$(cut -f1-3 "$work/got")" $'a <b> & "c" ü\t7\t1' "the message"
handle=$(cut -f4 "$work/got")
expect "$(depth made)" 0 "messages while one is in flight"
cli sqs receive-message --queue-url "$url/made" > "$work/got" || fail "a receive without messages"
expect "$(cat "$work/got")" "" "a receive without messages"
cli sqs change-message-visibility --queue-url "$url/made" --receipt-handle "$handle" --visibility-timeout 0
expect "$(depth made)" 1 "messages after its visibility was set to 0"
handle=$(cli sqs receive-message --queue-url "$url/made" --wait-time-seconds 5 --query 'Messages[0].ReceiptHandle')
cli sqs delete-message --queue-url "$url/made" --receipt-handle "$handle"
cli sqs send-message-batch --queue-url "$url/made" --entries Id=a,MessageBody=1 Id=b,MessageBody=2 > "$work/sent"
expect "$(depth made)" 2 "messages of a batch"
cli sqs purge-queue --queue-url "$url/made"
expect "$(depth made)" 0 "messages after a purge"
# --- what SQS refuses ---
call_sqs() { # operation, request
    curl -sS --noproxy '*' -D "$work/headers" -H "X-Amz-Target: AmazonSQS.$1" -H 'Content-Type: application/x-amz-json-1.0' -d "$2" "$endpoint/"
}
sqs_error() { # operation, input, error, HTTP status (400)
    call_sqs "$1" "$2" > "$work/out" || true
    expect "$(jq -r .__type "$work/out" | sed 's/.*#//')" "$3" "the answer of $1 to $2"
    [ "$3" = null ] || expect "$(head -1 "$work/headers" | cut -d' ' -f2)" "${4:-400}" "the status of $1 to $2"
}
made=$url/made
invalid=InvalidParameterValueException missing=MissingRequiredParameterException
sqs_error PurgeQueue "{\"QueueUrl\":\"$made\"}" PurgeQueueInProgress 403
sqs_error GetQueueAttributes "{\"QueueUrl\":\"$made\",\"AttributeNames\":[\"All\",\"Depth\"]}" InvalidAttributeName
for target in arn:aws:sqs:eu-west-1:123456789012:nowhere arn:aws:sqs:eu-west-1:123456789012:dead.fifo; do
    policy="{\\\"deadLetterTargetArn\\\":\\\"$target\\\",\\\"maxReceiveCount\\\":2}"
    sqs_error CreateQueue "{\"QueueName\":\"other\",\"Attributes\":{\"RedrivePolicy\":\"$policy\"}}" $invalid
    sqs_error SetQueueAttributes "{\"QueueUrl\":\"$made\",\"Attributes\":{\"RedrivePolicy\":\"$policy\"}}" $invalid
    cli sqs create-queue --queue-name dead.fifo --attributes FifoQueue=true > "$work/out"
done
expect "$(cli sqs list-queues --page-size 1 --query 'QueueUrls[]' | wc -l)" 7 "queues in pages"
cli sqs list-queues --starting-token orders > "$work/out" && fail "ListQueues took a token it never gave"
cli sqs delete-queue --queue-url "$url/dead.fifo"
for attribute in '"AWS.x":{"DataType":"String","StringValue":"1"}' '"amazon.x":{"DataType":"String","StringValue":"1"}' \
    '"n":{"DataType":"Number","StringValue":"x"}' '"n":{"DataType":"Number.int","StringValue":"1e"}'; do
    sqs_error SendMessage "{\"QueueUrl\":\"$made\",\"MessageBody\":\"b\",\"MessageAttributes\":{$attribute}}" $invalid
done
sqs_error SendMessage "{\"QueueUrl\":\"$made\",\"MessageBody\":\"b\",\"MessageAttributes\":{
    \"n\":{\"DataType\":\"Number\",\"StringValue\":\"-1.5e+3\"}}}" null
own="{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:eu-west-1:123456789012:made\\\",\\\"maxReceiveCount\\\":2}"
# What the client is told: operation, members beside the queue's URL, error.
while IFS='|' read -r operation members error; do
    sqs_error "$operation" "{\"QueueUrl\":\"$made\"$members}" "$error"
done << TABLE
SetQueueAttributes|,"Attributes":{"RedrivePolicy":"$own"}|$invalid
SetQueueAttributes|,"Attributes":{"FifoQueue":"true"}|InvalidAttributeName
SetQueueAttributes|,"Attributes":{"Policy":"{"}|InvalidAttributeValue
SetQueueAttributes|,"Attributes":{"RedriveAllowPolicy":"{}"}|InvalidAttributeValue
SetQueueAttributes|,"Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\":\"byQueue\"}"}|InvalidAttributeValue
AddPermission|,"Label":"l","Actions":["*"]|$missing
AddPermission|,"Label":"a b","AWSAccountIds":["1"],"Actions":["*"]|$invalid
RemovePermission|,"Label":"none"|$invalid
SendMessage|,"MessageBody":"b","MessageSystemAttributes":{"Other":{"DataType":"String","StringValue":"x"}}|$invalid
SetQueueAttributes|,"Attributes":{"VisibilityTimeout":"x"}|InvalidAttributeValue
CreateQueue|,"QueueName":"other","Attributes":{"ContentBasedDeduplication":"true"}|InvalidAttributeName
CreateQueue|,"QueueName":"other","Attributes":{"DeduplicationScope":"queue"}|InvalidAttributeName
CreateQueue|,"QueueName":"made","Attributes":{"DelaySeconds":"7"}|QueueNameExists
CreateQueue||$missing
GetQueueUrl||$missing
GetQueueUrl|,"QueueName":"nowhere"|QueueDoesNotExist
ReceiveMessage|,"MessageSystemAttributeNames":["Nope"]|InvalidAttributeName
ReceiveMessage|,"MessageSystemAttributeNames":["VisibilityTimeout"]|InvalidAttributeName
ReceiveMessage|,"AttributeNames":["Nope"]|InvalidAttributeName
ReceiveMessage|,"AttributeNames":["VisibilityTimeout","All"],"MessageSystemAttributeNames":["AWSTraceHeader"]|null
ReceiveMessage|,"MaxNumberOfMessages":11|$invalid
ReceiveMessage|,"WaitTimeSeconds":21|$invalid
ReceiveMessage|,"ReceiveRequestAttemptId":"a"|$invalid
SendMessage||$missing
SendMessage|,"MessageBody":""|$missing
SendMessage|,"MessageBody":"b","DelaySeconds":901|$invalid
SendMessage|,"MessageBody":"b","MessageGroupId":"a b"|$invalid
SendMessage|,"MessageBody":"b","MessageDeduplicationId":"a"|$invalid
SendMessageBatch|,"Entries":[]|EmptyBatchRequest
SendMessageBatch|,"Entries":[{"Id":"a","MessageBody":"b"},{"Id":"a","MessageBody":"b"}]|BatchEntryIdsNotDistinct
SendMessageBatch|,"Entries":[{"Id":"a b","MessageBody":"b"}]|InvalidBatchEntryId
DeleteMessage||$missing
ChangeMessageVisibility|,"ReceiptHandle":"x"|$missing
TABLE
for operation in DeleteMessage ChangeMessageVisibility; do
    sqs_error $operation "{\"QueueUrl\":\"$made\",\"ReceiptHandle\":\"x\",\"VisibilityTimeout\":1}" ReceiptHandleIsInvalid 404
done
sqs_error SendMessage "{\"QueueUrl\":\"$endpoint/999999999999/made\",\"MessageBody\":\"b\"}" QueueDoesNotExist
# A dead-letter queue that lets nobody in.
cli sqs create-queue --queue-name closed --attributes '{"RedriveAllowPolicy":"{\"redrivePermission\":\"denyAll\"}"}' > "$work/out"
closed="{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:eu-west-1:123456789012:closed\\\",\\\"maxReceiveCount\\\":\\\"2\\\"}"
sqs_error SetQueueAttributes "{\"QueueUrl\":\"$made\",\"Attributes\":{\"RedrivePolicy\":\"$closed\"}}" $invalid
by_queue='{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"arn:aws:sqs:eu-west-1:123456789012:made\"]}'
cli sqs set-queue-attributes --queue-url "$url/closed" --attributes "{\"RedriveAllowPolicy\":\"$by_queue\"}"
sqs_error SetQueueAttributes "{\"QueueUrl\":\"$made\",\"Attributes\":{\"RedrivePolicy\":\"$closed\"}}" null
sqs_error SetQueueAttributes "{\"QueueUrl\":\"$made\",\"Attributes\":{\"RedrivePolicy\":\"\"}}" null
cli sqs delete-queue --queue-url "$url/closed"
# Its name is free again after a minute; a queue that exists is no new one.
sqs_error CreateQueue '{"QueueName":"closed"}' QueueDeletedRecently
grep -qi '^x-amzn-query-error: AWS.SimpleQueueService.QueueDeletedRecently;Sender' "$work/headers" || fail "its old name"
! cli sqs create-queue --queue-name closed || fail "a queue deleted a moment ago was made again"
grep -qF 'QueueDeletedRecently) when calling the CreateQueue' "$work/log" || fail "what create-queue says: $(tail -3 "$work/log")"
# One kind of encryption at a time: the one that is set last.
sqs_error SetQueueAttributes "{\"QueueUrl\":\"$made\",\"Attributes\":{\"KmsMasterKeyId\":\"alias/a\",\"SqsManagedSseEnabled\":\"true\"}}" \
    InvalidAttributeValue
encryption() {
    cli sqs set-queue-attributes --queue-url "$made" --attributes "$1"
    cli sqs get-queue-attributes --queue-url "$made" --attribute-names KmsMasterKeyId SqsManagedSseEnabled \
        --query '[Attributes.KmsMasterKeyId,Attributes.SqsManagedSseEnabled]'
}
expect "$(encryption KmsMasterKeyId=alias/a | xargs)" "alias/a false" "encryption by a key of KMS"
expect "$(encryption SqsManagedSseEnabled=true | xargs)" "None true" "encryption by SQS"
# Permissions are kept in the policy as AWS writes it.
policy() { cli sqs get-queue-attributes --queue-url "$made" --attribute-names Policy --query Attributes.Policy; }
cli sqs add-permission --queue-url "$made" --label one --aws-account-ids 123456789012 --actions ReceiveMessage
cli sqs add-permission --queue-url "$made" --label two --aws-account-ids 1 2 --actions SendMessage DeleteMessage
! cli sqs add-permission --queue-url "$made" --label one --aws-account-ids 1 --actions SendMessage || fail "a label twice"
expect "$(policy | jq -c .Statement)" '[{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"SQS:ReceiveMessage","Resource":"arn:aws:sqs:eu-west-1:123456789012:made"},{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::1:root","arn:aws:iam::2:root"]},"Action":["SQS:SendMessage","SQS:DeleteMessage"],"Resource":"arn:aws:sqs:eu-west-1:123456789012:made"}]' \
    "the policy of a queue"
for label in one two; do cli sqs remove-permission --queue-url "$made" --label $label; done
expect "$(policy)" None "the policy without permissions"
# The same in the Query protocol, whose errors have their old names.
query_error() { # fields, error
    curl -sS --noproxy '*' -d "Version=2012-11-05&QueueUrl=$made&$1" "$endpoint/" > "$work/out"
    grep -qF "<Code>$2</Code>" "$work/out" || fail "the answer to $1: $(cat "$work/out")"
}
query_error Action=ReceiveMessage'&MessageSystemAttributeName.1=Nope' InvalidAttributeName
query_error Action=ReceiveMessage'&AttributeName.1=Nope' InvalidAttributeName
query_error Action=ReceiveMessage'&MaxNumberOfMessages=11' InvalidParameterValue
query_error Action=SendMessage MissingParameter
query_error Action=SendMessage'&MessageBody=a%00b' InvalidMessageContents
attribute='&MessageBody=b&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.'
query_error "Action=SendMessage${attribute}Name=a%00b&MessageAttribute.1.Value.StringValue=v" InvalidParameterValue
query_error "Action=SendMessage${attribute}Name=a&MessageAttribute.1.Value.StringValue=v%00" InvalidParameterValue
purge_again() { call_sqs PurgeQueue "{\"QueueUrl\":\"$made\"}" > "$work/out" || true; } # the first may be over a minute ago
purge_again
query_error Action=PurgeQueue AWS.SimpleQueueService.PurgeQueueInProgress
query_error Action=SendMessageBatch AWS.SimpleQueueService.EmptyBatchRequest
query_error Action=GetQueueUrl'&QueueName=nowhere' AWS.SimpleQueueService.NonExistentQueue
grep -qF 'does not exist for this wsdl version.' "$work/out" || fail "the words of the Query protocol"

# --- a FIFO queue: groups and identifiers, a receive that is repeated, a receipt that is too old ---
cli sqs create-queue --queue-name f.fifo --attributes FifoQueue=true,VisibilityTimeout=1 > "$work/out"
fifo="{\"QueueUrl\":\"$url/f.fifo\""
sqs_error SendMessage "$fifo,\"MessageBody\":\"b\"}" $missing
sqs_error SendMessage "$fifo,\"MessageBody\":\"b\",\"MessageGroupId\":\"g\"}" $invalid
sqs_error SendMessage "$fifo,\"MessageBody\":\"b\",\"MessageGroupId\":\"g\",\"MessageDeduplicationId\":\"d\",\"DelaySeconds\":2}" $invalid
sqs_error SendMessageBatch "$fifo,\"Entries\":[{\"Id\":\"a\",\"MessageBody\":\"b\"}]}" $invalid
sqs_error SetQueueAttributes "$fifo,\"Attributes\":{\"FifoQueue\":\"false\"}}" InvalidAttributeValue
sqs_error ReceiveMessage "$fifo,\"ReceiveRequestAttemptId\":\"a b\"}" $invalid
call_sqs SendMessage "$fifo,\"MessageBody\":\"one\",\"MessageGroupId\":\"g\",\"MessageDeduplicationId\":\"d\"}" > "$work/out"
receive="$fifo,\"ReceiveRequestAttemptId\":\"try\",\"VisibilityTimeout\":20,\"MessageSystemAttributeNames\":[\"All\"]}"
call_sqs ReceiveMessage "$receive" > "$work/first"
call_sqs ReceiveMessage "$receive" > "$work/second"
expect "$(jq -r '.Messages[0].Body' "$work/first")" one "a message of a FIFO queue"
cmp "$work/first" "$work/second" || fail "a repeated receive gave other messages: $(cat "$work/second")"
handle=$(jq -r '.Messages[0].ReceiptHandle' "$work/first")
call_sqs ChangeMessageVisibility "$fifo,\"ReceiptHandle\":\"$handle\",\"VisibilityTimeout\":0}" > "$work/out"
sqs_error DeleteMessage "$fifo,\"ReceiptHandle\":\"$handle\"}" $invalid
call_sqs ReceiveMessage "$receive" > "$work/second"
expect "$(jq -r '.Messages[0].Attributes.ApproximateReceiveCount' "$work/second")" 2 "receives, as it is no repetition now"
cli sqs delete-queue --queue-url "$url/f.fifo"

# --- a purge is remembered over a restart ---
purge_again
stop
start
made=$url/made
sqs_error PurgeQueue "{\"QueueUrl\":\"$made\"}" PurgeQueueInProgress 403
cli sqs delete-queue --queue-url "$url/made"

# --- the queue trigger: partial failures, redrive, and back again ---
cli sqs send-message-batch --queue-url "$url/orders" --entries Id=a,MessageBody=good1 Id=b,MessageBody=bad1 > "$work/sent"
wait_for seen "batch good1 1 arn:aws:sqs:eu-west-1:123456789012:orders"
wait_for has_depth orders-dead 1
seen "batch bad1 2" || fail "the failed message did not come twice"
! seen "batch good1 2" || fail "the processed message came again"

# Move tasks, which Debian's awscli does not know yet: in JSON.
call_sqs GetQueueUrl '{"QueueName":"nowhere"}' | jq -e '.__type == "com.amazonaws.sqs#QueueDoesNotExist"' > /dev/null ||
    fail "the type of an error"
dead='{"SourceArn":"arn:aws:sqs:eu-west-1:123456789012:orders-dead"}'
moved() { call_sqs ListMessageMoveTasks "$dead" | jq -e '.Results[0] | .Status == "COMPLETED" and .ApproximateNumberOfMessagesMoved == 1' > /dev/null; }
times() { [ "$(grep -c "^batch bad1 " "$work/seen")" -ge "$1" ]; }
handle=$(call_sqs StartMessageMoveTask "$dead" | jq -r .TaskHandle)
case $handle in '' | null) fail "no task" ;; esac
wait_for moved
wait_for times 3
call_sqs CancelMessageMoveTask "{\"TaskHandle\":\"$handle\"}" | jq -e '.__type' > /dev/null || fail "a task that has ended was cancelled"
call_sqs StartMessageMoveTask '{"SourceArn":"arn:aws:sqs:eu-west-1:123456789012:plain"}' | jq -e '.__type' > /dev/null ||
    fail "messages were moved from a queue that is nobody's dead-letter queue"

# --- an event that fails: every attempt under one request id, then the dead-letter queue and the record ---
cli lambda invoke --function-name fails --invocation-type Event --cli-binary-format raw-in-base64-out --payload '{"n":7}' \
    "$work/answer" > "$work/accepted"
expect "$(cut -f1 "$work/accepted")" 202 "an event's acceptance"
wait_for has_depth lost 1
wait_for has_depth records 1
expect "$(grep -c '^attempt ' "$work/seen")" 3 "attempts"
id=$(grep '^attempt ' "$work/seen" | sort -u | cut -d' ' -f2)
expect "$(cli sqs receive-message --queue-url "$url/lost" --message-attribute-names All --query \
    'Messages[0].[Body,MessageAttributes.RequestID.StringValue,MessageAttributes.ErrorCode.StringValue,MessageAttributes.ErrorMessage.StringValue]')" \
    "{\"n\":7}"$'\t'"$id"$'\t200\tno luck' "the lost event"
cli sqs receive-message --queue-url "$url/records" --query 'Messages[0].Body' |
    jq -e --arg id "$id" '.requestContext | .requestId == $id and .condition == "RetriesExhausted" and .approximateInvokeCount == 3' \
    > /dev/null || fail "the record of the failure"

# --- storage, schedule ---
echo x > "$work/inbox/one file.txt"
echo x > "$work/inbox/other.dat"
wait_for seen "ObjectCreated:Put photos/one+file.txt"
rm "$work/inbox/one file.txt"
wait_for seen "ObjectRemoved:Delete photos/one+file.txt"
! seen other.dat || fail "a file of another suffix came"
wait_for seen 'tick {"soon": 1}'
stop
echo x > "$work/inbox/offline.txt"
start
wait_for seen "ObjectCreated:Put photos/offline.txt"
expect "$(grep -c 'tick' "$work/seen" 2> /dev/null || true)" "$(grep -cE '"(min|soon)": 1' "$work/seen" || true)" "ticks"
expect "$(grep -c '"soon"' "$work/seen")" 1 "a moment in the schedule, restarts included"

# --- metrics ---
from=$(date -u -d '15 min ago' +%FT%TZ) to=$(date -u -d '2 min' +%FT%TZ)
sum() { # metric of function
    cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name "$1" --dimensions "Name=FunctionName,Value=$2" \
        --start-time "$from" --end-time "$to" --period 3600 --statistics Sum --query 'sum(Datapoints[].Sum)'
}
has_sum() { [ "$(sum "$1" "$2")" = "$3" ]; }
wait_for has_sum Invocations file 3.0
for range in "$to $from" "$from $from" "2020-01-01T00:00:00Z $to"; do
    cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Errors --start-time "${range% *}" \
        --end-time "${range#* }" --period 60 --statistics Sum && fail "statistics of $range"
    tail -3 "$work/log" | grep -qE 'InvalidParameter(Value|Combination)' || fail "the error for statistics of $range"
done
expect "$(sum Errors file)" 0.0 "errors of file"
cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Duration --start-time "$from" --end-time "$to" \
    --dimensions Name=FunctionName,Value=file --period 3600 --statistics Minimum Maximum \
    --extended-statistics p0 p99.99 p100 --output json > "$work/out"
jq -e '.Datapoints | length > 0 and all(.Minimum == .ExtendedStatistics.p0 and .Maximum == .ExtendedStatistics.p100 and
    .ExtendedStatistics["p99.99"] <= .Maximum)' "$work/out" > "$work/err" || fail "percentiles: $(cat "$work/out")"
cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Duration --start-time "$from" --end-time "$to" \
    --period 60 --extended-statistics xm90 && fail "a statistic that is none"
tail -3 "$work/log" | grep -q 'Maximum, p0 to p100' || fail "the error for xm90"
cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Duration --start-time "$from" --end-time "$to" \
    --dimensions Name=FunctionName,Value=file --period 3600 --statistics Minimum Maximum --extended-statistics tm90 IQM 'PR(0:)' \
    --output json | jq -e '.Datapoints | length > 0 and all(.ExtendedStatistics as $x | .Minimum <= $x.tm90 and
        $x.tm90 <= .Maximum and $x.IQM <= .Maximum and $x["PR(0:)"] == 100)' > "$work/err" || fail "trimmed means"
in_unit() { # unit: how many values have it
    cli cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Duration --start-time "$from" --end-time "$to" \
        --period 3600 --statistics Sum --unit "$1" --query 'length(Datapoints)'
    cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --query 'length(MetricDataResults[].Values[])' \
        --metric-data-queries "[{\"Id\":\"a\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/Lambda\",\"MetricName\":\"Duration\"},\"Period\":3600,\"Stat\":\"Sum\",\"Unit\":\"$1\"}}]"
}
expect "$(in_unit Seconds | tr '\n' ' ')" "0 0 " "durations in seconds: no unit is converted"
in_unit Milliseconds | grep -q 0 && fail "no durations in milliseconds"
math() { # expression, query of the answer
    cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --query "$2" --metric-data-queries "$(jq -nc --arg e "$1" '
        def stat($id; $name): {Id: $id, ReturnData: false, MetricStat: {Period: 3600, Stat: "Sum", Metric: {Namespace: "AWS/Lambda",
            MetricName: $name, Dimensions: [{Name: "FunctionName", Value: "file"}]}}};
        [{Id: "x", Expression: $e, Label: "calculated"}, stat("i"; "Invocations"), stat("e"; "Errors")]')"
}
expect "$(math '100 * e / i + SUM(i)' 'MetricDataResults[].[Id,Label,sum(Values)]' | head -1 | cut -f1,2)" "x"$'\t'calculated "the result of an expression"
expect "$(math 'SUM(METRICS()) - i' 'sum(MetricDataResults[].Values[])')" 0.0 "SUM(METRICS())"
expect "$(math 'i + 0' 'sum(MetricDataResults[].Values[])')" 3.0 "an expression of one metric"
for expression in 'SEARCH(e)' 'i +' 'x + i' 'nobody' '1 + 1'; do
    ! math "$expression" Messages || fail "the expression $expression was calculated"
    tail -3 "$work/log" | grep -q "(ValidationError) when calling the GetMetricData operation.* Error in expression 'x': " ||
        fail "the error for the expression $expression: $(tail -3 "$work/log")"
done
expect "$(cli cloudwatch list-metrics --namespace AWS/SQS --metric-name NumberOfMessagesSent \
    --dimensions Name=QueueName,Value=orders --query 'Metrics[].MetricName')" NumberOfMessagesSent "a queue's metric"
expect "$(cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --metric-data-queries \
    '[{"Id":"a","MetricStat":{"Metric":{"Namespace":"AWS/Lambda","MetricName":"Invocations","Dimensions":[{"Name":"FunctionName","Value":"file"}]},"Period":3600,"Stat":"Sum"}}]' \
    --query 'sum(MetricDataResults[].Values[])')" 3.0 "GetMetricData"
stat='{"Metric":{"Namespace":"AWS/SQS","MetricName":"NumberOfMessagesSent"},"Period":60,"Stat":"Sum"}'
for ids in "a a" "A b" "1 b" "a-b c"; do
    cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --metric-data-queries \
        "[{\"Id\":\"${ids% *}\",\"MetricStat\":$stat},{\"Id\":\"${ids#* }\",\"MetricStat\":$stat}]" > "$work/out" &&
        fail "GetMetricData took the Ids $ids"
    tail -3 "$work/log" | grep -q ValidationError || fail "GetMetricData: the error for the Ids $ids"
done

expect "$(cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --metric-data-queries \
    "[{\"Id\":\"a\",\"ReturnData\":false,\"MetricStat\":$stat},{\"Id\":\"b\",\"MetricStat\":$stat}]" \
    --query 'MetricDataResults[].Id')" b "ReturnData false"
for token in 99.99 0.99 0.0; do
    cli cloudwatch get-metric-data --start-time "$from" --end-time "$to" --next-token $token --metric-data-queries \
        "[{\"Id\":\"a\",\"MetricStat\":$stat}]" > "$work/out" && fail "GetMetricData took the token $token"
    tail -3 "$work/log" | grep -q InvalidNextToken || fail "GetMetricData: the error for a foreign token"
done
cli cloudwatch list-metrics --starting-token 0 > "$work/out" && fail "ListMetrics took a token it never gave"
# Its own leads through all pages, but for no other question.
stat='{"Metric":{"Namespace":"AWS/SQS","MetricName":"NumberOfMessagesSent","Dimensions":[{"Name":"QueueName","Value":"orders"}]},
    "Period":60,"Stat":"Sum"}'
call_metrics() { # MaxDatapoints, more members
    curl -sS --noproxy '*' -H 'X-Amz-Target: GraniteServiceVersion20100801.GetMetricData' \
        -H 'Content-Type: application/x-amz-json-1.0' -d "{\"StartTime\":$(date -d "$from" +%s),\"EndTime\":$(date -d "$to" +%s),
        \"MaxDatapoints\":$1,\"MetricDataQueries\":[{\"Id\":\"a\",\"MetricStat\":$stat},{\"Id\":\"b\",\"MetricStat\":$stat}]$2}" "$endpoint/"
}
points() { jq '[.MetricDataResults[].Values[]] | length' "$1"; }
# A minute may pass in between, and a point come with it: then once more.
for _ in 1 2; do
    call_metrics 1000 '' > "$work/out"
    all=$(points "$work/out") sum=0 more=
    for _ in $(seq 50); do
        call_metrics 1 "$more" > "$work/out"
        sum=$((sum + $(points "$work/out")))
        token=$(jq -r .NextToken "$work/out")
        [ "$token" != null ] || break
        more=",\"NextToken\":\"$token\"" last=$token
    done
    [ "$sum" != "$all" ] || break
done
[ "$all" -ge 2 ] || fail "no points: $(cat "$work/out")"
expect "$sum" "$all" "points of all pages"
call_metrics 2 ",\"NextToken\":\"$last\"" > "$work/out"
grep -q InvalidNextToken "$work/out" || fail "GetMetricData: a token of another question"

# --- the SDK verifies the checksums ---
installed=$(cd "$2/.." && pwd)/build/npm # by .ci/run
[ ! -d "$installed/node_modules/@aws-sdk/client-sqs" ] || export SDK="$installed/x.js"
if [ -n "${SDK:-}" ] || (cd "$work" && npm install --silent --no-audit --no-fund --prefix "$work" @aws-sdk/client-sqs) > "$work/npm" 2>&1; then
    cat > "$work/sdk.mjs" << 'JS'
import { createRequire } from "node:module";
const require = createRequire(process.env.SDK || process.argv[2] + "/x.js");
const sqs = require("@aws-sdk/client-sqs");
const client = new sqs.SQSClient({ endpoint: process.argv[3], region: "eu-west-1" });
const send = (Command, input) => client.send(new Command({ QueueUrl: url, ...input }));
const url = process.argv[4] + "/plain";
const must = (is, what) => { if (!is) throw new Error(what); };

await send(sqs.SendMessageCommand, { MessageBody: "héllo <>&", MessageAttributes: {
  t: { DataType: "String", StringValue: "v" }, b: { DataType: "Binary", BinaryValue: Buffer.from([0, 1, 255]) } } });
const one = (await send(sqs.ReceiveMessageCommand, { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] })).Messages[0];
must(one.Body === "héllo <>&" && one.MessageAttributes.b.BinaryValue[2] === 255, "message");
await send(sqs.DeleteMessageCommand, { ReceiptHandle: one.ReceiptHandle });
const batch = await send(sqs.SendMessageBatchCommand, { Entries: [{ Id: "a", MessageBody: "1" }, { Id: "b", MessageBody: "" }] });
must(batch.Successful.length === 1 && batch.Failed[0].Id === "b", "batch");
const late = send(sqs.ReceiveMessageCommand, { WaitTimeSeconds: 10, MaxNumberOfMessages: 10 });
const got = await late;
must(got.Messages.length === 1, "batch received");
await send(sqs.DeleteMessageBatchCommand, { Entries: got.Messages.map((m, i) => ({ Id: `d${i}`, ReceiptHandle: m.ReceiptHandle })) });
const waiting = send(sqs.ReceiveMessageCommand, { WaitTimeSeconds: 20 });
await send(sqs.SendMessageCommand, { MessageBody: "wakes" });
must((await waiting).Messages[0].Body === "wakes", "long poll");
try {
  await client.send(new sqs.GetQueueUrlCommand({ QueueName: "nowhere" }));
  must(false, "a queue that is not there");
} catch (e) {
  must(e.name === "QueueDoesNotExist" || e.name === "AWS.SimpleQueueService.NonExistentQueue", e.name);
}
JS
    node "$work/sdk.mjs" "$work" "$endpoint" "$url" 2>> "$work/log" || fail "@aws-sdk/client-sqs"
else
    echo "@aws-sdk/client-sqs cannot be installed here: not run"
fi

# --- a manifest's queues: those made through the API count for serve, which has their state ---
cli sqs create-queue --queue-name elsewhere > "$work/out"
stop
cat > "$work/functions.yaml" << YAML
account: "123456789012"
region: eu-west-1
functions:
  reader: {runtime: python3.11, handler: app.batch, code: code, environment: {SEEN: $work/seen},
           triggers: [{type: queue, queue: elsewhere}]}
YAML
refused() { # program, its words
    local code=0
    "$@" 2> "$work/err" > "$work/out" || code=$?
    expect "$code" 2 "exit status of $2"
    expect "$(cat "$work/err")" "fnexec: $work/functions.yaml:5:37: queue: queue elsewhere does not exist: add it under queues" \
        "what $2 says"
}
refused "$executor" check "$work/functions.yaml"
refused "$executor" serve "$work/functions.yaml" --port 0 --state "$work/other-state" --scratch "$work/scratch"
start
stop
