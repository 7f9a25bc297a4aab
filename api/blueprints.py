"""All of the API in one list, and how an application takes it."""

from flask_openapi3 import APIBlueprint, OpenAPI

from api import (
    area_tiles,
    areas,
    audit,
    errors,
    findings,
    health,
    households,
    imports,
    json_bodies,
    photos,
    progress,
    sites,
    surveys,
    tiles,
)
from api.ogc import routes, tilesets

BLUEPRINTS = (
    areas.blueprint,
    progress.blueprint,
    households.blueprint,
    surveys.blueprint,
    sites.blueprint,
    findings.blueprint,
    audit.blueprint,
    imports.blueprint,
    photos.blueprint,
    tiles.blueprint,
    area_tiles.blueprint,
    tilesets.blueprint,
    health.blueprint,
)

BEARER = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of one's own account, made on its page /account/tokens.",
    }
}
"""How programmes sign in, for the OpenAPI document; browsers use their session's cookie."""


def register(app: OpenAPI) -> None:
    """Give `app` the API, the tiles and their errors."""
    errors.register(app)
    json_bodies.install(app)
    for blueprint in BLUEPRINTS:
        if blueprint is not health.blueprint:
            _say_signed_in(blueprint)
        # Two blueprints share a path by method; flask-openapi3 would keep the later one's alone.
        shared = {path: app.paths[path] for path in blueprint.paths if path in app.paths}
        app.register_api(blueprint)
        for path, earlier in shared.items():
            methods = {name: getattr(earlier, name) for name in earlier.model_fields_set}
            app.paths[path] = app.paths[path].model_copy(update=methods)
    app.register_blueprint(routes.blueprint)


def _say_signed_in(blueprint: APIBlueprint) -> None:
    """Describe every operation of a blueprint as one that needs a token."""
    for item in blueprint.paths.values():
        for name in item.model_fields_set:
            getattr(item, name).security = [{key: [] for key in BEARER}]
