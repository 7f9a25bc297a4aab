"""Findings over HTTP."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.access import needs
from api.errors import PROBLEMS
from api.params import Listing, Moment, Rule, State, Verdict, Word
from geo import findings

blueprint = APIBlueprint(
    "api_findings", __name__, url_prefix="/api/v1/findings", abp_tags=[Tag(name="findings")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class FindingQuery(Listing):
    verdict: Verdict | None = None
    rule: Rule | None = Field(None, description="Only surveys that this audit rule doubts.")
    state: State | None = Field(
        None, description="Open while any finding is; decided is every state but open."
    )
    enumerator: Word | None = None
    device: Word | None = None
    since: Moment | None = Field(
        None, description="Visited on a day or after, or from a moment on."
    )
    until: Moment | None = Field(None, description="Visited on a day or before, or up to a moment.")


@blueprint.get("", summary="Surveys that rules doubt", responses={200: models.FindingPage})
@needs("records.read")
def listing(query: FindingQuery) -> Response:
    """One row for each survey with findings; rules are joined by `;`."""
    return answers.listing("findings", query, findings.listing)
