export interface McpClient {
  tools(): Promise<string[]>;
  /** Text of the tool's answer. */
  call(tool: string, input: object): Promise<string>;
}

interface Answer {
  result?: { tools?: { name: string }[]; content?: { text: string }[]; isError?: boolean };
  error?: { message: string };
}

/** Connects as an agent would, over MCP's streamable HTTP. */
export async function connectMcp(url: string): Promise<McpClient> {
  let session: Record<string, string> = {};
  let id = 0;
  const post = async (method: string, params: object, isRequest = true): Promise<Answer> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', method, params, ...(isRequest && { id: ++id }) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
    const sessionId = response.headers.get('mcp-session-id');
    if (sessionId) session = { 'Mcp-Session-Id': sessionId };
    return isRequest ? (JSON.parse(text.replace(/^[^{]*data: /s, '')) as Answer) : {};
  };
  await post('initialize', {
    protocolVersion: '2025-03-26',
    capabilities: {},
    clientInfo: { name: 'rollcall-test', version: '1' },
  });
  await post('notifications/initialized', {}, false);
  return {
    tools: async () =>
      ((await post('tools/list', {})).result?.tools ?? []).map(({ name }) => name).sort(),
    call: async (name, input) => {
      const { result, error } = await post('tools/call', { name, arguments: input });
      const text = (result?.content ?? []).map((part) => part.text).join('');
      if (error || result?.isError) throw new Error(`${name}: ${error?.message ?? text}`);
      return text;
    },
  };
}
