import type { Gap, GapFixOutcome, GapFixResult } from '../../client/src/contract/index.ts';
import { readWorkflow } from '../../server/src/features/n8n/read-workflow.ts';
import type { FixableN8n } from './fixable-n8n.ts';
import { originOf } from './n8n-events.ts';
import type { FreshTenant } from './tenant.ts';

export const INSTANCE = 'instance-one';

/** A workflow as n8n has it: a webhook and what comes after. */
export const workflowOf = (id: string, more: object = {}) => ({
  id,
  name: `The ${id}`,
  active: true,
  versionId: `first-${id}`,
  activeVersionId: `first-${id}`,
  nodes: [
    { id: 'a', name: 'Hook', type: 'n8n-nodes-base.webhook', position: [0, 0], parameters: {} },
    { id: 'b', name: 'Set', type: 'n8n-nodes-base.set', position: [220, 0], parameters: {} },
  ],
  connections: { Hook: { main: [[{ node: 'Set', type: 'main', index: 0 }]] } },
  settings: { executionOrder: 'v1' },
  ...more,
});

/** A connected n8n whose workflows are told of by hooks, and gaps of them that are fixed. */
export function fixableFleet(rollcall: FreshTenant, n8n: FixableN8n) {
  const post = async <Result>(path: string, body?: object): Promise<Result> => {
    const answer = await rollcall.post(path, body);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body as Result;
  };
  const later = () => rollcall.clock.advance(10);
  return {
    connect: () =>
      post('/api/v1/n8n/connections', {
        base_url: n8n.url,
        api_key: n8n.apiKey,
        instance_id: INSTANCE,
        // Nobody reads it but the fixes.
        paused: true,
        check: false,
      }),

    /** n8n has it so, and says so. */
    async tell(workflow: ReturnType<typeof workflowOf>) {
      later();
      n8n.workflows.set(workflow.id, workflow);
      const { id, name, active, versionId: version_id, nodes, connections, settings } = workflow;
      await post('/api/v1/n8n/webhook', {
        ...originOf({ instance_id: INSTANCE, occurred_at: rollcall.clock.now().toISOString() }),
        kind: 'workflow.updated',
        workflow: {
          ...{ id, name, active, version_id, nodes, connections, settings },
          definition: 'stored',
          definition_hash: readWorkflow(workflow).definition_hash,
        },
      });
    },

    register: (entity_id: string, more: object = {}) =>
      post('/api/v1/entities', { entity_type: 'workflow', entity_id, ...more }),

    async gaps(query: Record<string, string> = {}): Promise<Gap[]> {
      await post('/api/v1/gaps/check');
      return (await rollcall.get('/api/v1/gaps', { query })).body.items as Gap[];
    },

    fix(gap: Gap | undefined, request: object = {}) {
      later();
      return post<GapFixResult>(`/api/v1/gaps/${gap?.id}/fix`, request);
    },

    undo(fix: GapFixResult) {
      later();
      return post<GapFixOutcome>(`/api/v1/gaps/fixes/${fix.fix_id}/undo`);
    },

    entity: async (id: string) => (await rollcall.get(`/api/v1/entities/workflow/${id}`)).body,
  };
}
