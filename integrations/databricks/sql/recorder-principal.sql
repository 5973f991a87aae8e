-- SPDX-License-Identifier: Apache-2.0
-- What the service principal of Clyra's recorder needs to read the history of main.crm.contacts: put your own names in.
-- Run it as the owner of the catalog; lineage needs a metastore admin. Never executed on a workspace.

GRANT USE CATALOG ON CATALOG main TO `clyra-recorder`;
GRANT USE SCHEMA ON SCHEMA main.crm TO `clyra-recorder`;
GRANT SELECT ON TABLE main.crm.contacts TO `clyra-recorder`;

GRANT USE CATALOG ON CATALOG system TO `clyra-recorder`;
GRANT USE SCHEMA ON SCHEMA system.access TO `clyra-recorder`;
GRANT SELECT ON TABLE system.access.table_lineage TO `clyra-recorder`;
