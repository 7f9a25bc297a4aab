"""The older text of CQL that GDAL writes → CQL2 JSON, refused where GDAL may have left parts out.

GDAL sends a whole condition only in this language. What it cannot write, such as IN, it leaves
out and looks at itself: right within AND, but within NOT it would never see the rows left out.
"""

from geo.errors import UsageError
from geo.ogc import cql2_text
from geo.ogc.cql2_text import Node

LANGUAGE = "cql-text"
_WHOLE = ("isNull", "like")
"""NOT before these is IS NOT NULL and NOT LIKE."""


def parse(text: str) -> Node:
    """The filter as CQL2 JSON; raises UsageError."""
    return _read(cql2_text.parse(text))


def _read(node: Node) -> Node:
    if not isinstance(node, dict) or "args" not in node:
        return node
    operation, args = node["op"], [_read(one) for one in node["args"]]
    if operation == "not" and args[0].get("op") not in _WHOLE:
        raise UsageError(
            "NOT is possible here before LIKE and NULL alone: programmes that write this language "
            "leave parts out of it. Write the opposite, such as <> for NOT =."
        )
    return {"op": operation, "args": _plain(args) if operation == "like" else args}


def _plain(args: list[Node]) -> list[Node]:
    """The arguments of LIKE with backslashes that stand for themselves."""
    return [args[0], _escaped(args[1])]


def _escaped(pattern: Node) -> Node:
    if isinstance(pattern, str):
        return pattern.replace("\\", "\\\\")
    if isinstance(pattern, dict) and pattern.get("op") == "casei":
        return {"op": "casei", "args": [_escaped(one) for one in pattern["args"]]}
    return pattern
