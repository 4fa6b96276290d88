import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { until } from './child.ts';
import { connectMcp, type McpClient } from './mcpClient.ts';
import { toolsOf } from './workflows.ts';
import type { World } from './world.ts';

const fromAgent = (key: string, type = 'string') => `={{ $fromAI('${key}', '', '${type}') }}`;

/** The nodes as tools of an agent, which here is whoever talks to n8n's MCP Server Trigger. */
export function testTools({ n8n, rollcall }: World): void {
  let mcp: McpClient;
  let workflowId: string;

  before(async () => {
    workflowId = await n8n.api.createWorkflow(
      toolsOf('Tools', 'rollcall-tools', [
        { name: 'Find gaps', type: 'checkGaps', parameters: { kinds: ['silent'] } },
        {
          name: 'Register an agent',
          type: 'registerWorkflow',
          parameters: {
            operation: 'entity',
            entity_type: 'agent',
            entity_id: fromAgent('entity_id'),
          },
        },
        {
          name: 'Report an event',
          type: 'telemetryEmit',
          parameters: { target_id: fromAgent('target'), operation_name: fromAgent('what') },
        },
      ]),
    );
    await n8n.api.publish(workflowId);
    mcp = await until('MCP', () => connectMcp(`${n8n.api.url}/mcp/rollcall-tools`), {
      seconds: 20,
    });
  });

  test('an agent sees them', async () => {
    assert.deepEqual(await mcp.tools(), ['Find_gaps', 'Register_an_agent', 'Report_an_event']);
  });

  test('an agent registers another one', async () => {
    const answer = await mcp.call('Register_an_agent', { entity_id: 'made-by-an-agent' });
    assert.match(answer, /"outcome":"created"/);
    assert.ok(await rollcall.entity('agent', 'made-by-an-agent'));
  });

  test('an agent reports an event', async () => {
    await mcp.call('Report_an_event', { target: 'made-by-an-agent', what: 'greet' });
    const event = await until(
      'the event arrives',
      async () => (await rollcall.events({ target_id: 'made-by-an-agent' }))[0],
      { seconds: 10 },
    );
    assert.equal(event.operation, 'greet');
    assert.equal(event.source_id, workflowId);
  });

  test('an agent hears that all is clear, although that is the second output', async () => {
    assert.match(await mcp.call('Find_gaps', {}), /"all_clear":true/);
  });
}
