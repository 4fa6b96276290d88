import { gzipSync } from 'node:zlib';
import { contentTypes, exportedBy, type OtlpEncoding, type SpanDraft } from './otlp.ts';
import type { TestRollcall } from './start.ts';

export interface TraceAnswer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  // Tests look into whatever came back.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json: any;
}

export interface TraceOptions {
  encoding?: OtlpEncoding;
  key?: string | null;
  headers?: Record<string, string>;
  gzip?: boolean;
}

/** Sends spans as the official exporter would, or bytes as they are. */
export async function sendTraces(
  { url, key: admin }: Pick<TestRollcall, 'url' | 'key'>,
  spans: SpanDraft[] | Uint8Array,
  { encoding = 'protobuf', key = admin, headers = {}, gzip = false }: TraceOptions = {},
): Promise<TraceAnswer> {
  const plain = spans instanceof Uint8Array ? spans : exportedBy(spans, encoding);
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: {
      'content-type': contentTypes[encoding],
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      ...headers,
    },
    body: new Uint8Array(gzip ? gzipSync(plain) : plain),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('content-type')?.includes('json') && bytes.length > 0;
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    json: isJson ? JSON.parse(bytes.toString()) : undefined,
  };
}

/** All that traces left behind in a tenant, without what differs from one sending to the next. */
export async function tracedRows({ sql }: Pick<TestRollcall, 'sql'>, tenant = 'default') {
  const executions = await sql(
    `select execution_id, instance_id, workflow_id, workflow_name, workflow_version, status, mode, started_at, completed_at,
            duration_ms, retry_of, parent_execution_id, parent_workflow_id, error_type, error_message, trace_id, sources, metadata
       from rollcall.executions where tenant_id = $1 order by workflow_id, execution_id`,
    [tenant],
  );
  const nodes = await sql(
    `select e.execution_id, n.node_name, n.run_index, n.node_id, n.node_type, n.status, n.started_at, n.completed_at, n.duration_ms,
            n.items_in, n.items_out, n.tokens_used, n.error_type, n.error_message, n.source, n.metadata
       from rollcall.node_executions n join rollcall.executions e using (tenant_id, id)
      where tenant_id = $1 order by e.execution_id, n.started_at, n.node_name`,
    [tenant],
  );
  const spans = await sql(
    `select s.trace_id, s.span_id, s.name, e.execution_id
       from rollcall.telemetry_spans s left join rollcall.executions e using (tenant_id, id)
      where s.tenant_id = $1 order by s.trace_id, s.span_id`,
    [tenant],
  );
  return { executions, nodes, spans };
}
