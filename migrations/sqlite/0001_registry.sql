-- The registry: names, blobs, manifests, tags, upload sessions and the events from which audit, activity and
-- webhooks are derived. Times are microseconds since 1970 (UTC). Digests are one algorithm byte and the raw hash.

CREATE TABLE namespaces (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    owner_kind  TEXT    NOT NULL,
    owner_id    BIGINT,
    created_at  BIGINT  NOT NULL
);
CREATE UNIQUE INDEX namespaces_name ON namespaces (name);

CREATE TABLE repositories (
    id            INTEGER PRIMARY KEY,
    public_id     TEXT    NOT NULL,
    namespace_id  BIGINT  NOT NULL REFERENCES namespaces (id),
    name          TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX repositories_name ON repositories (name);
CREATE UNIQUE INDEX repositories_public_id ON repositories (public_id);
CREATE INDEX repositories_namespace ON repositories (namespace_id, name);

-- state: 'live', or 'quarantined' when its bytes were found not to hash to its digest.
-- unlinked_since: when the last repository let go of it; NULL while one holds it.
CREATE TABLE blobs (
    id              INTEGER PRIMARY KEY,
    digest          BLOB    NOT NULL,
    size            BIGINT  NOT NULL,
    location        TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    created_at      BIGINT  NOT NULL,
    unlinked_since  BIGINT
);
CREATE UNIQUE INDEX blobs_digest ON blobs (digest);
CREATE UNIQUE INDEX blobs_location ON blobs (location);
CREATE INDEX blobs_unlinked ON blobs (unlinked_since) WHERE unlinked_since IS NOT NULL;

-- The link that grants access. unreferenced_since: since when no manifest of the repository names the blob.
CREATE TABLE repository_blobs (
    repository_id       BIGINT NOT NULL REFERENCES repositories (id),
    blob_id             BIGINT NOT NULL REFERENCES blobs (id),
    created_at          BIGINT NOT NULL,
    unreferenced_since  BIGINT,
    PRIMARY KEY (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX repository_blobs_blob ON repository_blobs (blob_id);
CREATE INDEX repository_blobs_unreferenced ON repository_blobs (unreferenced_since) WHERE unreferenced_since IS NOT NULL;

CREATE TABLE manifests (
    id             INTEGER PRIMARY KEY,
    repository_id  BIGINT  NOT NULL REFERENCES repositories (id),
    digest         BLOB    NOT NULL,
    media_type     TEXT    NOT NULL,
    artifact_type  TEXT,
    subject        BLOB,
    annotations    TEXT,
    size           BIGINT  NOT NULL,
    created_at     BIGINT  NOT NULL,
    content        BLOB    NOT NULL
);
CREATE UNIQUE INDEX manifests_digest ON manifests (repository_id, digest);
CREATE INDEX manifests_subject ON manifests (repository_id, subject, digest) WHERE subject IS NOT NULL;

-- What a manifest names. kind: 'config', 'layer' or 'child'. The target is NULL where the reference may be missing
-- (non-distributable layers, sparse indexes); the digest holds in any case.
CREATE TABLE manifest_edges (
    manifest_id    BIGINT NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    position       BIGINT NOT NULL,
    kind           TEXT   NOT NULL,
    repository_id  BIGINT NOT NULL,
    digest         BLOB   NOT NULL,
    blob_id        BIGINT,
    child_id       BIGINT REFERENCES manifests (id),
    PRIMARY KEY (manifest_id, position),
    FOREIGN KEY (repository_id, blob_id) REFERENCES repository_blobs (repository_id, blob_id)
) WITHOUT ROWID;
CREATE INDEX manifest_edges_digest ON manifest_edges (repository_id, digest);
CREATE INDEX manifest_edges_blob ON manifest_edges (repository_id, blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX manifest_edges_child ON manifest_edges (child_id) WHERE child_id IS NOT NULL;

CREATE TABLE tags (
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    name           TEXT   NOT NULL,
    manifest_id    BIGINT NOT NULL REFERENCES manifests (id),
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX tags_manifest ON tags (manifest_id);

-- Every move of a tag. digest: where it points after the move, NULL when it was deleted; previous: before it.
CREATE TABLE tag_history (
    id             INTEGER PRIMARY KEY,
    repository_id  BIGINT  NOT NULL REFERENCES repositories (id),
    tag            TEXT    NOT NULL,
    digest         BLOB,
    previous       BLOB,
    event_id       BIGINT  NOT NULL,
    at             BIGINT  NOT NULL
);
CREATE INDEX tag_history_tag ON tag_history (repository_id, tag, id);

-- Upload sessions. received and hash_state belong together; hash_state is trusted only under the same boot.
CREATE TABLE uploads (
    id            TEXT   NOT NULL PRIMARY KEY,
    repository    TEXT   NOT NULL,
    principal     TEXT   NOT NULL,
    algorithm     BIGINT NOT NULL,
    received      BIGINT NOT NULL,
    hash_state    BLOB,
    boot          TEXT   NOT NULL,
    location      TEXT,
    lease_holder  TEXT,
    lease_until   BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_updated ON uploads (updated_at);

-- Bytes that no row needs any more and that may be removed from the store after not_before.
CREATE TABLE garbage (
    id          INTEGER PRIMARY KEY,
    location    TEXT    NOT NULL,
    not_before  BIGINT  NOT NULL
);
CREATE INDEX garbage_due ON garbage (not_before);

CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    at          BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    repository  TEXT,
    tag         TEXT,
    digest      BLOB,
    actor       TEXT    NOT NULL,
    credential  TEXT,
    request_id  TEXT    NOT NULL,
    address     TEXT,
    user_agent  TEXT,
    detail      TEXT
);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_repository ON events (repository, id);
