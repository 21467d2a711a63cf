CREATE TABLE orders (
  number TEXT PRIMARY KEY,
  customer TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'open',
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE lines (
  number TEXT NOT NULL REFERENCES orders (number) ON DELETE CASCADE,
  sku TEXT NOT NULL REFERENCES products (sku),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (number, sku)
);

-- What an order holds of the stock. Reserving twice reserves once: the key is the order's, and the triggers count rows.
CREATE TABLE reservations (
  number TEXT NOT NULL REFERENCES orders (number),
  sku TEXT NOT NULL REFERENCES products (sku),
  quantity INTEGER NOT NULL,
  PRIMARY KEY (number, sku)
);

CREATE TRIGGER reserve AFTER INSERT ON reservations BEGIN
  UPDATE products SET stock = stock - NEW.quantity WHERE sku = NEW.sku;
END;

CREATE TRIGGER release AFTER DELETE ON reservations BEGIN
  UPDATE products SET stock = stock + OLD.quantity WHERE sku = OLD.sku;
END;
