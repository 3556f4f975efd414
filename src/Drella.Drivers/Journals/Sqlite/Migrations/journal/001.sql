-- One row a stream: its name and where it stands. Rows are never deleted, so ids have no gaps.
CREATE TABLE streams (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  name      TEXT    NOT NULL UNIQUE,
  last_seq  INTEGER NOT NULL,
  last_hash BLOB    NOT NULL
) STRICT;

-- Clustered by stream, then sequence: id = stream << 32 | seq. The hash before an entry is the hash of the row before it.
CREATE TABLE entries (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  kind    TEXT    NOT NULL,
  version INTEGER NOT NULL,
  payload BLOB    NOT NULL,
  hash    BLOB    NOT NULL,
  stream  INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,
  seq     INTEGER GENERATED ALWAYS AS (id & 4294967295) VIRTUAL
) STRICT;
