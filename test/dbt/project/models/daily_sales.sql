{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}
select day, count(*) as orders, sum(amount) as amount
from {{ ref('stg_orders') }}
{% if is_incremental() %}
where day >= (select max(day) from {{ this }})
{% endif %}
group by 1
