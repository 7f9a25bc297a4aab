"""Rules about photos: what they say of place and time against what was recorded."""

import pandas as pd

from geo.geometry import metres_between
from geo.rules.photo_reuse import nothing, reused, with_photos
from geo.rules.rule import SITE, SURVEY, Context, Rule

_HOME = ["province_code", "commune_code"]
_LOCAL = "Asia/Ho_Chi_Minh"
_DAY_S = 86_400.0


def elsewhere(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A photo's EXIF place is farther from the point than the setting and both errors allow."""
    settings = context.settings
    found = with_photos(rows, context.photos, ["lon", "lat", "accuracy_used_m"])
    places = [found[name].to_numpy(float) for name in ("photo_lon", "photo_lat", "lon", "lat")]
    error = found["accuracy_used_m"].astype(float).fillna(settings.assumed_accuracy_m)
    found["distance_m"] = metres_between(*places)
    found["limit_m"] = settings.photo_distance_m + error + settings.assumed_accuracy_m
    far = found[found["distance_m"] > found["limit_m"]]
    kept = ["distance_m", "limit_m", "photo_lon", "photo_lat", "photo_id"]
    return _worst(far, "distance_m")[kept]


def other_time(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A survey's photo was taken at another time than the survey."""
    found = with_photos(rows, context.photos, ["surveyed_at"])
    apart = pd.to_datetime(found["surveyed_at"], utc=True) - found["taken_at"]
    found["apart_s"] = apart.dt.total_seconds().abs()
    found = found[found["apart_s"] > context.settings.photo_hours * 3600]
    return _worst(found, "apart_s")[["taken_at", "surveyed_at", "apart_s", "photo_id"]]


def other_stage_time(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A photo of a building stage was taken days away from the day when it was reached."""
    found = with_photos(rows, context.photos, ["site_code"])
    if found.empty or context.stages.empty:
        return nothing(["taken_at", "stage_on", "apart_s", "stage", "photo_id"])
    reached = context.stages[[*_HOME, "site_code", "stage", "stage_on"]].dropna(subset="stage_on")
    keys = [*_HOME, "site_code", "stage"]
    found = found.merge(reached.drop_duplicates(keys, keep="last"), on=keys)
    taken = found["taken_at"].dt.tz_convert(_LOCAL).dt.tz_localize(None).dt.normalize()
    found["apart_s"] = (taken - pd.to_datetime(found["stage_on"])).dt.total_seconds().abs()
    found = found[found["apart_s"] > context.settings.photo_stage_days * _DAY_S]
    return _worst(found, "apart_s")[["taken_at", "stage_on", "apart_s", "stage", "photo_id"]]


def stripped(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """None of the photos says where or when it was taken."""
    found = with_photos(rows, context.photos, [])
    told = found["exif"].eq("present").groupby(found["row"]).agg(["any", "size"])
    return told.loc[~told["any"].astype(bool), ["size"]].rename(columns={"size": "photos"})


def stage_places(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Photos of one site were taken at places that are far from each other."""
    settings = context.settings
    limit = settings.photo_distance_m + 2 * settings.assumed_accuracy_m
    found = with_photos(rows, context.photos, [])
    found = found[found["photo_lon"].notna()]
    both = found.merge(found, on="row", suffixes=("", "_2"))
    names = ("photo_lon", "photo_lat", "photo_lon_2", "photo_lat_2")
    both["distance_m"] = metres_between(*(both[name].to_numpy(float) for name in names))
    both["limit_m"] = limit
    far = _worst(both[both["distance_m"] > limit], "distance_m")
    return far[["distance_m", "limit_m", "photo_id", "photo_id_2"]].rename(
        columns={"photo_id_2": "other_photo_id"}
    )


def _worst(found: pd.DataFrame, by: str) -> pd.DataFrame:
    """The photo of each survey or site in which most is odd, by the row's own index."""
    ordered = found.sort_values(by, ascending=False, kind="stable")
    return ordered.drop_duplicates("row").set_index("row")


PHOTOS = (
    Rule(
        "photo_reused",
        "photo",
        3,
        0.6,
        "Ảnh dùng lại",
        "Photo used again",
        "Ảnh trùng với ảnh của {households} hộ khác và {stages} giai đoạn khác của nhà này; khác "
        "nhau {bits} trên 64 đặc điểm của ảnh.",
        "The photo is the same as those of {households} other households and of {stages} other "
        "stages of this house; it differs in {bits} of the picture's 64 features.",
        "Cùng một bức ảnh, có thể đã lưu lại hay đổi cỡ, được nộp cho nhiều hộ hoặc nhiều giai "
        "đoạn. Mở vụ việc để đặt các ảnh cạnh nhau; ảnh giấy tờ hoặc biển hiệu có thể giống nhau.",
        "One picture, perhaps saved anew or resized, was handed in for several households or "
        "stages. Open the case to see them side by side; photos of forms or signs may look alike.",
        reused,
        (SURVEY, SITE),
    ),
    Rule(
        "photo_elsewhere",
        "photo",
        3,
        0.4,
        "Ảnh chụp ở nơi khác",
        "Photo taken elsewhere",
        "Nơi chụp ghi trong ảnh cách điểm ghi nhận {distance_m}, mức cho phép là {limit_m}.",
        "The place recorded in the photo is {distance_m} from the recorded point; the limit is "
        "{limit_m}.",
        "Điện thoại ghi nơi chụp khác với điểm của phiếu hoặc nhà. Cần xem ảnh có phải của hộ này, "
        "hay điểm không được đo tại nhà.",
        "The phone recorded another place than the survey's or site's point. See whether the photo "
        "is of this household, or the point was not measured at the house.",
        elsewhere,
        (SURVEY, SITE),
    ),
    Rule(
        "photo_other_time",
        "photo",
        2,
        0.25,
        "Ảnh chụp vào lúc khác",
        "Photo taken at another time",
        "Ảnh chụp lúc {taken_at}, phiếu lập lúc {surveyed_at}, cách nhau {apart_s}.",
        "The photo was taken at {taken_at}, the survey at {surveyed_at}, {apart_s} apart.",
        "Ảnh không chụp trong lần khảo sát này, hoặc đồng hồ của một trong hai thiết bị sai.",
        "The photo was not taken on this visit, or the clock of one of the devices is wrong.",
        other_time,
    ),
    Rule(
        "stage_photo_places",
        "stage",
        3,
        0.4,
        "Ảnh các giai đoạn ở những nơi khác nhau",
        "Photos of one house at different places",
        "Hai ảnh của cùng một nhà được chụp cách nhau {distance_m}, mức cho phép là {limit_m}.",
        "Two photos of one house were taken {distance_m} apart; the limit is {limit_m}.",
        "Các giai đoạn của một nhà phải ở cùng một chỗ. Cần xem ảnh nào không phải của nhà này.",
        "The stages of a house stand in one place. See which photo is not of this house.",
        stage_places,
        (SITE,),
    ),
    Rule(
        "stage_photo_time",
        "stage",
        2,
        0.25,
        "Ảnh giai đoạn chụp vào ngày khác",
        "Stage photo of another day",
        "Ảnh chụp lúc {taken_at}, giai đoạn được báo đạt ngày {stage_on}, cách nhau {apart_s}.",
        "The photo was taken at {taken_at}, the stage is said to be reached on {stage_on}, "
        "{apart_s} apart.",
        "Ảnh cũ được nộp cho giai đoạn này, ngày báo chưa đúng, hoặc đồng hồ của máy ảnh sai.",
        "An older photo was handed in for this stage, the day is wrong, or the camera's clock is.",
        other_stage_time,
        (SITE,),
    ),
    Rule(
        "photo_stripped",
        "photo",
        1,
        0.05,
        "Ảnh không còn nơi và lúc chụp",
        "Photo without place and time",
        "Không ảnh nào ({photos} ảnh) còn ghi nơi hay lúc chụp.",
        "None of the photos ({photos}) tells where or when it was taken.",
        "Ứng dụng nhắn tin và ảnh chụp màn hình làm mất thông tin này: chưa có gì mâu thuẫn, nhưng "
        "cũng không đối chiếu được.",
        "Messengers and screenshots lose this: nothing contradicts, but nothing can be compared.",
        stripped,
        (SURVEY, SITE),
    ),
)
