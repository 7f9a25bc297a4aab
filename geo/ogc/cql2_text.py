"""CQL2 text → CQL2 JSON: one way to write a filter becomes the other.

By recursive descent with a bounded depth, so that no filter exhausts the stack.
"""

import re
from typing import Any, NamedTuple

from geo.errors import UsageError
from geo.ogc import literals

MAX_LENGTH = 8_000
MAX_DEPTH = 40

Node = Any
"""A node of CQL2 JSON."""

_TOKENS = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
    | (?P<quoted>"[^"]+")
    | (?P<number>-?\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?(?![\w.]))
    | (?P<word>[^\W\d][\w.:]*)
    | (?P<sign><>|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)
_SHAPE_FOLLOWS = re.compile(r"\s*(?:Z\s*)?\(", re.IGNORECASE)
_SHAPES = {
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
}  # fmt: skip
_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_OPERATORS = ("AND", "OR", "NOT", "BETWEEN", "LIKE", "ILIKE", "IN", "IS", "NULL")


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


def parse(text: str) -> Node:
    """The filter as CQL2 JSON; raises UsageError that says where it is wrong."""
    if len(text) > MAX_LENGTH:
        raise UsageError(f"A filter may have {MAX_LENGTH} characters at most.")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.token = self._read(0)

    def whole(self) -> Node:
        """All of the text as one condition."""
        found = self._either()
        if self.token.kind != "end":
            raise self._wrong("AND, OR or the end")
        return found

    def _read(self, at: int) -> _Token:
        match = _TOKENS.match(self.text, at)
        if match and match.lastgroup:
            kind = match.lastgroup
            return _Token(kind, match[kind], match.start(kind), match.end())
        if self.text[at:].strip():
            return _Token("unknown", self.text[at:].strip()[:20], at, at)
        return _Token("end", "", len(self.text), len(self.text))

    def _next(self) -> _Token:
        taken, self.token = self.token, self._read(self.token.end)
        return taken

    def _wrong(self, wanted: str) -> UsageError:
        found = "the end" if self.token.kind == "end" else repr(self.token.text[:40])
        place = self.token.start + 1
        return UsageError(f"The filter is wrong at {place}: {found} instead of {wanted}.")

    def _expect(self, text: str) -> None:
        if (self.token.keyword or self.token.text) != text:
            raise self._wrong(text)
        self._next()

    def _accept(self, text: str) -> bool:
        if (self.token.keyword or self.token.text) != text:
            return False
        self._next()
        return True

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UsageError(f"A filter may be nested {MAX_DEPTH} levels deep at most.")

    def _either(self) -> Node:
        self._deeper()
        parts = [self._both()]
        while self._accept("OR"):
            parts.append(self._both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else {"op": "or", "args": parts}

    def _both(self) -> Node:
        parts = [self._negated()]
        while self._accept("AND"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else {"op": "and", "args": parts}

    def _negated(self) -> Node:
        if not self._accept("NOT"):
            return self._single()
        self._deeper()
        found = {"op": "not", "args": [self._negated()]}
        self.depth -= 1
        return found

    def _single(self) -> Node:
        if self._accept("("):
            found = self._either()
            self._expect(")")
            return found
        if self.token.keyword.startswith(("S_", "T_")) and self._called():
            name = self._next().text.lower()
            return {"op": name, "args": self._arguments()}
        return self._compared(self._operand())

    def _called(self) -> bool:
        return self._read(self.token.end).text == "("

    def _compared(self, left: Node) -> Node:
        if self.token.kind == "sign" and self.token.text in _COMPARISONS:
            sign = self._next().text
            return {"op": sign, "args": [left, self._operand()]}
        if self._accept("IS"):
            negated = self._accept("NOT")
            self._expect("NULL")
            return _unless(negated, {"op": "isNull", "args": [left]})
        negated = self._accept("NOT")
        if self._accept("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            return _unless(negated, {"op": "between", "args": [left, low, self._operand()]})
        if self._accept("LIKE"):
            return _unless(negated, {"op": "like", "args": [left, self._operand()]})
        if self._accept("ILIKE"):
            args = [{"op": "casei", "args": [one]} for one in (left, self._operand())]
            return _unless(negated, {"op": "like", "args": args})
        if self._accept("IN"):
            return _unless(negated, {"op": "in", "args": [left, self._arguments()]})
        if negated:
            raise self._wrong("BETWEEN, LIKE, ILIKE or IN")
        return left

    def _arguments(self) -> list[Node]:
        self._expect("(")
        found = [self._operand()]
        while self._accept(","):
            found.append(self._operand())
        self._expect(")")
        return found

    def _operand(self) -> Node:
        kind, word = self.token.kind, self.token.keyword
        if kind == "text":
            return self._next().text[1:-1].replace("''", "'")
        if kind == "number":
            return _number(self._next().text)
        if kind == "quoted":
            return {"property": self._next().text[1:-1]}
        if kind != "word" or word in _OPERATORS:
            raise self._wrong("a property or a value")
        if word in ("TRUE", "FALSE"):
            return self._next().keyword == "TRUE"
        if word in _SHAPES and _SHAPE_FOLLOWS.match(self.text, self.token.end):
            return self._shape()
        return self._function() if self._called() else {"property": self._next().text}

    def _function(self) -> Node:
        name = self._next()
        self._deeper()
        args = self._arguments()
        self.depth -= 1
        if name.keyword == "BBOX":
            return {"bbox": args}
        if name.keyword in ("DATE", "TIMESTAMP") and len(args) == 1:
            return {name.keyword.lower(): args[0]}
        if name.keyword == "INTERVAL":
            return {"interval": args}
        return {"op": name.text.lower(), "args": args}

    def _shape(self) -> Node:
        """The well-known text up to the bracket that closes it."""
        start, open_brackets = self.token.start, 0
        for end in range(self.token.end, len(self.text)):
            open_brackets += {"(": 1, ")": -1}.get(self.text[end], 0)
            if open_brackets > MAX_DEPTH:
                raise UsageError(f"A filter may be nested {MAX_DEPTH} levels deep at most.")
            if self.text[end] == ")" and open_brackets == 0:
                self.token = self._read(end + 1)
                return literals.written_shape(self.text[start : end + 1])
        raise UsageError(f"A bracket of the shape at {start + 1} is never closed.")


def _unless(negated: bool, node: Node) -> Node:
    return {"op": "not", "args": [node]} if negated else node


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)
