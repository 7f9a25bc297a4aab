"""Whether the service can work."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api import answers, models, reading
from api.access import begin, public
from geo.errors import AncuError

blueprint = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")])


@blueprint.get(
    "/healthz",
    summary="Whether the database answers",
    responses={200: models.Health, 503: models.Health},
)
@public
def health() -> tuple[Response, int] | Response:
    """200 when the database answers, else 503; and what its replica does, where there is one."""
    try:
        with begin() as conn:
            conn.execute(text("SELECT 1"))
        replica = reading.replica_state()
    except (AncuError, SQLAlchemyError):
        return answers.json({"status": "the database does not answer"}), 503
    return answers.json({"status": "ok"} | ({"replica": replica} if replica else {}))
