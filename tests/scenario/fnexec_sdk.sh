#!/bin/bash
# fnexec_sdk.sh PROGRAM TESTS_DIR EXECUTOR NPM: AWS's own Node.js runtime client (npm aws-lambda-ric, unmodified) as
# the bootstrap of a function, driven by the clients of @aws-sdk. NPM holds node_modules.
executor=$3
npm=$4
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$(dirname "$0")/fnexec_lib.sh"
mkdir "$work/ric"
printf '#!/bin/sh\nexec node %s/node_modules/.bin/aws-lambda-ric app.handler\n' "$npm" > "$work/ric/bootstrap"
chmod +x "$work/ric/bootstrap"
cat > "$work/ric/app.js" <<'JS'
exports.handler = async (event, context) => {
  console.log('asked by', context.awsRequestId);
  if (event.fail) throw new Error(event.fail);
  return { event, left: context.getRemainingTimeInMillis() > 0 };
};
JS
mkdir "$work/streams"
sed 's/app.handler/app.streams/' "$work/ric/bootstrap" > "$work/streams/bootstrap"
chmod +x "$work/streams/bootstrap"
cat > "$work/streams/app.js" <<'JS'
exports.streams = awslambda.streamifyResponse(async (event, stream) => {
  if (event.rawPath) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 203, headers: { 'x-a': 'b' } });
  stream.write('one,');
  await new Promise((done) => setTimeout(done, event.wait ?? 20));
  if (event.fail) throw new Error(event.fail);
  stream.write('two');
  stream.end();
});
JS
cat > "$work/functions.yaml" <<YAML
functions:
  ric: {runtime: provided, handler: app.handler, code: ric, timeout: 20s, tracing: true}
  streams: {runtime: provided, handler: app.streams, code: streams, timeout: 20s, triggers: [{type: http}]}
  streams-node: {runtime: nodejs, handler: app.streams, code: streams, timeout: 20s}
  stopped: {runtime: provided, handler: app.handler, code: ric, concurrency: 0}
YAML
start_executor "$work/functions.yaml"
NODE_PATH=$npm/node_modules node "$(dirname "$0")/fnexec_sdk.cjs" "$endpoint"
stop_executor
check_nothing_left
