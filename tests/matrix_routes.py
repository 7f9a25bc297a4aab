"""Every route of the application as the matrix asks it: what it needs, and about which spot.

A route that is not here fails the matrix. `needs` says what docs/accounts.md and the design ask
for; it is not taken from the application.
"""

from geo.export_columns import RECORDS
from tests.matrix_asking import Call
from tests.matrix_calls import (
    FILES,
    ORDERS,
    TABLES,
    WHY,
    about_sample,
    account_changes,
    account_pages,
    each,
    fixes,
    fixes_undone,
    group,
    group_changes,
    handovers,
    listing,
    log_pages,
    new_account,
    new_group,
    of_person,
    once,
    other_session,
    others_tokens,
    photo_listings,
    photo_pages,
    photos_sent,
    record,
    removals,
    searches,
    sent,
    site_photos,
    survey,
    survey_photos,
    tiles,
    uploads,
)
from tests.matrix_desk import (
    case,
    decide,
    desk,
    lists,
    one_case,
    reopen,
    send_decisions,
    undo,
    withdraw,
)
from tests.matrix_ogc import (
    QUAD,
    area_pages,
    described,
    feature_pages,
    feature_tiles,
    one_area,
    single_features,
    tilesets,
)
from tests.matrix_people import PUBLIC, SIGNED_IN
from tests.matrix_route import Route
from tests.matrix_samples import abandons, checks, draws

ROUTES: dict[tuple[str, str], Route] = {
    ("static", "GET"): Route(PUBLIC, "nothing", once("/static/css/page.css")),
    ("openapi.static", "GET"): Route(PUBLIC, "nothing", once("/openapi/static/nothing"), (404,)),
    ("openapi.doc_url", "GET"): Route(PUBLIC, "nothing", once("/openapi/openapi.json")),
    ("openapi.openapi", "GET"): Route(PUBLIC, "nothing", once("/openapi/"), (200, 302)),
    ("swagger.static", "GET"): Route(PUBLIC, "nothing", once("/openapi/swagger/nothing"), (404,)),
    ("swagger.swagger", "GET"): Route(PUBLIC, "nothing", once("/openapi/swagger")),
    ("swagger.oauth2-redirect", "GET"): Route(
        PUBLIC, "nothing", once("/openapi/oauth2-redirect.html")
    ),
    ("health.health", "GET"): Route(PUBLIC, "nothing", once("/healthz")),
    # Names and borders are everybody's who is signed in.
    ("api_areas.find", "GET"): Route(
        SIGNED_IN, "nothing", lambda w, s: [
            *searches("/api/v1/areas", "q")(w, s), Call("/api/v1/areas", query={"parent": s.code}),
        ],
    ),
    ("api_areas.one", "GET"): Route(SIGNED_IN, "nothing", each("/api/v1/areas/{code}")),
    ("api_areas.children_geojson", "GET"): Route(
        SIGNED_IN, "nothing", each("/api/v1/areas/{code}/children.geojson")
    ),
    ("api_areas.outline_geojson", "GET"): Route(
        SIGNED_IN, "nothing", each("/api/v1/areas/{code}/outline.geojson")
    ),
    ("area_tiles.tile", "GET"): Route(
        SIGNED_IN, "nothing",
        each("/tiles/areas/8/203/112.mvt?area={code}", "/tiles/areas/5/25/14.mvt?level=commune"),
    ),
    # Figures.
    ("api_areas.children_figures", "GET"): Route(
        "figures.read", "area", each("/api/v1/areas/{code}/children/figures.json")
    ),
    ("api_progress.progress", "GET"): Route(
        "figures.read", "area",
        each(
            "/api/v1/progress/{code}",
            *(f"/api/v1/progress/{{code}}?format={f}" for f in (*TABLES, "gpkg", "geojson")),
        ),
    ),
    ("exports.index", "GET"): Route("records.export", "area", each("/exports?area={code}")),
    ("exports.file", "GET"): Route(
        "records.export", "area",
        each(
            *(f"/exports/{kind}/file?area={{code}}&format=csv&since=" for kind in RECORDS),
            "/exports/surveys/file?area={code}&format=geojson&verdict=outside&ticket=matrix-word",
        ),
    ),
    ("exports.progress", "GET"): Route(SIGNED_IN, "nothing", once("/exports/matrix-word.json")),
    ("api_progress.statistics", "GET"): Route(
        "figures.read", "area",
        each(
            *(f"/api/v1/statistics?area={{code}}&format={f}" for f in ("json", *TABLES, "parquet")),
        ),
    ),
    ("api_progress.ranking", "GET"): Route(
        "figures.read", "area",
        each(
            *(f"/api/v1/targeting?area={{code}}&format={f}" for f in ("json", *TABLES)),
            *(f"/api/v1/targeting?area={{code}}&order={order}" for order in ORDERS),
        ),
    ),
    ("progress.home", "GET"): Route(SIGNED_IN, "nothing", once("/"), (302,)),
    ("progress.area_page", "GET"): Route(
        "figures.read", "area", each("/progress/{code}", "/progress/{code}?sort=households&lang=en")
    ),
    ("targeting.index", "GET"): Route(
        "figures.read", "area", each("/targeting?area={code}", "/targeting?area={code}&order=poor")
    ),
    ("map_page.home", "GET"): Route("figures.read", "nothing", once("/map"), (302,)),
    ("map_page.area_page", "GET"): Route(
        "figures.read", "area", each("/map/{code}", "/map/{code}?layers=surveys&lang=en")
    ),
    ("map_search.found", "GET"): Route(SIGNED_IN, "nothing", searches("/map/search.json", "q")),
    ("map_file.file", "GET"): Route(
        "records.export", "area",
        each("/map/{code}/file.html", "/map/{code}/file.html?layers=surveys,households,sites"),
    ),
    ("basemap.file", "GET"): Route(SIGNED_IN, "nothing", once("/basemap.pmtiles"), (404,)),
    # Records.
    ("api_households.listing", "GET"): Route(
        "records.read", "area", listing("/api/v1/households", FILES, status="poor")
    ),
    ("api_surveys.listing", "GET"): Route(
        "records.read", "area",
        lambda w, s: [
            *listing("/api/v1/surveys", FILES, verdict="doubtful")(w, s),
            *each(*(f"/api/v1/surveys?area={{code}}&order={o}" for o in ("recent", "worst")))(w, s),
        ],
    ),
    ("api_sites.listing", "GET"): Route(
        "records.read", "area", listing("/api/v1/sites", FILES, stage="roof")
    ),
    ("api_findings.listing", "GET"): Route(
        "records.read", "area", listing("/api/v1/findings", FILES)
    ),
    ("api_households.one", "GET"): Route(
        "records.read", "record",
        record("/api/v1/households/{province}/{code}", lambda s: s.household, "{mark}y-H1", True),
    ),
    ("api_sites.one", "GET"): Route(
        "records.read", "record",
        record("/api/v1/sites/{province}/{code}", lambda s: s.site, "{mark}y-N1", True),
    ),
    ("api_surveys.one", "GET"): Route(
        "records.read", "record", survey("/api/v1/surveys/{code}", "inside")
    ),
    ("tiles.tile", "GET"): Route("records.read", "area", tiles),
    ("ogc.landing", "GET"): Route(PUBLIC, "nothing", described("", "/")),
    ("ogc.conformance", "GET"): Route(PUBLIC, "nothing", described("/conformance")),
    ("ogc.api", "GET"): Route(PUBLIC, "nothing", described("/api")),
    ("ogc.matrix_sets", "GET"): Route(PUBLIC, "nothing", described("/tileMatrixSets")),
    ("ogc.matrix_set", "GET"): Route(PUBLIC, "nothing", described(f"/tileMatrixSets/{QUAD}")),
    ("ogc.collections", "GET"): Route(SIGNED_IN, "nothing", described("/collections")),
    ("ogc.collection", "GET"): Route(SIGNED_IN, "nothing", described("/collections/{name}")),
    ("ogc.queryables", "GET"): Route(
        SIGNED_IN, "nothing", described("/collections/{name}/queryables")
    ),
    ("ogc.tile_sets", "GET"): Route(SIGNED_IN, "nothing", tilesets("")),
    ("ogc.tile_set", "GET"): Route(SIGNED_IN, "nothing", tilesets(f"/{QUAD}")),
    ("ogc.tilejson", "GET"): Route(SIGNED_IN, "nothing", tilesets(f"/{QUAD}/tilejson")),
    ("ogc.area_features", "GET"): Route(SIGNED_IN, "nothing", area_pages),
    ("ogc.area_feature", "GET"): Route(SIGNED_IN, "nothing", one_area),
    ("ogc.record_features", "GET"): Route("records.read", "area", feature_pages),
    ("ogc.record_feature", "GET"): Route("records.read", "record", single_features),
    ("ogc_tiles.tile", "GET"): Route("records.read", "area", feature_tiles),
    ("audit.index", "GET"): Route("records.read", "area", desk),
    ("audit.case", "GET"): Route("records.read", "record", case),
    ("decisions.decide", "POST"): Route("audit.decide", "record", decide, (303,)),
    ("decisions.reopen", "POST"): Route("audit.decide", "record", reopen, (303,)),
    ("decisions.undo", "POST"): Route("audit.decide", "record", undo, (404,)),
    ("revisits.index", "GET"): Route("records.read", "area", lists("/revisits")),
    ("revisits.file", "GET"): Route("records.export", "area", lists("/revisits/file.csv")),
    ("revisits.withdraw", "POST"): Route("audit.decide", "record", withdraw, (303,)),
    ("api_audit.listing", "GET"): Route("records.read", "area", lists("/api/v1/audit")),
    ("api_audit.case", "GET"): Route("records.read", "record", one_case),
    ("api_audit.decide", "POST"): Route("audit.decide", "record", send_decisions),
    ("api_audit.to_visit", "GET"): Route("records.read", "area", lists("/api/v1/revisits")),
    ("profiles.index", "GET"): Route("audit.read", "area", lists("/audit/people")),
    ("profiles.file", "GET"): Route("audit.read", "area", lists("/audit/people/file.csv")),
    ("changes.index", "GET"): Route("records.read", "area", lists("/audit/changes")),
    ("report.pdf", "GET"): Route("records.export", "area", lists("/audit/report.pdf")),
    ("report.xlsx", "GET"): Route("records.export", "area", lists("/audit/report.xlsx")),
    ("samples.index", "GET"): Route(
        "audit.read", "area",
        each("/audit/samples?area={code}", "/audit/samples?area={code}&expected=50&margin=9"),
    ),
    ("samples.draw", "POST"): Route("audit.decide", "sent", draws, (303,), (403,)),
    ("samples.one", "GET"): Route(
        "audit.read", "record", about_sample("/audit/samples/{id}?print=1")
    ),
    ("samples.check", "POST"): Route("audit.decide", "record", checks, (303,)),
    ("samples.abandon", "POST"): Route("audit.decide", "record", abandons, (303,)),
    ("samples.proof", "GET"): Route(
        "audit.read", "record", about_sample("/audit/samples/{id}/proof")
    ),
    ("samples.file", "GET"): Route(
        "audit.read", "record", about_sample("/audit/samples/{id}/file.csv")
    ),
    ("samples.frame", "GET"): Route(
        "audit.read", "record", about_sample("/audit/samples/{id}/frame.txt")
    ),
    ("records.survey", "GET"): Route(
        "records.read", "record", survey("/surveys/{code}", "outside", "unlocated")
    ),
    ("records.survey_evidence", "GET"): Route(
        "records.read", "record", survey("/surveys/{code}/evidence.json", "outside", "unlocated")
    ),
    ("records.site_evidence", "GET"): Route(
        "records.read", "record",
        record("/sites/{province}/{code}/evidence.json", lambda s: s.site, "{mark}y-N1", True),
    ),
    ("records.household", "GET"): Route(
        "records.read", "record",
        record("/households/{province}/{code}", lambda s: s.household, "{mark}y-H1", True),
    ),
    ("records.site", "GET"): Route(
        "records.read", "record",
        record("/sites/{province}/{code}", lambda s: s.site, "{mark}y-N1", True),
    ),
    # Photos.
    ("api_photos.listing", "GET"): Route("records.read", "record", photo_listings),
    ("api_photos.one", "GET"): Route(
        "records.read", "record",
        photo_pages("/api/v1/photos/{id}", "/api/v1/photos/{id}?small=true"),
    ),
    ("api_photos.send", "POST"): Route("surveys.send", "record", photos_sent, (201,)),
    ("photos.original", "GET"): Route("records.read", "record", photo_pages("/photos/{id}")),
    ("photos.small", "GET"): Route("records.read", "record", photo_pages("/photos/{id}/small")),
    ("photos.send_of_survey", "POST"): Route("surveys.send", "record", survey_photos, (303,)),
    ("photos.send_of_site", "POST"): Route("records.send", "record", site_photos, (303,)),
    ("records.search", "GET"): Route(SIGNED_IN, "nothing", searches("/search", "q")),
    # What a person may ask for.
    ("api_households.national_id", "POST"): Route(
        "ids.read", "record",
        of_person("/api/v1/households/{province}/{code}/national-id", json={"reason": WHY}),
    ),
    ("addresses.index", "GET"): Route(
        "records.read", "area", each("/addresses?area={code}", "/addresses?area={code}&page=2")
    ),
    ("addresses.one", "GET"): Route(
        "records.read", "area", each("/addresses/one?area={code}&text=xã+Cây+Gạo&q=xã")
    ),
    ("addresses.fix", "POST"): Route("records.send", "sent", fixes, (303,), (403,)),
    ("addresses.undo", "POST"): Route("records.send", "record", fixes_undone, (303,)),
    ("person.national_id", "POST"): Route(
        "ids.read", "record",
        of_person("/households/{province}/{code}/national-id", form={"reason": WHY}), (303,),
    ),
    ("person.record_page", "GET"): Route(
        "person.export", "record", of_person("/households/{province}/{code}/record")
    ),
    ("person.record_file", "GET"): Route(
        "person.export", "record", of_person("/households/{province}/{code}/record.json")
    ),
    ("person.correct_page", "GET"): Route(
        "person.correct", "record",
        of_person("/households/{province}/{code}/correct?field=village"),
    ),
    ("person.correct", "POST"): Route(
        "person.correct", "record",
        of_person(
            "/households/{province}/{code}/correct",
            form={"field": "village", "value": "Thôn khác", "reason": WHY},
        ),
        (303,),
    ),
    ("person.remove_page", "GET"): Route(
        "person.remove", "record", of_person("/households/{province}/{code}/remove")
    ),
    ("person.remove", "POST"): Route("person.remove", "record", removals, (200, 303)),
    # What is sent.
    ("api_imports.send_households", "POST"): Route(
        "records.send", "sent", sent("households"), (200, 201), (422,)
    ),
    ("api_imports.send_surveys", "POST"): Route(
        "surveys.send", "sent", sent("surveys"), (200, 201), (422,)
    ),
    ("api_imports.send_sites", "POST"): Route(
        "records.send", "sent", sent("sites"), (200, 201), (422,)
    ),
    ("intake.index", "GET"): Route("surveys.send", "nothing", once("/import")),
    ("intake.upload", "POST"): Route("surveys.send", "sent", uploads, (303,), (422,)),
    # One's own account.
    ("sign_in.page", "GET"): Route(PUBLIC, "nothing", once("/sign-in"), (200, 303)),
    ("sign_in.page", "POST"): Route(
        PUBLIC, "nothing",
        lambda _w, s: [Call("/sign-in", "POST", form={"login": s.login, "password": "x" * 12},
                            names=(s.login,))] if s.key == "B1" else [],
        (400, 401),  # without a form's token, or wrong
    ),
    ("sign_in.logout", "POST"): Route(
        SIGNED_IN, "nothing", once("/sign-out", method="POST", form={}), (303,), people=True
    ),
    ("account.index", "GET"): Route(SIGNED_IN, "nothing", once("/account"), people=True),
    ("account.end_session", "POST"): Route(
        SIGNED_IN, "nothing", other_session, (303,), people=True
    ),
    ("account.end_others", "POST"): Route(
        SIGNED_IN, "nothing", once("/account/sessions/end-others", method="POST", form={}), (303,),
        people=True,
    ),
    ("account.password", "GET"): Route(
        SIGNED_IN, "nothing", once("/account/password"), people=True
    ),
    ("account.password", "POST"): Route(
        SIGNED_IN, "nothing",
        once("/account/password", method="POST", form={"old": "a", "new": "b", "again": "c"}),
        (422,), people=True,
    ),
    ("account.second_factor", "GET"): Route(
        SIGNED_IN, "nothing", once("/account/second-factor"), people=True
    ),
    ("account.begin_second_factor", "POST"): Route(
        SIGNED_IN, "nothing", once("/account/second-factor", method="POST", form={}), (303, 409),
        people=True,
    ),
    ("account.confirm_second_factor", "POST"): Route(
        SIGNED_IN, "nothing",
        once("/account/second-factor/confirm", method="POST", form={"code": "000000"}),
        (409, 422), people=True,
    ),
    ("account.remove_second_factor", "POST"): Route(
        SIGNED_IN, "nothing",
        once("/account/second-factor/remove", method="POST", form={"code": "000000"}),
        (403, 409, 422), people=True,
    ),
    ("own_tokens.index", "GET"): Route(SIGNED_IN, "nothing", once("/account/tokens"), people=True),
    ("own_tokens.make", "POST"): Route(
        SIGNED_IN, "nothing",
        once("/account/tokens", method="POST",
             form={"name": "Máy", "actions": "records.read", "days": "7"}),
        (303, 422), people=True,
    ),
    ("own_tokens.revoke", "POST"): Route(
        SIGNED_IN, "nothing", others_tokens, (404,), people=True
    ),
    # Accounts, groups and the log of an administrator's areas.
    ("accounts.index", "GET"): Route(
        "accounts.manage", "area",
        lambda w, s: [
            *each("/accounts?area={code}", "/accounts?area={code}&state=unused")(w, s),
            Call("/accounts", query={"area": s.code, "q": "Người"}),
        ],
    ),
    ("accounts.new", "GET"): Route("accounts.manage", "area", each("/accounts/new?area={code}")),
    ("accounts.create", "POST"): Route(
        "accounts.manage", "sent", new_account, (303,), (403,)
    ),
    ("account_page.index", "GET"): Route("accounts.manage", "record", account_pages),
    ("account_page.change", "POST"): Route("accounts.manage", "record", account_changes, (303,)),
    ("area_access.find", "GET"): Route(
        "accounts.manage", "area", each("/accounts/area?area={code}"), (302,)
    ),
    ("area_access.index", "GET"): Route(
        "accounts.manage", "area", each("/accounts/area/{code}")
    ),
    ("area_access.choose", "GET"): Route(
        "accounts.manage", "area", each("/accounts/area/{code}/handover")
    ),
    ("area_access.hand_over", "POST"): Route(
        "accounts.manage", "sent", handovers, (303,), (403,)
    ),
    ("teams.index", "GET"): Route(
        "accounts.manage", "area", each("/groups?area={code}", "/groups?area={code}&days=7")
    ),
    ("teams.create", "POST"): Route("accounts.manage", "sent", new_group, (303,), (403,)),
    ("teams.group", "GET"): Route("accounts.manage", "record", group),
    ("teams.change", "POST"): Route("accounts.manage", "record", group_changes, (303,)),
    ("access_log.index", "GET"): Route("log.read", "area", log_pages("/log")),
    ("access_log.file", "GET"): Route("log.read", "area", log_pages("/log/file.csv")),
}  # fmt: skip
"""(endpoint, method) → what it does."""
