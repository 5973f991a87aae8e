create schema till;
create table till.customers (id integer primary key, name text not null);
create table till.orders (id integer primary key, customer_id integer not null, region text, amount numeric(10,2) not null,
  status text not null, ordered_at timestamp not null);
insert into till.customers values (1, 'Ada'), (2, 'Bob'), (3, 'Eve');
insert into till.orders values (1, 1, 'N', 10.00, 'paid', '2026-11-01 09:00'), (2, 1, 'S', 4.50, 'open', '2026-11-01 10:00'),
  (3, 2, 'N', 99.99, 'paid', '2026-11-02 11:30');
