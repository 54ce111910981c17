"""fnexec_streams.py ENDPOINT PID: see fnexec_streams.sh. Two functions stream, one by our bootstrap of Node.js and one
by the Runtime API; each is called through InvokeWithResponseStream and through a URL that streams."""
import http.client
import json
import socket
import struct
import sys
import time
import zlib
from urllib.parse import urlsplit

endpoint, pid = urlsplit(sys.argv[1]), sys.argv[2]
LIMIT = 200 << 20


def frames(answer):
    """(event type, payload) of each event, checksums verified."""
    while head := answer.read(12):
        total, headers, crc = struct.unpack('>III', head)
        assert zlib.crc32(head[:8]) == crc
        rest = answer.read(total - 12)
        assert struct.unpack('>I', rest[-4:])[0] == zlib.crc32(head + rest[:-4])
        names, at = {}, 0
        while at < headers:
            n = rest[at]
            name = rest[at + 1:at + 1 + n].decode()
            size = struct.unpack('>H', rest[at + 2 + n:at + 4 + n])[0]
            names[name] = rest[at + 4 + n:at + 4 + n + size].decode()
            at += 4 + n + size
        yield names[':event-type'], rest[headers:-4]


def connect():
    return http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=120)


class ByApi:
    """What InvokeWithResponseStream says: pieces, then how it ended."""
    def __init__(self, function, event):
        self.connection = connect()
        self.connection.request('POST', f'/2021-11-15/functions/{function}/response-streaming-invocations',
                                json.dumps(event))
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        self.error = None

    def pieces(self):
        for kind, payload in frames(self.answer):
            if kind == 'PayloadChunk':
                yield payload
                continue
            self.error = json.loads(payload).get('ErrorCode')
            return
        self.error = 'cut'


class ByUrl:
    def __init__(self, function, event):
        self.connection = connect()
        self.connection.request('POST', f'/lambda-url/{function}/', json.dumps(event))
        self.answer = self.connection.getresponse()
        self.error = None if self.answer.status == 203 else self.answer.status

    def pieces(self):
        try:
            while piece := self.answer.read1(65536):
                yield piece
        except http.client.IncompleteRead:
            self.error = 'cut'


def gather(call):
    return b''.join(call.pieces()), call.error


def report_of(function, text):
    """The lines of the function that hold the text."""
    c = connect()
    c.request('POST', '/', json.dumps({'logGroupName': f'/aws/lambda/{function}', 'filterPattern': f'"{text}"'}),
              {'X-Amz-Target': 'Logs_20140328.FilterLogEvents', 'Content-Type': 'application/x-amz-json-1.1'})
    return [e['message'] for e in json.load(c.getresponse()).get('events', [])]


def wait_for(what, ask):
    end = time.monotonic() + 30
    while not (found := ask()):
        assert time.monotonic() < end, f'waited in vain for {what}'
        time.sleep(0.02)
    return found


def memory_kb():
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmHWM'))


def is_sanitized():
    """Sanitizers keep what is freed: memory says nothing there."""
    with open(f'/proc/{pid}/exe', 'rb') as f:
        return b'__asan_init' in f.read()


# --- the checks ---

def check_first_piece_comes_early(call, function):
    c = call(function, {'do': 'wait'})
    pieces = c.pieces()
    assert next(pieces) == b'one,'
    first = time.monotonic()
    assert b''.join(pieces) == b'two' and c.error is None
    assert time.monotonic() - first > 0.3  # the function waits 1.5 s between the two


def check_ends(call, function):
    by_api = call is ByApi
    for do, code in (('fail', 'Error'), ('exit', 'Runtime.ExitError'), ('hang', 'Sandbox.Timedout')):
        text, error = gather(call(function, {'do': do}))
        assert text == b'one,', (do, text)
        assert error == (code if by_api else 'cut'), (do, error)
    assert gather(call(function, {'do': 'nothing'})) == (b'', None)
    text, error = gather(call(function, {'do': 'fail-first'}))
    assert (text, error) == (b'', 'Error') if by_api else error == 502, (text, error)


def check_client_gone(call, function):
    before = len(report_of(function, 'all of it'))
    c = call(function, {'do': 'big', 'bytes': 20 << 20})
    next(c.pieces())
    c.answer.close()
    c.connection.close()
    wait_for('the function to end', lambda: len(report_of(function, 'all of it')) > before)


def check_slow_client(call, function):
    c = call(function, {'do': 'big', 'bytes': 48 << 20})
    got, pieces = 0, c.pieces()
    for _ in range(20):
        got += len(next(pieces))
        time.sleep(0.03)
    got += sum(map(len, pieces))
    assert got == 48 << 20 and c.error is None, (got, c.error)


def check_limit(call, function):
    c = call(function, {'do': 'big', 'bytes': LIMIT + (1 << 20)})
    got = sum(map(len, c.pieces()))
    assert LIMIT - (1 << 20) < got <= LIMIT, got
    assert c.error == ('Function.ResponseSizeTooLarge' if call is ByApi else 'cut'), c.error


def check_buffered(function):
    c = connect()
    c.request('POST', f'/2015-03-31/functions/{function}/invocations', json.dumps({'do': 'big', 'bytes': 7 << 20}))
    answer = c.getresponse()
    assert json.load(answer)['errorType'] == 'Function.ResponseSizeTooLarge'


def check_spans():
    lines = [json.loads(m)['record'] for m in report_of('node', 'platform.runtimeDone')]
    done = next(r for r in lines if r['metrics']['producedBytes'] == 7 and r['status'] == 'success')
    spans = {s['name']: s['durationMs'] for s in done['spans']}
    assert list(spans) == ['responseLatency', 'responseDuration', 'runtimeOverhead'], spans
    assert 1400 < spans['responseDuration'] < done['metrics']['durationMs'], spans
    assert abs(sum(spans.values()) - done['metrics']['durationMs']) < 0.01, (spans, done)


def check_truncated():
    """The Runtime API's connection breaks, and the runtime goes on."""
    assert gather(ByApi('api', {'do': 'truncate'})) == (b'one,', 'Runtime.TruncatedResponse')
    assert gather(ByApi('api', {'do': 'nothing'})) == (b'', None)


def check_head_request():
    s = socket.create_connection((endpoint.hostname, endpoint.port))
    s.sendall(b'HEAD /lambda-url/node/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    text = b''
    while piece := s.recv(65536):
        text += piece
    assert text.startswith(b'HTTP/1.1 203') and text.endswith(b'\r\n\r\n'), text


for name in ('node', 'api'):
    for way in (ByApi, ByUrl):
        check_first_piece_comes_early(way, name)
        check_ends(way, name)
        check_client_gone(way, name + '-long')
        check_slow_client(way, name + '-long')
    check_buffered(name + '-long')
check_spans()
check_truncated()
check_head_request()
check_limit(ByApi, 'node-long')
check_limit(ByUrl, 'api-long')
for answer in (gather(ByApi('whole', {}))[0], ByUrl('whole', {}).answer.read()):
    assert json.loads(answer) == {'statusCode': 201}, answer  # as on AWS: RESPONSE_STREAM looks into no answer
assert is_sanitized() or memory_kb() < 96 << 10, f'{memory_kb()} KB'
print(f'streams arrived piece by piece; fnexec held {memory_kb()} KB at most')
