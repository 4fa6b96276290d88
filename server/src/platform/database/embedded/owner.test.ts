import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeScratch, type Scratch } from '../../../../../test/cluster/scratch.ts';
import { own } from './owner.ts';

let scratch: Scratch;
let file: string;
beforeEach(() => {
  scratch = makeScratch();
  fs.mkdirSync(scratch.dataDir);
  file = join(scratch.dataDir, 'owner.json');
});
afterEach(() => scratch.clear());

const writeDeadOwner = (changes: object) =>
  fs.writeFileSync(
    file,
    JSON.stringify({ pid: 2 ** 30, start: 'x', host: hostname(), token: randomUUID(), ...changes }),
  );

describe('owning a data folder', () => {
  it('is granted to one of many that find a dead owner at the same time', async () => {
    writeDeadOwner({});
    const answers = await Promise.allSettled([1, 2, 3, 4].map(() => own(scratch.dataDir)));
    const granted = answers.filter(({ status }) => status === 'fulfilled');
    expect(granted).toHaveLength(1);
    for (const answer of granted) if (answer.status === 'fulfilled') answer.value();
    expect(fs.readdirSync(scratch.dataDir)).toEqual([]);
  });

  it('is granted over a file that makes no sense', async () => {
    fs.writeFileSync(file, 'half a li');
    (await own(scratch.dataDir))();
    expect(fs.existsSync(file)).toBe(false);
  });

  it('is refused while an owner in another container touches its file', async () => {
    writeDeadOwner({ host: 'another-container' });
    const beat = setInterval(() => fs.utimesSync(file, new Date(), new Date()), 5);
    try {
      await expect(own(scratch.dataDir, 200)).rejects.toThrow('on another-container');
    } finally {
      clearInterval(beat);
    }
  });

  it('is granted when an owner in another container touches it no more', async () => {
    writeDeadOwner({ host: 'another-container' });
    (await own(scratch.dataDir, 20))();
  });

  it('is granted when an owner in another container has long been silent', async () => {
    writeDeadOwner({ host: 'another-container' });
    fs.utimesSync(file, new Date(0), new Date(0));
    (await own(scratch.dataDir))();
  });

  it('is not given up on behalf of another owner', async () => {
    const release = await own(scratch.dataDir);
    writeDeadOwner({});
    release();
    expect(fs.existsSync(file)).toBe(true);
  });
});
