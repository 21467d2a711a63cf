CREATE TABLE undelivered (key TEXT PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL);
