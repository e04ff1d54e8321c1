-- What pages show of repositories and namespaces, beside their content.

-- description: one line. readme: Markdown; NULL where none was written. stars: how many users have starred it. pulls: how
-- often it was pulled altogether. pushed_at: when a manifest was pushed last.
ALTER TABLE repositories ADD COLUMN description TEXT;
ALTER TABLE repositories ADD COLUMN readme TEXT;
ALTER TABLE repositories ADD COLUMN stars BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN pulls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN pushed_at BIGINT;
CREATE INDEX repositories_pulls ON repositories (pulls) WHERE pulls > 0;
CREATE INDEX repositories_latest ON repositories (namespace_id, pushed_at) WHERE pushed_at IS NOT NULL;
CREATE INDEX repositories_pushed ON repositories (pushed_at) WHERE pushed_at IS NOT NULL;
UPDATE repositories SET
    pulls = COALESCE((SELECT SUM(p.pulls) FROM repository_pulls p WHERE p.repository_id = repositories.id), 0),
    pushed_at = (SELECT MAX(m.created_at) FROM manifests m WHERE m.repository_id = repositories.id);

-- official, verified: marks that administrators give.
ALTER TABLE namespaces ADD COLUMN description TEXT;
ALTER TABLE namespaces ADD COLUMN official BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE namespaces ADD COLUMN verified BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE stars (
    user_id        BIGINT NOT NULL REFERENCES users (id),
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (user_id, repository_id)
) WITHOUT ROWID;
CREATE INDEX stars_repository ON stars (repository_id);

-- Names that a repository had before. The name leads to it until another repository is made under it.
CREATE TABLE former_names (
    name           TEXT   NOT NULL PRIMARY KEY,
    repository_id  BIGINT NOT NULL REFERENCES repositories (id),
    at             BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX former_names_repository ON former_names (repository_id);

-- What administrators set while the server runs, such as a banner.
CREATE TABLE settings (
    name        TEXT   NOT NULL PRIMARY KEY,
    value       TEXT   NOT NULL,
    updated_at  BIGINT NOT NULL
) WITHOUT ROWID;

-- Tags by their last move: what a repository lists that has too many to be put in the order of versions.
CREATE INDEX tags_updated ON tags (repository_id, updated_at, name);
