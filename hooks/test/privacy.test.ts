import fc from 'fast-check';
import type { OutboxEnvironment } from '../../client/src/outbox/index.ts';
import { startProcess, storedWorkflows, type N8nProcess } from './n8n-process.ts';
import { recordedCalls } from './recorded.ts';

const MARKER = 'S3CRET';

/** Names that are read somewhere. Everything under any other name has to stay. */
const READ = new Set(
  (
    'id name active isArchived versionId activeVersionId triggerCount createdAt updatedAt tags shared role projectId ' +
    'project type nodes connections settings errorWorkflow timezone executionTimeout callerIds callerPolicy executionOrder ' +
    'typeVersion disabled webhookId parameters credentials retryOnFail maxTries alwaysOutputData continueOnFail ' +
    'executeOnce onError waitBetweenTries node index data resultData runData status finished mode startedAt stoppedAt ' +
    'waitTill retryOf parentExecution executionId workflowId lastNodeExecuted error message startTime executionTime ' +
    'executionStatus source previousNode previousNodeRun previousNodeOutput main ai_languageModel metadata tracing ' +
    'subExecution inputOverride json tokenUsage tokenUsageEstimate options rule triggerTimes unit interval item pollTimes ' +
    'path public value cachedResultName endpointUrl sseEndpoint sseUrl httpStreamUrl serverUrl model modelId modelName ' +
    'chatModel imageModel dbCollections Workflow'
  ).split(' '),
);

/** Objects whose keys are names that leave: of nodes, of connection types, of credential types. */
const NAMED_BY_KEYS = new Set(['connections', 'runData', 'credentials']);

const unread = fc
  .oneof(
    fc.string(),
    fc.constantFrom(
      'email',
      'firstName',
      'lastName',
      'password',
      'pinData',
      'staticData',
      'meta',
      'notes',
      'resumeToken',
      'resumeUrl',
      'stack',
      'description',
      'context',
      'request',
      'headers',
      'response',
      'binary',
      'body',
      'jsCode',
      'text',
      'authors',
      'toJSON',
      `${MARKER} as a key`,
    ),
  )
  .filter((key) => !READ.has(key) && !(key in Object.prototype) && !/^\d+$/.test(key));

class Live {
  secret = MARKER;
  get reaching() {
    return { further: [MARKER] };
  }
}

const { hidden } = fc.letrec<{ hidden: unknown }>((tie) => ({
  hidden: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(MARKER),
    fc.string().map((text) => `${text}${MARKER}${text}`),
    fc.constantFrom(
      new Live(),
      new Map([[MARKER, MARKER]]),
      new Error(MARKER),
      () => MARKER,
      Symbol(MARKER),
      Buffer.from(MARKER),
    ),
    fc.array(tie('hidden'), { maxLength: 3 }),
    fc.dictionary(unread, tie('hidden'), { maxKeys: 3 }),
  ),
}));

const planting = fc.record({
  extras: fc.array(fc.dictionary(unread, hidden, { minKeys: 1, maxKeys: 4 }), {
    minLength: 1,
    maxLength: 5,
  }),
  how: fc.constantFrom('plainly', 'behind getters', 'in a circle'),
});
type Planting = typeof planting extends fc.Arbitrary<infer Value> ? Value : never;

/** A copy with something hidden in every object of it, and in place of everything that has a name nobody reads. */
function plant(value: unknown, { extras, how }: Planting, key = '', turn = { next: 0 }): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown) => plant(item, { extras, how }, '', turn));
  }
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const isRead = READ.has(name) || NAMED_BY_KEYS.has(key);
    copy[name] = isRead ? plant(inner, { extras, how }, name, turn) : { [MARKER]: MARKER };
  }
  if (NAMED_BY_KEYS.has(key)) return copy;
  const extra = extras[(turn.next += 1) % extras.length] ?? {};
  for (const [name, secret] of Object.entries(extra)) {
    if (Object.hasOwn(copy, name)) continue;
    if (how === 'behind getters') {
      Object.defineProperty(copy, name, { enumerable: true, get: () => secret });
    } else {
      copy[name] = how === 'in a circle' ? { secret, round: copy } : secret;
    }
  }
  return copy;
}

/** A process whose requests are kept, and answered as Rollcall does. */
function overheard(workflows: unknown, payloads = false): { n8n: N8nProcess; sent: () => string } {
  const bodies: string[] = [];
  const machine: OutboxEnvironment = {
    now: () => Date.now(),
    random: () => 1,
    gzip: undefined,
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
    fetch: async (url, request) => {
      const body = new TextDecoder().decode(request.body as Uint8Array);
      bodies.push(body);
      const accepted = (JSON.parse(body) as unknown[]).length;
      expect(url).not.toContain(MARKER);
      return Response.json({ accepted, duplicates: 0, rejected: 0 });
    },
  };
  const settings = { payloads };
  return {
    n8n: startProcess({ url: 'http://127.0.0.1:1', machine, workflows, settings }),
    sent: () => bodies.join('\n'),
  };
}

const calls = recordedCalls();
const rows = calls
  .filter(({ hook }) => hook === 'workflow.afterCreate')
  .map(({ args }) => args[0] as { id: string });

test('nothing outside the list leaves, wherever it is hidden in what n8n hands over', async () => {
  await fc.assert(
    fc.asyncProperty(planting, async (secrets) => {
      const stored = rows.map((row) => plant(row, secrets) as { id: string });
      const { n8n, sent } = overheard(storedWorkflows(stored));
      for (const { hook, args } of calls) {
        const told = args.map((argument) => plant(argument, secrets));
        expect(n8n.call(hook, ...told)).toBeUndefined();
      }
      await new Promise((resolve) => void setImmediate(resolve));
      await n8n.end();
      expect(sent()).not.toContain(MARKER);
      // As much is told as without what was hidden.
      expect(sent().match(/"kind":"(?!inventory)/g)).toHaveLength(14);
      expect(sent()).toContain('"node_name":"Broken call"');
      expect(n8n.stats().errors).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('nothing leaves of arguments that are anything at all', async () => {
  const key = fc.oneof(unread, fc.string());
  const anything = fc.oneof(
    hidden,
    fc.dictionary(
      key.filter((name) => !READ.has(name)),
      hidden,
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { maxLength: 4 }), async (told) => {
      const { n8n, sent } = overheard(storedWorkflows([]));
      for (const hook of new Set(calls.map((call) => call.hook))) {
        // An id by itself is told: these are not.
        const args = told.map((value) => (typeof value === 'string' ? { value } : value));
        expect(n8n.call(hook, ...args)).toBeUndefined();
      }
      await n8n.end();
      expect(sent()).not.toContain(MARKER);
    }),
    { numRuns: 100 },
  );
});

test('with payloads switched on, keys and addresses in them still stay', async () => {
  const { n8n, sent } = overheard(storedWorkflows([]), true);
  const json = {
    plain: 'told',
    password: MARKER,
    nested: [{ 'api-key': MARKER, access_token: MARKER, text: `Bearer ${MARKER}S3CRET` }],
  };
  const run = {
    status: 'success',
    data: { resultData: { runData: { Set: [{ data: { main: [[{ json, binary: MARKER }]] } }] } } },
  };
  n8n.call('workflow.postExecute', run, { id: 'w1' }, '1');
  await n8n.end();
  expect(sent()).toContain('"plain":"told"');
  expect(sent()).not.toContain(MARKER);
});
