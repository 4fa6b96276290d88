import { readFileSync } from 'node:fs';
import { SpanStatusCode, TraceFlags, type Attributes, type HrTime } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** What a test says of a span; ids are numbers that become hex. */
export interface SpanDraft {
  trace: number;
  span: number;
  parent?: number;
  name: string;
  /** As in the API of OpenTelemetry: 0 internal, 1 server, 2 client. */
  kind?: number;
  /** Milliseconds since 1970. */
  startedAt: number;
  milliseconds?: number;
  attributes?: Attributes;
  events?: { name: string; attributes?: Attributes }[];
  links?: { trace: number; span: number; attributes?: Attributes }[];
  status?: 'unset' | 'ok' | 'error';
  resource?: Attributes;
}

export const traceId = (trace: number): string => trace.toString(16).padStart(32, '0');
export const spanId = (span: number): string => span.toString(16).padStart(16, '0');

export type OtlpEncoding = 'protobuf' | 'json';

/** A request as the official exporter writes it. */
export function exportedBy(spans: SpanDraft[], encoding: OtlpEncoding = 'protobuf'): Buffer {
  const serializer = encoding === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  // Spans of one resource share it, as those of one process do.
  const resources = new Map<Attributes, Resource>();
  const bytes = serializer.serializeRequest(
    spans.map((span) => {
      const attributes = span.resource ?? RESOURCE;
      const resource = resources.get(attributes) ?? resourceFromAttributes(attributes);
      resources.set(attributes, resource);
      return readable(span, resource);
    }),
  );
  if (!bytes) throw new Error('The exporter wrote nothing');
  return Buffer.from(bytes);
}

export const contentTypes: Record<OtlpEncoding, string> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

const context = (trace: number, span: number) => ({
  traceId: traceId(trace),
  spanId: spanId(span),
  traceFlags: TraceFlags.SAMPLED,
});

const SCOPE = { name: 'n8n-workflow' };

const time = (milliseconds: number): HrTime => [
  Math.floor(milliseconds / 1000),
  Math.round((milliseconds % 1000) * 1e6),
];

function readable(draft: SpanDraft, resource: Resource): ReadableSpan {
  const { trace, parent, startedAt, milliseconds = 10, status = 'ok' } = draft;
  return {
    name: draft.name,
    kind: draft.kind ?? 0,
    spanContext: () => context(trace, draft.span),
    ...(parent === undefined ? {} : { parentSpanContext: context(trace, parent) }),
    startTime: time(startedAt),
    endTime: time(startedAt + milliseconds),
    duration: time(milliseconds),
    ended: true,
    status: {
      code: { unset: SpanStatusCode.UNSET, ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR }[
        status
      ],
    },
    attributes: draft.attributes ?? {},
    events: (draft.events ?? []).map((event) => ({
      time: time(startedAt + milliseconds),
      droppedAttributesCount: 0,
      ...event,
    })),
    links: (draft.links ?? []).map((link) => ({
      context: context(link.trace, link.span),
      attributes: link.attributes ?? {},
    })),
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** As n8n says who it is, with what nobody should keep. */
export const RESOURCE: Attributes = {
  'service.name': 'n8n',
  'service.version': '2.41.1',
  'n8n.instance.id': 'instance-1',
  'n8n.instance.role': 'main',
  'host.name': 'secret-host',
  'process.command_args': ['node', '--secret-argument'],
};

/** A run of a workflow as n8n traces it: the workflow's span and one for each of its nodes. */
export function n8nRun(
  run: Pick<SpanDraft, 'trace' | 'startedAt'> & {
    /** Number of the workflow's span; its nodes' follow. */
    span: number;
    parent?: number;
    workflow: string;
    execution: string;
    nodes: string[];
    attributes?: Attributes;
    status?: string;
    links?: SpanDraft['links'];
    resource?: Attributes;
  },
): { workflow: SpanDraft; nodes: SpanDraft[] } {
  const { trace, span, startedAt, status = 'success' } = run;
  const failed = status === 'error' || status === 'crashed';
  const exception = {
    name: 'exception',
    attributes: {
      'exception.type': 'NodeApiError',
      'exception.message': 'The service refused the connection',
      'exception.stacktrace': 'NodeApiError: The service refused\n    at somewhere',
    },
  };
  const shared = { trace, ...(run.resource ? { resource: run.resource } : {}) };
  const nodes = run.nodes.map((name, index): SpanDraft => {
    const broken = failed && index === run.nodes.length - 1;
    return {
      ...shared,
      span: span + 1 + index,
      parent: span,
      name: 'node.execute',
      startedAt: startedAt + 1 + index * 10,
      milliseconds: 8,
      status: broken ? 'error' : 'ok',
      ...(broken ? { events: [exception] } : {}),
      attributes: {
        'n8n.node.id': `id of ${name}`,
        'n8n.node.name': name,
        'n8n.node.type': 'n8n-nodes-base.set',
        'n8n.node.type_version': 3.4,
        'n8n.node.items.input': index,
        'n8n.node.items.output': index + 1,
      },
    };
  });
  const workflow: SpanDraft = {
    ...shared,
    span,
    ...(run.parent === undefined ? {} : { parent: run.parent }),
    name: 'workflow.execute',
    startedAt,
    milliseconds: 10 + nodes.length * 10,
    status: failed ? 'error' : 'ok',
    ...(failed ? { events: [exception] } : {}),
    ...(run.links ? { links: run.links } : {}),
    attributes: {
      'n8n.workflow.id': run.workflow,
      'n8n.workflow.name': `${run.workflow} name`,
      'n8n.workflow.version_id': 'version-1',
      'n8n.workflow.node_count': nodes.length,
      'n8n.project.id': 'n8n-project',
      'n8n.execution.id': run.execution,
      'n8n.execution.mode': 'webhook',
      'n8n.execution.status': status,
      'n8n.execution.is_retry': false,
      ...(failed ? { 'n8n.execution.error_type': 'NodeApiError' } : {}),
      ...run.attributes,
    },
  };
  return { workflow, nodes };
}

/** What a real n8n sent: three runs of three workflows, one of them a sub-workflow of another. */
export const recorded = {
  bytes: readFileSync(new URL('../fixtures/n8n-2.41/otlp-004.bin', import.meta.url)),
  /** When it was sent. */
  at: new Date('2026-11-21T05:00:00Z'),
};
