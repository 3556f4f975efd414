-- A journal of schema version 1 as it was on disk. Never changed: every later version must open it.
PRAGMA journal_mode=WAL;
CREATE TABLE streams (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  name      TEXT    NOT NULL UNIQUE,
  last_seq  INTEGER NOT NULL,
  last_hash BLOB    NOT NULL
) STRICT;

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
INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (1 << 32 | 1, 1767225600000, 'inbox.row.seen', 1, x'7b22666f726765223a226275696c742d696e222c226b696e64223a2273706563222c226964223a2231227d', x'8122c8752b91ac3cf8c8e7d187b7ee38c2dbb41622181f24a854213d527747d8');
INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (1 << 32 | 2, 1767225601500, 'inbox.row.handled', 1, x'7b226a6f62223a2233663261227d', x'4f1b633455f16e7329caea7db22fe879c58d25a6ae7ae68b6fe31004233259b4');
INSERT INTO streams (id, name, last_seq, last_hash) VALUES (1, 'intake', 2, x'4f1b633455f16e7329caea7db22fe879c58d25a6ae7ae68b6fe31004233259b4');
INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (2 << 32 | 1, 1767225601500, 'job.queued', 1, x'7b227469746c65223a224772c3b6c39f65207072c3bc66656e227d', x'837cbd668eda08b4cb86181c7e5283d1a4dc28aec57710e55a07b4a2ca0bfa55');
INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (2 << 32 | 2, 1767225602000, 'step.started', 2, x'7b20227374657022203a2022626f6f7422207d0a', x'6e8c9d0dc391ffb4f86c08167911ec42c592393df3094c56e5969b47a664f946');
INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (2 << 32 | 3, 1767225603999, 'step.finished', 1, x'7b7d', x'5ccf6deac1ca57b4ab3fb3f3f3abb73c60dc90236fc9fad76eb04e34c51cd082');
INSERT INTO streams (id, name, last_seq, last_hash) VALUES (2, 'job/3f2a', 3, x'5ccf6deac1ca57b4ab3fb3f3f3abb73c60dc90236fc9fad76eb04e34c51cd082');
PRAGMA application_id=1685220458; PRAGMA user_version=1;
