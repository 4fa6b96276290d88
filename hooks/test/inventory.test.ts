import { readInventory, type InventoryPage } from '../src/inventory.ts';
import { ofKind, startProcess, storedWorkflows } from './n8n-process.ts';
import { publishedWorkflows } from './recorded.ts';
import { startStandIn, type StandIn } from './rollcall-stand-in.ts';

const published = publishedWorkflows().map(({ workflow }, index) => ({
  ...workflow,
  id: `w${String(index).padStart(3, '0')}`,
}));

/** The pages of an inventory, each as JSON would carry it. */
async function taken(repository: unknown, goOn = async () => true): Promise<InventoryPage[]> {
  const pages: InventoryPage[] = [];
  let second = 0;
  const now = () => new Date(1_000 * (second += 1)).toISOString();
  await readInventory(repository, now, (page) => pages.push(structuredClone(page)), goOn);
  return pages;
}

const idsOf = (pages: InventoryPage[]) =>
  pages.flatMap(({ workflows }) => workflows.map(({ id }) => id));

test('every workflow stands in one page, and the last page says that it was all', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    ...published[index % published.length],
    id: `w${index}`,
  }));
  const pages = await taken(storedWorkflows(many));
  expect(pages.length).toBeGreaterThan(2);
  expect(idsOf(pages)).toEqual(many.map(({ id }) => id));
  expect(pages.map(({ page }) => page)).toEqual(pages.map((_, index) => index + 1));
  expect(pages.filter(({ complete }) => complete)).toEqual([pages.at(-1)]);
  expect(pages.at(-1)?.pages).toBe(pages.length);
  for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(350_000);
});

test('no more than a few workflows are held at once', async () => {
  const stored = storedWorkflows(published);
  await taken(stored);
  const sizes = stored.questions.map(
    (question) => (question as { where?: unknown[] }).where?.length,
  );
  expect(sizes).toEqual([undefined, 20, 20, 10]);
  for (const question of stored.questions) expect(question).toHaveProperty('select');
});

test('an n8n without workflows has a complete inventory too', async () => {
  expect(await taken(storedWorkflows([]))).toMatchObject([
    { page: 1, pages: 1, complete: true, workflows: [] },
  ]);
});

test('a workflow that is deleted meanwhile makes no other one disappear', async () => {
  const stored = storedWorkflows([...published]);
  const find = stored.find.bind(stored);
  stored.find = async (question) => {
    const found = await find(question);
    stored.rows.splice(0, 1);
    return found;
  };
  const pages = await taken(stored);
  expect(pages.at(-1)?.complete).toBe(true);
  expect(idsOf(pages)).toEqual(published.map(({ id }) => id).filter((id) => id !== 'w000'));
});

test('a database that fails half-way: no page says that it was all', async () => {
  const stored = storedWorkflows(published);
  const find = stored.find.bind(stored);
  stored.find = async (question) => {
    if (question.where?.some(({ id }) => id === 'w030')) throw new Error('connection lost');
    return find(question);
  };
  const pages: InventoryPage[] = [];
  const reading = readInventory(
    stored,
    () => '',
    (page) => pages.push(page),
    async () => true,
  );
  await expect(reading).rejects.toThrow('connection lost');
  expect(pages.filter(({ complete }) => complete)).toEqual([]);
});

test('an n8n that lacks a column or a relation is asked more plainly', async () => {
  const stored = storedWorkflows(published.slice(0, 3));
  const find = stored.find.bind(stored);
  stored.find = async (question) => {
    if ((question.select?.length ?? 0) > 1) throw new Error('no column isArchived');
    if ((question as { relations?: string[] }).relations?.includes('shared')) {
      throw new Error('no relation shared');
    }
    return find(question);
  };
  expect(idsOf(await taken(stored))).toEqual(['w000', 'w001', 'w002']);
});

test('it ends early when there is no room, and does not say that it was all', async () => {
  let asked = 0;
  const many = Array.from({ length: 300 }, (_, index) => ({
    ...published[index % published.length],
    id: `w${index}`,
  }));
  const pages = await taken(storedWorkflows(many), async () => (asked += 1) <= 2);
  expect(pages.map(({ complete }) => complete)).toEqual([false, false]);
});

describe('with a server', () => {
  let rollcall: StandIn;
  beforeEach(async () => {
    rollcall = await startStandIn();
  });
  afterEach(() => rollcall.stop());

  const arrived = async (count: number): Promise<void> => {
    while (ofKind(rollcall.events, 'inventory').length < count) {
      await new Promise((resolve) => void setTimeout(resolve, 10));
    }
  };

  test('n8n.ready takes it, without being awaited', async () => {
    const n8n = startProcess({ url: rollcall.url, workflows: storedWorkflows(published) });
    expect(n8n.call('n8n.ready', {}, {})).toBeUndefined();
    await arrived(1);
    const events = ofKind(rollcall.events, 'inventory');
    expect(events.flatMap(({ inventory }) => inventory.workflows)).toHaveLength(50);
    expect(new Set(events.map(({ inventory }) => inventory.id)).size).toBe(1);
    expect(events.at(-1)?.inventory).toMatchObject({ complete: true, pages: events.length });
    expect(ofKind(rollcall.events, 'hooks.status')[0]?.hooks.when).toBe('ready');
    await n8n.end();
  });

  test('a database that hangs, or is broken, is no trouble for n8n', async () => {
    const broken = { find: () => Promise.reject(new Error('no')) };
    const hanging = { find: () => new Promise(() => undefined) };
    for (const workflows of [broken, hanging]) {
      const n8n = startProcess({ url: rollcall.url, workflows });
      n8n.call('n8n.ready', {}, {});
      await new Promise((resolve) => void setImmediate(resolve));
      await n8n.end();
      expect(n8n.stats().errors).toBe(workflows === broken ? 1 : 0);
    }
    expect(ofKind(rollcall.events, 'inventory')).toEqual([]);
  });
});
