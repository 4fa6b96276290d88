import type { CallOptions, TestRollcall } from './start.ts';

/** A tenant that nobody else uses, so that tests can share a server; `key` is its admin. */
export interface FreshTenant extends TestRollcall {
  tenant: string;
}

let made = 0;

/** Makes a tenant and sets the server's clock back to the real time. */
export async function freshTenant(rollcall: TestRollcall): Promise<FreshTenant> {
  const tenant = `fresh-${++made}`;
  const key = await rollcall.keyFor(tenant);
  rollcall.clock.advance(Date.now() - rollcall.clock.now().getTime());
  const call: TestRollcall['call'] = (method, path, body, options) =>
    rollcall.call(method, path, body, { key, ...options });
  return {
    ...rollcall,
    tenant,
    key,
    call,
    get: (path: string, options?: CallOptions) => call('GET', path, undefined, options),
    post: (path: string, body?: unknown, options?: CallOptions) =>
      call('POST', path, body, options),
    put: (path: string, body?: unknown, options?: CallOptions) => call('PUT', path, body, options),
  };
}
