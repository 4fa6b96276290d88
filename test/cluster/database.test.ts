import pg from 'pg';
import { createDatabase, templateOnce } from './database.ts';

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe('the databases of the tests', () => {
  it('are apart from each other', async () => {
    const [one, other] = await Promise.all([createDatabase(), createDatabase()]);
    await query(one.url, 'CREATE TABLE mine (id int)');
    await expect(query(other.url, 'SELECT FROM mine')).rejects.toThrow('does not exist');
    await Promise.all([one.drop(), other.drop()]);
  });

  it('are copies of a template that is prepared once, whoever asks at the same time', async () => {
    let prepared = 0;
    const name = `template_once_${process.pid}`;
    const prepare = async (url: string) => {
      prepared += 1;
      await query(url, 'CREATE TABLE filled AS SELECT 7 AS seven');
    };
    const ask = async () => createDatabase({ template: await templateOnce(name, prepare) });
    const databases = await Promise.all([ask(), ask(), ask()]);
    expect(prepared).toBe(1);
    for (const { url, drop } of databases) {
      expect(await query(url, 'SELECT seven FROM filled')).toEqual([{ seven: 7 }]);
      await drop();
    }
  });

  it('keep nothing of a preparation that failed', async () => {
    const name = `template_retried_${process.pid}`;
    const failing = templateOnce(name, async (url) => {
      await query(url, 'CREATE TABLE half (id int)');
      throw new Error('the migration is wrong');
    });
    await expect(failing).rejects.toThrow('the migration is wrong');
    await templateOnce(name, (url) =>
      query(url, 'CREATE TABLE half (id int)').then(() => undefined),
    );
    const database = await createDatabase({ template: name });
    expect(await query(database.url, 'SELECT FROM half')).toEqual([]);
    await database.drop();
  });

  it('are dropped while somebody is connected', async () => {
    const database = await createDatabase();
    const client = new pg.Client(database.connection);
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    await lost;
    await expect(query(database.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});
