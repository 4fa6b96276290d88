/** A statement that one of the documents prints, and what its readers take from the answer. */
export interface PrintedStatement {
  document: string;
  title: string;
  text: string;
  /** Every row has these columns. */
  columns: string[];
  /** One of the rows, given what `public-names.test.ts` has put into the tables. */
  row: object;
}

const FACTORY = 'Factory Telemetry Integration Guide';
const REGISTRY = 'Telemetry and Registry Guide';

/** Columns that the statements name, of the tables that they also read whole. */
const TELEMETRY_COLUMNS = [
  'source_id',
  'target_id',
  'protocol',
  'status',
  'duration_ms',
  'timestamp',
  'workflow_id',
  'correlation_id',
  'tokens_used',
  'error_message',
];
const REGISTRY_COLUMNS = [
  'entity_id',
  'entity_type',
  'entity_name',
  'registered_by',
  'current_state',
  'health_status',
  'last_activity',
  'created_at',
  'capabilities',
  'endpoint_url',
];

/** Verbatim: the names in them are a public contract. */
export const PRINTED_STATEMENTS: PrintedStatement[] = [
  {
    document: FACTORY,
    title: 'Check recent factory operations',
    text: `-- Check recent factory operations
SELECT * FROM communication_telemetry
WHERE workflow_id IN ('team-factory', 'mcp-factory', 'n8n-factory-v3')
ORDER BY timestamp DESC
LIMIT 20;`,
    columns: TELEMETRY_COLUMNS,
    row: { workflow_id: 'team-factory', protocol: 'factory', tokens_used: '12' },
  },
  {
    document: FACTORY,
    title: 'Check registered entities',
    text: `-- Check registered entities
SELECT * FROM unified_registry
WHERE registered_by IN ('team_factory', 'mcp_server_factory', 'n8n_workflow_factory_v3')
ORDER BY created_at DESC;`,
    columns: REGISTRY_COLUMNS,
    row: { entity_id: 'sales-team', entity_type: 'team', capabilities: ['selling'] },
  },
  {
    document: FACTORY,
    title: 'Check for registration gaps',
    text: `-- Check for registration gaps
SELECT * FROM check_registration_gaps();`,
    columns: ['entity_id', 'entity_type'],
    row: { entity_id: 'crm', gap_kind: 'unregistered' },
  },
  {
    document: REGISTRY,
    title: 'Last 5 minutes of activity',
    text: `-- Last 5 minutes of activity
SELECT * FROM system_health_overview;`,
    columns: ['protocol', 'p50_duration_ms', 'p95_duration_ms', 'p99_duration_ms'],
    row: {
      protocol: 'a2a',
      total_calls: '3',
      errors: '1',
      error_rate: '0.333333',
      avg_duration_ms: '200.000',
    },
  },
  {
    document: REGISTRY,
    title: 'Communication patterns',
    text: `-- Communication patterns
SELECT * FROM communication_patterns
ORDER BY total_calls DESC;`,
    columns: ['source_id', 'target_id', 'protocol', 'total_calls'],
    row: { source_id: 'sales-team', target_id: 'crm', protocol: 'a2a', total_calls: '3' },
  },
  {
    document: REGISTRY,
    title: 'Top communication pairs',
    text: `-- Top communication pairs
SELECT * FROM top_communication_pairs;`,
    columns: ['source_id', 'target_id', 'total_calls'],
    row: { source_id: 'sales-team', target_id: 'crm', total_calls: '3', errors: '1' },
  },
  {
    document: REGISTRY,
    title: 'System state summary',
    text: `-- System state summary
SELECT * FROM system_entity_state;`,
    columns: ['entity_type', 'current_state', 'health_status'],
    row: { entity_type: 'team', current_state: 'active', health_status: 'healthy', total: '1' },
  },
  {
    document: REGISTRY,
    title: 'Entity hierarchy',
    text: `-- Entity hierarchy
SELECT * FROM entity_hierarchy;`,
    columns: ['entity_id', 'entity_type', 'parent_id', 'parent_type', 'depth'],
    row: {
      entity_id: 'follow-up',
      parent_id: 'sales-team',
      depth: 1,
      path: ['team/sales-team', 'workflow/follow-up'],
    },
  },
  {
    document: REGISTRY,
    title: 'Registration gaps',
    text: `-- Registration gaps
SELECT * FROM check_registration_gaps();`,
    columns: ['entity_id', 'entity_type'],
    row: { entity_id: 'crm', gap_kind: 'unregistered' },
  },
  {
    document: REGISTRY,
    title: 'Communication Matrix',
    text: `SELECT 
    source_id,
    target_id,
    protocol,
    COUNT(*) as calls,
    AVG(duration_ms) as avg_ms,
    COUNT(CASE WHEN status = 'error' THEN 1 END) as errors
FROM communication_telemetry
WHERE timestamp > NOW() - INTERVAL '1 hour'
GROUP BY source_id, target_id, protocol;`,
    columns: ['source_id', 'target_id', 'protocol', 'calls', 'avg_ms', 'errors'],
    row: { source_id: 'sales-team', target_id: 'crm', calls: '3', avg_ms: 200, errors: '1' },
  },
  {
    document: REGISTRY,
    title: 'Entity Health Dashboard',
    text: `SELECT 
    entity_type,
    entity_name,
    current_state,
    health_status,
    last_activity,
    EXTRACT(EPOCH FROM (NOW() - last_activity)) as seconds_since_activity
FROM unified_registry
WHERE current_state != 'deleted'
ORDER BY health_status, last_activity DESC;`,
    columns: [
      'entity_type',
      'entity_name',
      'current_state',
      'health_status',
      'last_activity',
      'seconds_since_activity',
    ],
    row: { entity_name: 'Sales', current_state: 'active', last_activity: expect.any(Date) },
  },
];
