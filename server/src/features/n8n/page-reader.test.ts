import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { n8nWorkflow } from '../../../../test/rollcall/n8n-server.ts';
import { openPageReader } from './page-reader.ts';
import type { PageReading } from './stored-pages.ts';

const reading: PageReading = {
  at: '2026-05-01T08:00:00.000Z',
  inventory: '00000000-0000-4000-8000-000000000001',
  seen: {},
  full: false,
  projects: undefined,
};
const workflows = Array.from({ length: 400 }, (_, place) =>
  n8nWorkflow(`w${place}`, { name: 'long '.repeat(200) }),
);
/** In memory of its own, for a reader takes it. */
const bytes = (text: string) => Buffer.from(new TextEncoder().encode(text).buffer);
const page = () => bytes(JSON.stringify({ data: workflows, nextCursor: null }));

/** Threads that were started in a test. */
const started: unknown[] = [];
const note = (message: unknown) => void started.push(message);
beforeAll(() => subscribe('worker_threads', note));
afterAll(() => void unsubscribe('worker_threads', note));
beforeEach(() => void started.splice(0));

test('a large page is read in another thread, and says what it says here', async () => {
  const reader = openPageReader(reading);
  const pages = await Promise.all([reader.read(page()), reader.read(page()), reader.read(page())]);
  const here = workflows.map((workflow) => reader.readOne(workflow));
  for (const found of pages) expect(found).toEqual(here);
  expect(here[7]).toMatchObject({
    workflow_id: 'w7',
    words: { said: { name: expect.any(Array) } },
  });
  expect(started.length).toBeGreaterThan(0);
  expect(started.length).toBeLessThanOrEqual(2);
  await reader.close();
});

test('a small page is read at once, where a thread would only be waited for', async () => {
  const reader = openPageReader(reading);
  const data = workflows.slice(0, 20);
  expect(await reader.read(bytes(JSON.stringify({ data })))).toHaveLength(20);
  expect(started).toEqual([]);
  await reader.close();
});

test('what was seen as it is says no words, and what nobody can name is left out', async () => {
  const known = openPageReader(reading);
  const seen = Object.fromEntries(
    workflows.slice(1).map((workflow) => [workflow.id, known.readOne(workflow)?.digest ?? '']),
  );
  const data = [...workflows, null, 7, 'text', { id: '' }, { id: 'a\0b' }, { name: 'no id' }];
  for (const full of [false, true]) {
    const reader = openPageReader({ ...reading, seen, full });
    const found = await reader.read(bytes(JSON.stringify({ data })));
    expect(found).toHaveLength(workflows.length);
    expect(found?.filter(({ words }) => words).length).toBe(full ? workflows.length : 1);
    await reader.close();
  }
});

test.each([
  '',
  '{"data":7',
  'null',
  '[]',
  '{"data":{}}',
  '{"data":[nil]}',
  '{"data":[{"id":"1","a":[}]}',
])('what is no page of workflows is told, large or small: %s', async (text) => {
  const reader = openPageReader(reading);
  expect(await reader.read(bytes(text))).toBeUndefined();
  expect(await reader.read(bytes(text + ' '.repeat(300_000)))).toBeUndefined();
  await reader.close();
});

test('whoever waits for a page hears that its thread has ended', async () => {
  const reader = openPageReader(reading);
  const waited = reader.read(page());
  const told = expect(waited).rejects.toThrow('has ended');
  await reader.close();
  await told;
  await expect(reader.read(page())).rejects.toThrow('closed');
});

test('a page that its thread cannot read fails, and so do those after it', async () => {
  const reader = openPageReader(reading);
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const nested = `{"data":[{"id":"w","tags":[{"name":${deep}}]}]}`;
  await expect(reader.read(bytes(nested))).rejects.toThrow();
  await expect(reader.read(page())).resolves.toHaveLength(workflows.length);
  await expect(reader.read(page())).rejects.toThrow();
  await reader.close();
});
