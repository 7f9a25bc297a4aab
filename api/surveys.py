"""Surveys over HTTP."""

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from api import answers, models
from api.access import begin, needs, note
from api.errors import PROBLEMS
from api.params import BBox, Listing, Moment, OneRecord, Rule, Verdict, Word
from geo import surveys

blueprint = APIBlueprint(
    "api_surveys", __name__, url_prefix="/api/v1/surveys", abp_tags=[Tag(name="surveys")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class SurveyQuery(Listing):
    verdict: Verdict | None = None
    rule: Rule | None = Field(None, description="Only surveys that this audit rule doubts.")
    enumerator: Word | None = None
    since: Moment | None = Field(
        None, description="Visited on a day or after, or from a moment on."
    )
    until: Moment | None = Field(None, description="Visited on a day or before, or up to a moment.")
    bbox: BBox | None = None
    order: Literal["id", "recent", "worst"] = Field(
        "id",
        description="worst gives only outside and uncertain unless verdict or rule is given.",
    )


class SurveyPath(BaseModel):
    survey_id: Word


@blueprint.get("", summary="Surveys of an area", responses={200: models.SurveyPage})
@needs("records.read")
def listing(query: SurveyQuery) -> Response:
    """Surveys by identity, latest first, or worst first."""
    return answers.listing("surveys", query, surveys.listing, order=query.order)


@blueprint.get(
    "/<survey_id>", summary="One survey", responses={200: models.SurveyDetail, 409: PROBLEMS[400]}
)
@needs("records.read")
def one(path: SurveyPath, query: OneRecord) -> Response:
    """A survey with its numbers, findings and former verdicts."""
    note(subject="survey", subject_id=path.survey_id)
    with begin() as conn:
        found = surveys.get(conn, path.survey_id, query.commune)
    return answers.record(found)
