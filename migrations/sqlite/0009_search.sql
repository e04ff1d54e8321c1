-- What people look around by: the lists of what is pulled most, pushed last and called what, and the words of repositories.

-- keywords: words that annotations and labels of the image that was pushed last tell.
ALTER TABLE repositories ADD COLUMN keywords TEXT;
CREATE INDEX repositories_popular ON repositories (visibility, pulls, id) WHERE pulls > 0;
CREATE INDEX repositories_recent ON repositories (visibility, pushed_at, id) WHERE pushed_at IS NOT NULL;
CREATE INDEX repositories_listed ON repositories (visibility, name);

-- name: the parts of the name. rest: the words of description and keywords. shelf: where it stands (`shelf` and the key of
-- its namespace) and, unless it is private, who sees it there. Whether somebody may see a repository is decided by its row;
-- the shelf keeps what most may not see from being looked through.
CREATE VIRTUAL TABLE repository_words USING fts5 (
    name, rest, shelf, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);
-- Each three characters of a name that follow each other: for what is written wrong, and for parts of words.
CREATE VIRTUAL TABLE repository_grams USING fts5 (name, tokenize = 'trigram', detail = none);

INSERT INTO repository_words (rowid, name, rest, shelf)
    SELECT id, name, COALESCE(description, '') || ' ' || COALESCE(keywords, ''),
        'shelf' || namespace_id || CASE visibility WHEN 'private' THEN '' ELSE ' shelf' || visibility END
    FROM repositories;
INSERT INTO repository_grams (rowid, name) SELECT id, name FROM repositories;

CREATE TRIGGER repository_words_made AFTER INSERT ON repositories BEGIN
    INSERT INTO repository_words (rowid, name, rest, shelf) VALUES (
        new.id, new.name, COALESCE(new.description, '') || ' ' || COALESCE(new.keywords, ''),
        'shelf' || new.namespace_id || CASE new.visibility WHEN 'private' THEN '' ELSE ' shelf' || new.visibility END
    );
    INSERT INTO repository_grams (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER repository_words_changed
AFTER UPDATE OF name, description, keywords, visibility, namespace_id ON repositories BEGIN
    UPDATE repository_words SET
        name = new.name, rest = COALESCE(new.description, '') || ' ' || COALESCE(new.keywords, ''),
        shelf = 'shelf' || new.namespace_id
            || CASE new.visibility WHEN 'private' THEN '' ELSE ' shelf' || new.visibility END
    WHERE rowid = new.id;
END;
CREATE TRIGGER repository_grams_changed AFTER UPDATE OF name ON repositories BEGIN
    UPDATE repository_grams SET name = new.name WHERE rowid = new.id;
END;
CREATE TRIGGER repository_words_gone AFTER DELETE ON repositories BEGIN
    DELETE FROM repository_words WHERE rowid = old.id;
    DELETE FROM repository_grams WHERE rowid = old.id;
END;
