import type { INodeProperties } from 'n8n-workflow';

import { EVENT_FIELDS } from './eventFields.ts';

export type Operation = 'event' | 'error' | 'startStep' | 'endStep';
export type Delivery = 'background' | 'wait' | 'required';
export type EventsPer = 'run' | 'item';

const operation: INodeProperties = {
  displayName: 'Operation',
  name: 'operation',
  type: 'options',
  noDataExpression: true,
  default: 'event',
  options: [
    {
      name: 'Emit Error',
      value: 'error',
      description: 'Report the failure that an Error Trigger or an error output hands over',
      action: 'Emit an error',
    },
    {
      name: 'Emit Event',
      value: 'event',
      description: 'Report that something happened, and how it went',
      action: 'Emit an event',
    },
    {
      name: 'End Step',
      value: 'endStep',
      description: 'Report how long it has been since the start of the step',
      action: 'End a step and emit its duration',
    },
    {
      name: 'Start Step',
      value: 'startStep',
      description: 'Start timing a step of this execution; nothing is sent yet',
      action: 'Start timing a step',
    },
  ],
};

const step: INodeProperties = {
  displayName: 'Step Name',
  name: 'step',
  type: 'string',
  default: 'step',
  placeholder: 'e.g. enrich lead',
  description: 'The same name in Start Step and End Step. A step may span a Wait node.',
  displayOptions: { show: { operation: ['startStep', 'endStep'] } },
};

const options: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  displayOptions: { hide: { operation: ['startStep'] } },
  options: [
    {
      displayName: 'Delivery',
      name: 'delivery',
      type: 'options',
      default: 'background',
      description: 'What the workflow does while the events travel',
      options: [
        {
          name: 'Fail on Delivery Error',
          value: 'required',
          description: 'Wait, and fail this node when Rollcall has not kept every event',
        },
        {
          name: 'In the Background',
          value: 'background',
          description:
            'Go on at once. When the execution ends, what is still on its way gets at most 2 seconds.',
        },
        {
          name: 'Wait for Delivery',
          value: 'wait',
          description: 'Wait for the answer; when there is none, warn and go on',
        },
      ],
    },
    {
      displayName: 'Events Per',
      name: 'eventsPer',
      type: 'options',
      default: 'run',
      description:
        'How many events to emit. All events of one run of this node travel in one request.',
      options: [
        { name: 'Item', value: 'item', description: 'One event for each input item' },
        { name: 'Run', value: 'run', description: 'One event for all input items together' },
      ],
    },
    {
      displayName: 'Timeout (Ms)',
      name: 'timeout',
      type: 'number',
      default: 10000,
      typeOptions: { minValue: 100 },
      description: 'How long a delivery may take, one retry included, in milliseconds',
    },
  ],
};

/** What a person sets on the node. Names in snake_case are fields of the event on the wire. */
export const properties: INodeProperties[] = [operation, step, ...EVENT_FIELDS, options];
