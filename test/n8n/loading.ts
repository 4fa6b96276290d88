import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { World } from './world.ts';

const NODES = ['checkGaps', 'registerWorkflow', 'telemetryEmit'];
const TRIGGER = 'n8n-nodes-rollcall.rollcallTrigger';

/** n8n loads the package as a user's n8n does, and offers what is in it. */
export function testPackage({ n8n, rollcall }: World): void {
  test('starts with a hooks file that nobody gave a key: it says so once, and reports nothing', async () => {
    assert.equal(n8n.log().match(/ROLLCALL_API_KEY is not set/g)?.length, 1);
    assert.deepEqual(await rollcall.get('n8n/instances'), { items: [], next_cursor: null });
  });

  test('offers the trigger, and the three nodes, each also as a tool for agents', async () => {
    const types = await n8n.api.nodeTypes();
    assert.deepEqual(
      types.map(({ name }) => name).sort(),
      [
        ...NODES.flatMap((name) => [name, `${name}Tool`]).map(
          (name) => `n8n-nodes-rollcall.${name}`,
        ),
        TRIGGER,
      ].sort(),
    );
    const tools = types.filter(({ name }) => name.endsWith('Tool'));
    for (const { outputs } of tools) assert.match(JSON.stringify(outputs), /ai_tool/);
  });

  test('serves a light and a dark icon of each node', async () => {
    for (const { iconUrl } of await n8n.api.nodeTypes()) {
      assert.ok(typeof iconUrl === 'object');
      for (const path of [iconUrl.light, iconUrl.dark]) {
        const answer = await fetch(`${n8n.api.url}/${path}`);
        assert.match(answer.headers.get('content-type') ?? '', /svg/, path);
      }
    }
  });

  test('tests the credential: a good one passes, a wrong key and a wrong address do not', async () => {
    const good = { baseUrl: rollcall.url, apiKey: rollcall.apiKey };
    const id = await n8n.api.createCredential('Rollcall, tested', good);
    assert.equal((await n8n.api.testCredential(id, good)).status, 'OK');
    const slash = { ...good, baseUrl: `${rollcall.url}/` };
    assert.equal((await n8n.api.testCredential(id, slash)).status, 'OK');
    const wrongKey = { ...good, apiKey: `rc_${'x'.repeat(43)}` };
    assert.equal((await n8n.api.testCredential(id, wrongKey)).status, 'Error');
    const nobody = { ...good, baseUrl: 'http://127.0.0.1:9' };
    assert.equal((await n8n.api.testCredential(id, nobody)).status, 'Error');
  });
}
