"""Households over HTTP."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from api import answers, models
from api.access import begin, needs, note
from api.errors import PROBLEMS
from api.params import BBox, Listing, Moment, OneRecord, RecordPath, Status
from geo import households
from geo.persons import history

blueprint = APIBlueprint(
    "api_households", __name__, url_prefix="/api/v1/households", abp_tags=[Tag(name="households")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class HouseholdQuery(Listing):
    status: Status | None = None
    surveyed: bool | None = Field(None, description="false: still to be visited.")
    since: Moment | None = Field(
        None, description="Received on a day or after, or from a moment on."
    )
    until: Moment | None = Field(
        None, description="Received on a day or before, or up to a moment."
    )
    bbox: BBox | None = None


@blueprint.get("", summary="Households of an area", responses={200: models.HouseholdPage})
@needs("records.read")
def listing(query: HouseholdQuery) -> Response:
    """Households by identity."""
    return answers.listing("households", query, households.listing)


@blueprint.get(
    "/<province_code>/<path:code>",
    summary="One household",
    responses={200: models.HouseholdDetail},
)
@needs("records.read")
def one(path: RecordPath, query: OneRecord) -> Response:
    """A household with its yearly statuses, surveys and sites."""
    note(subject="household", subject_id=path.code, province_code=path.province_code)
    with begin() as conn:
        found = households.get(conn, path.province_code, path.code, query.commune)
    return answers.record(found)


class Why(BaseModel):
    reason: str = Field(
        min_length=history.SHORTEST,
        max_length=history.LONGEST,
        description="Why the number is needed in full; kept in the access log.",
    )


@blueprint.post(
    "/<province_code>/<path:code>/national-id",
    summary="A household's personal ID in full",
    responses={200: models.NationalId, 409: PROBLEMS[400], 422: PROBLEMS[400]},
)
@needs("ids.read")
def national_id(path: RecordPath, query: OneRecord, body: Why) -> Response:
    """The number that is shown masked everywhere else; each request is logged with its reason."""
    note(
        subject="household",
        subject_id=path.code,
        province_code=path.province_code,
        reason=history.checked(body.reason),
        durable=True,
    )
    with begin() as conn:
        commune, number = households.national_id(conn, path.province_code, path.code, query.commune)
    note(commune_code=commune, rows=1)
    return answers.json({"national_id": number})
