import { readFileSync } from 'node:fs';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { freshIds, seededRandom, Stamp } from './events.ts';
import { Meter, type LoadJob } from './load.ts';
import { REQUESTS_PER_UNIT, SPANS_PER_REQUEST } from './otlp-unit.ts';

export interface OtlpCopyTarget {
  databaseUrl: string;
  /** Per table of the schema `equal`, a file with the rows of one unit as COPY writes them, ids as marks. */
  files: Record<string, string>;
}

/** Copies the rows that a unit of requests leaves behind, a transaction each: the fastest way in that there is. */
process.once('message', (message) => {
  const job = message as LoadJob<OtlpCopyTarget>;
  void (async () => {
    const { databaseUrl, files } = job.target;
    const tables = Object.keys(files);
    const text = tables.map((table) => readFileSync(files[table] as string, 'latin1'));
    const ends = text.map((_, index) => text.slice(0, index + 1).join('').length);
    const meter = new Meter(job);
    const fresh = freshIds(job.number * 2 ** 36);
    fresh.random = seededRandomInteger(job.number);
    await Promise.all(
      Array.from({ length: job.connections }, async () => {
        // One stamp over all tables: an execution has the same id in each.
        const stamp = new Stamp(text.join(''));
        const client = new pg.Client({ connectionString: databaseUrl });
        await client.connect();
        while (meter.running()) {
          const bytes = stamp.renew(fresh);
          const began = performance.now();
          await client.query('begin');
          for (const [index, table] of tables.entries()) {
            const rows = bytes.subarray(ends[index - 1] ?? 0, ends[index]);
            await new Promise((resolve, reject) => {
              const copy = client.query(copyFrom(`copy equal.${table} from stdin`));
              copy.on('error', reject).on('finish', resolve);
              copy.end(rows);
            });
          }
          await client.query('commit');
          meter.count(SPANS_PER_REQUEST * REQUESTS_PER_UNIT, performance.now() - began);
        }
        await client.end();
      }),
    );
    process.send?.(meter.result());
    process.disconnect();
  })();
});

function seededRandomInteger(seed: number): () => number {
  const random = seededRandom(seed ^ Date.now());
  return () => Math.floor(random() * 4_294_967_296);
}
