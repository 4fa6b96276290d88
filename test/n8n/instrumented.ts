import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';

import {
  instrumentWorkflow,
  uninstrumentWorkflow,
  type WorkflowJson,
} from '../../client/src/instrument/index.ts';
import { until } from './child.ts';
import { ROOT } from './package.ts';
import { EXAMPLE_CREDENTIAL, type World } from './world.ts';

const REAL = join(ROOT, 'test/fixtures/workflows');
/** Of the real ones, the one that needs nobody outside. */
const SELF_CONTAINED = '43-';

/** n8n takes what instrumenting makes of real workflows, keeps it as it is, and what it runs is told. */
export function testInstrumented({ folder, n8n, rollcall }: World): void {
  const files = new Map<string, WorkflowJson>();
  let exported: Map<string, WorkflowJson>;

  before(async () => {
    for (const name of (await readdir(REAL)).filter((file) => file.endsWith('.json')).sort()) {
      const original = JSON.parse(await readFile(join(REAL, name), 'utf8')) as WorkflowJson;
      const { workflow } = instrumentWorkflow(original);
      const id = `instrumented${name.slice(0, 2)}`;
      files.set(name, { ...workflow, id, name: name.replace('.json', ''), active: false });
    }
    const all = join(folder, 'instrumented.json');
    await writeFile(all, JSON.stringify([...files.values()]));
    await n8n.command('import:workflow', `--input=${all}`);
    const kept = join(folder, 'exported.json');
    await n8n.command('export:workflow', '--all', `--output=${kept}`);
    const workflows = JSON.parse(await readFile(kept, 'utf8')) as WorkflowJson[];
    exported = new Map(workflows.map((workflow) => [workflow.id as string, workflow]));
  });

  test('imports every one of the real workflows, and exports what was imported', () => {
    assert.ok(files.size >= 50, `${files.size} workflows`);
    for (const [name, given] of files) {
      const kept = exported.get(given.id as string);
      assert.ok(kept, `${name} is not there`);
      assert.deepEqual(kept.connections, given.connections, name);
      assert.deepEqual(withoutNewIds(kept, given), given.nodes.map(withCredentials), name);
      assert.deepEqual(kept.settings ?? {}, given.settings ?? {}, name);
    }
  });

  test('what n8n has kept is known again: nothing more to put in, all of it to take out', () => {
    for (const [name, given] of files) {
      const kept = exported.get(given.id as string) as WorkflowJson;
      const again = instrumentWorkflow(kept);
      assert.deepEqual([again.inserted, again.removed], [[], []], name);
      const left = uninstrumentWorkflow(kept).nodes.map((node) => node.name);
      const before = uninstrumentWorkflow(given).nodes.map((node) => node.name);
      assert.deepEqual(left, before, name);
    }
  });

  test('one that runs tells of its start and its end, and registers itself', async () => {
    const [, harness] = [...files].find(([name]) => name.startsWith(SELF_CONTAINED)) ?? [];
    assert.ok(harness);
    const { nodes, connections, settings = {} } = harness;
    // By the public API, which finds the credential by its name.
    const id = await n8n.api.createWorkflow({ name: 'Instrumented', nodes, connections, settings });
    const trigger = nodes.find(({ type }) => type.endsWith('.manualTrigger'));
    assert.ok(trigger);
    await n8n.api.runManually(id, trigger.name);
    const events = await until(
      'both events are there',
      async () => {
        const found = await rollcall.events({ workflow_id: id });
        const told = found.map(({ operation }) => operation);
        return ['workflow.started', 'workflow.finished'].every((each) => told.includes(each))
          ? found
          : undefined;
      },
      { seconds: 30 },
    );
    assert.ok(events.every(({ execution_id }) => execution_id === events[0]?.execution_id));
    assert.equal((await rollcall.entity('workflow', id))?.entity_name, 'Instrumented');
  });
}

/** n8n finds Rollcall's by its name, and writes names alone, as old exports have them, in its newer way. */
function withCredentials(node: WorkflowJson['nodes'][number]) {
  if (node.credentials === undefined) return node;
  const entries = Object.entries(node.credentials as object).map(([type, credential]) => {
    if (type === 'rollcallApi') return [type, { id: EXAMPLE_CREDENTIAL, name: 'Rollcall' }];
    return [type, typeof credential === 'string' ? { id: null, name: credential } : credential];
  });
  return { ...node, credentials: Object.fromEntries(entries) as object };
}

/** n8n gives ids to nodes that have none, or an empty one. */
const withoutNewIds = (kept: WorkflowJson, given: WorkflowJson) =>
  kept.nodes.map(({ id, ...node }, index) => {
    const before = given.nodes[index]?.id;
    if (before === undefined) return node;
    return { ...node, id: before === '' ? '' : id };
  });
