import { createHash } from 'node:crypto';
import { mcpServerId as idOf } from '@rollcall/client/contract';
import type { WorkflowNode } from './shape.ts';
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

/** See the contract's `mcpServerId`, which n8n's hooks share. */
export function mcpServerId(address: string): string | undefined {
  return idOf(address, sha256);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
