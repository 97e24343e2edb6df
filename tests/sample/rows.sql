-- Rows of the DVD rental store, made by counting: the same each time, and few enough to compare
-- each with a join. Some films have no actor, some no disc; some rentals have several payments.

INSERT INTO language (name)
    SELECT unnest(ARRAY['English', 'Italian', 'Japanese', 'Mandarin', 'French', 'German']);
INSERT INTO category (name)
    SELECT unnest(ARRAY['Action', 'Animation', 'Children', 'Classics', 'Comedy', 'Drama', 'Travel']);
INSERT INTO country (country) SELECT 'Country ' || n FROM generate_series(1, 8) n;
INSERT INTO city (city, country_id)
    SELECT 'City ' || n, 1 + n * n % 7 FROM generate_series(1, 20) n;
INSERT INTO address (address, address2, district, city_id, postal_code, phone)
    SELECT n || ' Long Road', CASE WHEN n % 3 = 0 THEN 'floor ' || n END, 'District ' || n % 5,
           1 + n * 7 % 19, CASE WHEN n % 4 > 0 THEN lpad((n * 131)::text, 5, '0') END, '555-' || n
    FROM generate_series(1, 40) n;
INSERT INTO actor (first_name, last_name)
    SELECT 'First ' || n, 'Last ' || n % 9 FROM generate_series(1, 25) n;
INSERT INTO film (title, description, release_year, language_id, original_language_id,
                  rental_duration, rental_rate, length, replacement_cost, rating, special_features,
                  fulltext)
    SELECT 'Film ' || n, CASE WHEN n % 5 > 0 THEN 'The story of "' || n || '"' END, 1901 + n,
           1 + n % 5, CASE WHEN n % 3 = 0 THEN 1 + n % 6 END, 3 + n % 5, n % 10 + 0.99,
           CASE WHEN n % 6 > 0 THEN 40 + n END, 9.99 + n,
           CASE WHEN n % 7 > 0 THEN (enum_range(NULL::mpaa_rating))[1 + n % 5] END,
           CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}'::text[]
                      ELSE ARRAY['Trailers', 'Behind the "Scenes"', NULL] END,
           to_tsvector('english', 'the story of film ' || n)
    FROM generate_series(1, 50) n;
INSERT INTO film_actor (actor_id, film_id)
    SELECT DISTINCT 1 + n * 5 % 24, 1 + n * 11 % 47 FROM generate_series(1, 150) n;
INSERT INTO film_category (film_id, category_id)
    SELECT DISTINCT 1 + n % 45, 1 + n * 3 % 6 FROM generate_series(1, 70) n;
INSERT INTO store (manager_staff_id, address_id) VALUES (1, 1), (3, 2), (4, 2);
INSERT INTO staff (first_name, last_name, address_id, email, store_id, active, username, password,
                   picture)
    SELECT 'Staff ' || n, 'Last', 2 + n, CASE WHEN n > 1 THEN 'staff' || n || '@example.org' END,
           1 + n % 2, n <> 5, 'user' || n, NULL,
           CASE WHEN n < 4 THEN decode(repeat(lpad(to_hex(n * 40), 2, '0'), n), 'hex') END
    FROM generate_series(1, 5) n;
INSERT INTO customer (store_id, first_name, last_name, email, address_id, activebool, create_date,
                      last_update, active)
    SELECT 1 + n % 2, 'Customer ' || n, 'Last ' || n % 4, NULL, 5 + n, n % 8 > 0,
           date '2022-01-01' + n, CASE WHEN n % 2 = 0 THEN timestamptz '2022-02-15 09:57:20.5+00' END,
           n % 2
    FROM generate_series(1, 30) n;
INSERT INTO inventory (film_id, store_id)
    SELECT 1 + n * 3 % 40, 1 + n % 2 FROM generate_series(1, 80) n;
INSERT INTO rental (rental_date, inventory_id, customer_id, return_date, staff_id)
    SELECT timestamptz '2022-01-01 00:00:00+00' + n * interval '7 hours 13 minutes 0.25 seconds',
           1 + n * 13 % 77, 1 + n * 17 % 29,
           CASE WHEN n % 6 > 0 THEN timestamptz '2022-03-01 12:00:00+02' + n * interval '1 day' END,
           1 + n % 4
    FROM generate_series(1, 160) n;
INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
    SELECT r.customer_id, 1 + n % 4, r.rental_id, n % 9 + 0.99,
           timestamptz '2022-01-02 00:00:00+00' + n * interval '3 hours 7.125 seconds'
    FROM generate_series(1, 200) n JOIN rental r ON r.rental_id = 1 + n * 3 % 150;
