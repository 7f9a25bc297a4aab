"""Rules about photos: place, time, pictures used again; each hits what it says and nothing else."""

import random
from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.config import Settings
from geo.photos import lookalikes
from geo.rules import Context, say
from geo.rules.photo_reuse import reused
from geo.rules.photos import PHOTOS

SETTINGS = Settings()
BY_CODE = {rule.code: rule for rule in PHOTOS}
HOME = {"province_code": "19", "commune_code": "05001"}
NORTH_M = 110_750  # one degree of latitude at 21.5° N, metres, to half a per cent
TAKEN = pd.Timestamp("2026-09-30T01:15:00Z")


def survey(number=1, **changed):
    return {
        **HOME, "survey_id": f"s{number}", "household_code": f"H{number}", "lon": 105.8,
        "lat": 21.5, "accuracy_used_m": 10.0, "surveyed_at": TAKEN, "site_code": None,
    } | changed  # fmt: skip


def site(number=1, **changed):
    return {
        **HOME, "site_code": f"n{number}", "household_code": f"H{number}", "lon": 105.8,
        "lat": 21.5, "accuracy_used_m": 10.0, "stage": "roof", "stage_on": date(2026, 9, 1),
    } | changed  # fmt: skip


def photo(number=1, of="survey", **changed):
    made = {
        **HOME, "subject": of, "subject_id": f"{of[0] if of == 'survey' else 'n'}{number}",
        "household_code": f"H{number}", "stage": "", "lon": 105.8, "lat": 21.5, "taken_at": TAKEN,
        "exif": "present", "hash": None, "sha256": f"{number:064x}",
    } | changed  # fmt: skip
    made.setdefault("photo_id", f"p-{made['subject_id']}-{made['sha256'][-3:]}-{made['stage']}")
    return made


def found(rule, rows, pictures, stages=(), settings=SETTINGS):
    frame = pd.DataFrame(rows, index=range(100, 100 + len(rows)))
    made = pd.DataFrame(pictures)
    if len(made):
        made["taken_at"] = pd.to_datetime(made["taken_at"], utc=True)
        made["hash"] = made["hash"].astype(object)
    context = Context(settings, photos=made, stages=pd.DataFrame(stages))
    hits = BY_CODE[rule].find(frame, context)
    assert hits.index.is_unique and set(hits.index) <= set(frame.index)
    return {
        int(row): values for row, values in zip(hits.index, hits.to_dict("records"), strict=True)
    }


@pytest.mark.parametrize("code", BY_CODE)
@pytest.mark.parametrize("rows", [[], [survey()], [site()]], ids=["no rows", "survey", "site"])
def test_without_photos_nothing_is_found(code, rows):
    assert found(code, rows, []) == {}


@pytest.mark.parametrize("code", BY_CODE)
def test_a_photo_that_fits_is_no_finding(code):
    pictures = [photo(hash=0x0F0F0F0F0F0F0F0F), photo(2, hash=0x33CC33CC33CC33CC)]
    assert found(code, [survey(), survey(2)], pictures) == {}


# ---- place


@pytest.mark.parametrize(
    ("north_m", "hit"), [(0, False), (200, False), (236, False), (244, True), (51_000, True)]
)
def test_elsewhere_counts_from_the_setting_and_both_errors(north_m, hit):
    """200 m, 10 m of the point, 30 m assumed for the photo."""
    hits = found("photo_elsewhere", [survey()], [photo(lat=21.5 + north_m / NORTH_M)])
    assert set(hits) == ({100} if hit else set())
    if hit:
        assert hits[100]["distance_m"] == pytest.approx(north_m, rel=0.005)
        assert hits[100]["limit_m"] == 240.0
        assert hits[100]["photo_id"] == "p-s1-001-"


def test_elsewhere_tells_the_farthest_photo_and_keeps_to_its_own_survey():
    far = photo(lat=22.0, sha256="b" * 64, photo_id="far")
    hits = found(
        "photo_elsewhere",
        [survey(), survey(2), survey(3, commune_code="05002")],
        [photo(), photo(lat=21.6, photo_id="less"), far, photo(2), photo(3, lat=23.0)],
    )
    assert {row: one["photo_id"] for row, one in hits.items()} == {100: "far"}


@pytest.mark.parametrize(
    ("row", "picture"),
    [
        (survey(lon=np.nan, lat=np.nan), photo()),
        (survey(), photo(lon=np.nan, lat=np.nan, exif="stripped")),
    ],
    ids=["survey without a point", "photo without a place"],
)
def test_elsewhere_needs_both_places(row, picture):
    assert found("photo_elsewhere", [row], [picture]) == {}


def test_elsewhere_is_asked_of_sites_too():
    pictures = [photo(of="site", stage="roof", lat=21.6), photo(lat=22.5)]
    hits = found("photo_elsewhere", [site()], pictures)
    assert [round(one["distance_m"], -3) for one in hits.values()] == [11_000]


# ---- time


@pytest.mark.parametrize(
    ("hours", "hit"),
    [(0, False), (6, False), (-6, False), (6.01, True), (-6.01, True), (720, True)],
)
def test_another_time_is_more_than_the_setting_before_or_after(hours, hit):
    taken = TAKEN + pd.Timedelta(hours=hours)
    hits = found("photo_other_time", [survey()], [photo(taken_at=taken)])
    assert set(hits) == ({100} if hit else set())
    if hit:
        assert hits[100]["apart_s"] == pytest.approx(abs(hours) * 3600)
        assert hits[100]["taken_at"] == taken


def test_a_photo_without_a_time_tells_none():
    assert found("photo_other_time", [survey()], [photo(taken_at=None)]) == {}


STAGE = {**HOME, "site_code": "n1", "stage": "roof", "stage_on": date(2026, 9, 1)}


@pytest.mark.parametrize(
    ("taken", "hit"),
    [
        ("2026-09-01T02:00:00Z", False),
        ("2026-08-17T18:00:00Z", False),  # 18 August in Viet Nam: 14 days
        ("2026-08-17T16:00:00Z", True),  # still 17 August: 15 days
        ("2026-09-15T16:00:00Z", False),
        ("2026-09-15T18:00:00Z", True),
    ],
)
def test_a_stage_photo_is_compared_by_days_in_viet_nam(taken, hit):
    picture = photo(of="site", stage="roof", taken_at=taken)
    hits = found("stage_photo_time", [site()], [picture], [STAGE])
    assert set(hits) == ({100} if hit else set())
    if hit:
        assert hits[100]["apart_s"] == 15 * 86_400
        assert hits[100]["stage_on"] == date(2026, 9, 1)


def test_a_stage_photo_is_compared_with_its_own_stage():
    stages = [STAGE, STAGE | {"stage": "frame", "stage_on": date(2026, 3, 1)},
              STAGE | {"stage": "started", "stage_on": None}]  # fmt: skip
    old = "2026-03-02T02:00:00Z"
    for stage, hit in (("frame", set()), ("roof", {100}), ("started", set()), ("", set())):
        picture = photo(of="site", stage=stage, taken_at=old)
        assert set(found("stage_photo_time", [site()], [picture], stages)) == hit, stage


# ---- nothing to compare


@pytest.mark.parametrize(
    ("states", "photos_told"),
    [(["stripped"], 1), (["none", "stripped"], 2), (["present", "stripped"], None)],
)
def test_stripped_is_said_only_when_no_photo_tells_anything(states, photos_told):
    pictures = [photo(exif=state, sha256=f"{n}") for n, state in enumerate(states)]
    hits = found("photo_stripped", [survey()], pictures)
    assert hits == ({} if photos_told is None else {100: {"photos": photos_told}})


def test_a_stripped_photo_contradicts_nothing():
    bare = photo(exif="stripped", lon=np.nan, lat=np.nan, taken_at=None)
    for code in set(BY_CODE) - {"photo_stripped"}:
        assert found(code, [survey()], [bare]) == {}, code


# ---- places of one site


def test_stage_photos_of_one_site_stand_in_one_place():
    near = photo(of="site", stage="frame", lat=21.5 + 250 / NORTH_M, sha256="b")
    far = photo(of="site", stage="roof", lat=21.5 + 900 / NORTH_M, sha256="c")
    first = photo(of="site", stage="started", sha256="a")
    other = photo(2, of="site", stage="roof", lat=21.9, sha256="d")
    rows = [site(), site(2)]
    assert found("stage_photo_places", rows, [first, near, other]) == {}
    hits = found("stage_photo_places", rows, [first, near, far, other])
    assert set(hits) == {100}
    assert hits[100]["distance_m"] == pytest.approx(900, rel=0.005)
    assert hits[100]["limit_m"] == 260.0


# ---- used again

A = 0x5A5A_0FF0_33CC_9669
NEAR = A ^ 0b111111  # six bits
FAR = A ^ 0b1111111  # seven


@pytest.mark.parametrize(("other", "bits"), [(A, 0), (NEAR, 6), (FAR, None)])
def test_a_picture_of_another_household_is_used_again(other, bits):
    pictures = [photo(hash=A), photo(2, hash=other), photo(3, hash=~A)]
    hits = found("photo_reused", [survey(n) for n in (1, 2, 3)], pictures)
    if bits is None:
        assert hits == {}
        return
    assert set(hits) == {100, 101}
    assert all(one["bits"] == bits and one["households"] == 1 for one in hits.values())
    assert hits[100]["group"] == hits[101]["group"] == "0" * 16


def test_negative_and_unsigned_hashes_are_the_same():
    top = 0xF0F0_0FF0_33CC_9669
    for given in ([top - 2**64, top - 2**64], np.array([top, top], dtype=np.uint64)):
        made = pd.DataFrame([photo(), photo(2)]).assign(hash=given)
        frame = pd.DataFrame([survey(), survey(2)])
        assert list(reused(frame, Context(SETTINGS, photos=made)).index) == [0, 1]


def test_a_household_may_show_its_own_picture_twice():
    again = photo(hash=A, sha256="b" * 64)
    house = photo(1, of="site", stage="proposed", hash=A)
    assert found("photo_reused", [survey()], [photo(hash=A), again, house]) == {}
    assert found("photo_reused", [site()], [photo(hash=A), again, house]) == {}


def test_another_stage_of_the_same_site_is_another_picture():
    pictures = [
        photo(of="site", stage="foundation", hash=A, sha256="1"),
        photo(of="site", stage="roof", hash=NEAR, sha256="2"),
        photo(of="site", stage="roof", hash=A ^ 1, sha256="3"),
        photo(2, of="site", stage="roof", hash=~A, sha256="4"),
    ]
    hits = found("photo_reused", [site(), site(2)], pictures)
    assert set(hits) == {100}
    assert (hits[100]["stages"], hits[100]["households"], hits[100]["bits"]) == (1, 0, 1)


def test_photos_without_a_hash_are_never_the_same():
    pictures = [photo(hash=None, sha256="a"), photo(2, hash=None, sha256="a")]
    assert found("photo_reused", [survey(), survey(2)], pictures) == {}


def test_a_survey_and_a_site_of_different_households_share_a_case():
    pictures = [photo(hash=A, sha256="a" * 64), photo(2, of="site", hash=NEAR, sha256="b" * 64)]
    (one,) = found("photo_reused", [survey()], pictures).values()
    (two,) = found("photo_reused", [site(2)], pictures).values()
    assert one["group"] == two["group"] == "a" * 16


def test_households_of_two_communes_are_two_even_with_one_code():
    other = photo(1, commune_code="05002", subject_id="s9", hash=A)
    hits = found("photo_reused", [survey()], [photo(hash=A), other])
    assert hits[100]["households"] == 1


def test_evidence_names_no_other_household():
    pictures = [photo(hash=A), photo(2, hash=A, commune_code="05002")]
    assert "H2" not in str(found("photo_reused", [survey()], pictures))


def test_pairs_are_those_of_comparing_each_with_each():
    chance = random.Random(7)
    hashes = [chance.getrandbits(64) for _ in range(400)]
    for source in hashes[:150]:
        changed = source
        for bit in chance.sample(range(64), chance.randint(1, 8)):
            changed ^= 1 << bit
        hashes.append(changed)
    unique = np.unique(np.array(hashes, dtype=np.uint64))
    for distance in (0, 1, 6, 8):
        i, j, apart = lookalikes.pairs(unique, distance)
        listed = unique.tolist()
        wanted = {
            (a, b, (listed[a] ^ listed[b]).bit_count())
            for a in range(len(listed))
            for b in range(a + 1, len(listed))
            if (listed[a] ^ listed[b]).bit_count() <= distance
        }
        assert set(zip(i.tolist(), j.tolist(), apart.tolist(), strict=True)) == wanted
        assert len(wanted) >= (0 if distance == 0 else 1)


def test_very_many_alike_are_still_one_group():
    """More than are compared within one bucket."""
    base = np.uint64(0x5A5A_0FF0_33CC_0000)
    hashes = base + np.arange(1000, dtype=np.uint64)
    i, j, _apart = lookalikes.pairs(hashes, 6)
    assert len(set(lookalikes.groups(1000, i, j).tolist())) == 1


@pytest.mark.parametrize("language", ["vi", "en"])
def test_sentences_have_their_numbers(language):
    said = say(
        BY_CODE["photo_elsewhere"], {"distance_m": 51_000.0, "limit_m": 240.0}, language
    ) + say(BY_CODE["photo_reused"], {"households": 2, "stages": 0, "bits": 3}, language)
    assert "51 km" in said and "240 m" in said and "–" not in said
