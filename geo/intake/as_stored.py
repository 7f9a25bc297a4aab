"""A stored household as the row that it came from, to tell its fingerprint after a change."""

from itertools import product
from typing import Any, cast

from sqlalchemy import ColumnElement, RowMapping, select

from geo import paging
from geo.intake.batches import canonical, fingerprint
from geo.intake.records import Household
from geo.tables import area, household

_CONTENT = (
    *("household_code", "head_name", "village", "members", "ethnicity", "recorded_address"),
    *("status", "status_year", "accuracy_m", "crs", "lon", "lat"),
)
COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(column for column in household.c if column.name not in ("geom", "cell")),
    *paging.position(household),
    select(area.c.code)
    .where(area.c.area_id == household.c.recorded_area_id)
    .scalar_subquery()
    .label("recorded_code"),
)
"""A household's row with lon, lat and the code of the area that its row named."""


def record(stored: RowMapping) -> Household:
    """The household as the import would have read it, but for the ID, which stays sealed."""
    content = {name: stored[name] for name in _CONTENT}
    extra = cast(dict[str, Any], stored["attributes"])
    return Household.model_construct(
        **content, causes=tuple(stored["causes"]), national_id=None, **extra
    )


def given(content: Household, stored: RowMapping) -> dict[str, str | None]:
    """With which codes the row came that is stored, found by its fingerprint; and the ID's print.

    No codes where it came in other coordinates: then the next file with this household is
    compared by people.
    """
    id_print = stored["national_id_print"]
    known: dict[str, str | None] = (
        {} if id_print is None else {"national_id": bytes(id_print).hex()}
    )
    communes = (None, stored["commune_code"], stored["recorded_code"])
    for province, commune in product((None, stored["province_code"]), communes):
        codes = {"province_code": province, "commune_code": commune, **known}
        if fingerprint(canonical(content, **codes)) == stored["content_hash"]:
            return codes
    return known
