import { mcpServerId } from '../../client/src/contract/index.ts';
import { field, flag, keys, list, present } from './read.ts';
import { redacted } from './redact.ts';
import { sha256 } from './stored-definition.ts';

/** Stands for every expression: that there is one is told, what it says is not. */
const EXPRESSION = '={{}}';
const OWN_ID = '={{ $workflow.id }}';
const MOST_RULES = 50;

const TRIGGER_TIME = [
  'mode',
  'cronExpression',
  'unit',
  'value',
  'minute',
  'hour',
  'dayOfMonth',
  'weekday',
];
const SCHEDULE_RULE = [
  'field',
  'expression',
  'secondsInterval',
  'minutesInterval',
  'hoursInterval',
  'daysInterval',
  'weeksInterval',
  'monthsInterval',
  'triggerAtMinute',
  'triggerAtHour',
  'triggerAtDay',
  'triggerAtDayOfMonth',
];
const WITH_PATH = /^(?:n8n-nodes-base[.](?:webhook|formTrigger)|.*[.](?:chatTrigger|mcpTrigger))$/;
const SCHEDULES = /^n8n-nodes-base[.](?:scheduleTrigger|cron|interval)$/;
const CALLERS = /[.](?:executeWorkflow|toolWorkflow|retrieverWorkflow)$/;
const MCP_CLIENTS = /[.]mcp(?:Registry)?Client/i;
const MCP_ADDRESSES = ['endpointUrl', 'sseEndpoint', 'sseUrl', 'httpStreamUrl', 'serverUrl'];
const WITH_MODEL =
  /^@n8n\/n8n-nodes-langchain[.]|^n8n-nodes-base[.](?:openAi|mistralAi|perplexity)/;
const MODELS = ['model', 'modelId', 'modelName', 'chatModel', 'imageModel'];

/** Whether a webhook's path may come from the node's webhook id. */
export const hasWebhookPath = (type: string): boolean => WITH_PATH.test(type);

/**
 * What of a node's parameters leaves n8n, in their own shape: when it runs, on which path it listens, which workflow,
 * MCP server or model it calls. Undefined when that is nothing.
 */
export function pickParameters(
  type: string,
  parameters: unknown,
  isAiPart: boolean,
): Record<string, unknown> | undefined {
  const picked = present({
    ...(SCHEDULES.test(type) && schedule(parameters)),
    pollTimes: times(field(parameters, 'pollTimes')),
    ...(WITH_PATH.test(type) && webhook(parameters)),
    ...(CALLERS.test(type) && call(parameters)),
    ...(MCP_CLIENTS.test(type) && mcpServer(parameters)),
    ...((isAiPart || WITH_MODEL.test(type)) && model(parameters)),
  });
  return Object.keys(picked).length > 0 ? picked : undefined;
}

function schedule(parameters: unknown) {
  const rules = field(parameters, 'rule', 'interval');
  return {
    rule: rules === undefined ? undefined : { interval: rulesOf(rules, SCHEDULE_RULE) },
    triggerTimes: times(field(parameters, 'triggerTimes')),
    unit: word(field(parameters, 'unit')),
    interval: word(field(parameters, 'interval')),
  };
}

function times(value: unknown): object | undefined {
  const items = field(value, 'item');
  return items === undefined ? undefined : { item: rulesOf(items, TRIGGER_TIME) };
}

function rulesOf(rules: unknown, names: readonly string[]): object[] {
  const all = Array.isArray(rules) ? list(rules, MOST_RULES) : [rules];
  return all.map((rule) => {
    const entries = names.map((name) => {
      const value = field(rule, name);
      const days = Array.isArray(value) ? list(value, 7).map(word) : undefined;
      return [name, days ?? word(value)] as const;
    });
    return present(Object.fromEntries(entries));
  });
}

function webhook(parameters: unknown) {
  const inOptions = address(field(parameters, 'options', 'path'));
  return {
    path: address(field(parameters, 'path')),
    options: inOptions === undefined ? undefined : { path: inOptions },
    public: flag(field(parameters, 'public')),
  };
}

function call(parameters: unknown) {
  const chosen = field(parameters, 'workflowId');
  const value = word(field(chosen, 'value') ?? chosen, 2_000);
  const name = redacted(field(chosen, 'cachedResultName'), 255);
  return {
    source: word(field(parameters, 'source')),
    workflowId:
      value === undefined ? undefined : present({ __rl: true, value, cachedResultName: name }),
  };
}

/** The address as Rollcall's id of the server: no user, no query, no key in the path. */
function mcpServer(parameters: unknown) {
  const entries = MCP_ADDRESSES.map((name) => {
    const chosen = field(parameters, name);
    const said = field(chosen, 'value') ?? chosen;
    if (typeof said !== 'string' || said.trim() === '') return [name, undefined] as const;
    if (isExpression(said)) return [name, EXPRESSION] as const;
    const literal = said.startsWith('=') ? said.slice(1) : said;
    return [name, mcpServerId(literal, sha256) ?? EXPRESSION] as const;
  });
  return Object.fromEntries(entries);
}

function model(parameters: unknown) {
  const chosen = (...path: string[]): string | number | undefined => {
    const value = field(parameters, ...path);
    const said = word(field(value, 'value') ?? value, 300);
    return typeof said === 'string' && !/^[\w./:@+={}-]+$/.test(said) ? undefined : said;
  };
  const options = present({
    model: chosen('options', 'model'),
    modelName: chosen('options', 'modelName'),
  });
  return {
    ...Object.fromEntries(MODELS.map((name) => [name, chosen(name)])),
    options: keys(options, 1).length === 0 ? undefined : options,
  };
}

/** A path that people type; what looks like a secret in it is taken out. */
const address = (value: unknown) => word(value, 500);

/** A number or a short text; an expression stands as one, without what it says. */
function word(value: unknown, longest = 200): string | number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  if (value.trim() === OWN_ID) return OWN_ID;
  return isExpression(value) ? EXPRESSION : redacted(value, longest);
}

const isExpression = (value: string): boolean => value.startsWith('=') && value.includes('{{');
