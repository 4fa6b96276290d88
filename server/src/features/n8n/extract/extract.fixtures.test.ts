import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { extractWorkflow } from './extract.ts';
import { at, fields, list } from './values.ts';

const FIXTURES = path.join(import.meta.dirname, '../../../../../test/fixtures');
const FOLDER = path.join(FIXTURES, 'workflows');
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));

function read(start: string): Record<string, unknown> {
  const file = files.find((name) => name.startsWith(start)) ?? start;
  return JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8')) as Record<string, unknown>;
}

test('the collection is there', () => {
  expect(files).toHaveLength(50);
});

describe.each(files)('%s', (file) => {
  const workflow = read(file);
  const facts = extractWorkflow(workflow);

  test('has a trigger and tidy tokens', () => {
    expect(facts.triggers.length).toBeGreaterThan(0);
    expect(facts.node_count).toBeGreaterThan(0);
    expect(facts.capabilities).toEqual([...new Set(facts.capabilities)].sort());
    for (const token of facts.capabilities) expect(token).toMatch(/^[a-z-]+:[\w./:*-]{1,119}$/);
  });

  test('lets no credential id or name out, and tells the same with others', () => {
    const nodes = list(workflow['nodes']).map((node) => ({
      ...fields(node),
      credentials: Object.fromEntries(
        Object.keys(fields(at(node, 'credentials'))).map((type) => [
          type,
          { id: 'ID', name: 'ID' },
        ]),
      ),
    }));
    const renamed = extractWorkflow({ ...workflow, nodes });
    expect(renamed).toEqual(facts);
    expect(JSON.stringify(renamed)).not.toContain('"ID"');
  });

  test('does not depend on the order of its nodes', () => {
    const nodes = list(workflow['nodes']).toReversed();
    expect(extractWorkflow({ ...workflow, nodes })).toEqual(facts);
  });
});

test('06: a weekly schedule on the default day', () => {
  const { schedules, capabilities } = extractWorkflow(read('06'));
  expect(schedules).toEqual([
    { node: 'Schedule Trigger', every: { unit: 'weeks', value: 1 }, cron: '0 0 * * 0' },
  ]);
  expect(capabilities).toEqual([
    'app:baserow',
    'app:google-analytics',
    'app:http',
    'credential:googleAnalyticsOAuth2',
    'schedule:every-week',
    'trigger:manual',
    'trigger:schedule',
  ]);
});

test('08: an agent with tools, one of them another workflow', () => {
  const { capabilities, dependencies, triggers, webhook_paths } = extractWorkflow(read('08'));
  expect(dependencies).toEqual([
    { entity_type: 'workflow', entity_id: 'Jo0BiizccacaChkH', entity_name: 'Firefiles AI Agent' },
  ]);
  expect(capabilities).toEqual([
    'ai:agent',
    'ai:openai',
    'app:airtable',
    'app:gmail',
    'app:google-calendar',
    'app:http',
    'credential:airtableTokenApi',
    'credential:gmailOAuth2',
    'credential:googleCalendarOAuth2Api',
    'credential:openAiApi',
    'model:gpt-4o',
    'sub-workflow:Jo0BiizccacaChkH',
    'tool:gmail',
    'tool:google-calendar',
    'tool:workflow',
    'trigger:sub-workflow',
    'trigger:webhook',
    'webhook:df852a9f-5ea3-43f2-bd49-d045aba5e9c9',
  ]);
  expect(triggers).toEqual([
    { kind: 'sub-workflow', node: 'Execute Workflow Trigger' },
    { kind: 'webhook', node: 'Webhook' },
  ]);
  expect(webhook_paths).toEqual(['df852a9f-5ea3-43f2-bd49-d045aba5e9c9']);
});

test('14: of two schedules the one that is switched off is left out', () => {
  const { schedules, triggers } = extractWorkflow(read('14'));
  expect(schedules).toEqual([
    {
      node: 'Update Contacts Schedule Trigger',
      every: { unit: 'days', value: 1 },
      cron: '0 0 * * *',
    },
  ]);
  expect(triggers.map((trigger) => trigger.kind)).toEqual(['manual', 'schedule']);
});

test('19: a chat bot with memory and a vector store behind a tool', () => {
  expect(extractWorkflow(read('19')).capabilities).toEqual([
    'ai:agent',
    'ai:openai',
    'app:http',
    'app:telegram',
    'credential:openAiApi',
    'credential:postgres',
    'credential:telegramApi',
    'memory:postgres',
    'tool:vector-store',
    'trigger:app',
    'trigger:manual',
    'vector-store:pgvector',
  ]);
});

test('22: a public chat listens on its own path', () => {
  const { webhook_paths, triggers } = extractWorkflow(read('22'));
  expect(webhook_paths).toEqual(['49dfdc22-b4c8-4ed3-baef-6751ec52f278/chat']);
  expect(triggers).toEqual([{ kind: 'chat', node: 'When chat message received' }]);
});

test('28: a retriever that calls a workflow, written the old way', () => {
  expect(extractWorkflow(read('28'))).toMatchObject({
    dependencies: [{ entity_type: 'workflow', entity_id: 'QacfBRBnf1xOyckC' }],
    capabilities: [
      'ai:chain',
      'ai:openai',
      'credential:openAiApi',
      'retriever:workflow',
      'sub-workflow:QacfBRBnf1xOyckC',
      'trigger:manual',
    ],
    node_count: 5,
  });
});

test('35: four triggers of four kinds', () => {
  const { triggers, capabilities } = extractWorkflow(read('35'));
  expect(triggers).toEqual([
    { kind: 'app', node: 'Telegram Trigger', app: 'telegram' },
    { kind: 'chat', node: 'When chat message received' },
    { kind: 'poll', node: 'Gmail Trigger', app: 'gmail' },
    { kind: 'webhook', node: 'Webhook' },
  ]);
  expect(capabilities).toEqual(
    expect.arrayContaining(['poll:every-minute', 'tool:http', 'model:gemini-2.0-flash-exp']),
  );
});

test('37: a path with a parameter stands behind the webhook id', () => {
  const { webhook_paths, node_count, capabilities } = extractWorkflow(read('37'));
  expect(webhook_paths).toEqual([
    '135bc21f-c7d0-4afe-be73-f984d444b43b',
    '135bc21f-c7d0-4afe-be73-f984d444b43b/:file',
  ]);
  expect(node_count).toBe(48);
  expect(capabilities).toContain('app:n8n');
});

describe('what n8n 2.41 hands to its hooks', () => {
  const lines = readFileSync(path.join(FIXTURES, 'n8n-2.41/hooks.ndjson'), 'utf8').trim();
  const workflows = lines
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
    .flatMap((line) =>
      list(at(line, 'args'))
        .filter((argument) => Array.isArray(at(argument, 'nodes')))
        .map((argument) => ({
          hook: String(at(line, 'hook')),
          name: String(at(argument, 'name')),
          facts: extractWorkflow(argument),
        })),
    );
  const hashes = (name: string, hooks: RegExp) =>
    new Set(
      workflows
        .filter((each) => each.name === name && hooks.test(each.hook))
        .map(({ facts }) => facts.definition_hash),
    );

  test('create, afterCreate, update and deactivate agree on the definition', () => {
    expect(workflows).toHaveLength(16);
    const stored = /create|update|deactivate/i;
    expect(hashes('Orders intake', stored).size).toBe(1);
    expect(hashes('Nightly sync', stored)).toEqual(hashes('Nightly sync v2', stored));
  });

  test('activate and postExecute carry defaults, so a definition of their own', () => {
    const stored = hashes('Orders intake', /create/i);
    const running = hashes('Orders intake', /\.activate|postExecute/);
    expect(running.size).toBe(1);
    expect(running).not.toEqual(stored);
  });

  test('every hook tells the same capabilities and dependencies', () => {
    for (const { name, facts } of workflows.filter((each) => each.name === 'Orders intake')) {
      expect({ name, ...facts }).toMatchObject({
        name: 'Orders intake',
        capabilities: ['sub-workflow:GxgTjnPYhFDbCiXP', 'trigger:webhook', 'webhook:orders'],
        dependencies: [{ entity_type: 'workflow', entity_id: 'GxgTjnPYhFDbCiXP' }],
        webhook_paths: ['orders'],
      });
    }
  });
});
