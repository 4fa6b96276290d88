import { count, field, list } from './read.ts';
import { redacted } from './redact.ts';

const MOST_CALLS = 100;

export interface TokenUsage {
  tokens: number | undefined;
  model: string | undefined;
}

/** What a chat model's own run says: n8n keeps usage and model beside what was asked and answered. */
export function modelUsage(entry: unknown): TokenUsage {
  const tokens = items(field(entry, 'data', 'ai_languageModel')).flatMap(
    (item) =>
      total(field(item, 'json', 'tokenUsage')) ??
      total(field(item, 'json', 'tokenUsageEstimate')) ??
      [],
  );
  return {
    tokens: tokens.length === 0 ? undefined : tokens.reduce((sum, value) => sum + value, 0),
    model: modelOf(items(field(entry, 'inputOverride', 'ai_languageModel'))[0]),
  };
}

/** What the node that asked a model says: the same tokens again, and of several calls the last only. */
export function tracedTokens(entry: unknown): number | undefined {
  return count(field(entry, 'metadata', 'tracing', 'llm.tokens.total'));
}

function items(outputs: unknown): unknown[] {
  return list(outputs, MOST_CALLS).flatMap((output) => list(output, MOST_CALLS));
}

function total(usage: unknown): number | undefined {
  const said = count(field(usage, 'totalTokens'));
  const [asked, answered] = [
    count(field(usage, 'promptTokens')),
    count(field(usage, 'completionTokens')),
  ];
  return said ?? (asked === undefined || answered === undefined ? undefined : asked + answered);
}

function modelOf(item: unknown): string | undefined {
  const options = field(item, 'json', 'options');
  const said = ['model', 'modelName', 'model_name', 'modelId']
    .map((name) => redacted(field(options, name), 100))
    .find((name) => name !== undefined && /^[\w./:@+-]+$/.test(name));
  return said;
}
