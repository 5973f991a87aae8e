-- The text below names a relation inside a string, where nothing may be replaced.
select c.id as customer_id, c.name, count(p.order_id) as orders, coalesce(sum(p.amount * (1 + r.vat)), 0) as gross,
       'from {{ ref("stg_orders") }}' as origin
from {{ source('till', 'customers') }} c
left join {{ ref('paid_orders') }} p on p.customer_id = c.id
left join {{ ref('regions') }} r on r.code = p.region_code
group by 1, 2
