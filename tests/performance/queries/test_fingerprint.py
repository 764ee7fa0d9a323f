from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performance.queries.fingerprint import STORED, fingerprint, normalised


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t WHERE b = 'x''y' AND c=-5", "SELECT a FROM t WHERE b = ? AND c=?"),
        ("SELECT 1.5e-3, .5, 0xFF, 1_000, 5::int, t1.c2", "SELECT ?, ?, ?, ?, ?::int, t1.c2"),
        (r"SELECT E'it\'s', U&'x', B'1', N'x'", "SELECT ?, ?, ?, ?"),
        ("SELECT $$a'b$$, $x$ $$ 'q' $x$, $1, a$b", "SELECT ?, ?, ?, a$b"),
        ("SELECT a -- 'x\n, b /* c /* d */ e */ FROM t", "SELECT a, b FROM t"),
        ("SELECT a\n\t FROM  t ;", "SELECT a FROM t"),
        ("SELECT %s, %(name)s, 5 %% 2", "SELECT ?, ?, ? % ?"),
        ("a IN (%s, %s, %s) OR b IN (1,2) OR c IN ('x')", "a IN (?) OR b IN (?) OR c IN (?)"),
        ("a IN (%s::uuid, %s::uuid)", "a IN (?::uuid)"),
        ("a = ANY(ARRAY[1, -2])", "a = ANY(ARRAY[?])"),
        ("(a, b) IN ((1, 2), (3, 4))", "(a, b) IN ((?, ?))"),
        (
            "INSERT INTO t (a) VALUES (%s, now()), (%s, now())",
            "INSERT INTO t (a) VALUES (?, now())",
        ),
        ('SELECT "a 1"."b""2" FROM "T"', 'SELECT "a 1"."b""2" FROM "T"'),
        ("SELECT data #>> '{a,b}' ? 'c' FROM t", "SELECT data #>> ? ? ? FROM t"),
        (r"a LIKE %s ESCAPE '\' AND b = 'x'", "a LIKE ? ESCAPE ? AND b = ?"),
        ("SELECT 'never ends", "SELECT ?"),
        (r"SELECT 'a\'secret'", "SELECT ?"),
        ("SELECT $x$ never ends", "SELECT ?"),
        ('SELECT "never ends', "SELECT ?"),
        ("SELECT 1 /* never ends", "SELECT ?"),
        ("SELECT 123abc", "SELECT ?"),
        ('SAVEPOINT "s1_x2"', "SAVEPOINT ?"),
        ('ROLLBACK TO SAVEPOINT "s1_x2"', "ROLLBACK TO SAVEPOINT ?"),
        ("SET app.who = alice", "SET app.who = ?"),
        ("SET TIME ZONE Europe", "SET TIME ZONE ?"),
        ("", ""),
    ],
)
def test_values_are_taken_out(sql: str, expected: str) -> None:
    assert normalised(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT $€$ canary $€$",
        "SELECT €E'a\\' , 'canary'",
        "SELECT a ESCAPE '\\'' , 'x canary y'",
        "SELECT ''canary''",
        "SELECT $1canary",
        "SELECT E'a'\n'it\\'s canary'",
        "SELECT 1; SET app.who = canary",
        "BEGIN; SET LOCAL app.who TO canary",
        "SET app . who = canary; SAVEPOINT s",
        "SELECT 1;; SET ROLE canary",
        "ALTER ROLE bob SET app.token = canary",
        "ALTER DATABASE d SET app.token TO canary",
        "CREATE FUNCTION f() RETURNS int SET app.token TO canary AS $$ SELECT 1 $$",
        "ALTER ROLE bob PASSWORD 'canary'",
        "COPY t (a) FROM STDIN;\ncanary\tx\n\\.\n",
        "COPY t FROM STDIN WITH (FORMAT csv);\ncanary,x",
        "-- (1,\n2,3,4,5,6,7,8,9,10,11) AND x = 'foo\ncanary'" + " " * 20_000,
        "SELECT '(', 'canary', " + "','," * 8000 + " ')'",
    ],
)
def test_no_value_survives(sql: str) -> None:
    assert "canary" not in normalised(sql)


@pytest.mark.parametrize(
    ("sql", "kind", "tables"),
    [
        ('SELECT "a"."b" FROM "a" INNER JOIN "c" ON (1 = 1)', "select", ("a", "c")),
        ("(SELECT 1 FROM a) UNION (SELECT 2 FROM b)", "select", ("a", "b")),
        ('INSERT INTO "a" ("b") VALUES (1)', "insert", ("a",)),
        ("UPDATE ONLY public.a SET b = 1", "update", ("a",)),
        ("DELETE FROM a USING b", "delete", ("a",)),
        ("SELECT * FROM a x, b y WHERE x.c IS DISTINCT FROM y.d", "select", ("a", "b")),
        ('SELECT EXTRACT(year FROM "a"."b") FROM "a"', "select", ("a",)),
        ("SELECT * FROM generate_series(1, 5)", "select", ()),
        ("WITH x AS (SELECT 1 FROM a) SELECT * FROM x", "select", ("a",)),
        ("WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x", "insert", ("a",)),
        ("COPY a (b) FROM STDIN", "other", ("a",)),
        ("DECLARE c CURSOR FOR SELECT * FROM a", "select", ("a",)),
        ("VACUUM a", "other", ()),
    ],
)
def test_kind_and_tables(sql: str, kind: str, tables: tuple[str, ...]) -> None:
    found = fingerprint(sql)

    assert (found.kind, found.tables) == (kind, tables)


def test_ids_fit_a_bigint_and_differ_between_databases() -> None:
    one, other = fingerprint("SELECT 1"), fingerprint("SELECT 1", "replica")

    assert -(2**63) <= one.id < 2**63
    assert one.id != other.id
    assert one.id == fingerprint("SELECT 2").id


def test_a_list_of_a_megabyte_is_one_entry() -> None:
    numbers = ",".join(str(number) for number in range(150_000))
    words = ", ".join(f"'it''s {number}'" for number in range(60_000))

    assert normalised(f"SELECT 1 FROM t WHERE a IN ({numbers})") == "SELECT ? FROM t WHERE a IN (?)"
    assert normalised(f"SELECT 1 FROM t WHERE a IN ({words})") == "SELECT ? FROM t WHERE a IN (?)"


def test_what_no_row_may_hold_is_taken_out() -> None:
    found = fingerprint('SELECT 1 FROM "a\x00b", "c\ud800"')

    assert (found.sql, found.tables) == ('SELECT ? FROM "ab", "c?"', ("ab", "c?"))


def test_the_text_is_bounded() -> None:
    found = fingerprint("SELECT " + ", ".join(f"column_{number}" for number in range(5000)))

    assert len(found.sql) <= STORED + 4


LITERALS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
PIECES = st.sampled_from(
    ["'", '"', "$$", "$a$", "/*", "*/", "--", "\n", "E'", "\\", "%s", "(", ")", ",", "1", "x", " ", "IN ("]
)  # fmt: skip


@given(st.lists(PIECES | LITERALS, max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_and_its_fingerprint_is_its_own(sql: str) -> None:
    once = normalised(sql)

    assert normalised(once) == once


@given(LITERALS, st.sampled_from(["quoted", "escaped", "dollar", "comment", "line"]))
@settings(max_examples=300, deadline=None)
def test_no_literal_shows(value: str, form: str) -> None:
    written = {
        "quoted": "'" + value.replace("'", "''").replace("\\", "/") + "canary'",
        "escaped": "E'" + value.replace("\\", "\\\\").replace("'", "\\'") + "canary'",
        "dollar": f"$q$ {value.replace('$', '')}canary $q$",
        "comment": f"/* {value.replace('*', '').replace('/', '')}canary */ 1",
        "line": "-- " + "".join(value.splitlines()) + "canary\n 1",
    }[form]
    text = normalised(f"SELECT a FROM t WHERE b = {written} AND c = 5")

    assert "canary" not in text
    assert text == "SELECT a FROM t WHERE b = ? AND c = ?"
