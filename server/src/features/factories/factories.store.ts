import type { FactoryPhase } from '@rollcall/client/contract';
import type { Database } from '../../platform/database/port.ts';
import type { Principal } from '../../platform/http/route.ts';

export interface FactoryRecord {
  event: object;
  entity: object;
  phase: FactoryPhase;
  factory: string;
}

export const factoriesStore = (database: Database) => ({
  /** @throws Problem 409 for a parent below its own child, 422 for an unknown project */
  record: (
    { tenant, project, actor }: Principal,
    { event, entity, phase, factory }: FactoryRecord,
  ) =>
    database.call<{ status: 'accepted' | 'duplicate' }>('record_factory_event', {
      p_tenant: tenant,
      p_project: project,
      p_actor: actor,
      p_event: event,
      p_entity: entity,
      p_phase: phase,
      p_factory: factory,
    }),
});

export type FactoriesStore = ReturnType<typeof factoriesStore>;
