"""The application: the only place where its parts are put together."""

from flask_openapi3 import Info, OpenAPI

from api import admission, blueprints, downloads, limits, reading
from api.access import Begin
from geo.config import settings
from web import (
    access_log,
    account,
    account_page,
    accounts,
    addresses,
    area_access,
    audit,
    basemap,
    changes,
    decisions,
    errors,
    exports,
    formats,
    intake,
    language,
    map_file,
    map_page,
    map_search,
    messages,
    navigation,
    own_tokens,
    person,
    photos,
    profiles,
    progress,
    records,
    report,
    revisits,
    samples,
    security,
    shell,
    sign_in,
    targeting,
    teams,
)

PAGES = (
    progress.pages,
    audit.pages,
    addresses.pages,
    decisions.pages,
    revisits.pages,
    targeting.pages,
    records.pages,
    map_page.pages,
    map_file.pages,
    map_search.pages,
    basemap.pages,
    person.pages,
    photos.pages,
    intake.pages,
    sign_in.pages,
    account.pages,
    own_tokens.pages,
    accounts.pages,
    account_page.pages,
    area_access.pages,
    teams.pages,
    access_log.pages,
    samples.pages,
    profiles.pages,
    changes.pages,
    report.pages,
    exports.pages,
)


def create_app(begin: Begin | None = None) -> OpenAPI:
    """Pages, API and tiles over the transactions that `begin` opens; the database's by default."""
    info = Info(title="An Cư", version="0.1.0")
    app = OpenAPI(__name__, info=info, security_schemes=dict(blueprints.BEARER))
    app.config["MAX_CONTENT_LENGTH"] = settings().max_upload_mb * 1024 * 1024
    reading.install(app, begin)
    downloads.install(app, threads=begin is None)
    for part in (security, limits, admission, language, messages, formats, shell, navigation):
        part.install(app)
    blueprints.register(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    errors.install(app)
    return app
