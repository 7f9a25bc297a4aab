"""Every route of the application as the matrix asks it: what it needs, and about which spot.

A route that is not here fails the matrix. `needs` says what docs/accounts.md and the design ask
for; it is not taken from the application.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import cos, floor, log, pi, radians, tan
from typing import Literal

from tests.matrix_asking import Call, World
from tests.matrix_people import PUBLIC, SIGNED_IN
from tests.matrix_world import COMMON_NAME, SPOTS, VERDICTS, Spot

Fill = Callable[[World, Spot], Iterable[Call]]
Subject = Literal["nothing", "area", "record", "sent"]


@dataclass(frozen=True)
class Route:
    """A route and method as it is to behave.

    about: what a call is about: nothing in particular, an area as such (403 outside one's own),
    something stored (404 outside), or rows and forms sent (refused outside, as `refused` says).
    done: the statuses when it is allowed. people: closed to tokens. refused: outside one's areas.
    """

    needs: str
    about: Subject
    calls: Fill
    done: tuple[int, ...] = (200,)
    refused: tuple[int, ...] = ()
    people: bool = False


def once(path: str, **more: object) -> Fill:
    """One call that is about no spot: it is asked for the first one only."""
    return lambda _w, spot: [Call(path, **more)] if spot.key == "V0" else []  # type: ignore[arg-type]


def each(*paths: str, **more: object) -> Fill:
    """Calls with the spot's code in the path."""
    return lambda _w, spot: [Call(path.format(code=spot.code), **more) for path in paths]  # type: ignore[arg-type]


# ---- records ----

TABLES = ("csv", "xlsx")
FILES = (*TABLES, "gpkg")


def _listing(path: str, formats: Iterable[str], **filters: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        area = {"area": spot.code}
        yield Call(path, query=area)
        yield Call(path, query={**area, "format": "geojson", "limit": 1})
        yield Call(path, query={**area, **filters, "bbox": "100,15,110,25"} if filters else area)
        for format in formats:
            yield Call(path, query={**area, "format": format}, action="records.export")

    return calls


def _record(path: str, code: Callable[[Spot], str], absent: str, in_commune: bool) -> Fill:
    """A record at a spot, and its twin, which no spot has."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        name, none = code(spot), absent.format(mark=spot.mark("R")[:-1])
        asked = [{}, {"commune": spot.commune_code}] if in_commune else [{}]
        for query in asked:
            here, there = (
                path.format(province=spot.record_province, code=one) for one in (name, none)
            )
            yield Call(
                here, query=query, names=(name,), twin=Call(there, query=query, names=(none,))
            )

    return calls


_SURVEY_ABSENT = "99a7c3e5-0000-4000-8000-{mark}"


def _survey(path: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for verdict in VERDICTS:
            here = spot.survey_of(verdict)
            there = "99" + here[2:]
            yield Call(
                path.format(code=here),
                names=(here,),
                twin=Call(path.format(code=there), names=(there,)),
            )

    return calls


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """The tile of a point, by the slippy map's own formula."""
    phi = radians(lat)
    return (
        floor((lon + 180) / 360 * 2**z),
        floor((1 - log(tan(phi) + 1 / cos(phi)) / pi) / 2 * 2**z),
    )


LAYER_FILTERS = {
    "surveys": {"verdict": "inside", "rule": "outside"},
    "households": {"status": "poor"},
    "sites": {"stage": "roof"},
}


def _tiles(_w: World, spot: Spot) -> Iterable[Call]:
    """All layers, of squares and of points, at a point of the spot; for its area and with each filter."""
    for layer, filters in LAYER_FILTERS.items():
        for z in (0, 4, 9, 10, 15):
            x, y = tile_at(spot.lon + 0.01, 21.05, z)
            path = f"/tiles/{layer}/{z}/{x}/{y}.mvt"
            yield Call(path, query={"area": spot.code})
            if z in (4, 15):
                yield Call(path, query={"area": spot.code, **filters})


# ---- what is sent ----


def row(kind: str, spot: Spot, **changed: object) -> dict[str, object]:
    """A row of a kind that would be new at a spot."""
    rows: dict[str, dict[str, object]] = {
        "households": {
            "household_code": f"{spot.mark('R')}-new",
            "head_name": "Mới",
            "recorded_address": f"Xã Nơi {spot.key}",
            "status": "poor",
            "status_year": 2026,
        },
        "surveys": {
            "survey_id": f"{spot.survey_mark}-0000000000ff",
            "household_code": spot.household,
            "surveyed_at": "2026-10-10T08:00:00+07:00",
            "enumerator": "E",
            "lon": spot.lon + 0.05,
            "lat": 21.05,
            "accuracy_m": 8,
        },
        "sites": {
            "site_code": f"{spot.mark('R')}-new",
            "household_code": spot.household,
            "kind": "new",
            "stage": "approved",
            "stage_on": "2026-03-01",
        },
    }
    given = {**rows[kind], **changed}
    if spot.commune_code:
        given.setdefault("commune_code", spot.commune_code)
    return {name: value for name, value in given.items() if value is not None}


def csv_of(*rows: dict[str, object]) -> bytes:
    """Rows as a CSV file."""
    lines = [",".join(rows[0])] + [",".join(f'"{value}"' for value in one.values()) for one in rows]
    return "\n".join(lines).encode()


def told_by(sent: dict[str, object]) -> tuple[str, ...]:
    """What a sender knows already: the values sent."""
    return tuple(str(value) for value in sent.values())


def _sent(kind: str) -> Fill:
    """New rows of a commune, as JSON and as a file."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        if not spot.commune_code:
            return
        sent = row(kind, spot)
        names = told_by(sent)
        yield Call(f"/api/v1/{kind}", "POST", json=sent, names=names)
        yield Call(f"/api/v1/{kind}", "POST", query={"dry_run": "true"}, json=sent, names=names)
        file = ("a.csv", csv_of(sent))
        yield Call(f"/api/v1/{kind}", "POST", file=file, names=names)

    return calls


def _uploads(_w: World, spot: Spot) -> Iterable[Call]:
    if not spot.commune_code:
        return
    for kind, action in (
        ("households", "records.send"),
        ("surveys", "surveys.send"),
        ("sites", "records.send"),
    ):
        sent = row(kind, spot)
        yield Call(
            "/import", "POST", form={"kind": kind}, file=("a.csv", csv_of(sent)),
            names=told_by(sent), action=action,
        )  # fmt: skip


# ---- people ----


def _account_pages(_w: World, spot: Spot) -> Iterable[Call]:
    yield _about(_w, "/accounts/{id}", _w.ids.accounts[spot.key])


def _about(_w: World, path: str, number: int, **more: object) -> Call:
    """A page about a numbered thing; its twin's number, of the same length, nobody has."""
    absent = 10 ** len(str(number)) - 1
    return Call(
        path.format(id=number), names=(str(number),),
        twin=Call(path.format(id=absent), names=(str(absent),), **more),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _account_changes(w: World, spot: Spot) -> Iterable[Call]:
    forms: list[dict[str, object]] = [
        {"change": change}
        for change in ("disabled", "enabled", "password-reset", "code-reset", "signed-out")
    ]
    forms += [
        {"change": "renamed", "full_name": "Tên khác", "position": ""},
        {"change": "moved", "area": spot.code},
        {"change": "granted", "role": "auditor", "area": spot.code},
        {"change": "revoked", "held": f"officer@{spot.code}"},
        {"change": "token-revoked", "token": w.ids.tokens[spot.key]},
    ]
    for form in forms:
        yield _about(w, "/accounts/{id}", w.ids.accounts[spot.key], method="POST", form=form)


def _new_account(_w: World, spot: Spot) -> Iterable[Call]:
    form = {
        "login": f"new.{spot.key.lower()}",
        "full_name": "Người mới",
        "area": spot.code,
        "role": "enumerator",
    }
    yield Call("/accounts/new", "POST", form=form)


def _handovers(_w: World, spot: Spot) -> Iterable[Call]:
    form = {"login": spot.login, "reason": "Bàn giao", "keep": "yes"}
    yield Call(f"/accounts/area/{spot.code}/handover", "POST", form=form, names=(spot.login,))


def _new_group(_w: World, spot: Spot) -> Iterable[Call]:
    yield Call("/groups", "POST", form={"name": "Tổ mới", "kind": "", "area": spot.code})


def _group(w: World, spot: Spot) -> Iterable[Call]:
    yield _about(w, "/groups/{id}", w.ids.teams[spot.key])


def _group_changes(w: World, spot: Spot) -> Iterable[Call]:
    for form in (
        {"change": "group-renamed", "name": "Tên khác", "kind": ""},
        {"change": "left", "login": spot.login},
        {"change": "joined", "login": spot.login, "position": "phó"},
        {"change": "group-dissolved"},
    ):
        made = _about(w, "/groups/{id}", w.ids.teams[spot.key], method="POST", form=form)
        yield made


def _log(path: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        yield Call(path, query={"area": spot.code})
        yield Call(path, query={"area": spot.code, "outcome": "denied", "account": spot.login},
                   names=(spot.login,))  # fmt: skip

    return calls


def _others_tokens(w: World, spot: Spot) -> Iterable[Call]:
    number = w.ids.tokens[spot.key]
    yield _about(w, "/account/tokens/{id}/revoke", number, method="POST", form={})


def _searches(path: str, parameter: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for wanted in (COMMON_NAME, spot.mark("R"), spot.household, "Thôn"):
            yield Call(path, query={parameter: wanted}, names=(wanted, spot.mark("R")))

    return calls


def _other_session(_w: World, spot: Spot) -> Iterable[Call]:
    form = {"key": (bytes([spot.number]) * 32).hex()}
    yield Call("/account/sessions/end", "POST", form=form)


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
            *_searches("/api/v1/areas", "q")(w, s), Call("/api/v1/areas", query={"parent": s.code}),
        ],
    ),
    ("api_areas.one", "GET"): Route(SIGNED_IN, "nothing", each("/api/v1/areas/{code}")),
    ("api_areas.children_geojson", "GET"): Route(
        SIGNED_IN, "nothing", each("/api/v1/areas/{code}/children.geojson")
    ),
    ("api_areas.outline_geojson", "GET"): Route(
        SIGNED_IN, "nothing", each("/api/v1/areas/{code}/outline.geojson")
    ),
    # Figures.
    ("api_progress.progress", "GET"): Route(
        "figures.read", "area",
        each("/api/v1/progress/{code}", *(f"/api/v1/progress/{{code}}?format={f}" for f in TABLES)),
    ),
    ("api_progress.ranking", "GET"): Route(
        "figures.read", "area",
        each(
            *(f"/api/v1/targeting?area={{code}}&format={f}" for f in ("json", *TABLES)),
            *(f"/api/v1/targeting?area={{code}}&order={o}" for o in ("poor", "uncovered", "unsupported")),
        ),
    ),
    ("progress.home", "GET"): Route(SIGNED_IN, "nothing", once("/"), (302,)),
    ("progress.area_page", "GET"): Route(
        "figures.read", "area", each("/progress/{code}", "/progress/{code}?sort=households&lang=en")
    ),
    ("targeting.index", "GET"): Route(
        "figures.read", "area", each("/targeting?area={code}", "/targeting?area={code}&order=poor")
    ),
    # Records.
    ("api_households.listing", "GET"): Route(
        "records.read", "area", _listing("/api/v1/households", FILES, status="poor")
    ),
    ("api_surveys.listing", "GET"): Route(
        "records.read", "area",
        lambda w, s: [
            *_listing("/api/v1/surveys", FILES, verdict="doubtful")(w, s),
            *each(*(f"/api/v1/surveys?area={{code}}&order={o}" for o in ("recent", "worst")))(w, s),
        ],
    ),
    ("api_sites.listing", "GET"): Route(
        "records.read", "area", _listing("/api/v1/sites", FILES, stage="roof")
    ),
    ("api_findings.listing", "GET"): Route(
        "records.read", "area", _listing("/api/v1/findings", FILES)
    ),
    ("api_households.one", "GET"): Route(
        "records.read", "record",
        _record("/api/v1/households/{province}/{code}", lambda s: s.household, "{mark}y-H1", True),
    ),
    ("api_sites.one", "GET"): Route(
        "records.read", "record",
        _record("/api/v1/sites/{province}/{code}", lambda s: s.site, "{mark}y-N1", True),
    ),
    ("api_surveys.one", "GET"): Route("records.read", "record", _survey("/api/v1/surveys/{code}")),
    ("tiles.tile", "GET"): Route("records.read", "area", _tiles),
    ("audit.index", "GET"): Route(
        "records.read", "area",
        lambda w, s: [
            *each("/audit?area={code}", "/audit?area={code}&rule=outside")(w, s),
            Call("/audit", query={"area": s.code, "survey": s.survey}, names=(s.survey,)),
        ],
    ),
    ("records.survey", "GET"): Route("records.read", "record", _survey("/surveys/{code}")),
    ("records.survey_evidence", "GET"): Route(
        "records.read", "record", _survey("/surveys/{code}/evidence.json")
    ),
    ("records.household", "GET"): Route(
        "records.read", "record",
        _record("/households/{province}/{code}", lambda s: s.household, "{mark}y-H1", True),
    ),
    ("records.site", "GET"): Route(
        "records.read", "record",
        _record("/sites/{province}/{code}", lambda s: s.site, "{mark}y-N1", True),
    ),
    ("records.search", "GET"): Route(SIGNED_IN, "nothing", _searches("/search", "q")),
    # What is sent.
    ("api_imports.send_households", "POST"): Route(
        "records.send", "sent", _sent("households"), (200, 201), (422,)
    ),
    ("api_imports.send_surveys", "POST"): Route(
        "surveys.send", "sent", _sent("surveys"), (200, 201), (422,)
    ),
    ("api_imports.send_sites", "POST"): Route(
        "records.send", "sent", _sent("sites"), (200, 201), (422,)
    ),
    ("intake.index", "GET"): Route("surveys.send", "nothing", once("/import")),
    ("intake.upload", "POST"): Route("surveys.send", "sent", _uploads, (200,), (422,)),
    # One's own account.
    ("sign_in.page", "GET"): Route(PUBLIC, "nothing", once("/sign-in"), (200, 303)),
    ("sign_in.page", "POST"): Route(
        PUBLIC, "nothing",
        lambda _w, s: [Call("/sign-in", "POST", form={"login": s.login, "password": "x" * 12},
                            names=(s.login,))],
        (401,),
    ),
    ("sign_in.logout", "POST"): Route(
        SIGNED_IN, "nothing", once("/sign-out", method="POST", form={}), (303,)
    ),
    ("account.index", "GET"): Route(SIGNED_IN, "nothing", once("/account"), people=True),
    ("account.end_session", "POST"): Route(
        SIGNED_IN, "nothing", _other_session, (303,), people=True
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
        SIGNED_IN, "nothing", _others_tokens, (404,), people=True
    ),
    # Accounts, groups and the log of an administrator's areas.
    ("accounts.index", "GET"): Route(
        "accounts.manage", "area",
        lambda w, s: [
            *each("/accounts?area={code}", "/accounts?area={code}&state=unused")(w, s),
            Call("/accounts", query={"area": s.code, "q": s.mark("P")}, names=(s.mark("P"),)),
        ],
    ),
    ("accounts.new", "GET"): Route("accounts.manage", "area", each("/accounts/new?area={code}")),
    ("accounts.create", "POST"): Route(
        "accounts.manage", "sent", _new_account, (303,), (403,)
    ),
    ("account_page.index", "GET"): Route("accounts.manage", "record", _account_pages),
    ("account_page.change", "POST"): Route("accounts.manage", "record", _account_changes, (303,)),
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
        "accounts.manage", "sent", _handovers, (303,), (403,)
    ),
    ("teams.index", "GET"): Route(
        "accounts.manage", "area", each("/groups?area={code}", "/groups?area={code}&days=7")
    ),
    ("teams.create", "POST"): Route("accounts.manage", "sent", _new_group, (303,), (403,)),
    ("teams.group", "GET"): Route("accounts.manage", "record", _group),
    ("teams.change", "POST"): Route("accounts.manage", "record", _group_changes, (303,)),
    ("access_log.index", "GET"): Route("log.read", "area", _log("/log")),
    ("access_log.file", "GET"): Route("log.read", "area", _log("/log/file.csv")),
}  # fmt: skip
"""(endpoint, method) → what it does."""

ALL_SPOTS = tuple(SPOTS.values())
