"""The models that every row of a kind must satisfy; the formats of docs/import.md."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails, core_schema

from geo import personal_ids
from geo.intake import values
from geo.tables import STAGES

CAUSES = (
    "no_land",
    "no_capital",
    "no_labour",
    "no_tools",
    "no_production_knowledge",
    "no_labour_skills",
    "illness_or_accident",
    "other",
)
"""The eight causes of poverty that the review asks for."""


def _digits(width: int) -> BeforeValidator:
    """Codes that a spreadsheet took for numbers get their leading zeros back."""

    def pad(value: object) -> object:
        text = values.tidy(value)
        if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < width:
            return text.zfill(width)
        return text

    return BeforeValidator(pad)


def _causes(value: object) -> object:
    if isinstance(value, str):
        value = value.split(";")
    if not isinstance(value, list | tuple):
        raise ValueError(f"{values.shown(value)} is no list of causes")
    named = tuple(dict.fromkeys(str(cause).strip().lower() for cause in value))
    unknown = [cause for cause in named if cause and cause not in CAUSES]
    if unknown:
        raise ValueError(f"{values.shown(unknown[0])} is no cause; known: {', '.join(CAUSES)}")
    return tuple(cause for cause in named if cause)


def _past(when: datetime) -> datetime:
    """The time in UTC, so that one moment has one form whatever zone it came in."""
    if not 1990 <= when.year <= 9000:  # beyond them a change of zone would overflow
        raise ValueError(f"{when.isoformat()} is not a time of these years")
    moment = when.astimezone(UTC)
    if moment > datetime.now(UTC) + values.CLOCK_SKEW:
        raise ValueError(f"{when.isoformat()} lies in the future")
    return moment


def _not_future_day(when: date) -> date:
    if when > datetime.now(values.LOCAL).date() + timedelta(days=1):
        raise ValueError(f"{when.isoformat()} lies in the future")
    return when


def _known_stage(stage: str) -> str:
    if stage not in STAGES:
        raise ValueError(f"{values.shown(stage)} is not one of {', '.join(STAGES)}")
    return stage


# The constraint comes first: pydantic then checks it inside its own core, not in Python.
Code = Annotated[str, Field(min_length=1, max_length=64), BeforeValidator(values.code)]
Name = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(values.tidy)]
Address = Annotated[str, Field(min_length=1, max_length=500), BeforeValidator(values.tidy)]
Crs = Annotated[str, Field(min_length=1, max_length=64), BeforeValidator(values.crs)]
CommuneCode = Annotated[str, Field(pattern=r"^[0-9]{5}$"), _digits(5)]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$"), _digits(2)]
NationalId = Annotated[str, Field(pattern=r"^[0-9]{12}$"), _digits(12)]


# The plain form of a number or of yes and no is read inside pydantic's core; what fails there is
# read once more in Python, which understands more and has the words for the rest.
def _digits_only(made: core_schema.CoreSchema, pattern: str) -> GetPydanticSchema:
    """Text of the pattern as a number: digits of ASCII only, no underscores."""
    text = core_schema.str_schema(pattern=pattern, max_length=30)
    return GetPydanticSchema(lambda _kind, _next: core_schema.chain_schema([text, made]))


_DECIMAL = r"^[+-]?[0-9]+(\.[0-9]+)?$"
Number = Annotated[
    Annotated[float, _digits_only(core_schema.float_schema(), _DECIMAL)]
    | Annotated[float, BeforeValidator(values.number)],
    Field(union_mode="left_to_right"),
]
Metres = Annotated[
    Annotated[float, _digits_only(core_schema.float_schema(ge=0, le=10_000_000), _DECIMAL)]
    | Annotated[float, Field(ge=0, le=10_000_000), BeforeValidator(values.number)],
    Field(union_mode="left_to_right"),
]
Altitude = Annotated[float, Field(ge=-1000, le=10_000), BeforeValidator(values.number)]
Count = Annotated[
    Annotated[int, _digits_only(core_schema.int_schema(ge=0, le=1000), r"^[0-9]{1,9}$")]
    | Annotated[int, Field(ge=0, le=1000), BeforeValidator(values.whole)],
    Field(union_mode="left_to_right"),
]
Members = Annotated[int, Field(ge=1, le=100), BeforeValidator(values.whole)]
Truth = Annotated[
    bool | Annotated[bool, BeforeValidator(values.truth)], Field(union_mode="left_to_right")
]
Money = Annotated[int, Field(ge=0, le=10**15), BeforeValidator(values.money)]
Year = Annotated[int, Field(ge=1990, le=2100), BeforeValidator(values.whole)]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2100, 1, 1)), BeforeValidator(values.day)]
PastDay = Annotated[Day, AfterValidator(_not_future_day)]
Moment = Annotated[datetime, AfterValidator(_past), BeforeValidator(values.moment)]
Status = Annotated[Literal["poor", "near_poor", "average", "none"], BeforeValidator(values.choice)]
Kind = Annotated[Literal["new", "repair"], BeforeValidator(values.choice)]
Stage = Annotated[str, AfterValidator(_known_stage), BeforeValidator(values.choice)]


class Record(BaseModel):
    """What all kinds share: a place, and columns that are kept as attributes."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)
    not_content: ClassVar[dict[str, object]] = dict.fromkeys(("province_code", "commune_code"))
    """Columns that only choose the household: with or without them it is the same record."""
    unfingerprinted: ClassVar[tuple[str, ...]] = ()
    """Columns that stand in no fingerprint at all: those made before they existed stay good."""

    household_code: Code
    province_code: ProvinceCode | None = None
    commune_code: CommuneCode | None = None
    lon: Number | None = None
    lat: Number | None = None
    accuracy_m: Metres | None = None
    crs: Crs = "EPSG:4326"

    @property
    def attributes(self) -> dict[str, object]:
        """The columns that the format does not name."""
        return self.__pydantic_extra__ or {}


class Household(Record):
    """One household of the review's roster."""

    not_content: ClassVar[dict[str, object]] = {}

    head_name: Name
    recorded_address: Address
    national_id: NationalId | None = None
    village: Name | None = None
    members: Members | None = None
    ethnicity: Name | None = None
    status: Status | None = None
    status_year: Year | None = None
    causes: Annotated[tuple[str, ...], BeforeValidator(_causes)] = ()


class Survey(Record):
    """One visit by one enumerator at one time and place."""

    # A device that sends a survey again sends the same survey, at another time.
    unfingerprinted: ClassVar[tuple[str, ...]] = ("sent_at",)

    survey_id: Annotated[str, BeforeValidator(values.uuid)]
    surveyed_at: Moment
    enumerator: Name
    mock_location: Truth | None = None
    device_id: Name | None = None
    recorded_address: Address | None = None
    altitude_m: Altitude | None = None
    satellites: Count | None = None
    photo: Address | None = None
    sent_at: Moment | None = None


class Site(Record):
    """One house that is rebuilt or repaired for one household."""

    site_code: Code
    kind: Kind
    stream: Name | None = None
    eligible: Truth | None = None
    approved_on: PastDay | None = None
    due_on: Day | None = None
    stage: Stage = "proposed"
    stage_on: PastDay | None = None
    cost_planned: Money | None = None
    cost_paid: Money | None = None
    recorded_address: Address | None = None


MODELS: dict[str, type[Record]] = {"households": Household, "surveys": Survey, "sites": Site}
KEYS = {"households": "household_code", "surveys": "survey_id", "sites": "site_code"}
"""The column that names a record of each kind."""

_ADAPTERS = {kind: TypeAdapter(list[model]) for kind, model in MODELS.items()}  # type: ignore[valid-type]


def required(kind: str) -> list[str]:
    """The columns that a file of this kind must have."""
    return [name for name, field in MODELS[kind].model_fields.items() if field.is_required()]


def validated(
    kind: str, rows: Sequence[dict[str, object]]
) -> tuple[list[Record | None], dict[int, list[str]]]:
    """A record for each row, None for the bad ones, and the bad ones' reasons by index."""
    adapter: TypeAdapter[list[Record]] = _ADAPTERS[kind]
    try:
        return list(adapter.validate_python(rows)), {}
    except ValidationError as error:
        # Of two ways to read a value (see Number) the last one's problem is told.
        last = {problem["loc"][:2]: problem for problem in error.errors(include_url=False)}
        reasons: dict[int, list[str]] = {}
        for (index, *_column), problem in last.items():
            reasons.setdefault(int(index), []).append(_reason(problem))
    good = iter(adapter.validate_python([r for i, r in enumerate(rows) if i not in reasons]))
    return [None if i in reasons else next(good) for i in range(len(rows))], reasons


def _reason(problem: ErrorDetails) -> str:
    """One of pydantic's problems as a sentence that names the column and what it needs."""
    column = str(problem["loc"][1]) if len(problem["loc"]) > 1 else "the row"
    context = problem.get("ctx", {})
    if column == "national_id" and values.excel_error(problem["input"]) is None:
        return f"national_id: {_last_digits(problem['input'])} is not a personal ID of 12 digits"
    seen = values.shown(problem["input"])
    messages = {
        "missing": "is missing",
        "string_too_short": "is blank",
        "string_too_long": f"is longer than {context.get('max_length')} characters",
        "string_type": f"{seen} is not text",
        "string_unicode": "is not valid Unicode",
        "literal_error": f"{seen} is not one of {context.get('expected')}",
        "greater_than_equal": f"{seen} is less than {_plain(context.get('ge'))}",
        "less_than_equal": f"{seen} is more than {_plain(context.get('le'))}",
        "string_pattern_mismatch": f"{seen} has not the digits that this code has",
    }
    if problem["type"] == "value_error":
        return f"{column}: {context.get('error')}"
    return f"{column}: {messages.get(problem['type'], f'{seen} is not understood')}"


def _last_digits(value: object) -> str:
    """A wrong ID without what would tell whose it is: reasons are stored and sent around."""
    text = str(value) if isinstance(value, str | float) else ""
    return f"“…{personal_ids.end_of(text)}”" if len(text) > 8 else "“…”"


def _plain(limit: object) -> str:
    return f"{limit:.0f}" if isinstance(limit, float) else str(limit)
