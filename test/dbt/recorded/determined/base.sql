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
create table mart.daily_sales (day date, orders bigint, amount numeric);
insert into mart.daily_sales values
  ('2026-11-01', '2', '14.50'),
  ('2026-11-02', '1', '99.99');
