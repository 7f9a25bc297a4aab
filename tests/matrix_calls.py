"""The requests of the matrix: how the parameters of each route are filled for a spot."""

from collections.abc import Callable, Iterable
from math import cos, floor, log, pi, radians, tan
from typing import Any

from tests import pictures
from tests.matrix_asking import Call, World
from tests.matrix_world import COMMON_NAME, Spot

Fill = Callable[[World, Spot], Iterable[Call]]


def once(path: str, **more: object) -> Fill:
    """One call that is about no spot: it is asked for the first one only."""
    return lambda _w, spot: [Call(path, **more)] if spot.key == "V0" else []  # type: ignore[arg-type]


def each(*paths: str, **more: object) -> Fill:
    """Calls with the spot's code in the path."""
    return lambda _w, spot: [Call(path.format(code=spot.code), **more) for path in paths]  # type: ignore[arg-type]


# ---- records ----

TABLES = ("csv", "xlsx")
FILES = (*TABLES, "gpkg")


def listing(path: str, formats: Iterable[str], **filters: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        area = {"area": spot.code}
        yield Call(path, query=area)
        yield Call(path, query={**area, "format": "geojson", "limit": 1})
        yield Call(path, query={**area, **filters, "bbox": "100,15,110,25"} if filters else area)
        for format in formats:
            yield Call(path, query={**area, "format": format}, action="records.export")

    return calls


def record(path: str, code: Callable[[Spot], str], absent: str, in_commune: bool) -> Fill:
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


WHY = "Đối chiếu hồ sơ giấy"


def of_person(path: str, **more: Any) -> Fill:
    """Something asked for about a household, and the same about one that does not exist."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        here, there = spot.household, spot.mark("R")[:-1] + "y-H1"
        province = spot.record_province
        method = "POST" if more else "GET"
        yield Call(
            path.format(province=province, code=here), method, names=(here,), **more,
            twin=Call(path.format(province=province, code=there), method, names=(there,), **more),
        )  # fmt: skip

    return calls


def removals(w: World, spot: Spot) -> Iterable[Call]:
    path, form = "/households/{province}/{code}/remove", {"reason": WHY}
    yield from of_person(path, form=form)(w, spot)
    yield from of_person(path, form={**form, "confirm": spot.household})(w, spot)


def survey(path: str, *verdicts: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for verdict in verdicts:
            here = spot.survey_of(verdict)
            there = "99" + here[2:]
            yield Call(
                path.format(code=here),
                names=(here,),
                twin=Call(path.format(code=there), names=(there,)),
            )

    return calls


def photo_pages(*paths: str) -> Fill:
    """The photo of a spot, and its twin, which no spot has."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for path in paths:
            here, there = spot.photo, "99" + spot.photo[2:]
            yield Call(
                path.format(id=here), names=(here,),
                twin=Call(path.format(id=there), names=(there,)),
            )  # fmt: skip

    return calls


def photo_listings(_w: World, spot: Spot) -> Iterable[Call]:
    """The photos of a survey and of a site, and of what no spot has."""
    mark = spot.mark("R")[:-1]
    for here, there in (
        ({"survey_id": spot.survey}, {"survey_id": "99" + spot.survey[2:]}),
        (
            {"province_code": spot.record_province, "site_code": spot.site},
            {"province_code": spot.record_province, "site_code": f"{mark}y-N1"},
        ),
    ):
        path = "/api/v1/photos"
        yield Call(
            path, query=here, names=tuple(here.values()),
            twin=Call(path, query=there, names=tuple(there.values())),
        )  # fmt: skip


def photos_sent(_w: World, spot: Spot) -> Iterable[Call]:
    """A new photo of a survey and of a site's stage over the API, also of what no spot has."""
    mark = spot.mark("R")[:-1]
    site = {"province_code": spot.record_province, "stage": "roof"}
    for here, there, action in (
        ({"survey_id": spot.survey}, {"survey_id": "99" + spot.survey[2:]}, ""),
        (
            {**site, "site_code": spot.site},
            {**site, "site_code": f"{mark}y-N1"},
            "records.send",
        ),
    ):
        yield _photo("/api/v1/photos", here, there, action)


def _photo(
    path: str,
    here: dict[str, object],
    there: dict[str, object],
    action: str = "",
    other: str | None = None,
) -> Call:
    def call(path: str, form: dict[str, object], **more: Any) -> Call:
        names = tuple(str(one) for one in (*form.values(), *path.split("/")) if len(str(one)) > 6)
        file = ("a.jpg", pictures.jpeg(99))
        return Call(path, "POST", form=form, file=file, part="photo", names=names, **more)

    return call(path, here, action=action, twin=call(other or path, there))


def survey_photos(_w: World, spot: Spot) -> Iterable[Call]:
    path = "/surveys/{code}/photos"
    other = path.format(code="99" + spot.survey[2:])
    yield _photo(path.format(code=spot.survey), {}, {}, other=other)


def site_photos(_w: World, spot: Spot) -> Iterable[Call]:
    path = "/sites/{province}/{code}/photos"
    here, there = (
        path.format(province=spot.record_province, code=code)
        for code in (spot.site, spot.mark("R")[:-1] + "y-N1")
    )
    yield _photo(here, {"stage": "roof"}, {"stage": "roof"}, other=there)


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """The tile of a point, by the slippy map's own formula."""
    phi = radians(lat)
    return (
        floor((lon + 180) / 360 * 2**z),
        floor((1 - log(tan(phi) + 1 / cos(phi)) / pi) / 2 * 2**z),
    )


ORDERS = ("poor", "uncovered", "unsupported")
LAYER_FILTERS = {
    "surveys": {"verdict": "inside", "rule": "outside"},
    "households": {"status": "poor"},
    "sites": {"stage": "roof"},
    "findings": {"rule": "outside", "state": "open"},
}


def tiles(_w: World, spot: Spot) -> Iterable[Call]:
    """All layers, of squares and of points, at a point of the spot, with and without filters."""
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
    """What a sender knows already: the codes sent."""
    return tuple(str(value) for name, value in sent.items() if name.endswith(("_code", "_id")))


def sent(kind: str) -> Fill:
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


def uploads(_w: World, spot: Spot) -> Iterable[Call]:
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


def account_pages(_w: World, spot: Spot) -> Iterable[Call]:
    yield _about(_w, "/accounts/{id}", _w.ids.accounts[spot.key])


def _about(_w: World, path: str, number: int, **more: object) -> Call:
    """A page about a numbered thing; its twin's number, of the same length, nobody has."""
    absent = 10 ** len(str(number)) - 1
    return Call(
        path.format(id=number), names=(str(number),),
        twin=Call(path.format(id=absent), names=(str(absent),), **more),  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def about_sample(path: str) -> Fill:
    """A page about the sample that was drawn at a spot."""
    return lambda w, spot: [_about(w, path, w.ids.samples[spot.key])]


def fixes(_w: World, spot: Spot) -> Iterable[Call]:
    """A commune chosen for an address: no other area can be."""
    form = {"area": spot.code, "text": "xã Cây Gạo, huyện Lạ", "reason": WHY}
    if spot.commune_code:
        yield Call("/addresses/fix", "POST", form={**form, "commune": spot.code})


def fixes_undone(w: World, spot: Spot) -> Iterable[Call]:
    if spot.commune_code:
        path, form = "/addresses/fixes/{id}/undo", {"area": spot.code}
        yield _about(w, path, w.ids.fixes[spot.key], method="POST", form=form)


def account_changes(w: World, spot: Spot) -> Iterable[Call]:
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


def new_account(_w: World, spot: Spot) -> Iterable[Call]:
    form = {
        "login": f"new.{spot.key.lower()}",
        "full_name": "Người mới",
        "area": spot.code,
        "role": "enumerator",
    }
    yield Call("/accounts/new", "POST", form=form)


def handovers(_w: World, spot: Spot) -> Iterable[Call]:
    form = {"login": spot.login, "reason": WHY, "keep": "yes"}
    yield Call(f"/accounts/area/{spot.code}/handover", "POST", form=form, names=(spot.login,))


def new_group(_w: World, spot: Spot) -> Iterable[Call]:
    yield Call("/groups", "POST", form={"name": "Tổ mới", "kind": "", "area": spot.code})


def group(w: World, spot: Spot) -> Iterable[Call]:
    yield _about(w, "/groups/{id}", w.ids.teams[spot.key])


def group_changes(w: World, spot: Spot) -> Iterable[Call]:
    for form in (
        {"change": "group-renamed", "name": "Tên khác", "kind": ""},
        {"change": "left", "login": spot.login},
        {"change": "joined", "login": spot.login, "position": "phó"},
        {"change": "group-dissolved"},
    ):
        made = _about(w, "/groups/{id}", w.ids.teams[spot.key], method="POST", form=form)
        yield made


def log_pages(path: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        yield Call(path, query={"area": spot.code})
        yield Call(path, query={"area": spot.code, "outcome": "denied", "account": spot.login},
                   names=(spot.login,))  # fmt: skip

    return calls


def others_tokens(w: World, spot: Spot) -> Iterable[Call]:
    number = w.ids.tokens[spot.key]
    yield _about(w, "/account/tokens/{id}/revoke", number, method="POST", form={})


def searches(path: str, parameter: str) -> Fill:
    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        if spot.key == "V0":
            yield Call(path, query={parameter: COMMON_NAME})
        yield Call(path, query={parameter: spot.household}, names=(spot.household,))

    return calls


def other_session(_w: World, spot: Spot) -> Iterable[Call]:
    form = {"key": (bytes([spot.number]) * 32).hex()}
    yield Call("/account/sessions/end", "POST", form=form)
