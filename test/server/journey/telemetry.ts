import { makeEvent } from '../events.ts';
import { ownId } from './recording.ts';
import { at, type Stage } from './stage.ts';

/** What goes in, comes out, and is counted. */
export function telemetrySteps(stage: Stage): void {
  test('telemetry is taken in once, item by item', async () => {
    const call = { protocol: 'mcp', source_id: 'orders', target_id: 'crm' } as const;
    const events = [
      makeEvent({
        ...call,
        event_id: ownId(1),
        timestamp: at(1),
        operation: 'tool',
        duration_ms: 0.1,
        tokens_used: 1e12,
        cost_micros: 12,
        currency: 'EUR',
        model: 'm',
        correlation_id: 'c-1',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        execution_id: 'e-1',
        user_id: 'u',
        metadata: { a: [1.5, 1e-7, 123456789012, null], ü: { deep: '✓' }, token: 'hidden' },
      }),
      makeEvent({ ...call, event_id: ownId(2), timestamp: at(2), duration_ms: 1e12 }),
      makeEvent({
        ...call,
        event_id: ownId(3),
        timestamp: at(2),
        duration_ms: 0,
        status: 'timeout',
      }),
      makeEvent({ event_id: ownId(1) }),
      { ...makeEvent(), status: 'unknown' },
      { ...makeEvent(), timestamp: at(60 * 24 * 400) },
      makeEvent({
        event_id: ownId(4),
        timestamp: at(3),
        status: 'error',
        error_type: 'Timeout',
        error_message: 'rc_0123456789abcdef failed',
        workflow_id: 'nightly',
      }),
    ];
    expect((await stage.api.post('telemetry', events)).body).toMatchObject({
      accepted: 4,
      duplicates: 1,
      rejected: 2,
    });
    expect((await stage.api.post('telemetry', events.slice(0, 3))).body).toMatchObject({
      accepted: 0,
      duplicates: 3,
    });
    const lines = [5, 6].map((index) =>
      JSON.stringify(
        makeEvent({ event_id: ownId(index), timestamp: at(90), source_id: 'stranger' }),
      ),
    );
    const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };
    const { body } = await stage.api.post('telemetry', [...lines, '{broken'].join('\n'), ndjson);
    expect(body).toMatchObject({ accepted: 2, rejected: 1 });
    expect((await stage.api.post('telemetry', [{ ...makeEvent(), event_id: 1 }])).status).toBe(422);
    expect((await stage.api.post('telemetry', [])).body.code).toBe('empty_batch');
  });

  test('telemetry is read back whole, newest first, by filter and page by page', async () => {
    const all = (await stage.pages('telemetry?limit=2')).flat();
    expect(all).toMatchObject([1, 3, 2, 4, 6, 5].map((index) => ({ event_id: ownId(index) })));
    for (const [filter, count] of [
      ['correlation_id=c-1', 1],
      ['source_id=orders&target_id=crm&protocol=mcp', 3],
      ['status=timeout', 1],
      ['workflow_id=nightly', 1],
      ['execution_id=e-1', 1],
      ['trace_id=0af7651916cd43dd8448eb211c80319c', 1],
      [`from=${at(2)}&to=${at(1)}`, 2],
      ['source_id=nobody', 0],
    ] as const) {
      expect((await stage.api.get(`telemetry?${filter}`)).body.items).toHaveLength(count);
    }
    expect((await stage.api.get('entities/service/orders')).body.last_activity).toBe(
      at(1).replace('.000Z', '+00:00'),
    );
  });

  test('overview, patterns and pairs count and measure the same', async () => {
    const { body } = await stage.api.get('overview?window_seconds=3600');
    expect(body).toMatchObject({
      totals: { calls: 4, errors: 2, error_rate: 0.5, tokens_used: 1e12, max_ms: 1e12 },
      protocols: [
        { protocol: 'mcp', calls: 3 },
        { protocol: 'n8n', calls: 1 },
      ],
      entities: { total: 6, by_type: { team: 2 } },
    });
    await stage.api.get('overview?window_seconds=60');
    expect((await stage.pages('patterns?limit=1')).flat()).toMatchObject([
      { source_id: 'orders', target_id: 'crm', protocol: 'mcp', calls: 3 },
      { source_id: 'stranger', calls: 2 },
      { source_id: 'orders', protocol: 'n8n', calls: 1 },
    ]);
    expect((await stage.api.get('patterns?protocol=n8n&target_id=crm')).body.items).toHaveLength(2);
    expect((await stage.api.get('pairs?limit=1')).body.items).toMatchObject([
      { source_id: 'orders', protocols: ['mcp', 'n8n'], calls: 4 },
    ]);
  });
}
