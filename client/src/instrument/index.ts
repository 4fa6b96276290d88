export {
  instrumentWorkflow,
  uninstrumentWorkflow,
  type InsertedNode,
  type Instrumented,
  type InstrumentOptions,
} from './instrument.ts';
export type { Role } from './anchors.ts';
export { WorkflowFormatError, type WorkflowJson } from './workflow.ts';
