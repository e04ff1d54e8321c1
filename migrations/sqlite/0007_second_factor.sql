-- A second factor, and sign-ins of browsers.

-- second_factor: whether a one-time password has to be shown with the password.
ALTER TABLE users ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE;
-- require_second_factor: whoever has none is let in there as somebody unknown is.
ALTER TABLE namespaces ADD COLUMN require_second_factor BOOLEAN NOT NULL DEFAULT FALSE;

-- sealed: the secret of the one-time passwords (TOTP), sealed with the master key. last_step: the latest that was used;
-- none opens twice. Without confirmed_at, it was begun, and no code of it was shown yet.
CREATE TABLE second_factors (
    user_id       BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    sealed        BLOB   NOT NULL,
    last_step     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    confirmed_at  BIGINT
) WITHOUT ROWID;

-- What opens in place of a one-time password when the device is lost, each once. Known by its SHA-256 only.
CREATE TABLE recovery_codes (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    code_hash  BLOB   NOT NULL,
    PRIMARY KEY (user_id, code_hash)
) WITHOUT ROWID;

-- state: 'pending' (the password was right, the second factor is not shown yet) or 'full'. The cookie is known by its
-- SHA-256 only. A session holds for one password_version. proved_at: when password, and second factor, were shown last.
CREATE TABLE sessions (
    id                INTEGER PRIMARY KEY,
    public_id         TEXT    NOT NULL,
    user_id           BIGINT  NOT NULL REFERENCES users (id),
    secret_hash       BLOB    NOT NULL,
    state             TEXT    NOT NULL,
    password_version  BIGINT  NOT NULL,
    created_at        BIGINT  NOT NULL,
    proved_at         BIGINT  NOT NULL,
    last_seen_at      BIGINT  NOT NULL,
    expires_at        BIGINT  NOT NULL,
    address           TEXT,
    user_agent        TEXT
);
CREATE UNIQUE INDEX sessions_public_id ON sessions (public_id);
CREATE UNIQUE INDEX sessions_secret ON sessions (secret_hash);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_last_seen ON sessions (last_seen_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
