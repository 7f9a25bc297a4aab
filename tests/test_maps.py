"""What Folium makes of our layers, and the files that the browser needs."""

import json

import jinja2
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from geo.areas import COUNTRY
from geo.config import settings
from web import assets, basemap, language, maps, records, sign_in

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text() | st.sampled_from(["{{", "${", "`"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def app() -> Flask:
    made = Flask("web", root_path=str(assets.ROOT))
    language.install(made)
    made.register_blueprint(records.pages)
    made.register_blueprint(sign_in.pages)
    return made


@given(JSON)
def test_script_json_survives_a_template_and_stays_the_same_value(value: object) -> None:
    written = maps.script_json(value)
    rendered = jinja2.Template(written).render()
    assert json.loads(rendered) == value


@given(st.text(alphabet="<>&'`${%#}/scrptim\u2028\"\\", max_size=30))
def test_script_json_holds_nothing_that_a_page_or_template_would_run(text: str) -> None:
    written = maps.script_json({"x": [text]})
    for live in ("<", ">", "&", "`", "$", "'", "{{", "{%", "{#", "\u2028"):
        assert live not in written


def test_a_map_asks_only_for_files_of_this_service(app: Flask) -> None:
    with app.test_request_context():
        made = maps.LocalMap("bản đồ")
        maps.outline(COUNTRY).add_to(made)
        html = maps.render(made)
    whole = html.head + html.body + html.script
    assert "http://" not in whole and "https://" not in whole
    assert "/static/vendor/leaflet.js" in html.head
    for foreign in ("jquery", "bootstrap", "awesome", "cdn"):
        assert foreign not in whole.lower()


def test_two_maps_do_not_share_their_links(app: Flask) -> None:
    with app.test_request_context():
        first, second = maps.LocalMap("a"), maps.LocalMap("b")
        assert first.default_js is not second.default_js
        assert maps.render(first).script != maps.render(second).script


def test_a_basemap_is_asked_for_only_when_its_address_is_set(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = settings().model_copy(update={"basemap_url": "https://tiles.example/{z}/{x}/{y}"})
    monkeypatch.setattr(basemap, "settings", lambda: known)
    with app.test_request_context():
        html = maps.render(maps.LocalMap("bản đồ"))
    assert "https://tiles.example/{z}/{x}/{y}" in html.script


def test_an_area_code_cannot_leave_its_place_in_an_address(app: Flask) -> None:
    with app.test_request_context():
        made = maps.LocalMap("bản đồ")
        maps.outline('1"></script>{{"zq"*2}}').add_to(made)
        script = maps.render(made).script
    assert "</script>" not in script and "zqzq" not in script


def test_every_scale_has_one_colour_more_than_breaks() -> None:
    for scale in maps.SCALES.values():
        assert len(scale.colours) == len(scale.breaks) + 1
        assert list(scale.breaks) == sorted(scale.breaks)


def test_no_two_verdicts_share_colour_shape_or_sign() -> None:
    marks = list(maps.VERDICT_MARKS.values())
    for attribute in ("colour", "shape", "sign"):
        assert len({getattr(mark, attribute) for mark in marks}) == len(marks)


def test_browser_files_are_copied_and_a_missing_one_is_named(tmp_path) -> None:
    assets.copy(target=tmp_path / "vendor")
    assert all((tmp_path / "vendor" / name).is_file() for name in assets.FILES.values())
    with pytest.raises(FileNotFoundError, match="leaflet"):
        assets.copy(source=tmp_path / "nowhere", target=tmp_path / "again")
