-- Certificates that ACME gave (RFC 8555), shared by all nodes. directory: the URL of the authority's directory, so that
-- a certificate of a staging authority never stands in for a real one.

-- The account at an authority: its key and URL, sealed with the master key.
CREATE TABLE acme_accounts (
    directory   TEXT   NOT NULL PRIMARY KEY,
    sealed      BLOB   NOT NULL,
    created_at  BIGINT NOT NULL
) WITHOUT ROWID;

-- chain: PEM, the server's own certificate first. sealed_key: its private key, sealed with the master key.
CREATE TABLE acme_certificates (
    directory   TEXT   NOT NULL,
    domain      TEXT   NOT NULL,
    chain       TEXT   NOT NULL,
    sealed_key  BLOB   NOT NULL,
    not_before  BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    issued_at   BIGINT NOT NULL,
    PRIMARY KEY (directory, domain)
) WITHOUT ROWID;

-- Which node asks for a certificate until when, how often it failed, and before when nobody tries again.
CREATE TABLE acme_orders (
    directory    TEXT   NOT NULL,
    domain       TEXT   NOT NULL,
    holder       TEXT,
    lease_until  BIGINT NOT NULL,
    failures     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    error        TEXT,
    PRIMARY KEY (directory, domain)
) WITHOUT ROWID;

-- What an authority is about to ask for, of whichever node it reaches. kind: 'http-01' or 'tls-alpn-01'.
CREATE TABLE acme_challenges (
    token              TEXT   NOT NULL,
    kind               TEXT   NOT NULL,
    domain             TEXT   NOT NULL,
    key_authorization  TEXT   NOT NULL,
    expires_at         BIGINT NOT NULL,
    PRIMARY KEY (token, kind)
) WITHOUT ROWID;
CREATE INDEX acme_challenges_domain ON acme_challenges (domain, kind);
CREATE INDEX acme_challenges_expires ON acme_challenges (expires_at);
