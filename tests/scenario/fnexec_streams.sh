#!/bin/bash
# fnexec_streams.sh PROGRAM TESTS_DIR EXECUTOR: what functions stream goes on while they run: through
# InvokeWithResponseStream and through a function's URL, from our bootstrap of Node.js and from the Runtime API; what
# ends in the middle says so; slow clients slow the function down, clients that left do not end it.
executor=$3
# shellcheck source=tests/scenario/fnexec_lib.sh
. "$(dirname "$0")/fnexec_lib.sh"
command -v node > /dev/null || { echo "skipped: no node"; exit 0; }
mkdir "$work/node" "$work/api" "$work/whole"
cat > "$work/node/app.mjs" <<'JS'
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const drained = (stream) => new Promise((done) => stream.once('drain', done));
const acts = {
  async wait(stream) { stream.write('one,'); await pause(1500); stream.write('two'); },
  async fail(stream) { stream.write('one,'); await pause(50); throw new Error('in the middle'); },
  async exit(stream) { stream.write('one,'); await pause(50); process.exit(3); },
  async hang(stream) { stream.write('one,'); await pause(60000); },
  async nothing() {},
  async big(stream, event) {
    const piece = Buffer.alloc(100000, 'x');
    for (let left = event.bytes; left > 0; left -= piece.length)
      if (!stream.write(left < piece.length ? piece.subarray(0, left) : piece)) await drained(stream);
  },
};
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  if (event.rawPath) {
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: 203, headers: { 'x-a': 'b' } });
    event = JSON.parse(event.body ?? '{"do":"wait"}');
  }
  if (event.do === 'fail-first') throw new Error('before the first byte');
  await acts[event.do](stream, event);
  stream.end();
  if (event.do === 'big') stream.on('finish', () => console.log('all of it'));
});
JS
cat > "$work/api/bootstrap" <<'PY'
#!/usr/bin/env python3
# A runtime of its own: chunks written by hand, errors in trailers.
import base64, http.client, json, os, time
address = os.environ['AWS_LAMBDA_RUNTIME_API']
HEAD = 'application/vnd.awslambda.http-integration-response'

def run(event, call_id):
    in_url = 'rawPath' in event
    if in_url:
        event = json.loads(event['body'])
    c = http.client.HTTPConnection(address)
    c.putrequest('POST', f'/2018-06-01/runtime/invocation/{call_id}/response')
    for name, value in (('Lambda-Runtime-Function-Response-Mode', 'streaming'), ('Transfer-Encoding', 'chunked'),
                        ('Content-Type', HEAD if in_url else 'text/plain')):
        c.putheader(name, value)
    c.endheaders()
    write = lambda b: c.send(b'%x\r\n%s\r\n' % (len(b), b))
    act, trailer = event['do'], ''
    if in_url and act != 'fail-first':
        write(b'{"statusCode": 2')  # the head in two pieces
        write(b'03}' + bytes(8))
    if act in ('wait', 'fail', 'exit', 'hang', 'truncate'):
        write(b'one,')
    if act == 'wait':
        time.sleep(1.5)
        write(b'two')
    if act == 'exit':
        os._exit(3)
    if act == 'hang':
        time.sleep(60)
    if act == 'truncate':
        c.close()
        return
    if act == 'big':
        for at in range(0, event['bytes'], 65536):
            write(b'x' * min(65536, event['bytes'] - at))
    if act.startswith('fail'):
        body = base64.b64encode(b'{"errorMessage":"in the middle","errorType":"Error"}').decode()
        trailer = f'Lambda-Runtime-Function-Error-Type: Error\r\nLambda-Runtime-Function-Error-Body: {body}\r\n'
    c.send(b'0\r\n%s\r\n' % trailer.encode())
    c.getresponse().read()
    if act == 'big':
        print('all of it', flush=True)

while True:
    c = http.client.HTTPConnection(address)
    c.request('GET', '/2018-06-01/runtime/invocation/next')
    answer = c.getresponse()
    run(json.load(answer), answer.headers['Lambda-Runtime-Aws-Request-Id'])
PY
chmod +x "$work/api/bootstrap"
echo 'def handler(event, context): return {"statusCode": 201}' > "$work/whole/app.py"
node="runtime: nodejs20.x, handler: app.handler, code: node, memory: 512MB, log_format: json, system_log_level: debug"
api="runtime: provided.al2023, handler: none, code: api, memory: 512MB"
url="triggers: [{type: http, invoke_mode: response_stream}]"
cat > "$work/functions.yaml" <<YAML
functions:
  node: {$node, timeout: 4s, $url}
  api: {$api, timeout: 4s, $url}
  node-long: {$node, timeout: 120s, $url}
  api-long: {$api, timeout: 120s, $url}
  whole: {runtime: python3.11, handler: app.handler, code: whole, $url}
YAML
start_executor "$work/functions.yaml"
python3 "$(dirname "$0")/fnexec_streams.py" "$endpoint" "$executor_pid" || fail "streams"
grep -q '"InvokeMode":"RESPONSE_STREAM"' <(curl -sS "$endpoint/2021-10-31/functions/node/url") || fail "InvokeMode"
stop_executor
check_nothing_left
