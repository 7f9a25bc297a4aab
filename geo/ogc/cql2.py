"""CQL2 JSON → a condition in SQL, with every property and type checked before the database sees it.

Basic CQL2; between, in, like, casei; s_intersects with any shape; relations in time of a
property to a moment, day or interval. An unknown comparison (null) selects nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, DateTime, Text, and_, cast, func, literal, not_, or_
from sqlalchemy import false as nothing
from sqlalchemy import true as everything

from geo.errors import UsageError
from geo.ogc import cql2_text, gdal_text, literals
from geo.ogc.collections import Collection, Source
from geo.ogc.cql2_text import MAX_DEPTH, MAX_LENGTH, Node
from geo.ogc.systems import CRS84, System

GEOMETRY = "geometry"
LANGUAGES = ("cql2-text", "cql2-json", gdal_text.LANGUAGE)
MAX_NODES = 2_000
_MAX_WILDCARDS = 8
TIMES = ("day", "moment")
_TEXTS = ("text", "uuid")
_PROPERTY_KINDS = {"whole": "number"}
_ZONE = "Asia/Ho_Chi_Minh"

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Operand:
    """A value to compare. kind: text, uuid, number, yes, day or moment; plain: as it was written.

    plain is None for a property.
    """

    kind: str
    sql: ColumnElement
    plain: Any = None


@dataclass(frozen=True)
class Filter:
    """A filter that was read; `system` is that of its shapes.

    loose: true and false may be written as 1 and 0, and lists asked for null, as GDAL does.
    """

    node: Node
    system: System = CRS84
    loose: bool = False

    def condition(self, collection: Collection, source: Source) -> Condition:
        """The condition for the rows of a source; raises UsageError."""
        return _Reading(collection, source, self.system, self.loose).condition(self.node)


def read(text: str, language: str, system: System) -> Filter:
    """A filter as a request has it. language: one of LANGUAGES; raises UsageError."""
    if language == gdal_text.LANGUAGE:
        return Filter(_checked(gdal_text.parse(text)), system, loose=True)
    if language == "cql2-text":
        return Filter(_checked(cql2_text.parse(text)), system)
    if len(text) > MAX_LENGTH:
        raise UsageError(f"A filter may have {MAX_LENGTH} characters at most.")
    try:
        return Filter(_checked(orjson.loads(text)), system)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The filter is no JSON: {error}.") from None


def _checked(node: Node) -> Node:
    """The node, once it is known to be neither too deep nor too large; without recursion."""
    waiting, seen = [(node, 0)], 0
    while waiting:
        one, depth = waiting.pop()
        seen += 1
        if depth > 2 * MAX_DEPTH or seen > 4 * MAX_NODES:
            raise UsageError("The filter is too large or nested too deeply; ask for less at once.")
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(part, depth + 1) for part in inner]
        if isinstance(one, str) and "\0" in one:
            raise UsageError("A filter must not hold the character NUL.")
    return node


class _Reading:
    """One filter becoming the condition for one source."""

    def __init__(self, collection: Collection, source: Source, system: System, loose: bool) -> None:
        self.collection, self.source, self.system = collection, source, system
        self.loose = loose
        self.operations: dict[str, Callable[[Sequence[Node]], Condition]] = {
            "and": lambda args: and_(*self._conditions(args)),
            "or": lambda args: or_(*self._conditions(args)),
            "not": lambda args: not_(self.condition(_count(args, 1, "not")[0])),
            "isNull": self._is_null,
            "between": self._between,
            "in": self._in,
            "like": self._like,
            "s_intersects": self._intersects,
            **{sign: self._comparison(sign) for sign in _COMPARE},
            **{name: self._in_time(name) for name in _TIME},
        }

    def condition(self, node: Node) -> Condition:
        """The condition that a node stands for."""
        if isinstance(node, bool):
            return everything() if node else nothing()
        if isinstance(node, dict) and "property" in node:
            found = self._operand(node)
            if found.kind != "yes":
                raise UsageError(f"{_short(node['property'])} alone is neither true nor false.")
            return found.sql
        if not isinstance(node, dict) or not isinstance(node.get("op"), str):
            raise UsageError(f"{_short(node)} is no condition.")
        operation, args = self.operations.get(node["op"]), node.get("args")
        if operation is None:
            raise UsageError(
                f"{_short(node['op'])} is no operation here; there are: "
                f"{', '.join(self.operations)}."
            )
        if not isinstance(args, list):
            raise UsageError(f"The operation {node['op']} needs a list of arguments.")
        return operation(args)

    def _conditions(self, args: Sequence[Node]) -> list[Condition]:
        if not args:
            raise UsageError("and, or need conditions.")
        return [self.condition(one) for one in args]

    def _operand(self, node: Node) -> Operand:
        """A property or a written value."""
        if isinstance(node, dict) and "property" in node:
            return self._property(node["property"])
        if isinstance(node, dict) and node.get("op") == "casei":
            (inner,) = _count(node.get("args"), 1, "casei")
            lowered = self._operand(inner)
            if lowered.kind not in _TEXTS:
                raise UsageError("casei takes text.")
            plain = None if lowered.plain is None else lowered.plain
            return Operand("text", func.lower(cast(lowered.sql, Text)), plain)
        return written(node)

    def _property(self, name: Node) -> Operand:
        known = self.collection.properties.get(name) if isinstance(name, str) else None
        if known is None or (known.kind == "list" and not self.loose):
            raise UsageError(
                f"{_short(name)} is no property to filter by; there are: "
                f"{', '.join(queryable(self.collection))}."
            )
        kind = _PROPERTY_KINDS.get(known.kind, known.kind)
        return Operand(kind, self.source.columns[known.name])

    def _is_null(self, args: Sequence[Node]) -> Condition:
        (node,) = _count(args, 1, "isNull")
        return self._operand(node).sql.is_(None)

    def _comparison(self, sign: str) -> Callable[[Sequence[Node]], Condition]:
        def compare(args: Sequence[Node]) -> Condition:
            left, right = (self._operand(one) for one in _count(args, 2, sign))
            if self.loose:
                left, right = _as_yes(left, right.kind), _as_yes(right, left.kind)
            left, right = alike(left, right)
            if left.kind == "yes" and sign not in ("=", "<>"):
                raise UsageError("true and false have no order.")
            if left.kind == "text" and sign not in ("=", "<>"):
                # Letter by letter, as programmes sort; a language's order is another one.
                return _COMPARE[sign](left.sql.collate("C"), right.sql)
            return _COMPARE[sign](left.sql, right.sql)

        return compare

    def _between(self, args: Sequence[Node]) -> Condition:
        node, low, high = _count(args, 3, "between")
        above, below = self._comparison(">="), self._comparison("<=")
        return and_(above([node, low]), below([node, high]))

    def _in(self, args: Sequence[Node]) -> Condition:
        node, allowed = _count(args, 2, "in")
        if not isinstance(allowed, list) or not allowed:
            raise UsageError("in needs a list of values.")
        equal = self._comparison("=")
        return or_(*(equal([node, one]) for one in allowed))

    def _like(self, args: Sequence[Node]) -> Condition:
        one, pattern = (self._operand(node) for node in _count(args, 2, "like"))
        if one.kind not in _TEXTS or not isinstance(pattern.plain, str):
            raise UsageError("like compares text with a pattern.")
        _check_pattern(pattern.plain)
        return cast(one.sql, Text).like(pattern.sql)

    def _intersects(self, args: Sequence[Node]) -> Condition:
        nodes = _count(args, 2, "s_intersects")
        shapes = [one for one in nodes if not _is_geometry(one)]
        if len(shapes) != 1:
            raise UsageError(f"s_intersects takes the property {GEOMETRY} and one shape.")
        return self.source.near(self._shape(shapes[0]))

    def _shape(self, node: Node) -> BaseGeometry:
        if isinstance(node, dict) and isinstance(node.get("bbox"), list):
            return literals.box(node["bbox"], self.system)
        if isinstance(node, dict) and isinstance(node.get("type"), str):
            return literals.shape(node, self.system)
        raise UsageError(f"{_short(node)} is no shape.")

    def _in_time(self, name: str) -> Callable[[Sequence[Node]], Condition]:
        def compare(args: Sequence[Node]) -> Condition:
            node, when = _count(args, 2, name)
            one = self._operand(node)
            if one.kind not in TIMES:
                raise UsageError(f"{name} takes a property with a moment or a day.")
            return _TIME[name](_as_moment(one), *_span(when))

        return compare


_COMPARE: dict[str, Callable[[Any, Any], Condition]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _inside(one: Any, start: datetime | None, end: datetime | None) -> Condition:
    return and_(
        everything() if start is None else one >= start, everything() if end is None else one <= end
    )


_TIME: dict[str, Callable[..., Condition]] = {
    "t_after": lambda one, _start, end: nothing() if end is None else one > end,
    "t_before": lambda one, start, _end: nothing() if start is None else one < start,
    "t_during": lambda one, start, end: and_(
        everything() if start is None else one > start, everything() if end is None else one < end
    ),
    "t_equals": lambda one, start, end: and_(one == start, one == end),
    "t_intersects": _inside,
    "t_disjoint": lambda one, start, end: not_(_inside(one, start, end)),
}


def queryable(collection: Collection) -> list[str]:
    """The names of the properties that can be filtered by."""
    return [one.name for one in collection.properties.values() if one.kind != "list"]


def written(node: Node) -> Operand:
    """A value as a filter has it; raises UsageError."""
    if isinstance(node, bool):
        return Operand("yes", literal(node), node)
    if isinstance(node, int | float):
        if abs(node) > 1e300:
            raise UsageError("A number in the filter is too large.")
        return Operand("number", literal(float(node) if abs(node) >= 1 << 62 else node), node)
    if isinstance(node, str):
        return Operand("text", literal(node, Text), node)
    if isinstance(node, dict) and isinstance(node.get("date"), str):
        found = literals.day(node["date"])
        return Operand("day", literal(found), found)
    if isinstance(node, dict) and isinstance(node.get("timestamp"), str):
        at = literals.moment(node["timestamp"])
        return Operand("moment", literal(at), at)
    raise UsageError(f"{_short(node)} is no value that can be compared.")


def alike(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """The two with one kind, so that they can be compared; raises UsageError."""
    if left.kind == right.kind:
        return left, right
    kinds = {left.kind, right.kind}
    if kinds == {"text", "uuid"}:
        return _as_uuid(left, right)
    if kinds == set(TIMES):
        return Operand("moment", _as_moment(left)), Operand("moment", _as_moment(right))
    for time, text in ((left, right), (right, left)):
        if time.kind in TIMES and text.kind == "text" and isinstance(text.plain, str):
            read_as = "date" if len(text.plain) == len("2026-09-01") else "timestamp"
            other = written({read_as: text.plain})
            return alike(left, other) if text is right else alike(other, right)
    kind = _KINDS[left.kind]
    kind = kind[:1].upper() + kind[1:]
    raise UsageError(f"{kind} cannot be compared with {_KINDS[right.kind]}.")


def _as_yes(one: Operand, beside: str) -> Operand:
    """The numbers 1 and 0 beside true or false, as that."""
    if beside != "yes" or one.kind != "number" or one.plain not in (0, 1):
        return one
    return written(bool(one.plain))


_KINDS = {
    "text": "text", "uuid": "a UUID", "number": "a number", "yes": "true or false",
    "day": "a day", "moment": "a moment", "list": "a list",
}  # fmt: skip


def _as_uuid(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """A UUID beside text: by its index where the text is one, else letter by letter."""
    text = left if left.kind == "text" else right
    try:
        found = Operand("uuid", cast(literal(str(UUID(text.plain))), _uuid_type(left, right)))
    except (ValueError, TypeError, AttributeError):
        left, right = (Operand("text", cast(one.sql, Text)) for one in (left, right))
        return left, right
    return (found, right) if text is left else (left, found)


def _uuid_type(left: Operand, right: Operand) -> Any:
    return (left if left.kind == "uuid" else right).sql.type


def _as_moment(one: Operand) -> Any:
    """The operand as a moment; a day is its beginning in Viet Nam."""
    if one.kind == "moment":
        return one.sql if one.plain is None else one.plain
    if isinstance(one.plain, date):
        return literal(literals.midnight(one.plain))
    return func.timezone(_ZONE, cast(one.sql, DateTime))


def _span(node: Node) -> literals.Interval:
    """The moments from which and to which a value in time lasts; a day lasts all day."""
    parts = node.get("interval") if isinstance(node, dict) else None
    if parts is not None:
        start, end = (_end(one) for one in _count(parts, 2, "interval"))
        return literals.interval(start, end)
    text = _end(node)
    return literals.interval(text, text)


def _end(node: Node) -> str:
    if isinstance(node, dict):
        node = node.get("date") or node.get("timestamp")
    if not isinstance(node, str):
        raise UsageError(f"{_short(node)} is no moment, day or interval.")
    return node


def _check_pattern(pattern: str) -> None:
    """Refuse a pattern that PostgreSQL would refuse or be long about; raises UsageError."""
    plain = pattern.replace("\\\\", "").replace("\\%", "")
    if plain.endswith("\\"):
        raise UsageError("A pattern must not end with a backslash.")
    if plain.count("%") > _MAX_WILDCARDS:
        raise UsageError(f"A pattern may have {_MAX_WILDCARDS} signs % at most.")


def _is_geometry(node: Node) -> bool:
    return isinstance(node, dict) and node.get("property") == GEOMETRY


def _count(args: Any, wanted: int, name: str) -> list[Node]:
    if not isinstance(args, list) or len(args) != wanted:
        raise UsageError(f"{name} takes {wanted} arguments.")
    return args


def _short(node: Any) -> str:
    return repr(node)[:80]
