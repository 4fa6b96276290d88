import type {
  BatchItemResult,
  BatchResult,
  EntityRegistration,
  FactoryEvent,
} from '@rollcall/client/contract';
import { batchResult, boundBatch } from '../../platform/http/batch.ts';
import { BrokenLine } from '../../platform/http/body.ts';
import type { Principal } from '../../platform/http/route.ts';
import { fieldErrors, REPORT } from '../../platform/http/validate.ts';
import { Problem } from '../../platform/problem.ts';
import { FactoryEventSchema } from './factories.schema.ts';
import type { FactoriesStore } from './factories.store.ts';
import { making } from './making.ts';

const ITEMS_AT_MOST = 500;

type Refusal = Required<Pick<BatchItemResult, 'code' | 'path' | 'message'>>;

export interface FactoryNeeds {
  store: FactoriesStore;
  /** Telemetry's door: a complete, redacted event, or why it is refused. */
  readyEvent: (event: unknown, project: string) => ({ event_id: string } & object) | Refusal;
  /** The registry's door: what register_entity() takes. Throws a Problem for JSON that is no workflow. */
  registration: (entity: EntityRegistration) => object;
}

/** Takes in what factories report, one transaction an event. */
export function factoryIntake({ store, readyEvent, registration }: FactoryNeeds) {
  async function record(
    principal: Principal,
    told: FactoryEvent,
  ): Promise<Partial<BatchItemResult>> {
    const { event, entity } = making(told);
    const ready = readyEvent(event, principal.project);
    if (!('event_id' in ready)) return { status: 'rejected', ...ready };
    const { phase, factory } = told;
    const made = { event: ready, entity: registration(entity), phase, factory };
    const { status } = await store.record(principal, made);
    return { status, event_id: ready.event_id };
  }

  async function judge(principal: Principal, item: unknown): Promise<Partial<BatchItemResult>> {
    if (item instanceof BrokenLine) {
      const message = `This line is not valid JSON: ${item.message}`;
      return { status: 'rejected', code: 'invalid_json', path: '', message };
    }
    const parsed = FactoryEventSchema.safeParse(item, REPORT);
    if (!parsed.success) {
      const [first] = fieldErrors(parsed.error);
      return { status: 'rejected', ...first, path: first?.path === 'body' ? '' : first?.path };
    }
    try {
      return await record(principal, parsed.data);
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      const {
        path = '',
        code,
        message,
      } = error.errors?.[0] ??
      ({
        code: error.code,
        message: error.message,
      } as { path?: string; code: string; message: string });
      return { status: 'rejected', code, path, message };
    }
  }

  /** @throws Problem 413, 422 when nothing was kept, 503 when the database is away: then the rest may be sent again */
  return async function ingest(
    principal: Principal,
    items: unknown[],
    receipt: string,
  ): Promise<BatchResult> {
    boundBatch(items, ITEMS_AT_MOST);
    const results: BatchItemResult[] = [];
    for (const [index, item] of items.entries()) {
      results.push({ index, ...(await judge(principal, item)) } as BatchItemResult);
    }
    return batchResult(receipt, results);
  };
}
