import type { IExecuteFunctions, INodeExecutionData, INodeType } from 'n8n-workflow';

/** A node type for tests: runs a function over its items, and passes them on when it gives none. */
export function codeNode(
  work: (items: INodeExecutionData[]) => INodeExecutionData[] | void,
): INodeType {
  return {
    description: {
      displayName: 'Code',
      name: 'code',
      group: ['transform'],
      version: 1,
      description: '',
      defaults: {},
      inputs: ['main'],
      outputs: ['main'],
      properties: [{ displayName: 'Subject', name: 'subject', type: 'string', default: '' }],
    },
    execute(this: IExecuteFunctions) {
      const items = this.getInputData();
      return Promise.resolve([work(items) ?? items]);
    },
  };
}
