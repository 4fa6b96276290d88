import type { INodeProperties } from 'n8n-workflow';

const reference: INodeProperties[] = [
  {
    displayName: 'Entity Type',
    name: 'entity_type',
    type: 'string',
    default: 'team',
    placeholder: 'e.g. team',
  },
  { displayName: 'Entity ID', name: 'entity_id', type: 'string', default: '' },
];

const forAnyEntity = { show: { '/operation': ['entity'] } };

/** What may be said of an entity beside its identity. */
export const additionalFields: INodeProperties = {
  displayName: 'Additional Fields',
  name: 'additionalFields',
  type: 'collection',
  placeholder: 'Add field',
  default: {},
  options: [
    {
      displayName: 'Capabilities',
      name: 'capabilities',
      type: 'string',
      default: '',
      placeholder: 'e.g. email, invoicing',
      description: 'What it can do, separated by commas, or an expression that gives an array',
    },
    {
      displayName: 'Definition Hash',
      name: 'definition_hash',
      type: 'string',
      default: '',
      displayOptions: forAnyEntity,
    },
    {
      displayName: 'Depends On',
      name: 'dependencies',
      type: 'fixedCollection',
      typeOptions: { multipleValues: true },
      default: {},
      placeholder: 'Add dependency',
      description: 'Entities that it needs; replaces the ones declared before',
      options: [{ displayName: 'Entity', name: 'reference', values: reference }],
    },
    { displayName: 'Description', name: 'description', type: 'string', default: '' },
    {
      displayName: 'Endpoint URL',
      name: 'endpoint_url',
      type: 'string',
      default: '',
      placeholder: 'e.g. https://agent.example.com/a2a',
    },
    {
      displayName: 'Health Status',
      name: 'health_status',
      type: 'options',
      default: 'healthy',
      options: [
        { name: 'Degraded', value: 'degraded' },
        { name: 'Healthy', value: 'healthy' },
        { name: 'Unhealthy', value: 'unhealthy' },
        { name: 'Unknown', value: 'unknown' },
      ],
    },
    {
      displayName: 'Metadata (JSON)',
      name: 'metadata',
      type: 'json',
      default: '{}',
      description: 'Any JSON object',
    },
    {
      displayName: 'Parent',
      name: 'parent',
      type: 'fixedCollection',
      default: {},
      placeholder: 'Set parent',
      description: 'What it belongs to: a workflow to a team, a team to a department',
      options: [{ displayName: 'Entity', name: 'reference', values: reference }],
    },
    { displayName: 'Project ID', name: 'project_id', type: 'string', default: '' },
    {
      displayName: 'Registered By',
      name: 'registered_by',
      type: 'string',
      default: 'n8n',
      description: 'Who says that it exists',
    },
    {
      displayName: 'Silent After (Seconds)',
      name: 'silent_after_seconds',
      type: 'number',
      default: 3600,
      typeOptions: { minValue: 1 },
      description: 'Being active and quiet for longer than this opens a gap',
    },
    {
      displayName: 'State',
      name: 'current_state',
      type: 'options',
      default: 'active',
      options: [
        { name: 'Active', value: 'active' },
        { name: 'Archived', value: 'archived' },
        { name: 'Created', value: 'created' },
        { name: 'Deploying', value: 'deploying' },
        { name: 'Error', value: 'error' },
        { name: 'Inactive', value: 'inactive' },
      ],
    },
    {
      displayName: 'Tags',
      name: 'tags',
      type: 'string',
      default: '',
      placeholder: 'e.g. sales, nightly',
      description: 'Separated by commas, or an expression that gives an array',
    },
    { displayName: 'Version', name: 'version', type: 'string', default: '' },
    {
      displayName: 'Workflow (JSON)',
      name: 'workflow',
      type: 'json',
      default: '',
      displayOptions: forAnyEntity,
      description:
        "A workflow as n8n's API gives it, from which Rollcall reads capabilities, dependencies and the definition hash",
    },
  ],
};
