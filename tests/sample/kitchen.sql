-- Rows of the kitchen: every relation leads somewhere, some lead nowhere.

INSERT INTO account (email, password, manager_id)
    SELECT 'a' || n || '@example.org', 'secret', CASE WHEN n > 2 THEN 1 + n % 2 END
    FROM generate_series(1, 12) n;
INSERT INTO profile (account_id, bio) SELECT n, CASE WHEN n % 2 = 0 THEN 'bio' END FROM generate_series(2, 7) n;
INSERT INTO badge VALUES ('B1', 'a1@example.org'), ('B22', 'a3@example.org'), ('B333', NULL), ('B4', 'a1@example.org');
INSERT INTO follow SELECT DISTINCT 1 + n % 5, 1 + n * 3 % 11 FROM generate_series(1, 20) n;
INSERT INTO team (slug, type, "select") VALUES ('red', 'x', true), ('blue "b"', 'y', false), ('', 'z', true);
INSERT INTO membership SELECT n, (ARRAY['red', 'blue "b"', ''])[1 + n % 2], date '2024-01-01' + n FROM generate_series(1, 9) n;
INSERT INTO membership VALUES (1, 'red', '0044-03-15 BC'), (2, '', 'infinity');
INSERT INTO category VALUES (1, 'all', NULL), (2, 'books', 1), (3, 'novels', 2), (4, 'toys', 1);
INSERT INTO post (title, author_id, reviewer_id, category_id)
    SELECT 'Post ' || n, 1 + n % 7, CASE WHEN n % 3 = 0 THEN 1 + n % 4 END, CASE WHEN n % 4 > 0 THEN 1 + n % 4 END
    FROM generate_series(1, 25) n;
INSERT INTO post (id, title, author_id) VALUES (9007199254740993, 'beyond what a number holds', 1);
INSERT INTO tag SELECT ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a' || lpad(to_hex(n), 2, '0'))::uuid, 'Tag ' || n FROM generate_series(1, 6) n;
INSERT INTO post_tag
    SELECT DISTINCT 1 + n % 20, ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a' || lpad(to_hex(1 + n * 7 % 5), 2, '0'))::uuid
    FROM generate_series(1, 40) n;
INSERT INTO post_tag VALUES (9007199254740993, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a01');
INSERT INTO warehouse VALUES ('north', 1, '2020-02-29'), ('north', 2, '2020-02-29'), ('south, "s"', 1, '-infinity');
INSERT INTO shelf (region, number) VALUES ('north', 1), ('north', 1), ('south, "s"', 1), (NULL, NULL), ('north', NULL);
INSERT INTO shift VALUES ('2024-02-29', 'sad', 1, 0), ('2024-02-29', 'very happy', 1, 10), ('0044-03-15 BC', 'sad', 2, 0);
INSERT INTO address (city) SELECT 'City ' || n FROM generate_series(1, 6) n;
INSERT INTO buyer (home_id) SELECT CASE WHEN n % 3 > 0 THEN n END FROM generate_series(1, 6) n;
INSERT INTO "order" (buyer_id, bill_to, ship_to)
    SELECT 1 + n % 4, 1 + n % 5, CASE WHEN n % 2 = 0 THEN 1 + n % 3 END FROM generate_series(1, 10) n;
INSERT INTO article VALUES ('A-1', 1.50), ('A-2', 'NaN'), ('A-3', 0);
INSERT INTO order_line SELECT 1 + n % 8, 'A-' || 1 + n % 2, n FROM generate_series(1, 8) n;
