"""Households over HTTP."""

from datetime import datetime

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.context import begin
from api.errors import PROBLEMS
from api.params import BBox, Listing, RecordPath, Status
from geo import households

blueprint = APIBlueprint(
    "api_households", __name__, url_prefix="/api/v1/households", abp_tags=[Tag(name="households")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class HouseholdQuery(Listing):
    status: Status | None = None
    surveyed: bool | None = Field(None, description="false: still to be visited.")
    since: datetime | None = Field(None, description="Received at or after this time.")
    bbox: BBox | None = None


@blueprint.get("", summary="Households of an area", responses={200: models.HouseholdPage})
def listing(query: HouseholdQuery) -> Response:
    """Households by identity."""
    with begin() as conn:
        return answers.listing(conn, "households", query, households.listing)


@blueprint.get(
    "/<province_code>/<path:code>",
    summary="One household",
    responses={200: models.HouseholdDetail},
)
def one(path: RecordPath) -> Response:
    """A household with its yearly statuses, surveys and sites."""
    with begin() as conn:
        return answers.json(households.get(conn, path.province_code, path.code))
