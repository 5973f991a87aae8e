
      
        
        
        delete from "shop"."mart"."daily_sales" as DBT_INTERNAL_DEST
        where (day) in (
            select distinct day
            from "daily_sales__dbt_tmp235423118018" as DBT_INTERNAL_SOURCE
        );

    

    insert into "shop"."mart"."daily_sales" ("day", "orders", "amount")
    (
        select "day", "orders", "amount"
        from "daily_sales__dbt_tmp235423118018"
    )
  