{# SPDX-License-Identifier: Apache-2.0 #}
{# A hook for models on Databricks: the versions that the model commits say which approval they were made under.
   Use it as `pre_hook: "{{ clyra_user_metadata(env_var('CLYRA_TOKEN'), env_var('CLYRA_RUN_ID'), env_var('CLYRA_ACTOR')) }}"`,
   with a token of its own for each model. It is a claim, and needs a cluster that lets a session set the option. #}
{% macro clyra_user_metadata(token, run_id, actor_id) -%}
  {%- set text = tojson({'ClyraApprovalToken': token, 'RunId': run_id, 'ActorId': actor_id}) -%}
  SET spark.databricks.delta.commitInfo.userMetadata = {{ text }}
{%- endmacro %}

{% macro clyra_reset_user_metadata() -%}
  RESET spark.databricks.delta.commitInfo.userMetadata
{%- endmacro %}
