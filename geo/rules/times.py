"""Rules about clocks: odd hours, times after the sending, clocks that jump, surveys sent late."""

import numpy as np
import pandas as pd

from geo.rules import visits
from geo.rules.rule import Context, Rule
from geo.rules.visits import NOBODY


def odd_hours(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The survey was made at night, in Viet Nam's time."""
    moment_s = visits.seconds(rows["surveyed_at"])
    hour = visits.hours(moment_s)
    odd = (hour < context.settings.early_hour) | (hour >= context.settings.late_hour)
    return rows.loc[odd & visits.timed(moment_s), ["surveyed_at"]]


def clock_ahead(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The survey is dated later than it was sent or received."""
    made = visits.seconds(rows["surveyed_at"])
    known = np.fmin(visits.seconds(rows["sent_at"]), visits.seconds(rows["received_at"]))
    ahead_s = made - known
    hit = ahead_s > 60 * context.settings.clock_minutes
    found = rows.loc[hit, ["surveyed_at"]].assign(ahead_s=ahead_s[hit])
    found["known_at"] = pd.to_datetime(known[hit], unit="s", utc=True).round("s")
    return found


def clock_jump(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """A device's surveys, in the order of sending, go back in time and forth, or far back."""
    made, sent = visits.seconds(rows["surveyed_at"]), visits.seconds(rows["sent_at"])
    device = pd.factorize(rows["device_id"].replace("", None))[0]
    # What is dated after its own sending has a clock that is ahead, and tells nothing of others.
    sound = made <= sent + 60 * context.settings.clock_minutes
    kept = np.flatnonzero((device != NOBODY) & sound)
    by_sending = kept[np.lexsort((sent[kept], device[kept]))]
    new = np.diff(device[by_sending], prepend=NOBODY) != 0
    # What went out together tells nothing by its order.
    pause_s = np.diff(sent[by_sending], prepend=0.0)
    parcel = np.cumsum(new | (pause_s > 60 * context.settings.sent_together_minutes))
    in_time = np.lexsort((made[by_sending], parcel))
    by_sending, parcel = by_sending[in_time], parcel[in_time]
    frame = pd.DataFrame({"device": device[by_sending], "made": made[by_sending]})
    frame["parcel"] = parcel
    # What any earlier parcel had already reached in time, and what some later one has.
    parcels = frame.groupby("parcel").agg(device=("device", "first"), made=("made", "max"))
    before = parcels.groupby("device")["made"].cummax().groupby(parcels["device"]).shift()
    back_to_front = parcels[::-1]
    later = back_to_front.groupby("device")["made"].cummax()
    later = later.groupby(back_to_front["device"]).shift()
    frame["before"], frame["later"] = frame["parcel"].map(before), frame["parcel"].map(later)
    limit_s = 3600 * context.settings.clock_jump_hours
    back_s = frame["before"] - frame["made"]
    back = (back_s > limit_s) & (frame["later"] - frame["made"] > limit_s)
    far_back = back_s > 86_400 * context.settings.clock_back_days
    jumped = frame[back | far_back].groupby("device")["parcel"].nunique()
    hit = far_back | (
        back & frame["device"].isin(jumped.index[jumped >= context.settings.clock_jumps])
    )
    index = rows.index[by_sending[hit]]
    return pd.DataFrame(
        {
            "surveyed_at": rows.loc[index, "surveyed_at"],
            "sent_at": rows.loc[index, "sent_at"],
            "back_s": back_s[hit].to_numpy(),
            "jumps": jumped.reindex(frame.loc[hit, "device"]).to_numpy(),
            "group": rows.loc[index, "device_id"],
        },
        index,
    )


def sent_late(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """The survey was sent days after it was made."""
    late_s = visits.seconds(rows["sent_at"]) - visits.seconds(rows["surveyed_at"])
    hit = late_s > 86_400 * context.settings.late_days
    return rows.loc[hit, ["sent_at"]].assign(late_s=late_s[hit])


TIMES = (
    Rule(
        "clock_ahead",
        "movement",
        2,
        0.25,
        "Đồng hồ chạy trước",
        "Clock ahead",
        "Giờ khảo sát là {surveyed_at}, muộn hơn {ahead_s} so với lúc phiếu được gửi hoặc nhận "
        "({known_at}).",
        "The survey is dated {surveyed_at}, {ahead_s} later than it was sent or received "
        "({known_at}).",
        "Đồng hồ của thiết bị sai, nên ngày giờ của phiếu chưa dùng được để đối chiếu.",
        "The device's clock is wrong, so the survey's date and time prove nothing.",
        clock_ahead,
    ),
    Rule(
        "clock_jump",
        "movement",
        2,
        0.25,
        "Đồng hồ nhảy lùi",
        "Clock that jumps",
        "Phiếu ghi lúc {surveyed_at} được gửi lúc {sent_at}, sau một phiếu muộn hơn {back_s}; đồng "
        "hồ của thiết bị đã lùi như vậy {jumps} lần.",
        "The survey of {surveyed_at} was sent at {sent_at}, after one that is {back_s} later; the "
        "device's clock went back like this {jumps} times.",
        "Ngày giờ của thiết bị bị chỉnh qua lại, hoặc nhiều phiếu cũ được gửi lẻ tẻ. Hãy kiểm tra "
        "cài đặt ngày giờ của máy.",
        "The device's date was set back and forth, or old surveys were sent one by one. Check the "
        "device's date settings.",
        clock_jump,
    ),
    Rule(
        "odd_hours",
        "movement",
        1,
        0.1,
        "Ngoài giờ thông thường",
        "At an odd hour",
        "Phiếu được lập lúc {surveyed_at}.",
        "The survey was made at {surveyed_at}.",
        "Ít khi khảo sát tại nhà vào giờ này. Có thể phiếu được nhập lại vào buổi tối, hoặc đồng "
        "hồ của thiết bị sai.",
        "Homes are seldom visited at this hour. The form may have been entered in the evening, or "
        "the device's clock is wrong.",
        odd_hours,
    ),
    Rule(
        "sent_late",
        "movement",
        1,
        0.08,
        "Gửi muộn",
        "Sent late",
        "Phiếu được gửi lúc {sent_at}, {late_s} sau khi khảo sát.",
        "The survey was sent at {sent_at}, {late_s} after it was made.",
        "Ở nơi không có sóng, điều này là bình thường. Phiếu để lâu trong máy vẫn có thể bị sửa.",
        "Where there is no network this is usual. A survey that waits in a device can still be "
        "changed.",
        sent_late,
    ),
)
