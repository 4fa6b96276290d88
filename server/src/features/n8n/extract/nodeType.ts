/** A node's type, taken apart: `@n8n/n8n-nodes-langchain.mcpClientTool`. */
export interface NodeType {
  /** `n8n-nodes-base`, `@n8n/n8n-nodes-langchain`, a community package, `CUSTOM`, or empty. */
  package: string;
  /** The last segment as written: `mcpClientTool`. */
  name: string;
  /** The name without `Trigger`, `Tool` or `HitlTool`: `mcpClient`. */
  stem: string;
  isTrigger: boolean;
  /** n8n gives every node usable by an agent a twin whose name ends in `Tool`. */
  isTool: boolean;
}

export const BASE_PACKAGE = 'n8n-nodes-base';
export const LANGCHAIN_PACKAGE = '@n8n/n8n-nodes-langchain';
export const STICKY_NOTE = 'n8n-nodes-base.stickyNote';

/** Takes a node type apart; a type without a dot has no package. */
export function parseNodeType(type: string): NodeType {
  const dot = type.lastIndexOf('.');
  const name = type.slice(dot + 1);
  const suffix = ['HitlTool', 'Tool', 'Trigger'].find(
    (ending) => name.endsWith(ending) && name.length > ending.length,
  );
  return {
    package: type.slice(0, Math.max(dot, 0)),
    name,
    stem: suffix === undefined ? name : name.slice(0, -suffix.length),
    isTrigger: suffix === 'Trigger',
    isTool: suffix === 'Tool' || suffix === 'HitlTool',
  };
}

/**
 * Stems of n8n-nodes-base that reach no outside service: flow, data and file handling, triggers
 * with a kind of their own. From the codex category "Core Nodes" of n8n-nodes-base 2.41, less
 * those that do talk to something (httpRequest, emailSend, ftp, ssh, git, n8n, rssFeedRead).
 */
const CORE_STEMS = new Set(
  (
    'aggregate aiTransform code compareDatasets compression convertToFile cron crypto dataTable ' +
    'dateTime debugHelper dynamicCredentialCheck e2eTest e2eTestPolling editImage error ' +
    'evaluation executeCommand executeWorkflow executionData extractFromFile filter form ' +
    'function functionItem html htmlExtract iCal if interval itemLists jwt limit localFile ' +
    'manual markdown merge messageAnAgent moveBinaryData noOp readBinaryFile readBinaryFiles ' +
    'readPDF readWriteFile removeDuplicates renameKeys respondToWebhook schedule set simulate ' +
    'sort splitInBatches splitOut spreadsheetFile start stickyNote stopAndError summarize switch ' +
    'timeSaved totp wait webhook workflow writeBinaryFile xml'
  ).split(' '),
);

/** Whether the node is n8n's own flow, data or file handling rather than somebody's app. */
export function isCore(type: NodeType): boolean {
  if (type.package !== BASE_PACKAGE) return false;
  return CORE_STEMS.has(type.stem) || type.name === 'n8nTrigger';
}
