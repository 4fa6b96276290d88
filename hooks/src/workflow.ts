import type {
  N8nConnections,
  N8nNode,
  N8nProject,
  N8nWorkflow,
} from '../../client/src/contract/index.ts';
import { hasWebhookPath, pickParameters } from './parameters.ts';
import { amount, count, field, flag, id, keys, list, moment, present, text } from './read.ts';
import { storedHashes, type StoredHashes } from './stored-definition.ts';

const MOST_NODES = 2_000;
const MOST_TAGS = 50;
const MOST_TARGETS = 500;
const MOST_OUTPUTS = 100;
const STICKY_NOTE = 'n8n-nodes-base.stickyNote';
/** A workflow that takes more as JSON is told without its connections and most of its nodes. */
const MOST_CHARACTERS = 300_000;
const FEW_NODES = 200;
const CONNECTION_TYPE = /^(?:main|ai_[a-zA-Z]{1,40})$/;
const CREDENTIAL_TYPE = /^[\w-]{1,100}$/;

/** What a workflow is called and how it stands; nothing of what it does. Undefined without an id. */
export function pickWorkflow(workflow: unknown): N8nWorkflow | undefined {
  const workflowId = id(field(workflow, 'id'));
  if (workflowId === undefined) return undefined;
  const active = field(workflow, 'activeVersionId');
  const tags = field(workflow, 'tags');
  return present({
    id: workflowId,
    name: text(field(workflow, 'name'), 255),
    active: flag(field(workflow, 'active')),
    is_archived: flag(field(workflow, 'isArchived')),
    version_id: id(field(workflow, 'versionId')),
    active_version_id: active === null ? null : id(active),
    trigger_count: count(field(workflow, 'triggerCount')),
    created_at: moment(field(workflow, 'createdAt')),
    updated_at: moment(field(workflow, 'updatedAt')),
    tags: Array.isArray(tags)
      ? list(tags, MOST_TAGS).flatMap((tag) => text(field(tag, 'name'), 120) ?? [])
      : undefined,
    project: pickProject(field(workflow, 'shared')),
  });
}

/** As `pickWorkflow`, with the definition, which has to be as n8n stores it. */
export function pickStoredWorkflow(workflow: unknown): N8nWorkflow | undefined {
  const known = pickWorkflow(workflow);
  if (known === undefined || !Array.isArray(field(workflow, 'nodes'))) return known;
  const all = list(field(workflow, 'nodes'), MOST_NODES + 1);
  const names = new Set(all.flatMap((node) => text(field(node, 'name'), 255) ?? []));
  const connections = pickConnections(field(workflow, 'connections'), names);
  const hashes = all.length > MOST_NODES ? undefined : storedHashes(workflow);
  const nodes = all
    .slice(0, MOST_NODES)
    .flatMap((node, index) => pickNode(node, connections, hashes?.nodes[index]) ?? []);
  const settings = field(workflow, 'settings');
  const hash = hashes?.hash;
  const whole: N8nWorkflow = {
    ...known,
    node_count: nodes.length,
    nodes,
    connections,
    settings: present({
      errorWorkflow: id(field(settings, 'errorWorkflow')),
      timezone: text(field(settings, 'timezone'), 64),
      executionTimeout: amount(field(settings, 'executionTimeout')),
    }),
    definition: hash === undefined ? 'partial' : 'stored',
    ...(hash !== undefined && { definition_hash: hash }),
  };
  if (JSON.stringify(whole).length <= MOST_CHARACTERS) return whole;
  return present<N8nWorkflow>({
    ...whole,
    nodes: nodes
      .slice(0, FEW_NODES)
      .map((node) => present({ ...node, parameters: undefined, hashes: undefined })),
    connections: {},
    definition: 'partial',
    definition_hash: undefined,
  });
}

function pickNode(
  node: unknown,
  connections: N8nConnections,
  hashes: StoredHashes['nodes'][number] | undefined,
): N8nNode | undefined {
  const type = text(field(node, 'type'), 255);
  if (type === undefined || type === STICKY_NOTE) return undefined;
  const name = text(field(node, 'name'), 255) ?? '';
  const types = keys(field(node, 'credentials'), 50).filter((key) => CREDENTIAL_TYPE.test(key));
  const outputs = Object.hasOwn(connections, name) ? Object.keys(connections[name] ?? {}) : [];
  const isAiPart = outputs.some((output) => output.startsWith('ai_'));
  return present({
    id: id(field(node, 'id')),
    name,
    type,
    typeVersion: amount(field(node, 'typeVersion'), 1_000),
    disabled: field(node, 'disabled') === true ? (true as const) : undefined,
    webhookId: hasWebhookPath(type) ? id(field(node, 'webhookId')) : undefined,
    parameters: pickParameters(type, field(node, 'parameters'), isAiPart),
    credentials: types.length === 0 ? undefined : emptyObjects(types),
    hashes,
  });
}

const emptyObjects = (names: string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** Between nodes that there are, and of n8n's types. */
function pickConnections(connections: unknown, names: ReadonlySet<string>): N8nConnections {
  return Object.fromEntries(
    keys(connections, MOST_NODES).flatMap((source) => {
      const name = text(source, 255);
      const outputs = field(connections, source);
      const types = keys(outputs, 20).flatMap((type) => {
        if (!CONNECTION_TYPE.test(type)) return [];
        const slots = list(field(outputs, type), MOST_OUTPUTS);
        return [[type, slots.map((slot) => targetsOf(slot, names))] as const];
      });
      const isNode = name !== undefined && names.has(name);
      return isNode && types.length > 0 ? [[name, Object.fromEntries(types)]] : [];
    }),
  );
}

function targetsOf(slot: unknown, names: ReadonlySet<string>) {
  return list(slot, MOST_TARGETS).flatMap((target) => {
    const node = text(field(target, 'node'), 255);
    const said = field(target, 'type');
    const type = typeof said === 'string' && CONNECTION_TYPE.test(said) ? said : undefined;
    const index = count(field(target, 'index'));
    return node !== undefined && names.has(node) ? [present({ node, type, index })] : [];
  });
}

/** The project that owns the workflow, where the hook was told of it. */
function pickProject(shared: unknown): N8nProject | undefined {
  const owner = list(shared, 50).find((share) => field(share, 'role') === 'workflow:owner');
  const projectId = id(field(owner, 'projectId') ?? field(owner, 'project', 'id'));
  if (projectId === undefined) return undefined;
  const type = text(field(owner, 'project', 'type'), 64);
  const name =
    type === undefined || type === 'personal'
      ? undefined
      : text(field(owner, 'project', 'name'), 255);
  return present({ id: projectId, name, type });
}
