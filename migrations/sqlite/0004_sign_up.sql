-- How people come to an account by themselves, and back to it: sign-ups, invitations, links by mail, and the mails.

-- email_verified_at: when it was shown that the address is the user's; those that an operator gave count as shown.
-- language: of the mails, 'en' or 'fr'.
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;
ALTER TABLE users ADD COLUMN language TEXT;
UPDATE users SET email_verified_at = created_at WHERE email IS NOT NULL;

-- Somebody who has not shown yet that the address is theirs. The row holds the name until it expires; then the name is
-- free, for it was never used. Also made for an address that has an account, with a secret that nobody knows.
CREATE TABLE sign_ups (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL,
    email          TEXT    NOT NULL,
    display_name   TEXT,
    password_hash  TEXT    NOT NULL,
    language       TEXT    NOT NULL,
    address        TEXT,
    secret_hash    BLOB    NOT NULL,
    created_at     BIGINT  NOT NULL,
    expires_at     BIGINT  NOT NULL
);
CREATE UNIQUE INDEX sign_ups_name ON sign_ups (name);
CREATE UNIQUE INDEX sign_ups_email ON sign_ups (email);
CREATE UNIQUE INDEX sign_ups_secret ON sign_ups (secret_hash);
CREATE INDEX sign_ups_address ON sign_ups (address);
CREATE INDEX sign_ups_expires ON sign_ups (expires_at);

-- organisation, role: what the invited person gets there, by name. invited_by: none where an operator did.
CREATE TABLE invitations (
    id            INTEGER PRIMARY KEY,
    public_id     TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    name          TEXT,
    organisation  TEXT,
    role          TEXT,
    invited_by    BIGINT  REFERENCES users (id),
    secret_hash   BLOB    NOT NULL,
    created_at    BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX invitations_public_id ON invitations (public_id);
CREATE UNIQUE INDEX invitations_secret ON invitations (secret_hash);
CREATE INDEX invitations_invited_by ON invitations (invited_by);
CREATE INDEX invitations_email ON invitations (email);
CREATE INDEX invitations_organisation ON invitations (organisation, id);
CREATE INDEX invitations_expires ON invitations (expires_at);

-- kind: 'reset' (choose another password) or 'email' (the address is mine). A link dies with a change of the password.
CREATE TABLE user_links (
    id                INTEGER PRIMARY KEY,
    user_id           BIGINT  NOT NULL REFERENCES users (id),
    kind              TEXT    NOT NULL,
    email             TEXT,
    password_version  BIGINT  NOT NULL,
    secret_hash       BLOB    NOT NULL,
    created_at        BIGINT  NOT NULL,
    expires_at        BIGINT  NOT NULL
);
CREATE UNIQUE INDEX user_links_kind ON user_links (user_id, kind);
CREATE UNIQUE INDEX user_links_secret ON user_links (secret_hash);
CREATE INDEX user_links_expires ON user_links (expires_at);

-- Mails to be sent, inserted by the change they tell of. Sealed with the master key, for they hold links. due_at: when
-- one may be taken; who takes it sets it later, so that nobody else does meanwhile.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    recipient   TEXT    NOT NULL,
    sealed      BLOB    NOT NULL,
    attempts    BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    due_at      BIGINT  NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX outbox_recipient ON outbox (recipient);

-- What one person did, for the export of personal data.
CREATE INDEX IF NOT EXISTS events_actor ON events (actor, id);
