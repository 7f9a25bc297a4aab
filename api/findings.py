"""Findings over HTTP."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.access import needs
from api.errors import PROBLEMS
from api.params import Day, Listing, State, Verdict, Word
from geo import findings

blueprint = APIBlueprint(
    "api_findings", __name__, url_prefix="/api/v1/findings", abp_tags=[Tag(name="findings")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class FindingQuery(Listing):
    verdict: Verdict | None = None
    rule: Word | None = Field(None, description="Only surveys that this audit rule doubts.")
    state: State | None = Field(
        None, description="Open while any finding is; decided is every state but open."
    )
    enumerator: Word | None = None
    device: Word | None = None
    since: Day | None = Field(None, description="First day of the visit, in Viet Nam.")
    until: Day | None = Field(None, description="Last day of the visit.")


@blueprint.get("", summary="Surveys that rules doubt", responses={200: models.FindingPage})
@needs("records.read")
def listing(query: FindingQuery) -> Response:
    """One row for each survey with findings; rules are joined by `;`."""
    return answers.listing("findings", query, findings.listing)
