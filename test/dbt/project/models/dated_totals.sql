{{ config(tags=['undetermined']) }}
select customer_id, gross, current_date as built_on from {{ ref('customer_totals') }}
