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

export const callback = (event, context, done) => done(null, 'called back');
