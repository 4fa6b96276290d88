import { rollcallNode, webhook, workflowOf, type WorkflowNode } from './workflows.ts';

/** Nodes in a row, as a file that n8n imports: with the id that it keeps. */
const file = (id: string, name: string, nodes: WorkflowNode[]) => ({
  id,
  active: false,
  ...workflowOf(name, nodes),
});

const done: WorkflowNode = { name: 'Done', type: 'n8n-nodes-base.noOp' };
const called: WorkflowNode = {
  name: 'When called',
  type: 'n8n-nodes-base.executeWorkflowTrigger',
  parameters: { inputSource: 'passthrough' },
  more: { typeVersion: 1.1 },
};
const call = (id: string): WorkflowNode => ({
  name: 'Call',
  type: 'n8n-nodes-base.executeWorkflow',
  parameters: { source: 'database', workflowId: { __rl: true, mode: 'id', value: id } },
  more: { typeVersion: 1.2 },
});

export const DRAFT = 'draft00000000001';
export const HOURLY = 'hourly0000000001';
export const BILLING = 'billing000000001';
export const ORDERS = 'orders0000000001';
export const PARCEL = 'parcel0000000001';
export const COURIER = 'courier000000001';
export const PRICING = 'pricing000000001';
export const DOOMED = 'doomed0000000001';
export const INTAKE = 'intake0000000001';
export const TICKER = 'ticker0000000001';
export const TELLER = 'teller0000000001';
export const SLOW = 'slow000000000001';

/** What Teller says that it talks to. */
export const UNKNOWN_SERVICE = 'crm-of-nobody';

/** What a user has in n8n before anybody thinks of Rollcall; those that are called before their callers. */
export const WORKFLOWS = [
  file(HOURLY, 'Hourly report', [
    {
      name: 'Every hour',
      type: 'n8n-nodes-base.scheduleTrigger',
      parameters: { rule: { interval: [{ field: 'hours' }] } },
      more: { typeVersion: 1.2 },
    },
    done,
  ]),
  file(BILLING, 'Billing', [called, done]),
  file(ORDERS, 'Orders', [webhook('orders'), call(BILLING)]),
  file(PARCEL, 'Parcel', [called, done]),
  file(COURIER, 'Courier', [webhook('courier'), call(PARCEL)]),
  file(PRICING, 'Pricing', [webhook('pricing'), done]),
  file(DOOMED, 'Doomed', [webhook('doomed'), done]),
  file(INTAKE, 'Intake', [webhook('intake'), done]),
  file(TICKER, 'Ticker', [webhook('ticker'), done]),
  file(TELLER, 'Teller', [
    webhook('teller'),
    rollcallNode('Tell', 'telemetryEmit', {
      source_id: TELLER,
      target_id: UNKNOWN_SERVICE,
      operation_name: 'lookup',
    }),
  ]),
  file(SLOW, 'Slow', [
    webhook('slow', 'onReceived'),
    {
      name: 'Wait',
      type: 'n8n-nodes-base.wait',
      parameters: { amount: '={{ Number($json.query.seconds) }}', unit: 'seconds' },
      more: { typeVersion: 1.1, webhookId: 'slow-wait' },
    },
  ]),
];

/** Another, which nobody publishes. */
export const DRAFT_WORKFLOW = file(DRAFT, 'Draft', [webhook('draft'), done]);
