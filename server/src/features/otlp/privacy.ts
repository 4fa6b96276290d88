import type { Redactor } from '../../platform/redact.ts';
import type { Attributes } from './attributes.ts';

/**
 * Attributes that carry what was processed rather than how: prompts, answers, tool arguments and results, statements,
 * bodies, headers. Names of the semantic conventions, of their earlier versions, and of the instrumentations that
 * agents are traced with.
 */
const PAYLOADS = [
  /^gen_ai\.(prompt|completion|content|input|output|system_instructions|event\.content|memory|retrieval|evaluation\.explanation)\b(?!\.type$)/,
  /^gen_ai\.tool\.(call\.(arguments|result)|definitions|message|input|output)\b/,
  /^mcp\.(request|response|tool|prompt)\.(arguments?|params|result|content)\b/,
  /^ai\.(prompt|response\.(text|object|toolCalls|reasoning)|toolCall\.(args|input|result|output)|values?|embeddings?|result)\b/,
  /^llm\.(prompts?|completions?|(input|output)_messages|prompt_template|function_call|invocation_parameters|tools)\b/,
  /^(input|output|retrieval|embedding|document|tool|message)\.(value|documents?|text|content|contents|parameters|query)\b/,
  /^(traceloop\.entity|langfuse\.(trace|observation)|langsmith|langchain)\.(inputs?|outputs?|metadata)\b/,
  /^db\.(statement|query\.(text|parameter)|operation\.parameter|response\.returned_rows)\b/,
  /^(http|rpc)\.(request|response)\.(body|header|metadata|message|content)\b(?!\.size$)/,
  /^(url\.query|graphql\.document|messaging\.message\.body|process\.command_args|process\.command_line)\b/,
];

/** Addresses: kept without what follows the question mark. */
const ADDRESSES = /^(url\.full|url\.original|http\.url|http\.target)$/;

/** Events of older GenAI conventions that are nothing but payload. */
const PAYLOAD_EVENTS =
  /^gen_ai\.(content\.|(system|user|assistant|tool)\.message$|choice$|client\.inference)/;

/** Of a resource only what names the sender: its machine, its process and its command line are nobody's business. */
const RESOURCE = /^(service|deployment|telemetry\.sdk|n8n|otel\.scope)\.|^cloud\.region$/;

const NAMES_KEPT = 2_000;

/** Decides what of a span may be stored. */
export interface Privacy {
  attributes(attributes: Attributes): Attributes;
  /** Attributes of a span's event. */
  event(name: string, attributes: Attributes): Attributes;
  resource(attributes: Attributes): Attributes;
  text(value: string): string;
}

/** @param keepPayloads what was processed is stored too, redacted as everything is */
export function createPrivacy(redactor: Redactor, keepPayloads: boolean): Privacy {
  const known = new Map<string, boolean>();
  function isPayload(name: string): boolean {
    if (keepPayloads) return false;
    const kept = known.get(name);
    if (kept !== undefined) return kept;
    const judged = PAYLOADS.some((pattern) => pattern.test(name));
    // Senders choose the names, so that there may be any number of them.
    if (known.size >= NAMES_KEPT) known.clear();
    if (name.length <= 64) known.set(name, judged);
    return judged;
  }

  function attributes(sent: Attributes): Attributes {
    const kept = Object.create(null) as Attributes;
    for (const name of Object.keys(sent)) {
      if (isPayload(name)) continue;
      const value = sent[name];
      kept[name] =
        !keepPayloads && ADDRESSES.test(name) && typeof value === 'string'
          ? value.replace(/[?#].*$/s, '')
          : value;
    }
    return redactor.metadata(kept);
  }

  return {
    attributes,
    event: (name, sent) => (!keepPayloads && PAYLOAD_EVENTS.test(name) ? {} : attributes(sent)),
    resource: (sent) => {
      const kept = Object.create(null) as Attributes;
      for (const name of Object.keys(sent)
        .filter((key) => RESOURCE.test(key))
        .slice(0, 20)) {
        const value = sent[name];
        kept[name] = typeof value === 'string' ? value.slice(0, 255) : value;
      }
      return redactor.metadata(kept);
    },
    text: redactor.text,
  };
}
