// Runs a Node.js handler for fnexec: frames on descriptors 3 and 4 (executor/frame_proto.h).
// Started in the function's folder; _HANDLER names module.function.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import util from 'node:util';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const env = process.env;
const jsonLogs = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
const root = process.cwd();
const REQUESTS_FD = 3, ANSWERS_FD = 4;
const TAKEN = 'K'.charCodeAt(0);
// Pieces are handed over in one buffer that is used again and again: no stream in between.
const requests = new net.Socket({ fd: REQUESTS_FD, readable: true, writable: false,
                                  onread: { buffer: Buffer.allocUnsafe(65536), callback: take } });
let requestId = '';
let handler = null;
let pending = null;

// Straight to the descriptor: fnexec reads at once, so a frame that must wait for room does not wait long.
function write(frame) {
  for (let at = 0; at < frame.length;) at += fs.writeSync(ANSWERS_FD, frame, at);
}

function send(kind, payload) {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const frame = Buffer.allocUnsafe(5 + body.length);
  frame.writeUInt32LE(body.length + 1, 0);
  frame[4] = kind.charCodeAt(0);
  body.copy(frame, 5);
  write(frame);
}

function sendText(kind, text) {
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(5 + size);
  frame.writeUInt32LE(size + 1, 0);
  frame[4] = kind.charCodeAt(0);
  frame.utf8Write(text, 5);
  write(frame);
}

// --- console: one log event a call, in the form of Lambda's own runtime ---

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const lowest = jsonLogs ? Math.max(0, LEVELS.indexOf(env.AWS_LAMBDA_LOG_LEVEL ?? 'INFO')) : 0;

function errorFields(e) {
  return { errorType: e?.name ?? 'UnknownError', errorMessage: e?.message ?? String(e),
           stackTrace: typeof e?.stack === 'string' ? e.stack.split('\n') : [] };
}

function jsonLine(level, args) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  if (args.length === 1 && typeof args[0] === 'object' && args[0] !== null && !(args[0] instanceof Error))
    line.message = args[0];
  else
    line.message = util.format(...args);
  const error = args.find((a) => a instanceof Error);
  if (error) Object.assign(line, errorFields(error));
  return JSON.stringify(line);
}

function emit(level, args) {
  if (LEVELS.indexOf(level) < lowest) return;
  const text = jsonLogs ? jsonLine(level, args)
    : `${new Date().toISOString()}\t${requestId || 'undefined'}\t${level}\t${util.format(...args)}`;
  sendText('L', text + '\n');
}

for (const [name, level] of [['trace', 'TRACE'], ['debug', 'DEBUG'], ['info', 'INFO'], ['log', 'INFO'],
                             ['warn', 'WARN'], ['error', 'ERROR']])
  console[name] = (...args) => emit(level, args);

// --- errors ---

function toError(e) {
  const fields = errorFields(e);
  return { errorType: fields.errorType, errorMessage: fields.errorMessage, trace: fields.stackTrace };
}

function sendError(kind, error) {
  const name = Buffer.from(error.errorType);
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(name.length, 0);
  send(kind, Buffer.concat([head, name, Buffer.from(JSON.stringify(error))]));
}

function logUnhandled(label, error) {
  const line = { errorType: error.errorType, errorMessage: error.errorMessage, stack: error.trace };
  if (jsonLogs)
    sendText('L', JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', requestId,
                                   message: line }) + '\n');
  else
    sendText('L', `${new Date().toISOString()}\t${requestId || 'undefined'}\tERROR\t${label} \t` +
                  `${JSON.stringify(line)}\n`);
}

function die(kind, label, e, type) {
  if (streaming) streaming.isOver = true;
  const error = toError(e);
  if (type) error.errorType = type;
  logUnhandled(label, error);
  sendError(kind, error);
  process.exit(1);
}

// --- the handler ---

function initErrorType(e) {
  if (e instanceof SyntaxError) return 'Runtime.UserCodeSyntaxError';
  if (e?.code === 'MODULE_NOT_FOUND' || e?.code === 'ERR_MODULE_NOT_FOUND') return 'Runtime.ImportModuleError';
  return e?.name === 'HandlerNotFound' ? 'Runtime.HandlerNotFound' : e?.name ?? 'Runtime.Unknown';
}

function notFound(message) {
  const e = new Error(message);
  e.name = 'HandlerNotFound';
  return e;
}

async function loadModule(file) {
  for (const ext of ['.js', '.cjs'])
    if (fs.existsSync(file + ext)) {
      try {
        return createRequire(file + ext)(file + ext);
      } catch (e) {
        if (e?.code !== 'ERR_REQUIRE_ESM') throw e;
        return import(pathToFileURL(file + ext));
      }
    }
  if (fs.existsSync(file + '.mjs')) return import(pathToFileURL(file + '.mjs'));
  const e = new Error(`Cannot find module '${file}'`);
  e.code = 'MODULE_NOT_FOUND';
  throw e;
}

async function loadHandler(name) {
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot < 0) throw notFound(`Bad handler ${name}: module.function is expected`);
  const file = path.resolve(root, path.dirname(name), base.slice(0, dot));
  let found = await loadModule(file);
  for (const part of base.slice(dot + 1).split('.'))
    found = found?.[part] ?? found?.default?.[part];
  if (typeof found !== 'function') throw notFound(`${name} is undefined or not exported`);
  return found;
}

// --- invocations ---

function parse(frame) {
  const fields = [];
  let at = 9;
  for (let i = 0; i < 5; i++) {
    const size = frame.readUInt32LE(at);
    fields.push(size === 0 ? '' : frame.toString('utf8', at + 4, at + 4 + size));
    at += 4 + size;
  }
  return { deadline: Number(frame.readBigInt64LE(1)), fields, event: frame.toString('utf8', at) };
}

const always = {
  callbackWaitsForEmptyEventLoop: true,
  functionName: env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
  memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
};

class Context {
  #deadline;
  constructor(call) {
    Object.assign(this, always);
    this.awsRequestId = call.fields[0];
    this.invokedFunctionArn = call.fields[1];
    if (call.fields[3]) this.clientContext = JSON.parse(call.fields[3]);
    if (call.fields[4]) this.identity = JSON.parse(call.fields[4]);
    this.#deadline = call.deadline;
  }
  getRemainingTimeInMillis() { return this.#deadline - Date.now(); }
}

// One byte more than an answer may have tells as much as all of a larger one.
const mostBytes = 6 * 1024 * 1024 + 101;

function succeed(result) {
  const text = JSON.stringify(result === undefined ? null : result) ?? 'null';
  if (text.length * 3 < mostBytes) sendText('O', text);
  else send('O', Buffer.from(text).subarray(0, mostBytes));
}

function fail(e) {
  const error = toError(e);
  logUnhandled('Invoke Error', error);
  sendError('E', error);
}

// --- handlers that stream: each piece goes out as it is written; fnexec says how much it has taken off ---

const STREAMS = Symbol('streams');
const HEAD_TYPE = 'application/vnd.awslambda.http-integration-response';
const WINDOW = 256 * 1024, PIECE = 64 * 1024; // executor/frame_proto.h
let streaming = null;

class ResponseStream extends Writable {
  contentType = 'application/octet-stream';
  #isBegun = false;
  #room = WINDOW;
  #resume = null;
  isOver = false;
  setContentType(type) { this.contentType = type; }
  // As aws-lambda-ric: whatever is neither text nor bytes goes as JSON.
  write(piece, ...rest) {
    const isPlain = typeof piece === 'string' || piece?.constructor === Uint8Array || Buffer.isBuffer(piece);
    return super.write(isPlain ? piece : JSON.stringify(piece), ...rest);
  }
  #begin() {
    this.#isBegun = true;
    sendText('S', this.contentType);
    return this.head ? [this.head, Buffer.alloc(8)] : [];
  }
  // As much as there is room for; the rest when fnexec has taken something off.
  #pass(bytes, done) {
    while (bytes.length > 0 && !this.isOver) {
      if (this.#room === 0) {
        this.#resume = () => this.#pass(bytes, done);
        return;
      }
      const piece = bytes.subarray(0, Math.min(PIECE, this.#room));
      this.#room -= piece.length;
      send('P', piece);
      bytes = bytes.subarray(piece.length);
    }
    done();
  }
  taken(size) {
    const resume = this.#resume;
    this.#room += size;
    this.#resume = null;
    resume?.();
  }
  _write(piece, encoding, done) {
    this.#pass(this.#isBegun ? piece : Buffer.concat([...this.#begin(), piece]), done);
  }
  _final(done) {
    this.#pass(this.#isBegun ? Buffer.alloc(0) : Buffer.concat(this.#begin()), done);
  }
}

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMS]: true }),
  HttpResponseStream: {
    from(stream, head) {
      stream.setContentType(HEAD_TYPE);
      stream.head = Buffer.from(JSON.stringify(head));
      return stream;
    },
  },
};

function runStreaming(call, failed) {
  const stream = new ResponseStream();
  const ended = new Promise((done, fails) => stream.on('finish', done).on('error', fails));
  const event = call.event === '' ? undefined : JSON.parse(call.event);
  const over = (answer) => (value) => {
    stream.isOver = true;
    streaming = null;
    answer(value);
  };
  streaming = stream;
  Promise.all([handler(event, stream, new Context(call)), ended])
    .then(over(() => send('Z', Buffer.alloc(0)))).catch(over(failed));
}

// A handler either returns a promise or takes a callback; whichever speaks first counts.
function run(frame) {
  const call = parse(frame);
  let isDone = false;
  const once = (answer) => (value) => {
    if (isDone) return;
    isDone = true;
    try { answer(value); } catch (e) { fail(e); }
  };
  const done = once(succeed), failed = once(fail);
  requestId = call.fields[0];
  if (call.fields[2]) env._X_AMZN_TRACE_ID = call.fields[2];
  try {
    if (handler[STREAMS]) return runStreaming(call, failed);
    const context = new Context(call);
    context.done = (e, value) => (e ? failed(e) : done(value));
    context.succeed = done;
    context.fail = failed;
    const result = handler(call.event === '' ? undefined : JSON.parse(call.event), context,
                           (e, value) => (e ? failed(e) : done(value)));
    if (typeof result?.then === 'function') result.then(done, failed);
    else if (handler.length < 3 && result !== undefined) done(result);
    else if (handler.length < 2 && result === undefined) done(undefined);
  } catch (e) {
    failed(e);
  }
}

// Called with each piece that is read. The buffer is the socket's: what stays is copied.
function take(size, buffer) {
  let data = buffer.subarray(0, size);
  if (pending) data = Buffer.concat([pending, data]);
  pending = null;
  while (data.length >= 4) {
    const end = 4 + data.readUInt32LE(0);
    if (data.length < end) break;
    if (data[4] === TAKEN) streaming?.taken(data.readUInt32LE(5));
    else run(data.subarray(4, end));
    data = data.subarray(end);
  }
  if (data.length > 0) pending = Buffer.from(data);
  return true;
}

function serve() {
  requests.on('end', () => process.exit(0));
  requests.on('error', () => process.exit(0));
  requests.resume();
  send('R', '');
}

process.on('uncaughtException', (e) => die('E', 'Uncaught Exception', e));
process.on('unhandledRejection', (e) => {
  const error = new Error(String(e?.message ?? e));
  error.name = 'Runtime.UnhandledPromiseRejection';
  error.stack = e?.stack;
  die('E', 'Unhandled Promise Rejection', error);
});

try {
  handler = await loadHandler(env._HANDLER);
  serve();
} catch (e) {
  die('X', 'Uncaught Exception', e, initErrorType(e));
}
