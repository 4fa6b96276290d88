import type {
  IDataObject,
  IExecuteFunctions,
  INodeExecutionData,
  INodeType,
  INodeTypeDescription,
  JsonObject,
} from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes } from 'n8n-workflow';

import { findGaps, type FoundGaps } from './gaps.ts';
import { properties } from './properties.ts';

/** Says what is missing: one item per gap, or one item on the second output when nothing is. */
export class CheckGaps implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Check Gaps',
    name: 'checkGaps',
    icon: { light: 'file:checkGaps.svg', dark: 'file:checkGaps.dark.svg' },
    group: ['input'],
    version: 1,
    subtitle:
      '={{ $parameter["kinds"].length ? $parameter["kinds"].join(", ").replaceAll("_", " ") : "all kinds" }}',
    description:
      'Find what is unregistered, silent, missing or broken in the fleet that Rollcall watches',
    defaults: { name: 'Check Gaps' },
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
    outputNames: ['Gaps', 'All Clear'],
    usableAsTool: true,
    credentials: [{ name: 'rollcallApi', required: true }],
    properties,
  };

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    const pairedItem = { item: 0 };
    let found: FoundGaps;
    try {
      found = await findGaps(this);
    } catch (error) {
      const failure = new NodeApiError(this.getNode(), error as JsonObject, { itemIndex: 0 });
      if (!this.continueOnFail()) throw failure;
      return [[{ json: { error: failure.message }, pairedItem }], []];
    }
    const gaps = found.gaps.map((gap) => ({
      json: { ...gap },
      pairedItem,
    }));
    if (gaps.length > 0) return [gaps, []];

    const json = { all_clear: true, check: (found.check ?? null) as IDataObject | null };
    const allClear = [{ json, pairedItem }];
    // An agent reads the first output only.
    return this.isToolExecution?.() ? [allClear, []] : [[], allClear];
  }
}
