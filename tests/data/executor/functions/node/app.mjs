// The same for Node.js.
export const handler = async (event, context) => {
  console.log('event of', context.awsRequestId);
  if (event.sleep) await new Promise((done) => setTimeout(done, event.sleep));
  if (event.fail) throw new TypeError(event.fail);
  return { event };
};

export const url = async (event) => ({
  statusCode: 201,
  headers: { 'content-type': 'text/plain', 'x-path': event.rawPath },
  cookies: ['a=1', 'b=2'],
  body: `${event.requestContext.http.method} ${event.rawQueryString} ${event.body ?? ''}`,
});

/* global awslambda */
export const streams = awslambda.streamifyResponse(async (event, stream) => {
  if (event.fail) throw new TypeError(event.fail);
  const head = { statusCode: 418, headers: { 'x-path': event.rawPath ?? '' }, cookies: ['a=1'] };
  if (event.rawPath !== '/plain') stream = awslambda.HttpResponseStream.from(stream, head);
  if (event.parts) {
    event.parts.forEach((part) => stream.write(part));
    return stream.end();
  }
  stream.write('one,');
  await new Promise((done) => setTimeout(done, 10));
  stream.write(Buffer.from([0, 255]));
  stream.end();
});

export const callback = (event, context, done) => done(null, 'called back');
