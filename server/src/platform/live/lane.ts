import { createHash } from 'node:crypto';

/** What a notification says instead of a tenant's name: as `rollcall_api.live_lane`. */
export const laneOf = (tenant: string): string =>
  createHash('sha256').update(tenant).digest('hex').slice(0, 8);
