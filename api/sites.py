"""Rebuild sites over HTTP."""

from datetime import datetime

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from api import answers, models
from api.context import begin
from api.errors import PROBLEMS
from api.params import BBox, Listing, RecordPath, Stage, Verdict
from geo import sites

blueprint = APIBlueprint(
    "api_sites", __name__, url_prefix="/api/v1/sites", abp_tags=[Tag(name="sites")],
    abp_responses=PROBLEMS,
)  # fmt: skip


class SiteQuery(Listing):
    stage: Stage | None = None
    verdict: Verdict | None = None
    since: datetime | None = Field(None, description="Received at or after this time.")
    bbox: BBox | None = None


@blueprint.get("", summary="Sites of an area", responses={200: models.SitePage})
def listing(query: SiteQuery) -> Response:
    """Sites by identity."""
    with begin() as conn:
        return answers.listing(conn, "sites", query, sites.listing)


@blueprint.get(
    "/<province_code>/<path:code>", summary="One site", responses={200: models.SiteDetail}
)
def one(path: RecordPath) -> Response:
    """A site with its stages, findings and former verdicts."""
    with begin() as conn:
        return answers.json(sites.get(conn, path.province_code, path.code))
