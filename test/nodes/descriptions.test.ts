import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Icon, INodeProperties, INodePropertyOptions } from 'n8n-workflow';

import {
  ENTITY_STATES,
  GAP_GRADES,
  GAP_KINDS,
  GAP_SEVERITIES,
  GAP_STATES,
  HEALTH_STATUSES,
  KNOWN_ENTITY_TYPES,
  PROTOCOLS,
  TELEMETRY_STATUSES,
  WEBHOOK_EVENTS,
} from '../../client/src/contract/index.ts';
import { RollcallApi } from '../../credentials/RollcallApi.credentials.ts';
import { checkGaps, registerWorkflow, rollcallTrigger, telemetryEmit } from './workflow.ts';

const ROOT = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const nodes = [
  { folder: 'TelemetryEmit', node: telemetryEmit },
  { folder: 'RegisterWorkflow', node: registerWorkflow },
  { folder: 'CheckGaps', node: checkGaps },
  { folder: 'RollcallTrigger', node: rollcallTrigger },
];

function icons(folder: string, icon: Icon | undefined): string[] {
  const { light, dark } = icon as Exclude<Icon, string>;
  return [light, dark].map((file) => readFileSync(join(ROOT, folder, file.slice(5)), 'utf8'));
}

/** A parameter anywhere in a node, by its name. */
function parameter(properties: INodeProperties[], name: string): INodeProperties | undefined {
  for (const property of properties) {
    if (property.name === name) return property;
    const inner = (property.options ?? []).filter((option) => 'type' in option);
    const found = parameter(inner, name);
    if (found) return found;
  }
  return undefined;
}

describe.each(nodes)('$folder', ({ folder, node: { description } }) => {
  it('is registered in the package, with a codex file of the right name', () => {
    expect(manifest.n8n.nodes).toContain(`dist/nodes/${folder}/${folder}.node.js`);
    const codex = JSON.parse(
      readFileSync(join(ROOT, `nodes/${folder}/${folder}.node.json`), 'utf8'),
    );
    expect(codex.node).toBe(`n8n-nodes-rollcall.${description.name}`);
  });

  it('has an icon for light and one for dark, and both are there', () => {
    const [light, dark] = icons(`nodes/${folder}`, description.icon);
    expect(light).toMatch(/^<svg /);
    expect(dark).toMatch(/^<svg /);
    expect(light).not.toBe(dark);
  });

  it('is usable as a tool unless it is a trigger, and needs the Rollcall credential', () => {
    const isTrigger = description.group.includes('trigger');
    expect(description.usableAsTool).toBe(isTrigger ? undefined : true);
    expect(description.inputs).toHaveLength(isTrigger ? 0 : 1);
    expect(description.credentials).toEqual([{ name: 'rollcallApi', required: true }]);
    expect(description.subtitle).toBeTruthy();
  });
});

it.each([
  ['protocol', telemetryEmit, PROTOCOLS],
  ['status', telemetryEmit, TELEMETRY_STATUSES],
  ['entity_type', registerWorkflow, [...KNOWN_ENTITY_TYPES, 'other']],
  ['current_state', registerWorkflow, ENTITY_STATES.filter((state) => state !== 'deleted')],
  ['health_status', registerWorkflow, HEALTH_STATUSES],
  ['kinds', checkGaps, GAP_KINDS],
  ['severity', checkGaps, GAP_SEVERITIES],
  ['grade', checkGaps, GAP_GRADES],
  ['state', checkGaps, GAP_STATES],
  ['events', rollcallTrigger, WEBHOOK_EVENTS],
  ['kinds', rollcallTrigger, GAP_KINDS],
  ['severities', rollcallTrigger, GAP_SEVERITIES],
  // What cannot be told is never announced.
  ['grades', rollcallTrigger, GAP_GRADES.filter((grade) => grade !== 'cannot_tell')],
  ['states', rollcallTrigger, ENTITY_STATES],
] as const)('%s offers exactly the values of the contract', (name, { description }, values) => {
  const options = parameter(description.properties, name)?.options as INodePropertyOptions[];
  expect(options.map(({ value }) => value).sort()).toEqual([...values].sort());
});

it('Check Gaps has an output for gaps and one for all clear', () => {
  expect(checkGaps.description.outputNames).toEqual(['Gaps', 'All Clear']);
  expect(checkGaps.description.outputs).toHaveLength(2);
});

describe('the credential', () => {
  const credential = new RollcallApi();

  it('holds a base URL and a masked API key, and sends the key as a bearer token', async () => {
    const [baseUrl, apiKey] = credential.properties;
    expect(baseUrl).toMatchObject({ name: 'baseUrl', default: 'http://127.0.0.1:7655' });
    expect(apiKey).toMatchObject({ name: 'apiKey', typeOptions: { password: true } });
    const request = { url: 'http://rollcall.test', headers: { Accept: 'application/json' } };
    expect(await credential.authenticate({ apiKey: ' rc_1\n' }, request)).toEqual({
      url: 'http://rollcall.test',
      headers: { Accept: 'application/json', Authorization: 'Bearer rc_1' },
    });
  });

  it('is tested against whoami', () => {
    expect(credential.test.request.url).toBe('/api/v1/whoami');
  });

  it('has an icon for light and one for dark', () => {
    const [light, dark] = icons('credentials', credential.icon);
    expect(light).not.toBe(dark);
  });
});
