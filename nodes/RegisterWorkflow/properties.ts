import type { INodeProperties } from 'n8n-workflow';

import { additionalFields } from './additionalFields.ts';

export type Operation = 'thisWorkflow' | 'entity';

const operation: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  default: 'thisWorkflow',
  options: [
    {
      name: 'Register Any Entity',
      value: 'entity',
      description:
        'Create or update an agent, a team, an MCP server, a service or another workflow, one for each input item',
      action: 'Register any entity',
    },
    {
      name: 'Register This Workflow',
      value: 'thisWorkflow',
      description: 'Create or update the workflow that this node stands in, once per run',
      action: 'Register this workflow',
    },
  ],
};

const thisWorkflow: INodeProperties[] = [
  {
    displayName: 'Set State',
    name: 'setState',
    type: 'boolean',
    default: true,
    description:
      'Whether to set the state to active or inactive, as the workflow is now. A manual run leaves the state as it is, because there n8n does not tell.',
    displayOptions: { show: { operation: ['thisWorkflow'] } },
  },
  {
    displayName: 'Send Definition',
    name: 'sendDefinition',
    type: 'boolean',
    default: true,
    description:
      "Whether to send the nodes and connections, from which Rollcall reads capabilities and dependencies. Rollcall does not keep them; credentials' names and IDs, pinned data and static data are never sent.",
    displayOptions: { show: { operation: ['thisWorkflow'] } },
  },
];

const entity: INodeProperties[] = [
  {
    displayName: 'Entity Type',
    name: 'entity_type',
    type: 'options',
    default: 'service',
    displayOptions: { show: { operation: ['entity'] } },
    options: [
      { name: 'Agent', value: 'agent' },
      { name: 'Blueprint', value: 'blueprint' },
      { name: 'MCP Server', value: 'mcp_server' },
      { name: 'Other', value: 'other', description: 'A type of your own' },
      { name: 'Service', value: 'service' },
      { name: 'Team', value: 'team' },
      { name: 'Workflow', value: 'workflow' },
    ],
  },
  {
    displayName: 'Other Entity Type',
    name: 'other_entity_type',
    type: 'string',
    default: '',
    placeholder: 'e.g. data_pipeline',
    description: 'Lower-case letters and digits, words joined by - or _',
    displayOptions: { show: { operation: ['entity'], entity_type: ['other'] } },
  },
  {
    displayName: 'Entity ID',
    name: 'entity_id',
    type: 'string',
    default: '',
    required: true,
    placeholder: 'e.g. billing-api',
    description: 'Name by which telemetry calls it; unique within its type',
    displayOptions: { show: { operation: ['entity'] } },
  },
  {
    displayName: 'Entity Name',
    name: 'entity_name',
    type: 'string',
    default: '',
    placeholder: 'e.g. Billing API',
    description: 'Name for people; the ID when left empty',
    displayOptions: { show: { operation: ['entity'] } },
  },
];

const options: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  options: [
    {
      displayName: 'Timeout (Ms)',
      name: 'timeout',
      type: 'number',
      default: 10000,
      typeOptions: { minValue: 100 },
      description: 'How long a registration may take, one retry included, in milliseconds',
    },
  ],
};

/** What a person sets on the node. Names in snake_case are fields of the registration on the wire. */
export const properties: INodeProperties[] = [
  operation,
  ...thisWorkflow,
  ...entity,
  additionalFields,
  options,
];
