"""Parameters that endpoints share, and how they are read."""

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from geo import rules
from geo.errors import UsageError
from geo.paging import MAX_LIMIT, Box

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

Verdict = Literal["inside", "uncertain", "outside", "unlocated", "doubtful"]
"""A verdict to filter by; doubtful is outside or uncertain."""
State = Literal["open", "confirmed", "explained", "repaired", "revisit", "decided"]
"""Where a survey's or site's findings stand; decided is every state but open."""
Status = Literal["poor", "near_poor", "average", "none"]
Stage = Literal[
    "proposed",
    "verified",
    "approved",
    "started",
    "foundation",
    "frame",
    "roof",
    "completed",
    "accepted",
    "handed_over",
]


def box(text: str) -> Box:
    """`minlon,minlat,maxlon,maxlat` as four numbers; raises ValueError that says what is wrong."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError("must be four numbers: minlon,minlat,maxlon,maxlat") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(
            "must be degrees of EPSG:4326, longitude first, with minlon < maxlon, minlat < maxlat"
        )
    return west, south, east, north


def _boxed(text: str) -> str:
    box(text)
    return text


def moment(value: datetime | None) -> datetime | None:
    """The time in UTC, because PostgreSQL knows fewer zones; without a zone it is Viet Nam's.

    Raises UsageError for one that lies beyond the calendar in UTC.
    """
    if value is None:
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=VIETNAM)).astimezone(UTC)
    except OverflowError:
        raise UsageError("since: this time lies beyond the years 1 to 9999.") from None


def no_nul(value: Any) -> Any:
    """Refuse the one character that no stored text can hold."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not hold the character NUL")
    return value


def _known(rule: str) -> str:
    if rule and rule not in rules.RULES:
        raise ValueError("is not the code of an audit rule; findings name theirs")
    return rule


Word = Annotated[str, BeforeValidator(no_nul), Field(max_length=200)]
Rule = Annotated[Word, AfterValidator(_known)]
"""The code of an audit rule; '' is none."""
LAST_DAY = date(9999, 12, 30)
Day = Annotated[date, Field(ge=date(1, 1, 2), le=LAST_DAY)]
"""A day that has a day before and one after."""
Area = Annotated[
    str,
    BeforeValidator(no_nul),
    Field(max_length=20, description="Code of a present area: VN, a province or a commune."),
]
OWN_AREA = "Code of a present area that is yours; by default the one where you begin."
BBox = Annotated[
    str,
    AfterValidator(_boxed),
    Field(
        description="minlon,minlat,maxlon,maxlat in EPSG:4326.",
        json_schema_extra={"example": "105.4,21.3,106.3,22.1"},
    ),
]
Format = Literal["json", "geojson", "csv", "xlsx", "gpkg", "shp", "fgb", "parquet", "kml"]
TableFormat = Literal["json", "csv", "xlsx"]
FiguresFormat = Literal["json", "csv", "xlsx", "gpkg", "geojson"]


def _day_or_moment(value: Any) -> Any:
    """A day stays a day: pydantic would take it for midnight, and midnight for a day."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return _DAY.validate_python(value)
    return _MOMENT.validate_python(value)


_DAY, _MOMENT = TypeAdapter(date), TypeAdapter(datetime)
Moment = Annotated[datetime | date, BeforeValidator(_day_or_moment)]
"""A day of Viet Nam or a moment, for `since` and `until`."""


class Query(BaseModel):
    """Query parameters; one that does not exist is an error, not silence."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The schema, made once: flask-openapi3 asks for it at every request."""
        if args or kwargs:
            return super().model_json_schema(*args, **kwargs)
        return _schema(cls)


@cache
def _schema(model: type[Query]) -> dict[str, Any]:
    return super(Query, model).model_json_schema()


class Listing(Query):
    """What every listing takes."""

    area: Area | None = Field(None, description=OWN_AREA)
    cursor: Word | None = Field(None, description="next_cursor of the page before.")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    format: Format = Field(
        "json",
        description="json and geojson give one page, the others all records that match as a file.",
    )
    file: bool = Field(False, description="All records that match as a file, also as geojson.")
    ticket: Word | None = Field(
        None, description="A word of the caller's by which its page asks how far the file is."
    )

    def action(self) -> str:
        """What is done with the records: looked at, or taken out as a file."""
        page = self.format in ("json", "geojson")
        return "records.read" if page and not self.file else "records.export"

    def filters(self) -> dict[str, Any]:
        """The filters that were given, for `listing` and `export` alike."""
        given = self.model_dump(
            exclude={"area", "cursor", "limit", "format", "order", "file", "ticket"}
        )
        if given.get("bbox"):
            given["bbox"] = box(given["bbox"])
        return {key: value for key, value in given.items() if value is not None}


class AreaPath(BaseModel):
    code: Area


class OneRecord(Query):
    commune: Area | None = Field(
        None, description="Commune of the record, where its code stands for several."
    )


class RecordPath(BaseModel):
    province_code: Area
    code: Word
