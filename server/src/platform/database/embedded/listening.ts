import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Listening } from './settings.ts';
import { SOCKET_PORT } from './socket.ts';

/** What pg takes as it is; `host` is the socket's folder where there are sockets. */
export interface Connection {
  host: string;
  port: number;
  user: string;
  database: string;
  password?: string;
}

export interface Door {
  listening: Listening;
  connection: Connection;
  url: string;
  /** Where the password is kept, if one is asked for. */
  passwordFile: string | undefined;
}

/**
 * How the database is reached: by a socket in a private folder, which needs no password, and on
 * Windows by a free port of 127.0.0.1 with one that only this user can read.
 */
export async function listen(dataDir: string, run: string, name: string): Promise<Door> {
  if (process.platform !== 'win32') {
    fs.rmSync(join(run, `.s.PGSQL.${SOCKET_PORT}`), { force: true });
    fs.rmSync(join(run, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true });
    const connection = { host: run, port: SOCKET_PORT, user: name, database: name };
    return {
      listening: { socketFolder: run },
      connection,
      url: `postgresql://${name}@${encodeURIComponent(run)}:${SOCKET_PORT}/${name}`,
      passwordFile: undefined,
    };
  }
  const passwordFile = join(dataDir, 'postgres-password');
  const password = keptPassword(passwordFile);
  const port = await freePort();
  return {
    listening: { port },
    connection: { host: '127.0.0.1', port, user: name, database: name, password },
    url: `postgresql://${name}:${password}@127.0.0.1:${port}/${name}`,
    passwordFile,
  };
}

function keptPassword(file: string): string {
  if (!fs.existsSync(file)) {
    fs.writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  }
  return fs.readFileSync(file, 'utf8').trim();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
