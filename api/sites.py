"""Rebuild sites over HTTP."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.access import begin, needs, note
from api.errors import PROBLEMS
from api.params import BBox, Listing, Moment, OneRecord, RecordPath, Rule, Stage, Verdict
from geo import sites

blueprint = APIBlueprint(
    "api_sites", __name__, url_prefix="/api/v1/sites", abp_tags=[Tag(name="sites")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class SiteQuery(Listing):
    stage: Stage | None = None
    verdict: Verdict | None = None
    rule: Rule | None = Field(None, description="Only sites that this audit rule doubts.")
    since: Moment | None = Field(
        None, description="Received on a day or after, or from a moment on."
    )
    until: Moment | None = Field(
        None, description="Received on a day or before, or up to a moment."
    )
    bbox: BBox | None = None


@blueprint.get("", summary="Sites of an area", responses={200: models.SitePage})
@needs("records.read")
def listing(query: SiteQuery) -> Response:
    """Sites by identity."""
    return answers.listing("sites", query, sites.listing)


@blueprint.get(
    "/<province_code>/<path:code>", summary="One site", responses={200: models.SiteDetail}
)
@needs("records.read")
def one(path: RecordPath, query: OneRecord) -> Response:
    """A site with its stages, findings and former verdicts."""
    note(subject="site", subject_id=path.code, province_code=path.province_code)
    with begin() as conn:
        found = sites.get(conn, path.province_code, path.code, query.commune)
    return answers.record(found)
