import { connectThroughSupabase, withoutPostgrest } from '../postgrest/start.ts';
import { startTestRollcall, type TestOptions } from '../rollcall/start.ts';
import { inventorySteps } from './journey/inventory.ts';
import { operationSteps } from './journey/operations.ts';
import type { Recorded } from './journey/recording.ts';
import { registrySteps } from './journey/registry.ts';
import { setStage, type Stage } from './journey/stage.ts';
import { telemetrySteps } from './journey/telemetry.ts';

const BACKENDS: Record<string, TestOptions> = {
  PostgreSQL: {},
  ...(withoutPostgrest ? {} : { Supabase: { connect: connectThroughSupabase } }),
};

const answers: Record<string, Recorded[]> = {};

describe.each(Object.keys(BACKENDS))('on %s', (backend) => {
  // The steps are declared before the server is there.
  const stage = {} as Stage;
  beforeAll(async () => {
    Object.assign(stage, setStage(await startTestRollcall(BACKENDS[backend])));
    answers[backend] = stage.api.answers;
  });
  afterAll(() => stage.rollcall.stop());

  registrySteps(stage);
  telemetrySteps(stage);
  operationSteps(stage);
  inventorySteps(stage);
});

if (withoutPostgrest) test.skip(`Supabase (skipped: ${withoutPostgrest})`, () => undefined);
else {
  test('PostgreSQL and Supabase have answered the same, value for value', () => {
    expect(answers.PostgreSQL?.length).toBeGreaterThan(100);
    expect(answers.Supabase).toEqual(answers.PostgreSQL);
  });
}
