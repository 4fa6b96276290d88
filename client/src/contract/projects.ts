/** What a tenant divides its fleet into; keys, entities, telemetry and executions belong to one. */
export interface Project {
  project_id: string;
  name: string;
  created_at: string;
}

/** Creating a project twice is a success and renames it when a name is given. */
export interface ProjectRequest {
  project_id: string;
  /** Its id when left out. */
  name?: string;
}

export interface CreatedProject {
  outcome: 'created' | 'updated';
  project: Project;
}
