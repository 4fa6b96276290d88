import { BASE_PACKAGE, isCore, LANGCHAIN_PACKAGE, type NodeType } from './nodeType.ts';
import type { WorkflowNode } from './shape.ts';
import { printable, slug } from './tokens.ts';
import { at, firstStated, literal } from './values.ts';

export type TriggerKind =
  | 'schedule'
  | 'webhook'
  | 'manual'
  | 'chat'
  | 'form'
  | 'error'
  | 'sub-workflow'
  | 'mcp'
  | 'app'
  | 'poll'
  | 'file'
  | 'n8n'
  | 'evaluation';

export interface Trigger {
  kind: TriggerKind;
  node: string;
  /** Whose event it is, for `app` and `poll`. */
  app?: string;
}

const KINDS: ReadonlyMap<string, TriggerKind> = new Map<string, TriggerKind>([
  [`${BASE_PACKAGE}.cron`, 'schedule'],
  [`${BASE_PACKAGE}.emailReadImap`, 'app'],
  [`${BASE_PACKAGE}.errorTrigger`, 'error'],
  [`${BASE_PACKAGE}.evaluationTrigger`, 'evaluation'],
  [`${BASE_PACKAGE}.executeWorkflowTrigger`, 'sub-workflow'],
  [`${BASE_PACKAGE}.formTrigger`, 'form'],
  [`${BASE_PACKAGE}.interval`, 'schedule'],
  [`${BASE_PACKAGE}.localFileTrigger`, 'file'],
  [`${BASE_PACKAGE}.manualTrigger`, 'manual'],
  [`${BASE_PACKAGE}.n8nTrigger`, 'n8n'],
  [`${BASE_PACKAGE}.scheduleTrigger`, 'schedule'],
  [`${BASE_PACKAGE}.simulateTrigger`, 'manual'],
  [`${BASE_PACKAGE}.start`, 'manual'],
  [`${BASE_PACKAGE}.webhook`, 'webhook'],
  [`${BASE_PACKAGE}.workflowTrigger`, 'n8n'],
  [`${LANGCHAIN_PACKAGE}.chatTrigger`, 'chat'],
  [`${LANGCHAIN_PACKAGE}.manualChatTrigger`, 'chat'],
  [`${LANGCHAIN_PACKAGE}.mcpTrigger`, 'mcp'],
]);

/** Polling triggers of n8n-nodes-base 2.41, for JSON from which their `pollTimes` was left out. */
const POLLING = new Set(
  (
    'airtable clockify databricks gmail googleBusinessProfile googleCalendar googleDrive ' +
    'googleSheets microsoftOneDrive microsoftOutlook notion rssFeedRead salesforce seaTable toggl'
  ).split(' '),
);

/** What starts the workflow at this node, `undefined` when it is not a trigger. */
export function triggerOf(node: WorkflowNode): Trigger | undefined {
  const kind = KINDS.get(node.fullType) ?? serviceKind(node);
  if (kind === undefined) return undefined;
  const isService = kind === 'app' || kind === 'poll';
  return { kind, node: printable(node.name), ...(isService ? { app: appOf(node.type) } : {}) };
}

function serviceKind({ type, parameters }: WorkflowNode): TriggerKind | undefined {
  if (!type.isTrigger) return undefined;
  const polls = at(parameters, 'pollTimes') !== undefined;
  return polls || (type.package === BASE_PACKAGE && POLLING.has(type.stem)) ? 'poll' : 'app';
}

/** The app that a node speaks to: `google-sheets` for its action, trigger and tool alike. */
export function appOf(type: NodeType): string {
  return type.package === 'n8n-nodes-rollcall' ? 'rollcall' : slug(type.stem);
}

/** Whether the node speaks to an app, rather than being n8n's own or a part of an AI cluster. */
export function isApp(type: NodeType): boolean {
  return !isCore(type) && type.package !== LANGCHAIN_PACKAGE;
}

/** Where a webhook's path comes from an expression, it cannot be told. */
export type WebhookPath = { path: string } | 'dynamic' | undefined;

/**
 * The path that n8n listens on for webhook, form, chat and MCP triggers, as in n8n's own
 * `getNodeWebhookPath`: without slashes at the ends, and behind the webhook id where the path has
 * `:parameters`. App triggers register paths that nobody types, so they have none here.
 */
export function webhookPathOf(node: WorkflowNode): WebhookPath {
  const { parameters, webhookId } = node;
  switch (KINDS.get(node.fullType)) {
    case 'webhook':
    case 'mcp':
      return pathFrom(at(parameters, 'path'), webhookId);
    case 'form': {
      const said = firstStated(at(parameters, 'path'), at(parameters, 'options', 'path'));
      return pathFrom(said.kind === 'absent' ? undefined : said.text, webhookId);
    }
    case 'chat':
      return at(parameters, 'public') === true && webhookId !== undefined
        ? pathFrom(`${webhookId}/chat`, undefined)
        : undefined;
    default:
      return undefined;
  }
}

function pathFrom(written: unknown, webhookId: string | undefined): WebhookPath {
  const said = firstStated(written, webhookId);
  if (said.kind === 'expression') return 'dynamic';
  if (said.kind === 'absent') return undefined;
  const path = trimSlashes(said.text.split(/[?#]/, 1)[0] ?? '');
  const hasParameters = path.startsWith(':') || path.includes('/:');
  const prefix = hasParameters ? literal(webhookId) : undefined;
  const full = printable(prefix === undefined ? path : `${prefix}/${path}`);
  return full === '' ? undefined : { path: full };
}

function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path[start] === '/') start += 1;
  while (end > start && path[end - 1] === '/') end -= 1;
  return path.slice(start, end);
}
