import pg from 'pg';
import { pino } from 'pino';
import { compose } from '../server/src/compose.ts';
import { readConfig } from '../server/src/config.ts';
import { connectPostgres } from '../server/src/platform/database/postgres.ts';
import { Unit } from './otlp-unit.ts';
import { freshIds, seededRandom } from './events.ts';
import { makeDataDir, removeDataDir, startRollcall } from './rollcall-server.ts';
const dataDir = makeDataDir();
const server = await startRollcall({ dataDir });
const which = process.argv[2] ?? 'ingest_spans';
const client = new pg.Client({ connectionString: server.databaseUrl }); await client.connect();
let seen = 0;
const real = (url: string) => connectPostgres({ url, connections: 4, timeoutMs: 30000, onIdleError: () => undefined });
const db = real(server.databaseUrl);
const text = (v: any) => typeof v === 'object' && v !== null ? JSON.stringify(v) : v;
const wrapped = { ...db, call: async (name: string, args: any) => {
  if (name === which && ++seen === Number(process.argv[3] ?? 20)) {
    await client.query(`load 'auto_explain'`); await client.query(`set auto_explain.log_min_duration=0; set auto_explain.log_nested_statements=on; set auto_explain.log_analyze=on; set auto_explain.log_timing=on; set client_min_messages=log`);
    client.on('notice', (n) => console.log(n.message?.slice(0, 6000)));
    const k = Object.keys(args);
    await client.query('begin'); await client.query(`select rollcall_api.${name}(${k.map((x, i) => `${x} => $${i + 1}`).join(', ')})`, Object.values(args).map(text)); await client.query('rollback');
    await new Promise((r) => setTimeout(r, 200));
  }
  return db.call(name, args); } } as any;
const composed = compose(readConfig({ ROLLCALL_RATE_LIMIT: '0' }), { ingest: wrapped, query: real(server.databaseUrl) as any }, pino({ level: 'warn' }), () => new Date(), 'x');
const { createServer } = await import('node:http');
const http = createServer(composed.app); await new Promise<void>((r) => http.listen(0, '127.0.0.1', r));
const port = (http.address() as any).port;
const unit = new Unit(seededRandom(1), Date.now()); const fresh = freshIds(7 * 2 ** 36);
for (let i = 0; i < 14; i++) for (const body of unit.renew(fresh)) { const a = await fetch(`http://127.0.0.1:${port}/v1/traces`, { method: 'POST', headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/x-protobuf' }, body: new Uint8Array(body) }); if (a.status !== 200) throw new Error(String(a.status) + await a.text()); await a.arrayBuffer(); }
http.close(); await composed.stop(); await client.end(); await server.stop(); await removeDataDir(dataDir); process.exit(0);
