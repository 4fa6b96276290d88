import { Agent, request } from 'node:http';
import { freshIds, seededRandom } from './events.ts';
import { Meter, type LoadJob } from './load.ts';
import { SPANS_PER_REQUEST, Unit } from './otlp-unit.ts';

export interface OtlpTarget {
  port: number;
  headers: Record<string, string>;
}

/** Posts traces as n8n does, one request at a time on each connection, and obeys Retry-After. */
process.once('message', (message) => {
  const job = message as LoadJob<OtlpTarget>;
  void (async () => {
    const random = seededRandom(job.connections);
    const fresh = freshIds(job.number * 2 ** 36);
    const units = Array.from({ length: job.connections }, () => new Unit(random, Date.now()));
    const agent = new Agent({ keepAlive: true, maxSockets: job.connections });
    const meter = new Meter(job);
    await Promise.all(
      units.map(async (unit) => {
        while (meter.running()) {
          for (const bytes of unit.renew(fresh)) {
            let kept = 0;
            while (kept === 0) {
              const began = performance.now();
              kept = await post(agent, job.target, bytes);
              meter.count(kept, performance.now() - began);
            }
          }
        }
      }),
    );
    agent.destroy();
    process.send?.(meter.result());
    process.disconnect();
  })();
});

/** Spans that were acknowledged: all of the request's, or none when it was sent away. */
function post(agent: Agent, { port, headers }: OtlpTarget, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/v1/traces',
        method: 'POST',
        agent,
        headers: {
          ...headers,
          'content-type': 'application/x-protobuf',
          'content-length': bytes.length,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          if (response.statusCode === 200 && body.length === 0) resolve(SPANS_PER_REQUEST);
          else if (response.statusCode === 503)
            setTimeout(() => resolve(0), Number(response.headers['retry-after']) * 1000);
          else reject(new Error(`${response.statusCode} ${body.toString('latin1')}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(bytes);
  });
}
