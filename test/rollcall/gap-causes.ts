import type { GapKind } from '../../client/src/contract/index.ts';
import type { TestRollcall } from './start.ts';

/** One way for a gap to open, and how its cause goes away. */
export interface GapCause {
  kind: GapKind;
  entity_type: string;
  entity_id: string;
  open(rollcall: TestRollcall): Promise<unknown>;
  cure(rollcall: TestRollcall): Promise<unknown>;
}

const MINUTE_MS = 60_000;
const register = (rollcall: TestRollcall, entity_type: string, entity_id: string, more = {}) =>
  rollcall.post('/api/v1/entities', { entity_type, entity_id, current_state: 'active', ...more });
const remove = (rollcall: TestRollcall, entity_type: string, entity_id: string) =>
  rollcall.call('DELETE', `/api/v1/entities/${entity_type}/${entity_id}`);
const team = (entity_id: string) => ({ entity_type: 'team', entity_id });
const orders = { entity_type: 'workflow', entity_id: 'orders' };
const stock = { entity_type: 'service', entity_id: 'stock' };

const needsStock = (rollcall: TestRollcall) =>
  register(rollcall, 'workflow', 'orders', { dependencies: [stock] });
const putStock = (rollcall: TestRollcall, body: object) =>
  rollcall.put('/api/v1/entities/service/stock/state', body);

/** Every kind that is looked for, and within a kind every case that is fixed in another way. */
export const GAP_CAUSES: Record<string, GapCause> = {
  unregistered: {
    kind: 'unregistered',
    entity_type: 'mcp_server',
    entity_id: 'ghost',
    open: async (rollcall) => {
      await register(rollcall, 'service', 'known');
      const event = { protocol: 'mcp', source_id: 'known', target_id: 'ghost', status: 'error' };
      await rollcall.post('/api/v1/telemetry', event);
    },
    cure: (rollcall) => register(rollcall, 'mcp_server', 'ghost'),
  },
  silent: {
    kind: 'silent',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'workflow', 'orders', { silent_after_seconds: 60 });
      rollcall.clock.advance(2 * MINUTE_MS);
    },
    cure: (rollcall) => rollcall.post('/api/v1/entities/workflow/orders/heartbeat'),
  },
  'orphaned without a parent': {
    kind: 'orphaned',
    entity_type: 'agent',
    entity_id: 'lone',
    open: (rollcall) => register(rollcall, 'agent', 'lone'),
    cure: async (rollcall) => {
      await register(rollcall, 'team', 'core');
      await register(rollcall, 'agent', 'lone', { parent: team('core') });
    },
  },
  'orphaned below an unknown parent': {
    kind: 'orphaned',
    ...orders,
    open: (rollcall) => register(rollcall, 'workflow', 'orders', { parent: team('lost') }),
    cure: (rollcall) => register(rollcall, 'team', 'lost'),
  },
  'orphaned below a deleted parent': {
    kind: 'orphaned',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'team', 'lost');
      await register(rollcall, 'workflow', 'orders', { parent: team('lost') });
      await remove(rollcall, 'team', 'lost');
    },
    cure: (rollcall) => register(rollcall, 'workflow', 'orders', { parent: null }),
  },
  'orphaned, in need of a parent, below an unknown one': {
    kind: 'orphaned',
    entity_type: 'agent',
    entity_id: 'lone',
    open: (rollcall) => register(rollcall, 'agent', 'lone', { parent: team('lost') }),
    cure: (rollcall) => register(rollcall, 'team', 'lost'),
  },
  'broken dependency on something unknown': {
    kind: 'broken_dependency',
    ...orders,
    open: needsStock,
    cure: (rollcall) => register(rollcall, 'service', 'stock'),
  },
  'broken dependency on something deleted': {
    kind: 'broken_dependency',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'service', 'stock', { health_status: 'unhealthy' });
      await needsStock(rollcall);
      await remove(rollcall, 'service', 'stock');
    },
    cure: (rollcall) => register(rollcall, 'workflow', 'orders', { dependencies: [] }),
  },
  'broken dependency on something inactive': {
    kind: 'broken_dependency',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'service', 'stock', { current_state: 'inactive' });
      await needsStock(rollcall);
    },
    cure: (rollcall) => putStock(rollcall, { new_state: 'active' }),
  },
  'broken dependency on something unhealthy': {
    kind: 'broken_dependency',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'service', 'stock', { health_status: 'unhealthy' });
      await needsStock(rollcall);
    },
    cure: (rollcall) => putStock(rollcall, { health_status: 'degraded' }),
  },
  stuck: {
    kind: 'stuck',
    ...orders,
    open: async (rollcall) => {
      await register(rollcall, 'workflow', 'orders', { current_state: 'deploying' });
      rollcall.clock.advance(31 * MINUTE_MS);
    },
    cure: (rollcall) =>
      rollcall.put('/api/v1/entities/workflow/orders/state', { new_state: 'active' }),
  },
};
