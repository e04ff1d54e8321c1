-- Whether a namespace shows anything to somebody without a role is asked by this, and not by looking through what it hides.
CREATE INDEX repositories_visibility ON repositories (namespace_id, visibility);
