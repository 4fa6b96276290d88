import type { INodeProperties } from 'n8n-workflow';

const kinds: INodeProperties = {
  displayName: 'Gap Kinds',
  name: 'kinds',
  type: 'multiOptions',
  default: [],
  description: 'Which kinds of gap to start for; all kinds when none is chosen',
  options: [
    { name: 'Broken Dependency', value: 'broken_dependency' },
    { name: 'Drifted', value: 'drifted' },
    { name: 'Missing', value: 'missing' },
    { name: 'Orphaned', value: 'orphaned' },
    { name: 'Silent', value: 'silent' },
    { name: 'Stuck', value: 'stuck' },
    { name: 'Uninstrumented', value: 'uninstrumented' },
    { name: 'Unregistered', value: 'unregistered' },
    { name: 'Unreported', value: 'unreported' },
  ],
};

const grades: INodeProperties = {
  displayName: 'Gap Grades',
  name: 'grades',
  type: 'multiOptions',
  default: [],
  description: 'How sure a gap has to be; any when none is chosen',
  options: [
    { name: 'Certain', value: 'certain' },
    { name: 'Likely', value: 'likely' },
  ],
};

const severities: INodeProperties = {
  displayName: 'Gap Severities',
  name: 'severities',
  type: 'multiOptions',
  default: [],
  description: 'How severe a gap has to be; any severity when none is chosen',
  options: [
    { name: 'Critical', value: 'critical' },
    { name: 'Info', value: 'info' },
    { name: 'Warning', value: 'warning' },
  ],
};

const entityTypes: INodeProperties = {
  displayName: 'Entity Types',
  name: 'entity_types',
  type: 'string',
  default: '',
  placeholder: 'e.g. workflow, mcp_server',
  description: 'Types of the entities to start for, separated by commas; every type when empty',
};

const states: INodeProperties = {
  displayName: 'New States',
  name: 'states',
  type: 'multiOptions',
  default: [],
  description: 'The states that a state change has to lead to; any state when none is chosen',
  options: [
    { name: 'Active', value: 'active' },
    { name: 'Archived', value: 'archived' },
    { name: 'Created', value: 'created' },
    { name: 'Deleted', value: 'deleted' },
    { name: 'Deploying', value: 'deploying' },
    { name: 'Error', value: 'error' },
    { name: 'Inactive', value: 'inactive' },
  ],
};

/** What a person sets on the node. Names in snake_case are fields on the wire. */
export const properties: INodeProperties[] = [
  {
    displayName:
      'Rollcall has to reach this n8n. For addresses on a private network, the server needs ROLLCALL_WEBHOOK_ALLOW.',
    name: 'notice',
    type: 'notice',
    default: '',
  },
  {
    displayName: 'Events',
    name: 'events',
    type: 'multiOptions',
    required: true,
    default: ['gap.opened'],
    description:
      'What starts the workflow. Needs an API key with the scope gaps:write, and for state changes registry:read.',
    options: [
      { name: 'Gap Closed', value: 'gap.closed', description: 'What was missing is there again' },
      { name: 'Gap Opened', value: 'gap.opened', description: 'Something is missing' },
      {
        name: 'State Changed',
        value: 'entity.state_changed',
        description: 'Something was registered, or its state or health changed',
      },
    ],
  },
  {
    displayName: 'Filters',
    name: 'filters',
    type: 'collection',
    placeholder: 'Add filter',
    default: {},
    options: [entityTypes, grades, kinds, severities, states],
  },
];
