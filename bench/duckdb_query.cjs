// The overview with exact percentiles in DuckDB, timed inside the process: prints "name median_ms".
const { DuckDBInstance } = require(process.cwd() + '/node_modules/@duckdb/node-api');

async function median(c, sql, runs) {
  const took = [];
  for (let i = -1; i < runs; i++) {
    const begin = process.hrtime.bigint();
    const result = await c.runAndReadAll(sql);
    result.getRows();
    if (i >= 0) took.push(Number(process.hrtime.bigint() - begin) / 1e6);
  }
  return took.sort((a, b) => a - b)[Math.floor(runs / 2)];
}

async function main(path, runs) {
  const db = await DuckDBInstance.create(path, { threads: '2', access_mode: 'READ_ONLY' });
  const c = await db.connect();
  const overview = `select log_group, count(*), sum(billed_ms), quantile_disc(duration_ms, [0.5, 0.95, 0.99])
                    from invocations group by 1`;
  console.log('overview', await median(c, overview, runs));
  console.log('search_absent', await median(c, `select count(*) from events where contains(body, 'no line holds this text')`, 3));
}

main(process.argv[2], Number(process.argv[3] || 11)).catch((error) => {
  console.error(error);
  process.exit(1);
});
