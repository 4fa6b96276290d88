import type { CadenceStore, ScheduleRow, StaleSchedule } from './cadence.store.ts';
import { scheduleCadence } from './schedule-cadence.ts';

const PAGE = 1_000;
/** So that one tenant's first reading never keeps a check waiting for long; the rest is read before the next. */
const MOST_PAGES = 200;
const LEARN_EVERY_SECONDS = 3_600;

/**
 * Brings what is known of rhythms up to date, as a check needs it: schedules whose definition is new or whose expected
 * run has come, and what history says of those whose turn it is.
 */
export async function refreshCadence(
  store: Pick<CadenceStore, 'stale' | 'save' | 'learn'>,
  tenant: string,
  now: Date,
  onError: (error: unknown) => void,
): Promise<void> {
  const read = scheduleCadence(now);
  for (let page = 0; page < MOST_PAGES; page++) {
    const stale = await store.stale(tenant, now, PAGE);
    if (stale.length === 0) break;
    await store.save(tenant, now, stale.map(rowOf));
  }
  // A check does not wait for what history says to be learned another time.
  await store.learn(tenant, now, LEARN_EVERY_SECONDS).catch(onError);

  function rowOf({
    entity_type,
    entity_id,
    definition_at,
    schedules,
    timezone,
    since,
  }: StaleSchedule): ScheduleRow {
    const { expected_at, ...cadence } = read(schedules, new Date(since), timezone);
    return {
      entity_type,
      entity_id,
      definition_at,
      anchor_at: since,
      expected_at: expected_at?.toISOString() ?? null,
      ...cadence,
    };
  }
}
