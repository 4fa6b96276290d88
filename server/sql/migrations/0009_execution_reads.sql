-- What readers of executions look for and writers do not. Both are rare columns: few rows are in these.
create index executions_by_retry   on rollcall.executions (tenant_id, retry_of) where retry_of is not null;
create index executions_by_session on rollcall.executions (tenant_id, session_id) where session_id is not null;
