// fnexec_sdk.cjs ENDPOINT: see fnexec_sdk.sh. Every call of the provider's that fnexec serves to collectors and tools.
const assert = require('node:assert');
const L = require('@aws-sdk/client-lambda');
const G = require('@aws-sdk/client-cloudwatch-logs');
const M = require('@aws-sdk/client-cloudwatch');
const Q = require('@aws-sdk/client-sqs');
const X = require('@aws-sdk/client-xray');

const config = { endpoint: process.argv[2], region: 'us-east-1', maxAttempts: 1,
                 credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const to = (service, Client, client = new Client(config)) =>
  (name, input = {}) => client.send(new service[name + 'Command'](input));
const lambda = to(L, L.LambdaClient), logs = to(G, G.CloudWatchLogsClient), metrics = to(M, M.CloudWatchClient);
const sqs = to(Q, Q.SQSClient), xray = to(X, X.XRayClient);
const text = (bytes) => Buffer.from(bytes).toString();
const invoke = (name, payload, more) =>
  lambda('Invoke', { FunctionName: name, Payload: JSON.stringify(payload), ...more });
const range = () => ({ StartTime: new Date(Date.now() - 600e3), EndTime: new Date(Date.now() + 120e3) });
const until = async (what, ask) => {
  for (const end = Date.now() + 20e3; Date.now() < end;) if (await ask()) return;
  assert.fail('waited in vain for ' + what);
};

const parts = {
  async invocations() {
    const fine = await invoke('ric', { a: 1 }, { LogType: 'Tail' });
    assert.equal(fine.StatusCode, 200);
    assert.equal(fine.ExecutedVersion, '$LATEST');
    assert.deepEqual(JSON.parse(text(fine.Payload)), { event: { a: 1 }, left: true });
    const tail = Buffer.from(fine.LogResult, 'base64').toString();
    assert.match(tail, /START RequestId: .*asked by .*END RequestId: .*REPORT RequestId: /s);

    const failed = await invoke('ric', { fail: 'boom' });
    assert.equal(failed.FunctionError, 'Unhandled');
    assert.equal(JSON.parse(text(failed.Payload)).errorMessage, 'boom');

    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => invoke('ric', { i })));
    many.forEach((m, i) => assert.equal(JSON.parse(text(m.Payload)).event.i, i));

    assert.equal((await invoke('ric', {}, { InvocationType: 'DryRun' })).StatusCode, 204);
    await assert.rejects(invoke('stopped', {}), (e) => e.name === 'TooManyRequestsException' &&
      e.Reason === 'ReservedFunctionConcurrentInvocationLimitExceeded');
    await assert.rejects(invoke('nothing', {}), { name: 'ResourceNotFoundException' });
  },
  async streams() {
    const ask = async (payload) => {
      const seen = { text: '', end: null };
      const answer = await lambda('InvokeWithResponseStream', { FunctionName: 'streams', Payload: JSON.stringify(payload),
                                                                LogType: 'Tail' });
      for await (const event of answer.EventStream)
        if (event.PayloadChunk) seen.text += text(event.PayloadChunk.Payload);
        else if (event.InvokeComplete) seen.end = event.InvokeComplete;
      return seen;
    };
    for (const FunctionName of ['streams', 'streams-node']) { // the first piece is here while the function still runs
      const answer = await lambda('InvokeWithResponseStream', { FunctionName, Payload: '{"wait":1000}' });
      const times = [];
      for await (const event of answer.EventStream) if (event.PayloadChunk) times.push(Date.now());
      assert.equal(times.length, 2);
      assert.ok(times[1] - times[0] > 500, `${FunctionName}: ${times[1] - times[0]} ms`);
    }
    const fine = await ask({});
    assert.equal(fine.text, 'one,two');
    assert.equal(fine.end.ErrorCode, undefined);
    assert.match(Buffer.from(fine.end.LogResult, 'base64').toString(), /START RequestId/);
    const cut = await ask({ fail: 'boom' }); // in the middle, by trailers
    assert.equal(cut.text, 'one,');
    assert.equal(cut.end.ErrorCode, 'Error');
    assert.equal(JSON.parse(cut.end.ErrorDetails).errorMessage, 'boom');
    assert.equal(text((await invoke('streams', {})).Payload), 'one,two');
    assert.equal((await invoke('streams', { fail: 'boom' })).FunctionError, 'Unhandled');
    const url = await fetch(process.argv[2] + '/lambda-url/streams/x');
    assert.equal(url.status, 203);
    assert.equal(url.headers.get('x-a'), 'b');
    assert.equal(await url.text(), 'one,two');
  },
  async controlPlane() {
    const functions = await lambda('ListFunctions');
    assert.deepEqual(functions.Functions.map((f) => f.FunctionName), ['ric', 'streams', 'streams-node', 'stopped']);
    const one = await lambda('GetFunctionConfiguration', { FunctionName: 'ric' });
    assert.equal(one.Timeout, 20);
    assert.equal((await lambda('GetFunctionConcurrency', { FunctionName: 'stopped' })).ReservedConcurrentExecutions, 0);
    assert.equal((await lambda('GetAccountSettings')).AccountUsage.FunctionCount, 4);
  },
  async logs() {
    const logGroupName = '/aws/lambda/ric';
    const groups = await logs('DescribeLogGroups');
    assert.equal(groups.logGroups[0].logGroupName, logGroupName);
    const streams = await logs('DescribeLogStreams', { logGroupName, orderBy: 'LastEventTime', descending: true });
    const logStreamName = streams.logStreams[0].logStreamName;
    const reports = await logs('FilterLogEvents', { logGroupName, filterPattern: '"REPORT RequestId"' });
    assert.equal(reports.events.length, 22);
    const head = await logs('GetLogEvents', { logGroupName, logStreamName, startFromHead: true, limit: 1 });
    assert.match(head.events[0].message, /^INIT_START /);
    assert.match(head.nextForwardToken, /^f\//);
  },
  async metrics() {
    const Metric = { Namespace: 'AWS/Lambda', MetricName: 'Invocations',
                     Dimensions: [{ Name: 'FunctionName', Value: 'ric' }] };
    const queries = [{ Id: 'm', MetricStat: { Metric, Period: 3600, Stat: 'Sum' } }];
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    const data = await metrics('GetMetricData', { ...range(), MetricDataQueries: queries });
    assert.equal(sum(data.MetricDataResults[0].Values), 22);
    assert.ok(data.MetricDataResults[0].Timestamps[0] instanceof Date);
    assert.equal(data.MetricDataResults[0].StatusCode, 'Complete');
    const old = await metrics('GetMetricStatistics', { ...range(), ...Metric, Period: 3600, Statistics: ['Sum'] });
    assert.equal(sum(old.Datapoints.map((p) => p.Sum)), 22);
    const list = await metrics('ListMetrics', { Namespace: 'AWS/Lambda', RecentlyActive: 'PT3H' });
    const names = new Set(list.Metrics.map((m) => m.MetricName));
    for (const name of ['Invocations', 'Errors', 'Throttles', 'Duration', 'ConcurrentExecutions'])
      assert.ok(names.has(name), name);
    await assert.rejects(metrics('GetMetricData', { ...range(), MetricDataQueries: [] }), (e) => /^Validation/.test(e.name));
  },
  async queues() {
    const { QueueUrl: lost } = await sqs('CreateQueue', { QueueName: 'lost' });
    const arn = (await sqs('GetQueueAttributes', { QueueUrl: lost, AttributeNames: ['QueueArn'] })).Attributes.QueueArn;
    const { QueueUrl } = await sqs('CreateQueue', { QueueName: 'work', Attributes: { VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1 }) } });
    assert.deepEqual((await sqs('ListQueues')).QueueUrls, [lost, QueueUrl]);
    assert.equal((await sqs('GetQueueUrl', { QueueName: 'work' })).QueueUrl, QueueUrl);
    assert.deepEqual((await sqs('ListDeadLetterSourceQueues', { QueueUrl: lost })).queueUrls, [QueueUrl]);
    await sqs('SendMessage', { QueueUrl, MessageBody: 'héllo <>&', MessageAttributes: {
      t: { DataType: 'String', StringValue: 'v' }, b: { DataType: 'Binary', BinaryValue: Buffer.from([0, 1, 255]) } } });
    const depth = async (url) => (await sqs('GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] }))
      .Attributes.ApproximateNumberOfMessages;
    assert.equal(await depth(QueueUrl), '1');
    const all = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] };
    const first = (await sqs('ReceiveMessage', { QueueUrl, ...all })).Messages[0];
    assert.equal(first.Attributes.ApproximateReceiveCount, '1');
    assert.equal((await sqs('ReceiveMessage', { QueueUrl })).Messages, undefined); // it went to the DLQ
    await until('the dead letter', async () => await depth(lost) === '1');
    const dead = (await sqs('ReceiveMessage', { QueueUrl: lost, ...all })).Messages[0];
    assert.equal(dead.MessageId, first.MessageId);
    assert.equal(dead.MessageAttributes.b.BinaryValue[2], 255);
    await sqs('ChangeMessageVisibility', { QueueUrl: lost, ReceiptHandle: dead.ReceiptHandle, VisibilityTimeout: 60 });
    await sqs('DeleteMessage', { QueueUrl: lost, ReceiptHandle: dead.ReceiptHandle });
    assert.equal(await depth(lost), '0');
    await assert.rejects(sqs('SendMessage', { QueueUrl: QueueUrl + 'x', MessageBody: 'a' }),
      (e) => /NonExistentQueue|QueueDoesNotExist/.test(e.name));
  },
  async event() {
    assert.equal((await invoke('ric', { later: 1 }, { InvocationType: 'Event' })).StatusCode, 202);
    await until('the event', async () => (await logs('FilterLogEvents',
      { logGroupName: '/aws/lambda/ric', filterPattern: '"REPORT RequestId"' })).events.length === 23);
  },
  async traces() {
    const found = await xray('GetTraceSummaries', range());
    assert.ok(found.TraceSummaries.length > 0);
    const { Traces } = await xray('BatchGetTraces', { TraceIds: [found.TraceSummaries[0].Id] });
    const documents = Traces[0].Segments.map((s) => JSON.parse(s.Document));
    assert.ok(documents.some((d) => d.origin === 'AWS::Lambda::Function'));
  },
};

(async () => {
  for (const [name, part] of Object.entries(parts))
    await part().catch((e) => { e.message = name + ': ' + e.message; throw e; });
  console.log('aws-lambda-ric and @aws-sdk found nothing to complain of');
})().catch((e) => { console.error(e); process.exit(1); });
