// fnexec_sdk.cjs ENDPOINT: see fnexec_sdk.sh.
const assert = require('node:assert');
const { LambdaClient, InvokeCommand, ListFunctionsCommand, GetAccountSettingsCommand } = require('@aws-sdk/client-lambda');
const { CloudWatchLogsClient, FilterLogEventsCommand, DescribeLogGroupsCommand } = require('@aws-sdk/client-cloudwatch-logs');

const config = { endpoint: process.argv[2], region: 'us-east-1', maxAttempts: 1,
                 credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const lambda = new LambdaClient(config), logs = new CloudWatchLogsClient(config);
const text = (bytes) => Buffer.from(bytes).toString();
const invoke = (name, payload, more) => lambda.send(
  new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload), ...more }));

(async () => {
  const fine = await invoke('ric', { a: 1 }, { LogType: 'Tail' });
  assert.equal(fine.StatusCode, 200);
  assert.deepEqual(JSON.parse(text(fine.Payload)), { event: { a: 1 }, left: true });
  const tail = Buffer.from(fine.LogResult, 'base64').toString();
  assert.match(tail, /START RequestId: .*asked by .*END RequestId: .*REPORT RequestId: /s);

  const failed = await invoke('ric', { fail: 'boom' });
  assert.equal(failed.FunctionError, 'Unhandled');
  assert.equal(JSON.parse(text(failed.Payload)).errorMessage, 'boom');

  const many = await Promise.all(Array.from({ length: 20 }, (_, i) => invoke('ric', { i })));
  many.forEach((m, i) => assert.equal(JSON.parse(text(m.Payload)).event.i, i));

  await assert.rejects(invoke('stopped', {}), (e) => e.name === 'TooManyRequestsException' &&
    e.Reason === 'ReservedFunctionConcurrentInvocationLimitExceeded');
  await assert.rejects(invoke('nothing', {}), { name: 'ResourceNotFoundException' });

  const functions = await lambda.send(new ListFunctionsCommand({}));
  assert.deepEqual(functions.Functions.map((f) => f.FunctionName), ['ric', 'stopped']);
  assert.equal((await lambda.send(new GetAccountSettingsCommand({}))).AccountUsage.FunctionCount, 2);

  const groups = await logs.send(new DescribeLogGroupsCommand({}));
  assert.equal(groups.logGroups[0].logGroupName, '/aws/lambda/ric');
  const reports = await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/ric',
                                                               filterPattern: '"REPORT RequestId"' }));
  assert.equal(reports.events.length, 22);
  console.log('aws-lambda-ric and @aws-sdk found nothing to complain of');
})().catch((e) => { console.error(e); process.exit(1); });
