import fc from 'fast-check';
import { extractWorkflow } from './extract.ts';
import { WorkflowShapeError } from './shape.ts';
import { LIST_LIMIT, TOKEN_LIMIT } from './tokens.ts';

const TYPES = [
  'n8n-nodes-base.scheduleTrigger',
  'n8n-nodes-base.cron',
  'n8n-nodes-base.webhook',
  'n8n-nodes-base.formTrigger',
  'n8n-nodes-base.gmailTrigger',
  'n8n-nodes-base.executeWorkflow',
  'n8n-nodes-base.slackTool',
  'n8n-nodes-base.stickyNote',
  '@n8n/n8n-nodes-langchain.lmChatOpenAi',
  '@n8n/n8n-nodes-langchain.mcpClientTool',
  '@n8n/n8n-nodes-langchain.chatTrigger',
  'CUSTOM.thing',
];
const KEYS = [
  '__proto__',
  '__rl',
  'cachedResultName',
  'constructor',
  'endpointUrl',
  'errorWorkflow',
  'expression',
  'field',
  'interval',
  'item',
  'main',
  'minutesInterval',
  'mode',
  'model',
  'path',
  'pollTimes',
  'rule',
  'source',
  'timezone',
  'toString',
  'triggerAtDay',
  'triggerTimes',
  'value',
  'workflowId',
];

const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('={{ $json.x }}', '=', '\u0000', '\ud800', 'DEFAULT', '/:', '0 9 * * 1', '12'),
  fc.string().map((text) => text.repeat(300)),
  fc.webUrl({ withQueryParameters: true }),
);
const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { depthSize: 'medium' },
    hostileText,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('hostile'), { maxLength: 4 }),
    objectOf(tie('hostile')),
  ),
}));

/** Built as JSON.parse builds it: `__proto__` is a key like any other. */
function objectOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  const key = fc.oneof(fc.constantFrom(...KEYS), fc.string());
  return fc
    .array(fc.tuple(key, values), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries) as object);
}

const node = fc.record(
  {
    name: fc.oneof(fc.constantFrom('A', 'B', '__proto__', 'constructor'), hostileText, hostile),
    type: fc.constantFrom(...TYPES),
    typeVersion: hostile,
    parameters: fc.oneof(objectOf(hostile), hostile),
    credentials: fc.oneof(objectOf(hostile), hostile),
    disabled: fc.oneof(fc.boolean(), hostile),
    webhookId: hostile,
    position: hostile,
  },
  { requiredKeys: ['type'] },
);
const workflow = fc.record(
  {
    id: hostile,
    nodes: fc.array(node, { maxLength: 8 }),
    connections: fc.oneof(objectOf(objectOf(hostile)), hostile),
    settings: fc.oneof(objectOf(hostile), hostile),
  },
  { requiredKeys: ['nodes'] },
);

test('any value is read or refused as no workflow', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.jsonValue()), (value) => {
      for (const attempt of [value, { nodes: value }, { nodes: [value] }]) {
        try {
          extractWorkflow(attempt);
        } catch (error) {
          expect(error).toBeInstanceOf(WorkflowShapeError);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('hostile workflows yield bounded, sorted, storable facts', () => {
  fc.assert(
    fc.property(workflow, (value) => {
      const facts = extractWorkflow(value);
      const texts = [
        ...facts.capabilities,
        ...facts.webhook_paths,
        ...facts.dependencies.flatMap((each) => [each.entity_id, each.entity_name ?? '']),
        ...facts.triggers.flatMap((each) => [each.node, each.app ?? '']),
        ...facts.schedules.flatMap((each) => [each.node, each.cron ?? '', each.timezone ?? '']),
      ];
      for (const text of texts) {
        expect(text.length).toBeLessThanOrEqual(TOKEN_LIMIT);
        expect(text).not.toMatch(/[\p{Cc}\p{Cs}]/u);
      }
      for (const token of facts.capabilities) expect(token).toMatch(/^[a-z-]+:./);
      expect(facts.capabilities).toEqual([...new Set(facts.capabilities)].sort());
      expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    }),
    { numRuns: 1000 },
  );
});

test('the order of nodes and keys changes nothing', () => {
  fc.assert(
    fc.property(workflow, fc.nat(), (value, seed) => {
      const shuffled = { ...(shuffleKeys(value, seed) as typeof value) };
      shuffled.nodes = shuffle(shuffled.nodes, seed);
      expect(extractWorkflow(shuffled)).toEqual(extractWorkflow(value));
    }),
    { numRuns: 500 },
  );
});

test('moving a node changes nothing, changing a parameter changes the hash', () => {
  fc.assert(
    fc.property(workflow, hostile, fc.uuid(), (value, position, text) => {
      const { definition_hash, ...facts } = extractWorkflow(value);
      const moved = value.nodes.map((each) => ({ ...each, position }));
      expect(extractWorkflow({ ...value, nodes: moved })).toEqual({ definition_hash, ...facts });

      const place = value.nodes.findIndex((each) => each.type !== 'n8n-nodes-base.stickyNote');
      const changed = value.nodes.map((each, index) =>
        index === place ? { ...each, parameters: withRemark(each.parameters, text) } : each,
      );
      const after = extractWorkflow({ ...value, nodes: changed });
      if (place >= 0) expect(after.definition_hash).not.toBe(definition_hash);
    }),
    { numRuns: 500 },
  );
});

test('no value of a parameter or credential gets out unless it is one that the facts name', () => {
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), fc.uuid(), (type, secret) => {
      const parameters = { url: secret, jsCode: secret, headers: [{ value: secret }] };
      const credentials = { anyApi: { id: secret, name: secret, data: secret } };
      const facts = extractWorkflow({ nodes: [{ type, parameters, credentials, notes: secret }] });
      expect(JSON.stringify(facts)).not.toContain(secret);
    }),
  );
});

test('lists stop at their limit', () => {
  const nodes = Array.from({ length: 1000 }, (_, index) => ({
    name: `Hook ${index}`,
    type: 'n8n-nodes-base.webhook',
    parameters: { path: `path-${index}` },
  }));
  const facts = extractWorkflow({ nodes });
  expect(facts.capabilities).toHaveLength(LIST_LIMIT);
  expect(facts.triggers).toHaveLength(LIST_LIMIT);
  expect(facts.webhook_paths).toHaveLength(LIST_LIMIT);
  expect(facts.node_count).toBe(1000);
});

test('ten thousand nodes of one name with ten thousand outputs cost no square', () => {
  const type = 'n8n-nodes-base.noOp';
  const nodes = Array.from({ length: 10_000 }, () => ({ name: 'Same', type }));
  const outputs = Array.from({ length: 10_000 }, (_, index) => [`out${index}`, [[]]] as const);
  const connections = { Same: Object.fromEntries(outputs) };
  const start = performance.now();
  extractWorkflow({ nodes, connections });
  expect(performance.now() - start).toBeLessThan(4000);
});

function withRemark(parameters: unknown, remark: string): object {
  return typeof parameters === 'object' ? { ...parameters, remark } : { remark };
}

function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  const mixed = [...items];
  for (let index = mixed.length - 1; index > 0; index -= 1) {
    const other = (seed + index * 7919) % (index + 1);
    [mixed[index], mixed[other]] = [mixed[other] as Item, mixed[index] as Item];
  }
  return mixed;
}

function shuffleKeys(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffleKeys(item, seed));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, shuffleKeys(item, seed)]);
  return Object.fromEntries(shuffle(entries, seed)) as unknown;
}
