"""Who does something in the audit, as it is kept with what was done."""

from typing import NamedTuple


class By(NamedTuple):
    """An account and its name at that time; None for the operator."""

    account_id: int | None
    name: str
