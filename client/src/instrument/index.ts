export {
  instrumentWorkflow,
  uninstrumentWorkflow,
  type InsertedNode,
  type Instrumented,
  type InstrumentOptions,
} from './instrument.ts';
export { editWorkflow, type InstrumentRequest, type InstrumentResult } from './edit.ts';
export { ROLES, type Role } from './anchors.ts';
export { WorkflowFormatError, type WorkflowJson } from './workflow.ts';
