// SPDX-License-Identifier: Apache-2.0
/** Functions that run text as SQL, reach other servers or files, or change the session: a SELECT with one is no plain read. */
const RISKY = new Set([
  ...[
    'dblink',
    'dblink_exec',
    'dblink_send_query',
    'dblink_open',
    'query_to_xml',
    'query_to_xmlschema',
    'query_to_xml_and_xmlschema',
  ],
  ...[
    'lo_import',
    'lo_export',
    'lo_unlink',
    'lo_create',
    'lo_put',
    'lo_from_bytea',
    'lowrite',
    'pg_read_file',
    'pg_read_binary_file',
  ],
  ...[
    'pg_ls_dir',
    'pg_terminate_backend',
    'pg_cancel_backend',
    'pg_reload_conf',
    'pg_rotate_logfile',
    'pg_drop_replication_slot',
  ],
  ...[
    'pg_logical_emit_message',
    'set_config',
    'setval',
    'cursor_to_xml',
    'openquery',
    'openrowset',
    'opendatasource',
    'xp_cmdshell',
  ],
  ...[
    'sp_executesql',
    'load_file',
    'sys_exec',
    'sys_eval',
    'external_query',
    'reflect',
    'java_method',
    'try_reflect',
    'ai_query',
    'http_request',
  ],
]);

export function isRiskyFunction(name: string): boolean {
  return RISKY.has(name) || name.startsWith('system$');
}
