import { Agent, request } from 'node:http';
import { makeReport } from './execution-reports.ts';
import { quantile } from './report.ts';

export interface ExecutionsJob {
  port: number;
  key: string;
  executions: number;
  rows: number;
  connections: number;
  /** Tells the executions of this job from those of all others. */
  first: number;
}

export interface ExecutionsResult {
  seconds: number;
  /** Milliseconds from sending a report to its answer. */
  p50: number;
  p99: number;
  /** Of one core, that the load process itself used while it sent. */
  cpu: number;
}

/** A process of its own: posts one execution a request, every connection busy, until all are acknowledged. */
process.once('message', (message) => {
  const job = message as ExecutionsJob;
  const now = Date.now();
  const bodies = Array.from({ length: job.executions }, (_, index) =>
    Buffer.from(JSON.stringify(makeReport(job.rows, job.first + index, now))),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: job.connections });
  const latencies: number[] = [];
  void (async () => {
    const began = performance.now();
    const cpu = process.cpuUsage();
    await Promise.all(
      Array.from({ length: job.connections }, async () => {
        for (let body = bodies.pop(); body; body = bodies.pop()) {
          const sent = performance.now();
          await post(job, agent, body);
          latencies.push(performance.now() - sent);
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    agent.destroy();
    const result: ExecutionsResult = {
      seconds,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      cpu: (user + system) / 1e6 / seconds,
    };
    process.send?.(result);
    process.disconnect();
  })();
});

function post({ port, key }: ExecutionsJob, agent: Agent, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      'Content-Length': body.length,
    };
    const sending = request(
      {
        port,
        host: '127.0.0.1',
        path: '/api/v1/executions/ingest',
        method: 'POST',
        agent,
        headers,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => {
          if (answer.statusCode === 201) resolve();
          else reject(new Error(`${answer.statusCode} ${text.slice(0, 300)}`));
        });
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}
