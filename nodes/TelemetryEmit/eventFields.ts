import type { INodeProperties } from 'n8n-workflow';

const protocol: INodeProperties = {
  displayName: 'Protocol',
  name: 'protocol',
  type: 'options',
  default: 'n8n',
  description: 'Over what the source and the target communicated',
  displayOptions: { show: { operation: ['event'] } },
  options: [
    { name: 'A2A', value: 'a2a', description: 'Agent to agent' },
    { name: 'Code Generation', value: 'codegen' },
    { name: 'Factory', value: 'factory', description: 'A program that builds agents or workflows' },
    { name: 'HTTP', value: 'http' },
    { name: 'Job', value: 'job' },
    { name: 'MCP', value: 'mcp', description: 'Model Context Protocol' },
    { name: 'N8n', value: 'n8n' },
  ],
};

const status: INodeProperties = {
  displayName: 'Status',
  name: 'status',
  type: 'options',
  default: 'success',
  displayOptions: { show: { operation: ['event', 'endStep'] } },
  options: [
    { name: 'Cancelled', value: 'cancelled' },
    { name: 'Error', value: 'error' },
    { name: 'Success', value: 'success' },
    { name: 'Timeout', value: 'timeout' },
  ],
};

const source: INodeProperties = {
  displayName: 'Source ID',
  name: 'source_id',
  type: 'string',
  default: '',
  placeholder: 'ID of this workflow',
  description: 'Who called. This workflow when left empty.',
  displayOptions: { show: { operation: ['event'] } },
};

const target: INodeProperties = {
  displayName: 'Target ID',
  name: 'target_id',
  type: 'string',
  default: '',
  placeholder: 'ID of this workflow',
  description:
    'Who was called: an MCP server, an agent, a service, another workflow. This workflow when left empty, for what happens inside it.',
  displayOptions: { show: { operation: ['event'] } },
};

const operationName: INodeProperties = {
  displayName: 'Operation Name',
  name: 'operation_name',
  type: 'string',
  default: '',
  placeholder: 'Name of this node',
  description:
    'What was done: an MCP tool, an A2A task, a step, an event family. The name of this node when left empty.',
  displayOptions: { show: { operation: ['event'] } },
};

const additional: INodeProperties = {
  displayName: 'Additional Fields',
  name: 'additionalFields',
  type: 'collection',
  placeholder: 'Add field',
  default: {},
  displayOptions: { hide: { operation: ['startStep'] } },
  options: [
    {
      displayName: 'Correlation ID',
      name: 'correlation_id',
      type: 'string',
      default: '',
      description: 'Ties together what belongs to one piece of work, across workflows and agents',
    },
    {
      displayName: 'Cost (Millionths)',
      name: 'cost_micros',
      type: 'number',
      default: 0,
      description: 'Cost in millionths of one unit of the currency: 0.25 USD is 250000',
    },
    {
      displayName: 'Currency',
      name: 'currency',
      type: 'string',
      default: 'USD',
      description: 'Three capital letters of ISO 4217',
    },
    {
      displayName: 'Duration (Ms)',
      name: 'duration_ms',
      type: 'number',
      default: 0,
      description: 'How long it took, in milliseconds',
    },
    { displayName: 'Error Message', name: 'error_message', type: 'string', default: '' },
    { displayName: 'Error Type', name: 'error_type', type: 'string', default: '' },
    {
      displayName: 'Event ID',
      name: 'event_id',
      type: 'string',
      default: '',
      description:
        'UUID of the event; Rollcall counts the same one once. A new one is made when left empty.',
    },
    {
      displayName: 'Execution ID',
      name: 'execution_id',
      type: 'string',
      default: '',
      description: 'This execution when left empty, unless the event is about another workflow',
    },
    {
      displayName: 'Metadata (JSON)',
      name: 'metadata',
      type: 'json',
      default: '{}',
      description: 'Any JSON object, at most 64 KB; Rollcall redacts secrets before it stores it',
    },
    { displayName: 'Model', name: 'model', type: 'string', default: '' },
    { displayName: 'Project ID', name: 'project_id', type: 'string', default: '' },
    {
      displayName: 'Timestamp',
      name: 'timestamp',
      type: 'dateTime',
      default: '',
      description: 'When it happened; now when left empty',
    },
    { displayName: 'Tokens Used', name: 'tokens_used', type: 'number', default: 0 },
    {
      displayName: 'Trace ID',
      name: 'trace_id',
      type: 'string',
      default: '',
      description: 'W3C trace ID: 32 hex digits',
    },
    { displayName: 'User ID', name: 'user_id', type: 'string', default: '' },
    {
      displayName: 'Workflow ID',
      name: 'workflow_id',
      type: 'string',
      default: '',
      description: 'This workflow when left empty',
    },
  ],
};

/** The fields of an event that a person may set; those of the telemetry contract, by its names. */
export const EVENT_FIELDS: INodeProperties[] = [
  protocol,
  status,
  source,
  target,
  operationName,
  additional,
];
