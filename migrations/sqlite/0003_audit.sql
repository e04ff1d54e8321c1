-- Audit and the counting of pulls. What was recorded is chained afterwards: seq counts 1, 2, 3 …, and hash is keyed
-- (the key lies outside the database) and covers the row, the hash before it and, by the commitment `personal`, what
-- stands of a person in event_persons. So that row can be erased, and the proof still holds.

-- result: 'ok' or 'refused'. seq and hash are NULL until the row is chained; personal is NULL where nothing is personal.
ALTER TABLE events ADD COLUMN result TEXT NOT NULL DEFAULT 'ok';
ALTER TABLE events ADD COLUMN personal BLOB;
ALTER TABLE events ADD COLUMN seq BIGINT;
ALTER TABLE events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX events_seq ON events (seq) WHERE seq IS NOT NULL;
CREATE INDEX events_unchained ON events (seq, id) WHERE seq IS NULL;
CREATE INDEX events_actor_at ON events (actor, at);
CREATE INDEX events_kind_at ON events (kind, at);
CREATE INDEX events_repository_at ON events (repository, at);

-- What of an event tells about a person. person: whose it is (user:ID, robot:ID, anonymous). name: what somebody who is
-- unknown gave as a name. events.address and events.user_agent are written no more.
CREATE TABLE event_persons (
    event_id    BIGINT NOT NULL PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    person      TEXT   NOT NULL,
    salt        BLOB   NOT NULL,
    address     TEXT,
    user_agent  TEXT,
    name        TEXT
) WITHOUT ROWID;
CREATE INDEX event_persons_person ON event_persons (person);
INSERT INTO event_persons (event_id, person, salt, address, user_agent)
    SELECT id, actor, randomblob(32), address, user_agent FROM events
    WHERE address IS NOT NULL OR user_agent IS NOT NULL;
UPDATE events SET address = NULL, user_agent = NULL WHERE address IS NOT NULL OR user_agent IS NOT NULL;

-- One row: the end of the chain, sealed with a keyed mac, and the node that chains until lease_until.
CREATE TABLE audit_head (
    id           BIGINT NOT NULL PRIMARY KEY,
    seq          BIGINT NOT NULL,
    hash         BLOB   NOT NULL,
    mac          BLOB,
    holder       TEXT,
    lease_until  BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO audit_head (id, seq, hash, lease_until)
    VALUES (1, 0, X'0000000000000000000000000000000000000000000000000000000000000000', 0);

-- Where the chain begins after rows were removed because of their age; sealed as the head is. The latest only.
CREATE TABLE audit_checkpoints (
    seq   BIGINT NOT NULL PRIMARY KEY,
    hash  BLOB   NOT NULL,
    mac   BLOB   NOT NULL,
    at    BIGINT NOT NULL
) WITHOUT ROWID;

-- Persons whose rows in event_persons are to go; a row in the commit that erases the account.
CREATE TABLE erasures (
    person  TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL
) WITHOUT ROWID;

-- child_pulls: of a manifest that an index names, fetched by its digest. Gone with the manifest.
CREATE TABLE manifest_pulls (
    manifest_id     BIGINT NOT NULL PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
    pulls           BIGINT NOT NULL,
    child_pulls     BIGINT NOT NULL,
    last_pulled_at  BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE tag_pulls (
    repository_id   BIGINT NOT NULL,
    tag             TEXT   NOT NULL,
    last_pulled_at  BIGINT NOT NULL,
    PRIMARY KEY (repository_id, tag),
    FOREIGN KEY (repository_id, tag) REFERENCES tags (repository_id, name) ON DELETE CASCADE
) WITHOUT ROWID;

-- day: days since 1970 (UTC). Kept also when manifests go.
CREATE TABLE repository_pulls (
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    day            BIGINT NOT NULL,
    pulls          BIGINT NOT NULL,
    child_pulls    BIGINT NOT NULL,
    PRIMARY KEY (repository_id, day)
) WITHOUT ROWID;
