import { createHash } from 'node:crypto';
import type { WorkflowNode } from './shape.ts';
import { TOKEN_LIMIT } from './tokens.ts';
import { at, firstStated } from './values.ts';

/** n8n saves a node of its MCP registry as `@n8n/mcp-registry.<server>`, without an address. */
const REGISTRY_PACKAGE = '@n8n/mcp-registry';

/** The MCP server that a node calls, or that there is one which the JSON does not name. */
export type McpServerCall = { kind: 'server'; id: string } | { kind: 'dynamic' };

/**
 * The server behind MCP Client and MCP Client Tool (n8n's own, `sseEndpoint` in version 1 and
 * `endpointUrl` since), n8n's MCP registry, and community clients such as n8n-nodes-mcp, which keep
 * the address in a credential; `undefined` for other nodes.
 */
export function mcpServerOf({ type, parameters }: WorkflowNode): McpServerCall | undefined {
  if (type.package === REGISTRY_PACKAGE) {
    return /^[\w-]{1,80}$/.test(type.name)
      ? { kind: 'server', id: `mcp-registry/${type.name}` }
      : { kind: 'dynamic' };
  }
  if (!isMcpClient({ type })) return undefined;
  const said = firstStated(
    at(parameters, 'endpointUrl'),
    at(parameters, 'sseEndpoint'),
    at(parameters, 'sseUrl'),
    at(parameters, 'httpStreamUrl'),
    at(parameters, 'serverUrl'),
  );
  const id = said.kind === 'literal' ? mcpServerId(said.text) : undefined;
  return id === undefined ? { kind: 'dynamic' } : { kind: 'server', id };
}

/** Whether the node is an MCP client of n8n or of a community package. */
export function isMcpClient({ type }: Pick<WorkflowNode, 'type'>): boolean {
  return type.package === REGISTRY_PACKAGE || /^mcp(Registry)?Client/i.test(type.stem);
}

/**
 * A stable id from an MCP server's address: host and path, without scheme, user, query or the slash
 * at the end. Hosted servers put keys into the path, so a part that looks like one is replaced by
 * the start of its SHA-256. `undefined` when the text is not an HTTP address.
 */
export function mcpServerId(address: string): string | undefined {
  const text = address.trim();
  if (text === '' || text.length > 2000 || text.includes('{{')) return undefined;
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.host === '') return undefined;
  const path = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (looksLikeKey(part) ? `~${fingerprint(part)}` : part));
  const id = [url.host, ...path].join('/');
  return id.length <= TOKEN_LIMIT ? id : `${id.slice(0, TOKEN_LIMIT - 13)}~${fingerprint(id)}`;
}

/** A long unbroken run of letters with digits, or a very long one; a UUID's runs are shorter. */
function looksLikeKey(part: string): boolean {
  return (part.match(/[a-z\d]{16,}/gi) ?? []).some((run) => run.length >= 32 || /\d/.test(run));
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
