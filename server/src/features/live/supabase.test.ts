import { connectThroughSupabase, describeWithPostgrest } from '../../../../test/postgrest/start.ts';
import { readEvents } from '../../../../test/rollcall/stream.ts';
import { startTestRollcall } from '../../../../test/rollcall/start.ts';

describeWithPostgrest('through Supabase, where nothing notifies', () => {
  test('a stream tells the same, and goes on after an event', async () => {
    const rollcall = await startTestRollcall({ connect: connectThroughSupabase });
    const register = (entity_id: string) =>
      rollcall.post('/api/v1/entities', { entity_type: 'service', entity_id });
    const read = (path: string, lastEventId?: string) =>
      readEvents(rollcall.url, path, { key: rollcall.key, lastEventId });
    const reader = await read('/api/v1/live');
    await reader.next('ready');
    await register('one');
    const { id, data } = await reader.next('registry');
    expect(data).toMatchObject({ entity_id: 'one' });
    await register('two');
    const again = await read('/api/v1/live?follow=false', id);
    await again.ended;
    expect(again.heard.map((each) => [each.event, each.data.entity_id])).toEqual([
      ['ready', undefined],
      ['registry', 'two'],
    ]);
    await rollcall.stop();
  });
});
