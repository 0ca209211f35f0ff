-- A small shop: seventeen tables, about ninety thousand rows, invented people. Every row is a function of its number, so
-- two builds are equal.

CREATE TABLE employees (
    employee_id INTEGER PRIMARY KEY,
    first_name  VARCHAR(40) NOT NULL,
    last_name   VARCHAR(40) NOT NULL,
    email       VARCHAR(120) NOT NULL UNIQUE,
    job_title   VARCHAR(60) NOT NULL,
    manager_id  INTEGER REFERENCES employees (employee_id),
    hired_on    DATE NOT NULL,
    salary      DECIMAL(10, 2)
);

CREATE TABLE customers (
    customer_id   INTEGER PRIMARY KEY AUTOINCREMENT,
    first_name    VARCHAR(40) NOT NULL,
    last_name     VARCHAR(40) NOT NULL,
    email         VARCHAR(120) NOT NULL UNIQUE,
    phone         VARCHAR(30),
    date_of_birth DATE,
    gender        CHAR(1) CHECK (gender IN ('f', 'm', 'x')),
    referred_by   INTEGER REFERENCES customers (customer_id),
    account_manager_id INTEGER REFERENCES employees (employee_id),
    status        VARCHAR(10) NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
    preferences   JSON,
    created_at    DATETIME NOT NULL
);

CREATE TABLE addresses (
    address_id INTEGER PRIMARY KEY,
    street     VARCHAR(80) NOT NULL,
    city       VARCHAR(60) NOT NULL,
    region     VARCHAR(60),
    postcode   VARCHAR(12) NOT NULL,
    country    CHAR(2) NOT NULL
);

CREATE TABLE customer_addresses (
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    address_id  INTEGER NOT NULL REFERENCES addresses (address_id),
    purpose     VARCHAR(10) NOT NULL CHECK (purpose IN ('billing', 'shipping')),
    PRIMARY KEY (customer_id, address_id, purpose)
) WITHOUT ROWID;

CREATE TABLE payment_cards (
    card_id     INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    card_number VARCHAR(19) NOT NULL,
    card_holder VARCHAR(90) NOT NULL,
    expires_on  CHAR(7) NOT NULL
);

CREATE TABLE categories (
    category_id INTEGER PRIMARY KEY,
    parent_id   INTEGER REFERENCES categories (category_id),
    name        VARCHAR(60) NOT NULL
);

CREATE TABLE suppliers (
    supplier_id  INTEGER PRIMARY KEY,
    company_name VARCHAR(80) NOT NULL,
    contact_name VARCHAR(80) NOT NULL,
    contact_phone VARCHAR(30) NOT NULL,
    vat_number   VARCHAR(20)
);

CREATE TABLE products (
    product_id  INTEGER PRIMARY KEY,
    supplier_id INTEGER NOT NULL REFERENCES suppliers (supplier_id),
    sku         VARCHAR(20) NOT NULL UNIQUE,
    name        VARCHAR(80) NOT NULL,
    price       DECIMAL(8, 2) NOT NULL CHECK (price > 0),
    weight_g    INTEGER
);

CREATE TABLE product_categories (
    product_id  INTEGER NOT NULL REFERENCES products (product_id),
    category_id INTEGER NOT NULL REFERENCES categories (category_id),
    PRIMARY KEY (product_id, category_id)
);

CREATE TABLE orders (
    order_id    INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    ship_to     INTEGER NOT NULL REFERENCES addresses (address_id),
    card_id     INTEGER REFERENCES payment_cards (card_id),
    ordered_at  DATETIME NOT NULL,
    status      VARCHAR(10) NOT NULL,
    note        TEXT
);

CREATE TABLE order_items (
    order_id   INTEGER NOT NULL REFERENCES orders (order_id),
    line_no    INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (product_id),
    quantity   INTEGER NOT NULL CHECK (quantity > 0),
    unit_price DECIMAL(8, 2) NOT NULL,
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE shipments (
    shipment_id INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES orders (order_id),
    tracking_code VARCHAR(24) NOT NULL UNIQUE,
    shipped_at  DATETIME NOT NULL
);

CREATE TABLE shipment_items (
    shipment_id INTEGER NOT NULL REFERENCES shipments (shipment_id),
    order_id    INTEGER NOT NULL,
    line_no     INTEGER NOT NULL,
    PRIMARY KEY (shipment_id, order_id, line_no),
    FOREIGN KEY (order_id, line_no) REFERENCES order_items (order_id, line_no)
);

CREATE TABLE reviews (
    review_id   INTEGER PRIMARY KEY,
    product_id  INTEGER NOT NULL REFERENCES products (product_id),
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    stars       INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    comment     TEXT
);

CREATE TABLE support_tickets (
    ticket_id   INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
    employee_id INTEGER REFERENCES employees (employee_id),
    subject     VARCHAR(80) NOT NULL,
    message     TEXT NOT NULL,
    opened_at   DATETIME NOT NULL
);

CREATE TABLE web_sessions (
    session_id  CHAR(36) PRIMARY KEY NOT NULL,
    customer_id INTEGER REFERENCES customers (customer_id),
    ip_address  VARCHAR(45) NOT NULL,
    user_agent  VARCHAR(160),
    started_at  DATETIME NOT NULL
);

CREATE TABLE newsletter_signups (
    email       VARCHAR(120) NOT NULL,
    signed_up_at DATETIME NOT NULL
);

CREATE INDEX customers_referred_by ON customers (referred_by);
CREATE INDEX customer_addresses_address ON customer_addresses (address_id);
CREATE INDEX payment_cards_customer ON payment_cards (customer_id);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_ship_to ON orders (ship_to);
CREATE INDEX order_items_product ON order_items (product_id);
CREATE INDEX shipments_order ON shipments (order_id);
CREATE INDEX reviews_product ON reviews (product_id);
CREATE INDEX reviews_customer ON reviews (customer_id);
CREATE INDEX support_tickets_customer ON support_tickets (customer_id);
CREATE INDEX web_sessions_customer ON web_sessions (customer_id);
CREATE VIEW open_tickets AS SELECT ticket_id, subject FROM support_tickets WHERE employee_id IS NULL;

-- Vocabulary, dropped at the end.
CREATE TABLE v_first (i INTEGER PRIMARY KEY, name TEXT, gender TEXT);
INSERT INTO v_first (name, gender) VALUES
    ('Anna', 'f'), ('Ben', 'm'), ('Clara', 'f'), ('David', 'm'), ('Elif', 'f'), ('Felix', 'm'), ('Grace', 'f'),
    ('Henry', 'm'), ('Ines', 'f'), ('Jonas', 'm'), ('Katarzyna', 'f'), ('Luca', 'm'), ('Maria', 'f'), ('Noah', 'm'),
    ('Olivia', 'f'), ('Pablo', 'm'), ('Quinn', 'x'), ('Rosa', 'f'), ('Samuel', 'm'), ('Theresa', 'f'), ('Umut', 'm'),
    ('Vera', 'f'), ('William', 'm'), ('Ximena', 'f'), ('Yannick', 'm'), ('Zoe', 'f'), ('Amelia', 'f'), ('Bruno', 'm'),
    ('Charlotte', 'f'), ('Diego', 'm'), ('Emma', 'f'), ('François', 'm'), ('Giulia', 'f'), ('Hugo', 'm'),
    ('Isabel', 'f'), ('Jürgen', 'm'), ('Kamila', 'f'), ('Leon', 'm'), ('Mia', 'f'), ('Niels', 'm'), ('Oscar', 'm');
CREATE TABLE v_last (i INTEGER PRIMARY KEY, name TEXT);
INSERT INTO v_last (name) VALUES
    ('Miller'), ('Schneider'), ('Garcia'), ('Rossi'), ('Dubois'), ('Kowalski'), ('de Vries'), ('Silva'), ('Taylor'),
    ('Fischer'), ('Martinez'), ('Bianchi'), ('Lefebvre'), ('Nowak'), ('Jansen'), ('Ferreira'), ('Walker'), ('Weber'),
    ('Lopez'), ('Romano'), ('Moreau'), ('Wójcik'), ('Bakker'), ('Costa'), ('Hughes'), ('Becker'), ('Sanchez'),
    ('Conti'), ('Girard'), ('Lewandowski'), ('Visser'), ('Almeida'), ('Bennett'), ('Hoffmann'), ('Ramirez'),
    ('Greco'), ('Fontaine');
CREATE TABLE v_street (i INTEGER PRIMARY KEY, name TEXT);
INSERT INTO v_street (name) VALUES
    ('Mill Lane'), ('Station Road'), ('Gartenstraße'), ('Rue des Lilas'), ('Calle Mayor'), ('Via Roma'), ('Kerkstraat'),
    ('Rua das Flores'), ('Church Street'), ('Lindenallee'), ('Avenue Foch'), ('Plaza Nueva'), ('Corso Italia');
CREATE TABLE v_city (i INTEGER PRIMARY KEY, city TEXT, region TEXT, postcode TEXT, country TEXT);
INSERT INTO v_city (city, region, postcode, country) VALUES
    ('Leeds', 'West Yorkshire', 'LS1 4', 'GB'), ('Hamburg', 'Hamburg', '2035', 'DE'), ('Lyon', 'Rhône', '6900', 'FR'),
    ('Sevilla', 'Andalucía', '4100', 'ES'), ('Torino', 'Piemonte', '1012', 'IT'), ('Utrecht', 'Utrecht', '351', 'NL'),
    ('Porto', 'Porto', '405', 'PT'), ('Kraków', 'Małopolskie', '31-0', 'PL'), ('Bristol', 'Avon', 'BS1 5', 'GB'),
    ('München', 'Bayern', '8033', 'DE'), ('Bordeaux', 'Gironde', '3300', 'FR');
CREATE TABLE v_card (i INTEGER PRIMARY KEY, number TEXT);
INSERT INTO v_card (number) VALUES
    ('4111111111111111'), ('4012888888881881'), ('5555555555554444'), ('5105105105105100'), ('4222222222222'),
    ('378282246310005'), ('6011111111111117'), ('3530111333300000');
CREATE TABLE n (i INTEGER PRIMARY KEY);
WITH RECURSIVE count(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM count WHERE i < 30000) INSERT INTO n SELECT i FROM count;

INSERT INTO employees
SELECT n.i, f.name, l.name, lower(substr(f.name, 1, 1)) || '.employee' || n.i || '@shop.test',
       CASE n.i WHEN 1 THEN 'Managing Director' ELSE CASE n.i % 4 WHEN 0 THEN 'Support Agent' WHEN 1 THEN 'Account Manager'
              WHEN 2 THEN 'Warehouse Clerk' ELSE 'Buyer' END END,
       CASE WHEN n.i = 1 THEN NULL ELSE n.i / 6 + 1 END,
       date('2010-01-01', '+' || (n.i * 53) || ' days'), 28000 + (n.i * 7919) % 40000
FROM n JOIN v_first f ON f.i = 1 + (n.i * 7) % 41 JOIN v_last l ON l.i = 1 + (n.i * 11) % 37 WHERE n.i <= 60;

INSERT INTO customers
SELECT n.i, f.name, l.name,
       lower(replace(replace(f.name, 'ç', 'c'), 'ü', 'u')) || '.' || lower(replace(replace(l.name, ' ', ''), 'ó', 'o')) || n.i || '@postbox.test',
       CASE n.i % 9 WHEN 0 THEN NULL WHEN 1 THEN '+44 20 7946 0' || substr('00' || (n.i % 1000), -3)
            WHEN 2 THEN '(202) 555-01' || substr('0' || (n.i % 100), -2) ELSE '+49 30 23125 ' || substr('00' || (n.i * 37 % 1000), -3) END,
       CASE WHEN n.i % 13 = 0 THEN NULL ELSE date('1945-01-01', '+' || (n.i * 7919 % 22000) || ' days') END,
       f.gender,
       CASE WHEN n.i > 10 AND n.i % 4 = 0 THEN 1 + (n.i * 17) % (n.i - 1) END,
       1 + n.i % 60,
       CASE n.i % 20 WHEN 0 THEN 'closed' WHEN 1 THEN 'paused' ELSE 'active' END,
       CASE WHEN n.i % 3 = 0 THEN NULL ELSE
            json_object('theme', CASE n.i % 2 WHEN 0 THEN 'dark' ELSE 'light' END, 'newsletter', json('true'), 'contact',
                        json_object('email', lower(replace(replace(f.name, 'ç', 'c'), 'ü', 'u')) || '.' || lower(replace(replace(l.name, ' ', ''), 'ó', 'o')) || n.i || '@postbox.test',
                                    'phone', '+44 20 7946 0' || substr('00' || (n.i % 1000), -3))) END,
       datetime('2019-01-01', '+' || (n.i * 611 % 3000000) || ' minutes')
FROM n JOIN v_first f ON f.i = 1 + (n.i * 13 + n.i / 41) % 41 JOIN v_last l ON l.i = 1 + (n.i * 5 + n.i / 37) % 37 WHERE n.i <= 4000;

INSERT INTO addresses
SELECT n.i, CASE WHEN n.i % 2 THEN (1 + n.i * 3 % 180) || ' ' || s.name ELSE s.name || ' ' || (1 + n.i * 3 % 180) END,
       c.city, c.region, c.postcode || CASE c.country WHEN 'GB' THEN (n.i % 10) || 'AB' WHEN 'NL' THEN (n.i % 10) || ' AB'
            WHEN 'PT' THEN (n.i % 10) || '-' || (100 + n.i % 900) WHEN 'PL' THEN 10 + n.i % 90 ELSE n.i % 10 END, c.country
FROM n JOIN v_street s ON s.i = 1 + (n.i * 5) % 13 JOIN v_city c ON c.i = 1 + (n.i * 3) % 11 WHERE n.i <= 5000;

INSERT INTO customer_addresses
SELECT i, i, 'billing' FROM n WHERE i <= 4000
UNION ALL SELECT i, CASE WHEN i % 4 = 0 THEN 4001 + i / 4 % 1000 ELSE i END, 'shipping' FROM n WHERE i <= 4000;

INSERT INTO payment_cards
SELECT n.i, n.i, k.number, c.first_name || ' ' || c.last_name, printf('%04d-%02d', 2026 + n.i % 5, 1 + n.i % 12)
FROM n JOIN v_card k ON k.i = 1 + n.i % 8 JOIN customers c ON c.customer_id = n.i WHERE n.i <= 4000 AND n.i % 5 > 0;

INSERT INTO categories
SELECT i, CASE WHEN i > 4 THEN 1 + i % 4 END,
       CASE i WHEN 1 THEN 'Home' WHEN 2 THEN 'Garden' WHEN 3 THEN 'Sports' WHEN 4 THEN 'Books' ELSE 'Aisle ' || i END
FROM n WHERE i <= 24;

INSERT INTO suppliers
SELECT n.i, l.name || CASE n.i % 3 WHEN 0 THEN ' GmbH' WHEN 1 THEN ' Ltd' ELSE ' & Sons' END, f.name || ' ' || l.name,
       '+44 20 7946 0' || substr('00' || (n.i * 29 % 1000), -3), 'GB' || (100000000 + n.i * 7654321 % 900000000)
FROM n JOIN v_first f ON f.i = 1 + n.i * 3 % 41 JOIN v_last l ON l.i = 1 + n.i * 7 % 37 WHERE n.i <= 40;

INSERT INTO products
SELECT i, 1 + i * 7 % 40, printf('SKU-%05d', i),
       CASE i % 6 WHEN 0 THEN 'Kettle' WHEN 1 THEN 'Garden Chair' WHEN 2 THEN 'Running Shoe' WHEN 3 THEN 'Desk Lamp'
            WHEN 4 THEN 'Notebook' ELSE 'Rain Coat' END || ' ' || i,
       4.5 + i * 37 % 400, 100 + i * 113 % 5000
FROM n WHERE i <= 600;

INSERT INTO product_categories
SELECT i, 1 + i % 24 FROM n WHERE i <= 600 UNION SELECT i, 1 + i * 5 % 24 FROM n WHERE i <= 600;

INSERT INTO orders
SELECT n.i, c.customer_id,
       (SELECT address_id FROM customer_addresses a WHERE a.customer_id = c.customer_id AND a.purpose = 'shipping'),
       (SELECT card_id FROM payment_cards k WHERE k.customer_id = c.customer_id),
       datetime('2023-01-01', '+' || (n.i * 97 % 1500000) || ' minutes'),
       CASE n.i % 10 WHEN 0 THEN 'open' WHEN 1 THEN 'returned' ELSE 'shipped' END,
       CASE WHEN n.i % 15 = 0 THEN 'Please ring ' || c.first_name || ' ' || c.last_name || ' at ' || coalesce(c.phone, c.email) || ' before delivery.' END
FROM n JOIN customers c ON c.customer_id = 1 + (n.i * 7 + n.i / 3) % 4000 WHERE n.i <= 10000;

INSERT INTO order_items
SELECT o.order_id, k.line, p.product_id, 1 + (o.order_id + k.line) % 4, p.price
FROM orders o JOIN (SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) k ON k.line <= 1 + o.order_id % 3
JOIN products p ON p.product_id = 1 + (o.order_id * 11 + k.line * 101) % 600;

INSERT INTO shipments
SELECT i, i, printf('TRK%012d', i * 104729), datetime('2023-01-03', '+' || (i * 97 % 1500000) || ' minutes')
FROM n JOIN orders ON order_id = i WHERE status <> 'open';

INSERT INTO shipment_items
SELECT s.shipment_id, oi.order_id, oi.line_no FROM shipments s JOIN order_items oi ON oi.order_id = s.order_id;

INSERT INTO reviews
SELECT i, 1 + i * 7 % 600, 1 + i * 3 % 4000, 1 + i % 5,
       CASE i % 5 WHEN 0 THEN 'Broke after a week.' WHEN 1 THEN 'Does what it says.' WHEN 2 THEN NULL
            WHEN 3 THEN 'Would buy again.' ELSE 'Arrived late, good otherwise.' END
FROM n WHERE i <= 3000;

INSERT INTO support_tickets
SELECT n.i, c.customer_id, CASE WHEN n.i % 6 THEN 1 + n.i % 60 END,
       CASE n.i % 4 WHEN 0 THEN 'Where is my parcel?' WHEN 1 THEN 'Refund' WHEN 2 THEN 'Change of address' ELSE 'Broken item' END,
       'Hello, my name is ' || c.first_name || ' ' || c.last_name || '. ' ||
       CASE n.i % 3 WHEN 0 THEN 'You can reach me at ' || c.email || '.' WHEN 1 THEN 'Please call me on ' || coalesce(c.phone, '+44 20 7946 0999') || '.'
            ELSE 'Write to ' || c.email || ' or call ' || coalesce(c.phone, '+44 20 7946 0999') || '.' END,
       datetime('2024-01-01', '+' || (n.i * 331 % 900000) || ' minutes')
FROM n JOIN customers c ON c.customer_id = 1 + n.i * 11 % 4000 WHERE n.i <= 2500;

INSERT INTO web_sessions
SELECT printf('%08x-%04x-4%03x-8%03x-%012x', n.i * 2654435761 % 4294967296, n.i * 40503 % 65536, n.i * 31 % 4096, n.i * 17 % 4096, n.i * 1099511628211 % 281474976710656),
       CASE WHEN n.i % 7 THEN 1 + n.i * 13 % 4000 END,
       '203.0.113.' || (n.i * 7 % 256),
       CASE n.i % 3 WHEN 0 THEN 'Mozilla/5.0 (X11; Linux x86_64)' WHEN 1 THEN 'Mozilla/5.0 (Macintosh)' ELSE 'curl/8.5.0' END,
       datetime('2025-01-01', '+' || (n.i * 89 % 400000) || ' minutes')
FROM n WHERE n.i <= 8000;

INSERT INTO newsletter_signups
SELECT email, created_at FROM customers WHERE customer_id % 5 = 0;

DROP TABLE n;
DROP TABLE v_first;
DROP TABLE v_last;
DROP TABLE v_street;
DROP TABLE v_city;
DROP TABLE v_card;
