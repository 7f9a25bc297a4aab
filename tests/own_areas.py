"""People of a province and of its communes, for the tests of own areas."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from geo.scope import Scope

Begin = Callable[[Scope], AbstractContextManager[Connection]]
PROVINCE = Scope(provinces=frozenset({"01"}), write=True, account_id=9)


def commune(code: str, account_id: int = 1) -> Scope:
    """The scope of somebody who sends for one commune."""
    return Scope(communes=frozenset({code}), write=True, account_id=account_id)
