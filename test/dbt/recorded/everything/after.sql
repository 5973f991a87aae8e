create schema mart;
create schema mart_mart;
create schema till;
create table till.customers (id integer, name text);
insert into till.customers values
  ('1', 'Ada'),
  ('2', 'Bob'),
  ('3', 'Eve');
create table till.orders (id integer, customer_id integer, region text, amount numeric(10,2), status text, ordered_at timestamp without time zone);
insert into till.orders values
  ('1', '1', 'N', '10.00', 'paid', '2026-11-01 09:00:00'),
  ('2', '1', 'S', '4.50', 'open', '2026-11-01 10:00:00'),
  ('3', '2', 'N', '99.99', 'paid', '2026-11-02 11:30:00'),
  ('4', '3', 'W', '7.25', 'paid', '2026-11-02 15:00:00'),
  ('5', '2', 'S', '12.00', 'lost', '2026-11-03 08:15:00');
create table mart.regions (code text, title text, vat numeric(4,3), opened date, is_online boolean);
insert into mart.regions values
  ('N', 'North, and the islands', '0.190', '2019-04-01', 'true'),
  ('S', 'South "by the sea"', '0.070', '2020-11-30', 'false'),
  ('W', NULL, '0.210', NULL, NULL);
create table mart.stg_orders (order_id integer, customer_id integer, region_code text, amount numeric(10,2), status text, day date);
insert into mart.stg_orders values
  ('1', '1', 'N', '10.00', 'paid', '2026-11-01'),
  ('2', '1', 'S', '4.50', 'open', '2026-11-01'),
  ('3', '2', 'N', '99.99', 'paid', '2026-11-02'),
  ('4', '3', 'W', '7.25', 'paid', '2026-11-02'),
  ('5', '2', 'S', '12.00', 'lost', '2026-11-03');
create table mart.customer_totals (customer_id integer, name text, orders bigint, gross numeric, origin text);
insert into mart.customer_totals values
  ('1', 'Ada', '1', '11.90000', 'from "shop"."mart"."stg_orders"'),
  ('2', 'Bob', '1', '118.98810', 'from "shop"."mart"."stg_orders"'),
  ('3', 'Eve', '1', '8.77250', 'from "shop"."mart"."stg_orders"');
create table mart.daily_sales (day date, orders bigint, amount numeric);
insert into mart.daily_sales values
  ('2026-11-01', '2', '14.50'),
  ('2026-11-02', '2', '107.24'),
  ('2026-11-03', '1', '12.00');
create table mart.stamped_totals (customer_id integer, gross numeric, built_at timestamp with time zone);
insert into mart.stamped_totals values
  ('1', '11.90000', '2026-11-28 23:54:31.456068+00'),
  ('2', '118.98810', '2026-11-28 23:54:31.456068+00'),
  ('3', '8.77250', '2026-11-28 23:54:31.456068+00');
create table mart.dated_totals (customer_id integer, gross numeric, built_on date);
insert into mart.dated_totals values
  ('1', '11.90000', '2026-11-28'),
  ('2', '118.98810', '2026-11-28'),
  ('3', '8.77250', '2026-11-28');
create table mart.hooked_totals (customer_id integer, name text, orders bigint, gross numeric, origin text);
insert into mart.hooked_totals values
  ('1', 'Ada', '1', '11.90000', 'from "shop"."mart"."stg_orders"'),
  ('2', 'Bob', '1', '118.98810', 'from "shop"."mart"."stg_orders"'),
  ('3', 'Eve', '1', '8.77250', 'from "shop"."mart"."stg_orders"');
create table mart_mart.customers_history (id integer, name text, dbt_scd_id text, dbt_updated_at timestamp without time zone, dbt_valid_from timestamp without time zone, dbt_valid_to timestamp without time zone);
insert into mart_mart.customers_history values
  ('1', 'Ada', 'e797c80f37e330924564c2d4a5a8e8de', '2026-11-28 23:54:21.684908', '2026-11-28 23:54:21.684908', NULL),
  ('2', 'Bob', '3bf2a24080d364da2315725c515fddca', '2026-11-28 23:54:21.684908', '2026-11-28 23:54:21.684908', NULL),
  ('3', 'Eve', 'a59263dfddef2096776305a73a1cbbf3', '2026-11-28 23:54:21.684908', '2026-11-28 23:54:21.684908', NULL);
