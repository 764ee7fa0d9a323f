"""Texts and documents: patterns, JSON, arrays, full text."""

from __future__ import annotations

from tests.performance.queries.corpus.case import Case, one

SCHEMA = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE post (id int PRIMARY KEY, author_id int, slug text, title text, body text, tags text[],
    meta jsonb, search tsvector, created date, views int);
INSERT INTO post SELECT n, n % 2000, 'post-' || n, 'Title ' || md5(n::text), repeat(md5((n * 3)::text) || ' ', 6),
    ARRAY['t' || n % 700, 't' || n % 900], jsonb_build_object('kind', 'k' || n % 1500, 'n', n % 100),
    to_tsvector('simple', md5((n % 4000)::text) || ' common'), date '2020-01-01' + n % 1500, n * 31 % 10000
    FROM generate_series(1, 50000) n
"""


def c(name: str, sql: str, *best: str, hypothetical: bool = True) -> Case:
    return one(name, "posts", sql, *best, hypothetical=hypothetical)


CASES = [
    c("prefix", "SELECT * FROM post WHERE slug LIKE 'post-123%'", "post (slug text_pattern_ops)"),
    c("words within", "SELECT id FROM post WHERE title ILIKE '%abcdef%'", "post USING gin (title gin_trgm_ops)",
      hypothetical=False),
    c("words within either of two", "SELECT id FROM post WHERE title ILIKE '%abcdef%' OR body ILIKE '%fedcba%'",
      "post USING gin (title gin_trgm_ops)", "post USING gin (body gin_trgm_ops)", hypothetical=False),
    c("key of a document", "SELECT * FROM post WHERE meta ->> 'kind' = 'k77'", "post ((meta ->> 'kind'))"),
    c("document within", "SELECT * FROM post WHERE meta @> '{\"kind\": \"k77\"}'", "post USING gin (meta jsonb_path_ops)",
      hypothetical=False),
    c("element of an array", "SELECT * FROM post WHERE tags @> ARRAY['t5']", "post USING gin (tags)", hypothetical=False),
    c("arrays that meet", "SELECT * FROM post WHERE tags && ARRAY['t5', 't6']", "post USING gin (tags)",
      hypothetical=False),
    c("full text", "SELECT id FROM post WHERE search @@ to_tsquery('simple', 'a87ff679a2f3e71d9181a67b7542122c')",
      "post USING gin (search)", hypothetical=False),
    c("full text, a word of every row", "SELECT id, body FROM post WHERE search @@ to_tsquery('simple', 'common')"),
    c("date of many", "SELECT * FROM post WHERE created = '2021-05-05'", "post (created)"),
    c("author and order by views", "SELECT id, title FROM post WHERE author_id = 9 ORDER BY views DESC LIMIT 3",
      "post (author_id, views)"),
    c("most viewed", "SELECT id FROM post ORDER BY views DESC LIMIT 10", "post (views)"),
    c("distinct few", "SELECT DISTINCT author_id FROM post WHERE created = '2021-05-05'", "post (created, author_id)"),
    c("extract of a date", "SELECT count(*) FROM post WHERE EXTRACT(year FROM created) = 1999",
      "post (extract(year FROM created))"),
    c("upper", "SELECT * FROM post WHERE upper(slug) = 'POST-9'", "post (upper(slug))"),
    c("concatenation", "SELECT * FROM post WHERE slug || title = 'x'", "post ((slug || title))"),
    c("coalesce", "SELECT * FROM post WHERE coalesce(author_id, 0) = 55", "post (coalesce(author_id, 0))"),
    c("wide select of all", "SELECT * FROM post ORDER BY id"),
]  # fmt: skip
