import { BASE_PACKAGE, LANGCHAIN_PACKAGE, type NodeType } from './nodeType.ts';
import { isMcpClient } from './mcpServers.ts';
import type { WorkflowNode } from './shape.ts';
import { slug } from './tokens.ts';
import { appOf } from './triggers.ts';
import { at, stated } from './values.ts';

/** Part that a node plays in an AI cluster, by the start of its name; the rest names the maker. */
const ROLES: readonly (readonly [role: Role, name: RegExp])[] = [
  ['model', /^(?:lmChat|lm|embeddings|reranker)([A-Z].*)$/],
  ['memory', /^memory([A-Z].*?)(?:Chat)?$/],
  ['vector-store', /^(?:chatHubVectorStore|vectorStore)([A-Z].*?)(?:Insert|Load)?$/],
  ['retriever', /^retriever([A-Z].*)$/],
  ['tool', /^tool([A-Z].*)$/],
];
type Role = 'model' | 'memory' | 'vector-store' | 'retriever' | 'tool';

/** The same parts told by the connection that leaves a node, for community nodes of any name. */
const ROLES_BY_OUTPUT: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['ai_languageModel', 'model'],
  ['ai_embedding', 'model'],
  ['ai_reranker', 'model'],
  ['ai_memory', 'memory'],
  ['ai_vectorStore', 'vector-store'],
  ['ai_retriever', 'retriever'],
]);

/** Nodes that are a whole model vendor, and the vendor. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  [`${BASE_PACKAGE}.mistralAi`, 'mistral'],
  [`${BASE_PACKAGE}.openAi`, 'openai'],
  [`${BASE_PACKAGE}.perplexity`, 'perplexity'],
  [`${LANGCHAIN_PACKAGE}.alibabaCloud`, 'alibaba-cloud'],
  [`${LANGCHAIN_PACKAGE}.anthropic`, 'anthropic'],
  [`${LANGCHAIN_PACKAGE}.googleGemini`, 'google-gemini'],
  [`${LANGCHAIN_PACKAGE}.minimax`, 'minimax'],
  [`${LANGCHAIN_PACKAGE}.moonshot`, 'moonshot'],
  [`${LANGCHAIN_PACKAGE}.ollama`, 'ollama'],
  [`${LANGCHAIN_PACKAGE}.openAi`, 'openai'],
  [`${LANGCHAIN_PACKAGE}.openAiAssistant`, 'openai'],
]);

const WORKERS: ReadonlyMap<string, string> = new Map([
  [`${BASE_PACKAGE}.messageAnAgent`, 'agent'],
  [`${LANGCHAIN_PACKAGE}.agent`, 'agent'],
  [`${LANGCHAIN_PACKAGE}.code`, 'code'],
  [`${LANGCHAIN_PACKAGE}.guardrails`, 'guardrails'],
  [`${LANGCHAIN_PACKAGE}.informationExtractor`, 'chain'],
  [`${LANGCHAIN_PACKAGE}.openAiAssistant`, 'agent'],
  [`${LANGCHAIN_PACKAGE}.sentimentAnalysis`, 'chain'],
  [`${LANGCHAIN_PACKAGE}.textClassifier`, 'chain'],
]);

/** Where the nodes keep their model: plain, resource locator, older nodes, inside options. */
const MODEL_PARAMETERS = [
  ['model'],
  ['modelId'],
  ['modelName'],
  ['chatModel'],
  ['imageModel'],
  ['options', 'model'],
  ['options', 'modelName'],
] as const;

/** Capabilities of a node in an AI cluster; none for other nodes. */
export function aiCapabilities(node: WorkflowNode): string[] {
  const { type } = node;
  const fullStem = `${type.package}.${type.stem}`;
  const vendor = VENDORS.get(fullStem);
  const worker = WORKERS.get(fullStem) ?? (isChain(type) ? 'chain' : undefined);
  const part = partOf(node);
  const provider = part?.role === 'model' ? part.maker : vendor;
  return [
    ...(worker === undefined ? [] : [`ai:${worker}`]),
    ...(provider === undefined ? [] : [`ai:${provider}`, ...models(node.parameters)]),
    ...(part === undefined || part.role === 'model' ? [] : [`${part.role}:${part.maker}`]),
    ...(isGivenToAgent(node, part?.role) ? [`tool:${toolName(node, part?.role)}`] : []),
  ];
}

/** Whether the node is one of the parts above, so not an app of its own. */
export function isAiPart(node: WorkflowNode): boolean {
  return partOf(node) !== undefined || isMcpClient(node);
}

function partOf({ type, outputs }: WorkflowNode): { role: Role; maker: string } | undefined {
  if (type.package === BASE_PACKAGE) return undefined;
  for (const [role, pattern] of ROLES) {
    const maker = pattern.exec(type.stem.slice(0, 100))?.[1];
    if (maker !== undefined) return { role, maker: slug(maker) };
  }
  if (type.package === LANGCHAIN_PACKAGE) return undefined;
  const found = [...ROLES_BY_OUTPUT].find(([output]) => outputs.has(output));
  return found === undefined ? undefined : { role: found[1], maker: slug(type.stem) };
}

function isChain(type: NodeType): boolean {
  return type.package === LANGCHAIN_PACKAGE && /^chain[A-Z]/.test(type.stem);
}

function isGivenToAgent({ type, outputs }: WorkflowNode, role: Role | undefined): boolean {
  return role !== 'tool' && (type.isTool || outputs.has('ai_tool'));
}

function toolName(node: WorkflowNode, role: Role | undefined): string {
  if (isMcpClient(node)) return 'mcp';
  return role ?? appOf(node.type);
}

/** Nothing when the JSON states no model: the node's default changes from version to version. */
function models(parameters: unknown): string[] {
  return MODEL_PARAMETERS.flatMap((path) => {
    const said = stated(at(parameters, ...path));
    if (said.kind === 'absent') return [];
    if (said.kind === 'expression') return ['model:dynamic'];
    const name = modelName(said.text);
    return name === undefined ? [] : [`model:${name}`];
  });
}

/** `gemini-2.0-flash` for `models/gemini-2.0-flash`; of an AWS ARN, the part that names the model. */
function modelName(text: string): string | undefined {
  if (text.length > 300) return undefined;
  const isResource = text.startsWith('arn:');
  const name = isResource ? text.slice(text.lastIndexOf('/') + 1) : text.replace(/^models\//, '');
  return /^[\w./:@+-]{1,100}$/.test(name) ? name.toLowerCase() : undefined;
}
