// Loads tab-separated benchmark lines into DuckDB: an events table and an invocations table from REPORT lines.
const { DuckDBInstance } = require(process.cwd() + '/node_modules/@duckdb/node-api');

async function main(source, target) {
  const db = await DuckDBInstance.create(target, { threads: '2' });
  const c = await db.connect();
  await c.run(`create table events as
    select cast(p[1] as timestamp) as ts, p[2] as log_group, p[3] as stream,
           array_to_string(p[4:], chr(9)) as body
    from (select string_split(line, chr(9)) as p
          from read_csv('${source}', columns = {'line': 'varchar'}, delim = chr(1), quote = '', escape = '', header = false,
                        auto_detect = false, max_line_size = 4000000))`);
  await c.run(`create table invocations as
    select ts, log_group, stream,
           regexp_extract(body, 'RequestId: ([0-9a-f-]{36})', 1) as request_id,
           cast(regexp_extract(body, 'Duration: ([0-9.]+) ms', 1) as double) as duration_ms,
           cast(regexp_extract(body, 'Billed Duration: ([0-9]+) ms', 1) as bigint) as billed_ms,
           cast(regexp_extract(body, 'Memory Size: ([0-9]+) MB', 1) as bigint) as memory_mb,
           cast(regexp_extract(body, 'Max Memory Used: ([0-9]+) MB', 1) as bigint) as used_mb,
           nullif(regexp_extract(body, 'Init Duration: ([0-9.]+) ms', 1), '') as init_ms
    from events where starts_with(body, 'REPORT RequestId')`);
  await c.run('checkpoint');
  c.closeSync();
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
