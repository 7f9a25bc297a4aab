"""Scope: which areas a transaction may see and change; in its queries, and again in PostgreSQL.

The first net is a condition in every query (`within`, or an area that was checked with `covers`).
The second is row-level security, which reads the settings that `bind` makes for the length of
the transaction: without them no row is visible.
"""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, false, or_, text, true
from sqlalchemy.sql.selectable import NamedFromClause

from geo.config import settings

_OPTION = "ancu_scope"
_SETTINGS = ("all", "provinces", "communes", "write", "action", "account", "figures")
_BIND = "SELECT " + ", ".join(f"set_config('ancu.{name}', :{name}, true)" for name in _SETTINGS)
_BIND_ONLY, _BIND_AS = text(_BIND), text(f"{_BIND}, set_config('role', :role, true)")
# Citus passes these on to the servers that hold the rows; a call of set_config it does not.
_SET = "; ".join(f'SET LOCAL ancu."{name}" = :{name}' for name in _SETTINGS)
_SET_ONLY, _SET_AS = text(_SET), text(f"{_SET}; SET LOCAL ROLE :role")


@dataclass(frozen=True)
class Scope:
    """The areas of one transaction: everything, whole provinces, single communes.

    write: whether rows may be changed. action: for what, a key of ACTIONS; '' for the operator.
    account_id: who asks, None for the operator's commands.
    figures_elsewhere: whether counters outside the areas are readable, for suppressed figures.
    """

    everything: bool = False
    provinces: frozenset[str] = frozenset()
    communes: frozenset[str] = frozenset()
    write: bool = False
    action: str = ""
    account_id: int | None = None
    figures_elsewhere: bool = False

    def covers(self, province_code: str | None, commune_code: str = "") -> bool:
        """Whether all of a commune, of a province (commune ''), or the country (None) is in it."""
        if self.everything:
            return True
        if province_code is None:
            return False
        return province_code in self.provinces or (
            commune_code != "" and commune_code in self.communes
        )

    @property
    def empty(self) -> bool:
        """Whether no area is in it."""
        return not (self.everything or self.provinces or self.communes)

    def reading(self) -> "Scope":
        """The same without the right to write."""
        return replace(self, write=False)


OPERATOR = Scope(everything=True, write=True)
"""Who works on the server's own command line: answers to the operating system, not to accounts."""

NOBODY = Scope()


def bind(conn: Connection, scope: Scope, role: str = "") -> None:
    """Make `scope` that of the running transaction, for `of` and for row-level security.

    The settings end with the transaction; what another transaction set never shines through.
    role: to be taken for the transaction as well, in the same step.
    """
    conn.execution_options(**{_OPTION: scope})
    values = {
        "all": "on" if scope.everything else "",
        "provinces": ",".join(sorted(scope.provinces)),
        "communes": ",".join(sorted(scope.communes)),
        "write": "on" if scope.write else "",
        "action": scope.action,
        "account": "" if scope.account_id is None else str(scope.account_id),
        "figures": "all" if scope.figures_elsewhere else "",
    }
    spread = settings().distributed
    if role:
        conn.execute(_SET_AS if spread else _BIND_AS, {**values, "role": role})
    else:
        conn.execute(_SET_ONLY if spread else _BIND_ONLY, values)


def of(conn: Connection) -> Scope:
    """The scope of the connection's transaction; LookupError when nobody gave it one."""
    found = conn.get_execution_options().get(_OPTION)
    if not isinstance(found, Scope):
        raise LookupError("This connection has no scope: open it with geo.db.transaction.")
    return found


def within(conn: Connection, table: NamedFromClause) -> ColumnElement[bool]:
    """The condition for rows of `table` (province_code, commune_code) in the scope of `conn`."""
    return rows_of(of(conn), table)


def rows_of(scope: Scope, table: NamedFromClause) -> ColumnElement[bool]:
    """The same for a scope that may be narrower than that of the transaction."""
    if scope.everything:
        return true()
    parts: list[ColumnElement[bool]] = []
    if scope.provinces:
        parts.append(table.c.province_code.in_(sorted(scope.provinces)))
    if scope.communes:
        parts.append(table.c.commune_code.in_(sorted(scope.communes)))
    return or_(false(), *parts)
