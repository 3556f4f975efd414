-- Blobs of schema version 1 as they were on disk. Never changed: every later version must open them.
PRAGMA journal_mode=WAL;
CREATE TABLE blobs (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  name   TEXT    NOT NULL UNIQUE,
  length INTEGER NOT NULL
) STRICT;

CREATE TABLE chunks (
  id   INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
INSERT INTO blobs (id, name, length) VALUES (1, 'job-3f2a/transcript/1-producer-1', 11);
INSERT INTO chunks (id, data) VALUES (1 << 36 | 0, x'68656c6c6f20');
INSERT INTO chunks (id, data) VALUES (1 << 36 | 6, x'776f726c64');
PRAGMA application_id=1685220450; PRAGMA user_version=1;
