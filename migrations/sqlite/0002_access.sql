-- Accounts and access: who there is, what each may do, and the credentials that prove it. A namespace row is the one
-- name that users and organisations share; it is never removed, so that a name once used is never given to another.

-- visibility: what repositories made in it begin with. owner_kind: 'none', 'user', 'organisation' or 'retired'.
ALTER TABLE namespaces ADD COLUMN visibility TEXT NOT NULL DEFAULT 'private';
ALTER TABLE namespaces ADD COLUMN display_name TEXT;
CREATE INDEX namespaces_owner ON namespaces (owner_kind, owner_id);

-- Who may see it without a role: 'public', 'internal' (any signed-in user) or 'private'.
ALTER TABLE repositories ADD COLUMN visibility TEXT NOT NULL DEFAULT 'private';

-- state: 'active', 'deactivated' or 'erased'. password_version grows with every change of the password; what was
-- proved by an earlier one proves nothing any more.
CREATE TABLE users (
    id                INTEGER PRIMARY KEY,
    public_id         TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    email             TEXT,
    display_name      TEXT,
    admin             BOOLEAN NOT NULL,
    state             TEXT    NOT NULL,
    password_hash     TEXT,
    password_version  BIGINT  NOT NULL,
    created_at        BIGINT  NOT NULL,
    updated_at        BIGINT  NOT NULL
);
CREATE UNIQUE INDEX users_public_id ON users (public_id);
CREATE UNIQUE INDEX users_name ON users (name);
CREATE UNIQUE INDEX users_email ON users (email) WHERE email IS NOT NULL;

CREATE TABLE teams (
    id            INTEGER PRIMARY KEY,
    namespace_id  BIGINT  NOT NULL REFERENCES namespaces (id),
    name          TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX teams_name ON teams (namespace_id, name);

CREATE TABLE team_members (
    team_id     BIGINT NOT NULL REFERENCES teams (id),
    user_id     BIGINT NOT NULL REFERENCES users (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
) WITHOUT ROWID;
CREATE INDEX team_members_user ON team_members (user_id);

-- A robot acts for a namespace: acme+ci. disabled: kept, but proves nothing.
CREATE TABLE robots (
    id            INTEGER PRIMARY KEY,
    public_id     TEXT    NOT NULL,
    namespace_id  BIGINT  NOT NULL REFERENCES namespaces (id),
    name          TEXT    NOT NULL,
    description   TEXT,
    disabled      BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    expires_at    BIGINT
);
CREATE UNIQUE INDEX robots_public_id ON robots (public_id);
CREATE UNIQUE INDEX robots_name ON robots (namespace_id, name);

-- permissions: a sum of bits, see src/auth/permission.rs. The built-in roles belong to no namespace.
CREATE TABLE roles (
    id            INTEGER PRIMARY KEY,
    namespace_id  BIGINT  REFERENCES namespaces (id),
    name          TEXT    NOT NULL,
    permissions   BIGINT  NOT NULL,
    description   TEXT
);
CREATE UNIQUE INDEX roles_built_in ON roles (name) WHERE namespace_id IS NULL;
CREATE UNIQUE INDEX roles_name ON roles (namespace_id, name) WHERE namespace_id IS NOT NULL;
INSERT INTO roles (name, permissions, description) VALUES
    ('owner', 2047, 'everything, members and settings included'),
    ('maintainer', 255, 'push, pull, delete, scan, webhooks'),
    ('developer', 99, 'push, pull, sign'),
    ('guest', 65, 'pull, and see who did what'),
    ('limited-guest', 1, 'pull, nothing else');

-- A role of exactly one of user, team and robot. pattern: the name of a repository (exact), or what the names begin
-- with: 'acme/' is all of a namespace.
CREATE TABLE role_bindings (
    id            INTEGER PRIMARY KEY,
    namespace_id  BIGINT  NOT NULL REFERENCES namespaces (id),
    role_id       BIGINT  NOT NULL REFERENCES roles (id),
    user_id       BIGINT  REFERENCES users (id),
    team_id       BIGINT  REFERENCES teams (id),
    robot_id      BIGINT  REFERENCES robots (id),
    pattern       TEXT    NOT NULL,
    exact         BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);
CREATE INDEX role_bindings_namespace ON role_bindings (namespace_id);
CREATE INDEX role_bindings_role ON role_bindings (role_id);
CREATE INDEX role_bindings_user ON role_bindings (user_id, namespace_id) WHERE user_id IS NOT NULL;
CREATE INDEX role_bindings_team ON role_bindings (team_id, namespace_id) WHERE team_id IS NOT NULL;
CREATE INDEX role_bindings_robot ON role_bindings (robot_id, namespace_id) WHERE robot_id IS NOT NULL;

-- kind: 'personal', 'robot' or 'refresh'. The secret is known by its SHA-256 only. permissions: how far it reaches.
-- A refresh token holds as long as what it was made from: a password_version, or a parent token.
CREATE TABLE tokens (
    id                 INTEGER PRIMARY KEY,
    public_id          TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    user_id            BIGINT  REFERENCES users (id),
    robot_id           BIGINT  REFERENCES robots (id),
    parent_id          BIGINT  REFERENCES tokens (id),
    password_version   BIGINT,
    name               TEXT    NOT NULL,
    secret_hash        BLOB    NOT NULL,
    permissions        BIGINT  NOT NULL,
    created_at         BIGINT  NOT NULL,
    expires_at         BIGINT,
    revoked_at         BIGINT,
    last_used_at       BIGINT,
    last_used_address  TEXT
);
CREATE UNIQUE INDEX tokens_public_id ON tokens (public_id);
CREATE UNIQUE INDEX tokens_secret ON tokens (secret_hash);
CREATE UNIQUE INDEX tokens_name ON tokens (user_id, name) WHERE kind = 'personal' AND revoked_at IS NULL;
CREATE INDEX tokens_user ON tokens (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX tokens_robot ON tokens (robot_id, id) WHERE robot_id IS NOT NULL;
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;

-- What a token is about, where it is not about all that its principal may reach.
CREATE TABLE token_limits (
    token_id  BIGINT  NOT NULL REFERENCES tokens (id),
    pattern   TEXT    NOT NULL,
    exact     BOOLEAN NOT NULL,
    PRIMARY KEY (token_id, pattern, exact)
) WITHOUT ROWID;

-- Keys under which tokens are signed, sealed with the master key, which does not lie in the database.
CREATE TABLE signing_keys (
    id          TEXT   NOT NULL PRIMARY KEY,
    sealed      BLOB   NOT NULL,
    created_at  BIGINT NOT NULL
) WITHOUT ROWID;

-- One row. Every transaction that changes who may do what counts it up; what was decided before is decided anew.
CREATE TABLE authz_epoch (
    id     BIGINT NOT NULL PRIMARY KEY,
    epoch  BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO authz_epoch (id, epoch) VALUES (1, 1);

-- Where names of one component live: only administrators and its members write there.
INSERT INTO namespaces (name, owner_kind, created_at) VALUES ('library', 'organisation', 0)
    ON CONFLICT (name) DO UPDATE SET owner_kind = 'organisation';
