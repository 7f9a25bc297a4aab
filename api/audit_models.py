"""What the audit's endpoints answer, for the OpenAPI document."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field


class Part(BaseModel):
    """What one family of rules adds to the risk: its gravest rule, and points."""

    family: str
    rule: str
    points: float


class QueueRow(BaseModel):
    """A survey or site with findings."""

    province_code: str
    commune_code: str
    subject: str
    subject_id: str
    case_key: str
    risk: float = Field(description="0 to 100; the parts add up to it.")
    parts: list[Part]
    rules: list[str]
    state: str
    household_code: str
    head_name: str | None
    village: str | None
    enumerator: str | None
    device_id: str | None
    happened_at: datetime | None
    verdict: str
    distance_m: float | None = Field(description="To the recorded border; negative outside.")
    lon: float | None
    lat: float | None
    demo: bool
    last_decision_id: int = Field(description="0 where nothing was decided; see `seen`.")


class QueueCase(QueueRow):
    """A case by its worst row; `rules` are those of all its rows."""

    size: int = Field(description="Rows of the case that the filters and your areas hold.")


class QueuePage(BaseModel):
    """One page; next_cursor is null after the last."""

    items: list[QueueCase]
    next_cursor: str | None


class CaseAnswer(BaseModel):
    """The rows of one case."""

    items: list[QueueRow]


class DecidedRow(BaseModel):
    """A survey or site as it was decided about."""

    province_code: str
    commune_code: str
    subject: str
    subject_id: str
    case_key: str
    state: str
    risk: float
    parts: list[dict[str, Any]]
    rules: list[str]
    last_decision_id: int


class Decided(BaseModel):
    """What was decided about."""

    items: list[DecidedRow]


class Revisit(BaseModel):
    """A request for another visit."""

    revisit_id: int
    province_code: str
    commune_code: str
    household_code: str
    head_name: str | None
    recorded_address: str | None
    village: str | None
    lon: float | None
    lat: float | None
    survey_id: str | None
    enumerator: str
    sample_id: int | None
    reason: str
    due_on: date | None
    asked_by_name: str
    asked_at: datetime
    done_survey_id: str | None
    done_at: datetime | None
    done_verdict: str | None


class RevisitPage(BaseModel):
    """One page; next_cursor is null after the last."""

    items: list[Revisit]
    next_cursor: str | None
