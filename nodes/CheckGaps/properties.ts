import type { INodeProperties } from 'n8n-workflow';

const kinds: INodeProperties = {
  displayName: 'Kinds',
  name: 'kinds',
  type: 'multiOptions',
  default: [],
  description: 'Which kinds of gap to return; all kinds when none is chosen',
  options: [
    {
      name: 'Broken Dependency',
      value: 'broken_dependency',
      description: 'Depends on something unregistered, deleted, inactive or unhealthy',
    },
    {
      name: 'Drifted',
      value: 'drifted',
      description: 'Its definition differs from the registered one',
    },
    { name: 'Missing', value: 'missing', description: 'Registered, but its n8n no longer has it' },
    { name: 'Orphaned', value: 'orphaned', description: 'Has no parent where its type needs one' },
    {
      name: 'Silent',
      value: 'silent',
      description: 'Active, but quiet for longer than it should be',
    },
    { name: 'Stuck', value: 'stuck', description: 'Created or deploying for too long' },
    {
      name: 'Uninstrumented',
      value: 'uninstrumented',
      description: 'Active, but reports through no channel at all',
    },
    {
      name: 'Unregistered',
      value: 'unregistered',
      description: 'Seen in telemetry, but not in the registry',
    },
    {
      name: 'Unreported',
      value: 'unreported',
      description: 'Exists in a connected n8n, but not in the registry',
    },
  ],
};

const filters: INodeProperties = {
  displayName: 'Filters',
  name: 'filters',
  type: 'collection',
  placeholder: 'Add filter',
  default: {},
  options: [
    { displayName: 'Entity ID', name: 'entity_id', type: 'string', default: '' },
    {
      displayName: 'Entity Type',
      name: 'entity_type',
      type: 'string',
      default: '',
      placeholder: 'e.g. workflow',
    },
    {
      displayName: 'Grade',
      name: 'grade',
      type: 'options',
      default: 'certain',
      description: 'How sure it is that something is missing',
      options: [
        {
          name: 'Cannot Tell',
          value: 'cannot_tell',
          description: 'The evidence does not suffice; needs the state Cannot Tell',
        },
        { name: 'Certain', value: 'certain' },
        { name: 'Likely', value: 'likely' },
      ],
    },
    {
      displayName: 'Severity',
      name: 'severity',
      type: 'options',
      default: 'critical',
      options: [
        { name: 'Critical', value: 'critical' },
        { name: 'Info', value: 'info' },
        { name: 'Warning', value: 'warning' },
      ],
    },
    {
      displayName: 'State',
      name: 'state',
      type: 'options',
      default: 'open',
      description: 'Open gaps when this filter is not set',
      options: [
        {
          name: 'Cannot Tell',
          value: 'cannot_tell',
          description: 'Found, but the evidence does not suffice',
        },
        { name: 'Closed', value: 'closed' },
        { name: 'Inhibited', value: 'inhibited', description: 'Another gap explains it' },
        { name: 'Muted', value: 'muted' },
        { name: 'Open', value: 'open' },
      ],
    },
  ],
};

/** What a person sets on the node. Names in snake_case are query parameters on the wire. */
export const properties: INodeProperties[] = [
  {
    displayName: 'Run a Check First',
    name: 'runCheck',
    type: 'boolean',
    default: true,
    description:
      'Whether to look for gaps now, rather than return what the last check found. Needs an API key with the scope gaps:write.',
  },
  kinds,
  {
    displayName: 'Return All',
    name: 'returnAll',
    type: 'boolean',
    default: false,
    description: 'Whether to return all results or only up to a given limit',
  },
  {
    displayName: 'Limit',
    name: 'limit',
    type: 'number',
    default: 50,
    typeOptions: { minValue: 1 },
    description: 'Max number of results to return',
    displayOptions: { show: { returnAll: [false] } },
  },
  filters,
  {
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
        default: 30000,
        typeOptions: { minValue: 100 },
        description: 'How long each request may take, one retry included, in milliseconds',
      },
    ],
  },
];
