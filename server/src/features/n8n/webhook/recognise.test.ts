import {
  AT,
  ID,
  log,
  read,
  reading,
  RUN,
  stateIn,
  TS,
} from '../../../../../test/rollcall/n8n-reading.ts';
import { BrokenLine } from '../../../platform/http/body.ts';
import { keyOf, recognise } from './recognise.ts';

describe('the n8n Trigger', () => {
  test.each([
    ['Workflow published', 'active'],
    ['Workflow updated', 'active'],
    ['Instance started', 'active'],
  ])('%s', (event, state) => {
    const heard = read({ event, timestamp: AT, workflow_id: 'w1' });
    expect(heard).toMatchObject({ handling: 'applied', at: AT });
    expect(stateIn(heard)).toBe(state);
    expect(keyOf(heard)).toBe(keyOf(read({ event, timestamp: AT, workflow_id: 'w1' })));
    expect(keyOf(heard)).not.toBe(keyOf(read({ event, timestamp: TS, workflow_id: 'w2' })));
  });

  test('Manual execution changes nothing', () => {
    const heard = read({ event: 'Manual execution', timestamp: AT, workflow_id: 'w1' });
    expect([heard.handling, heard.workflows]).toEqual(['noted', undefined]);
  });

  test('is read in n8n’s own wrapping of items, too', () => {
    const json = { event: 'Workflow published', timestamp: AT, workflow_id: 'w1' };
    expect(stateIn(read({ json, pairedItem: { item: 0 } }))).toBe('active');
  });
});

describe('the Error Trigger', () => {
  const execution = {
    id: 231,
    url: 'https://n8n.example.com/workflow/1/executions/231',
    retryOf: '34',
    error: {
      name: 'NodeApiError',
      message: 'Bearer abcdefghijklmnopqrstuvwx refused',
      stack: 'at payload',
    },
    lastNodeExecuted: 'Node With Error',
    mode: 'trigger',
  };
  const workflow = { id: '1', name: 'Example Workflow' };

  test('tells of a run that failed', () => {
    const heard = read({ execution, workflow });
    expect(heard.reports).toEqual([
      {
        execution_id: '231',
        workflow_id: '1',
        workflow_name: 'Example Workflow',
        status: 'error',
        mode: 'trigger',
        at: reading.now.toISOString(),
        source: 'webhook',
        retry_of: '34',
        last_node: 'Node With Error',
        error: {
          type: 'NodeApiError',
          message: expect.stringContaining('[redacted]'),
          node: 'Node With Error',
        },
      },
    ]);
    expect(keyOf(heard)).toBe(keyOf(read({ workflow, execution })));
  });

  test('tells of a trigger that failed before there was a run', () => {
    const heard = read({
      trigger: { error: { message: 'no webhook' }, mode: 'trigger' },
      workflow,
    });
    expect(heard.reports).toBeUndefined();
    expect(heard.telemetry).toMatchObject([
      {
        protocol: 'n8n',
        source_id: '1',
        target_id: '1',
        status: 'error',
        error_message: 'no webhook',
      },
    ]);
  });
});

describe('events in nobody’s format', () => {
  test.each([
    [{ event: 'workflow.activated', workflow_id: 'w', timestamp: AT }, 'active'],
    [{ event: 'workflow_deactivated', workflowId: 'w' }, 'inactive'],
    [{ event_type: 'Workflow Deleted', workflow: { id: 'w', name: 'W' } }, 'deleted'],
    [{ type: 'workflowArchived', data: { workflow_id: 'w' } }, 'archived'],
    [{ event: 'workflow.updated', workflow: { id: 7, active: true } }, 'active'],
    [{ workflow_id: 'w', state: 'error', health_status: 'unhealthy' }, 'error'],
    [{ workflow_id: 'w', workflow_name: 'Customer Onboarding' }, undefined],
  ])('%j', (item, state) => {
    const heard = read(item);
    expect(heard.handling).toBe('applied');
    expect(heard.workflows).toHaveLength(1);
    expect(stateIn(heard)).toBe(state);
  });

  test('registering a workflow as the seeds do brings its words and nodes', () => {
    const heard = read({
      workflow_id: 'wf_001',
      workflow_name: 'Customer Onboarding',
      description: 'Automated customer onboarding process',
      tags: ['customer', 'automation'],
      nodes: [
        { type: 'webhook', name: 'Start' },
        { type: 'n8n-nodes-base.slack', name: 'Tell' },
      ],
    });
    const words = heard.workflows?.[0];
    expect(words?.said).toMatchObject({
      name: [expect.any(Number), 1, 'Customer Onboarding'],
      description: [expect.any(Number), 1, 'Automated customer onboarding process'],
      tags: [expect.any(Number), 1, ['customer', 'automation']],
      register: [expect.any(Number), 1, true],
    });
    expect(words?.said.definition).toBeUndefined();
    expect(words?.facts?.capabilities).toContain('app:slack');
  });

  test.each([
    [
      { event: 'execution.started', workflow_id: 'w', execution_id: 5, timestamp: AT },
      { status: 'running', started_at: AT },
    ],
    [
      {
        event: 'execution_failed',
        workflow_id: 'w',
        execution_id: '5',
        error: 'boom',
        timestamp: AT,
      },
      { status: 'error', error: { message: 'boom' }, completed_at: AT },
    ],
    [
      {
        event: 'execution.finished',
        workflow: { id: 'w' },
        execution: { id: '5', status: 'canceled' },
      },
      { status: 'cancelled' },
    ],
    [
      { event: 'workflow.completed', workflow_id: 'w', execution_id: '5', duration_ms: 12.4 },
      { status: 'success', duration_ms: 12 },
    ],
  ])('%j', (item, expected) => {
    expect(read(item).reports).toMatchObject([
      { source: 'webhook', workflow_id: 'w', execution_id: '5', ...expected },
    ]);
  });
});

describe('what nobody knows', () => {
  test.each([
    [{}, '(unnamed)'],
    [{ hello: 'world' }, '(unnamed)'],
    [{ event: 'credential.rotated' }, 'credential.rotated'],
    [{ kind: 'workflow.transferred', id: ID }, 'workflow.transferred'],
    [{ event: 'mail for jane@example.com' }, 'mail for [redacted]'],
    [{ eventName: 'acme.thing.happened', ts: TS }, 'acme.thing.happened'],
    [{ event: 'workflow.exploded', workflow_id: 'w' }, 'workflow.exploded'],
    [{ execution: {}, workflow: { id: 'w' } }, '(unnamed)'],
  ])('%j is kept as %s', (item, name) => {
    expect(read(item)).toMatchObject({ name, handling: 'unknown' });
  });

  test.each([
    [null, 'invalid_type'],
    [7, 'invalid_type'],
    ['workflow.created', 'invalid_type'],
    [[], 'invalid_type'],
    [new BrokenLine('Unexpected end'), 'invalid_json'],
  ])('%j is no event', (item, code) => {
    expect(recognise(item, reading)).toMatchObject({ code, path: '' });
  });
});

describe('time', () => {
  test.each([
    [log('n8n.workflow.started', RUN, { ts: '2026-11-21T13:30:00Z' }), 'ts', 'timestamp_in_future'],
    [log('n8n.workflow.started', RUN, { ts: 'yesterday' }), 'ts', 'invalid_format'],
    [
      { event: 'workflow.created', workflow_id: 'w', timestamp: '2027-01-01T00:00:00Z' },
      'timestamp',
      'timestamp_in_future',
    ],
    [
      { event: 'Workflow updated', workflow_id: 'w', timestamp: 'soon' },
      'timestamp',
      'invalid_format',
    ],
  ])('that cannot be is refused with its path', (item, path, code) => {
    expect(recognise(item, reading)).toMatchObject({ path, code });
  });
});

test('the instance is the event’s own, else the request’s', () => {
  const event = log('n8n.workflow.started', RUN);
  expect(read(event, { instance_id: 'prod' }).reports).toMatchObject([{ instance_id: 'prod' }]);
  const own = { ...event, instance_id: 'own' };
  expect(read(own, { instance_id: 'prod' })).toMatchObject({ instance_id: 'own' });
});
