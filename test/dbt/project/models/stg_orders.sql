{{ config(materialized='view') }}
select id as order_id, customer_id, region as region_code, amount, status, ordered_at::date as day
from {{ source('till', 'orders') }}
