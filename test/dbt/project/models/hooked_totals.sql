{{ config(tags=['undetermined'], post_hook="delete from {{ this }} where orders = 0") }}
select * from {{ ref('customer_totals') }}
