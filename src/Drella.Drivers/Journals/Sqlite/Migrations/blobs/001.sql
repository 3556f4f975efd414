-- One row a blob: its name and how many bytes are durable.
CREATE TABLE blobs (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  name   TEXT    NOT NULL UNIQUE,
  length INTEGER NOT NULL
) STRICT;

-- Clustered by blob, then offset of the first byte: id = blob << 36 | offset.
CREATE TABLE chunks (
  id   INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
