"""An index that could be made: as SQL, as Django writes it, and what it has in common with others."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from performance.queries.analysis.expressions import quoted

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of an index; `plain` keys are columns, the others expressions as SQL."""

    target: str
    plain: bool = True
    descending: bool = False
    nulls_first: bool | None = None  # None = as the direction has it
    operators: str = ""  # operator class

    @property
    def sql(self) -> str:
        written = quoted(self.target) if self.plain else f"({self.target})"
        written += f" {self.operators}" if self.operators else ""
        written += " DESC" if self.descending else ""
        if self.nulls_first is not None and self.nulls_first != self.descending:
            written += " NULLS FIRST" if self.nulls_first else " NULLS LAST"
        return written


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDefinition:
    """A possible index. Two are the same when they would be built the same."""

    schema: str
    table: str
    keys: tuple[Key, ...]
    method: str = "btree"
    include: tuple[str, ...] = ()
    where: str = ""
    partitioned: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        """At most 30 characters, which is what Django allows."""
        words = "_".join(w for key in self.keys for w in _WORD.findall(key.target)[-1:])
        digest = hashlib.blake2b(self.definition.encode(), digest_size=3).hexdigest()
        return f"{self.table[:10].strip('_')}_{words[:11].strip('_')}_{digest}".lower()

    @property
    def definition(self) -> str:
        """What comes after ON, without any name."""
        using = "" if self.method == "btree" else f" USING {self.method}"
        keys = ", ".join(key.sql for key in self.keys)
        include = f" INCLUDE ({', '.join(map(quoted, self.include))})" if self.include else ""
        where = f" WHERE {self.where}" if self.where else ""
        return f"{quoted(self.schema)}.{quoted(self.table)}{using} ({keys}){include}{where}"

    def create(self, *, concurrently: bool = True) -> str:
        """The statement that makes it; a partitioned table cannot have it made concurrently."""
        how = "CONCURRENTLY " if concurrently and not self.partitioned else ""
        return f"CREATE INDEX {how}{quoted(self.name)} ON {self.definition}"

    def drop(self) -> str:
        """The statement that takes it away again, under the conditions of `create`."""
        how = "" if self.partitioned else "CONCURRENTLY "
        return f"DROP INDEX {how}IF EXISTS {quoted(self.schema)}.{quoted(self.name)}"

    @property
    def unnamed(self) -> str:
        return f"CREATE INDEX ON {self.definition}"

    @property
    def columns(self) -> list[str]:
        return [key.target for key in self.keys]

    @property
    def burden(self) -> tuple[int, int, int, int]:
        """The less, the better among indexes that help alike."""
        unusual = sum(not key.plain or bool(key.operators) for key in self.keys)
        return (len(self.keys) + len(self.include), unusual, len(self.include), bool(self.where))

    def covered_by(self, other: IndexDefinition) -> bool:
        """Whether whoever uses this index could use `other` instead."""
        if (self.schema, self.table, self.method) != (other.schema, other.table, other.method):
            return False
        if other.where not in ("", self.where) or self.method != "btree":
            return self == other
        return (
            other.keys[: len(self.keys)] == self.keys
            and set(self.include) <= {*other.include, *other.columns}
        )  # fmt: skip
