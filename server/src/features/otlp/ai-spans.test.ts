import {
  exportedBy,
  n8nRun,
  spanId,
  traceId,
  type SpanDraft,
} from '../../../../test/rollcall/otlp.ts';
import { createRedactor } from '../../platform/redact.ts';
import { createTurns } from '../../platform/turns.ts';
import { decodeTraces } from './decode.ts';
import { meaningOf, type Meaning } from './meaning.ts';
import { createPrivacy } from './privacy.ts';

const startedAt = Date.parse('2026-11-21T05:00:00Z');

async function meaning(spans: SpanDraft[] | Uint8Array): Promise<Meaning> {
  const bytes = spans instanceof Uint8Array ? spans : exportedBy(spans);
  const privacy = createPrivacy(createRedactor([], []), false);
  const now = new Date('2026-11-21T06:00:00Z');
  const decoded = await decodeTraces(
    bytes,
    { encoding: 'protobuf', privacy, now, days: 30 },
    createTurns(),
  );
  expect(decoded.refused).toEqual([]);
  return meaningOf(decoded.spans);
}

const run = (more: Partial<Parameters<typeof n8nRun>[0]> = {}) =>
  n8nRun({
    trace: 1,
    span: 10,
    startedAt,
    workflow: 'orders',
    execution: '7',
    nodes: ['Start', 'Send'],
    ...more,
  });

describe('telemetry', () => {
  const event = async (span: Partial<SpanDraft>) =>
    (await meaning([{ trace: 1, span: 2, name: 'span', startedAt, resource: SHOP, ...span }]))
      .events[0];
  const SHOP = { 'service.name': 'shop' };

  test('of a run that ended: who called whom', async () => {
    const parent = run();
    const child = run({
      span: 30,
      parent: 10,
      workflow: 'prices',
      execution: '8',
      status: 'error',
    });
    const { events } = await meaning([child.workflow, parent.workflow]);
    expect(events).toMatchObject([
      {
        protocol: 'n8n',
        source_id: 'orders',
        target_id: 'prices',
        status: 'error',
        error_type: 'NodeApiError',
        workflow_id: 'prices',
        execution_id: '8',
        duration_ms: 30,
        trace_id: traceId(1),
      },
      { source_id: 'orders', target_id: 'orders', status: 'success', execution_id: '7' },
    ]);
  });

  test('of a model call: model and tokens', async () => {
    expect(
      await event({
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.agent.name': 'planner',
          'gen_ai.conversation.id': 'talk-1',
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
        },
      }),
    ).toMatchObject({
      protocol: 'http',
      source_id: 'planner',
      target_id: 'gpt-4o',
      operation: 'chat',
      model: 'gpt-4o',
      tokens_used: 120,
      correlation_id: 'talk-1',
      status: 'success',
      duration_ms: 10,
      metadata: { provider: 'openai', input_tokens: 100, output_tokens: 20, service: 'shop' },
    });
  });

  test('of a model call in the words of an earlier convention', async () => {
    expect(
      await event({
        attributes: {
          'gen_ai.system': 'anthropic',
          'gen_ai.response.model': 'claude',
          'gen_ai.usage.prompt_tokens': 3,
          'gen_ai.usage.completion_tokens': 4,
        },
      }),
    ).toMatchObject({ source_id: 'shop', target_id: 'claude', operation: 'chat', tokens_used: 7 });
  });

  test('of an agent: called by its service; its model calls’ tokens are not counted again', async () => {
    const told = await event({
      attributes: {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': 'planner',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 100,
      },
    });
    expect(told).toMatchObject({
      protocol: 'a2a',
      source_id: 'shop',
      target_id: 'planner',
      operation: 'invoke_agent',
      metadata: { input_tokens: 100 },
    });
    expect(told).not.toHaveProperty('tokens_used');
  });

  test('of a tool: called by the agent', async () => {
    expect(
      await event({
        attributes: {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'search',
          'gen_ai.agent.name': 'planner',
        },
        status: 'error',
        events: [{ name: 'exception', attributes: { 'exception.type': 'TimeoutError' } }],
      }),
    ).toMatchObject({
      protocol: 'a2a',
      source_id: 'planner',
      target_id: 'search',
      operation: 'execute_tool',
      status: 'timeout',
      error_type: 'TimeoutError',
    });
  });

  test('of an MCP call: one event, told by caller and server alike', async () => {
    const attributes = {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'search',
      'gen_ai.operation.name': 'execute_tool',
      'mcp.session.id': 'a-secret-session',
    };
    const client = await event({
      kind: 2,
      attributes: { ...attributes, 'server.address': 'tools.example' },
    });
    const server = await event({
      span: 3,
      parent: 2,
      kind: 1,
      attributes,
      resource: { 'service.name': 'tools' },
    });
    expect(client).toMatchObject({
      protocol: 'mcp',
      source_id: 'shop',
      target_id: 'tools.example',
      operation: 'search',
      metadata: { mcp_method: 'tools/call' },
    });
    expect(server).toMatchObject({ source_id: 'mcp-client', target_id: 'tools' });
    expect(server?.event_id).toBe(client?.event_id);
    expect(JSON.stringify([client, server])).not.toContain('a-secret-session');
  });

  test('of an A2A task', async () => {
    expect(
      await event({
        kind: 2,
        attributes: {
          'a2a.task.id': 'task-1',
          'a2a.task.state': 'working',
          'peer.service': 'agent',
        },
      }),
    ).toMatchObject({
      protocol: 'a2a',
      source_id: 'shop',
      target_id: 'agent',
      correlation_id: 'task-1',
    });
  });

  test('has an id that follows from the span', async () => {
    const attributes = { 'mcp.method.name': 'ping' };
    const ids = await Promise.all(
      [2, 2, 3].map(async (span) => (await event({ span, attributes }))?.event_id),
    );
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('within a run names it', async () => {
    const { workflow, nodes } = run();
    const chat = {
      trace: 1,
      span: 60,
      parent: 12,
      name: 'chat',
      startedAt,
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' },
    };
    const { events } = await meaning([chat, ...nodes, workflow]);
    expect(events.find(({ operation }) => operation === 'chat')).toMatchObject({
      workflow_id: 'orders',
      execution_id: '7',
    });
  });

  test('is nothing that any other span says', async () => {
    expect(await event({ attributes: { 'http.request.method': 'GET' } })).toBeUndefined();
    expect(spanId(2)).toHaveLength(16);
  });
});
