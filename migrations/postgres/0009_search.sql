-- What people look around by: the lists of what is pulled most, pushed last and called what, and the words of repositories.

-- keywords: words that annotations and labels of the image that was pushed last tell.
ALTER TABLE repositories ADD COLUMN keywords TEXT COLLATE "C";
CREATE INDEX repositories_popular ON repositories (visibility, pulls, id) WHERE pulls > 0;
CREATE INDEX repositories_recent ON repositories (visibility, pushed_at, id) WHERE pushed_at IS NOT NULL;
CREATE INDEX repositories_listed ON repositories (visibility, name);

-- words: `n` and a part of the name; `r` and a word of description or keywords; `shelf` and the key of the namespace; and,
-- unless the repository is private, `shelf` and who sees it. Whether somebody may see a repository is decided by its row;
-- the shelf keeps what most may not see from being looked through.
-- grams: each three characters of the name that follow each other: for what is written wrong, and for parts of words.
CREATE TABLE repository_words (
    repository_id  BIGINT   NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
    words          TSVECTOR NOT NULL,
    grams          TSVECTOR NOT NULL
);
CREATE INDEX repository_words_words ON repository_words USING GIN (words);
CREATE INDEX repository_words_grams ON repository_words USING GIN (grams);

-- The words of a text in small letters without accents, each with a mark before it. Says the same under every locale.
CREATE FUNCTION repository_words_of(mark TEXT, body TEXT) RETURNS TEXT[] LANGUAGE SQL IMMUTABLE AS $$
    SELECT COALESCE(array_agg(DISTINCT mark || left(word, 64)), '{}') FROM regexp_split_to_table(
        translate(
            lower(body),
            'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ«»‘’“”–—…·•',
            'aaaaaaceeeeiiiinooooouuuuyaaaaaaceeeeiiiinooooouuuuyy           '
        ),
        '[\x01-\x2f\x3a-\x60\x7b-\x7f]+'
    ) AS word WHERE word <> ''
$$;

CREATE FUNCTION repository_words_keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_words (repository_id, words, grams) VALUES (
        NEW.id,
        array_to_tsvector(
            repository_words_of('n', NEW.name)
            || repository_words_of('r', concat_ws(' ', NEW.description, NEW.keywords))
            || ARRAY['shelf' || NEW.namespace_id]
            || CASE NEW.visibility WHEN 'private' THEN '{}' ELSE ARRAY['shelf' || NEW.visibility] END
        ),
        (SELECT array_to_tsvector(COALESCE(array_agg(DISTINCT substr(NEW.name, place, 3)), '{}'))
         FROM generate_series(1, length(NEW.name) - 2) AS place)
    ) ON CONFLICT (repository_id) DO UPDATE SET words = excluded.words, grams = excluded.grams;
    RETURN NULL;
END
$$;
CREATE TRIGGER repository_words_kept
AFTER INSERT OR UPDATE OF name, description, keywords, visibility, namespace_id ON repositories
FOR EACH ROW EXECUTE FUNCTION repository_words_keep();

UPDATE repositories SET keywords = keywords;
