"""Words of the pages about verification samples: ways of drawing, outcomes, and estimates."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from geo.audit.estimates import Estimate, OfOne
from geo.audit.sample_proof import Proof
from geo.paging import Record
from web.formats import number, percent

METHODS: dict[str, LazyString] = {
    "random": _l("Ngẫu nhiên đơn giản"),
    "stratified": _l("Phân tầng theo điều tra viên"),
    "weighted": _l("Theo mức rủi ro"),
}
METHODS_MEAN: dict[str, LazyString] = {
    "random": _l("Mọi phiếu có cơ hội như nhau; để biết tỷ lệ chung."),
    "stratified": _l("Điều tra viên nào cũng có phiếu được rút; để so sánh và không bỏ sót ai."),
    "weighted": _l(
        "Phiếu rủi ro cao dễ được rút hơn; gặp nhiều phiếu sai, nhưng tỷ lệ kém chính xác."
    ),
}
OUTCOMES: dict[str, LazyString] = {
    "match": _l("Khớp"),
    "mismatch": _l("Không khớp"),
    "unreachable": _l("Không gặp được"),
    "waiting": _l("Chưa kiểm tra"),
}
SIGNS = {"match": "✓", "mismatch": "✕", "unreachable": "○", "waiting": "…"}
KEYS = {"match": "1", "mismatch": "2", "unreachable": "3"}
"""The keys that record an outcome; web/static/js/samples.js takes them from the buttons."""


def span(low: float, high: float) -> str:
    """An interval of rates."""
    return _("từ %(low)s đến %(high)s", low=percent(low), high=percent(high))


def progress(sample: Record, found: Estimate) -> str:
    """How much of the sample is checked."""
    return _(
        "Đã kiểm tra %(checked)s trên %(size)s phiếu của mẫu; %(wrong)s phiếu không khớp.",
        checked=number(found.checked),
        size=number(sample["size"]),
        wrong=number(found.mismatches),
    )


def rate(sample: Record, found: Estimate) -> str:
    """The estimate in one sentence that claims no more than the interval."""
    if found.rate is None:
        return _("Chưa kiểm tra phiếu nào nên chưa nói được gì về tỷ lệ không khớp.")
    return _(
        "Trong cả %(frame)s phiếu lúc rút, tỷ lệ không khớp ước lượng là %(rate)s; với độ tin cậy "
        "95 %%, tỷ lệ thật %(span)s.",
        frame=number(sample["frame_size"]),
        rate=percent(found.rate),
        span=span(found.low, found.high),
    )


def cautions(sample: Record, found: Estimate) -> list[str]:
    """What keeps the estimate from being more than it is."""
    told = []
    if found.rate is not None and found.waiting:
        told.append(
            _(
                "Còn %(n)s phiếu chưa kiểm tra: đây mới là kết quả tạm tính, vì các phiếu còn lại "
                "có thể khác các phiếu đã kiểm tra.",
                n=number(found.waiting),
            )
        )
    if found.unreachable and found.rate is not None:
        told.append(
            _(
                "%(n)s phiếu không gặp được hộ. Nếu tất cả đều khớp, hoặc tất cả đều không khớp, "
                "khoảng trên rộng ra: %(span)s.",
                n=number(found.unreachable),
                span=span(found.least, found.most),
            )
        )
    if found.rate is not None and found.effective < 0.9 * found.checked:
        told.append(
            _(
                "Các phiếu được rút với xác suất khác nhau, nên mẫu này chỉ cho biết chừng như "
                "%(n)s phiếu rút ngẫu nhiên đơn giản.",
                n=number(found.effective),
            )
        )
    return told


def of_one(found: OfOne) -> str:
    """What is known of one enumerator's surveys."""
    if found.low is None or found.high is None:
        return _("quá ít để nói")
    return span(found.low, found.high)


def changes(proof: Proof) -> list[str]:
    """What is not as it was when the sample was drawn, through nobody's fault."""
    told = []
    for count, text in (
        (proof.added, _l("%(n)s phiếu đến sau khi rút hoặc từ nơi khác chuyển về")),
        (proof.gone, _l("%(n)s phiếu lúc rút nay không còn trong địa bàn")),
        (proof.changed, _l("%(n)s phiếu nay có mức rủi ro hoặc điều tra viên khác")),
        (proof.removed, _l("%(n)s phiếu của mẫu đã xoá theo yêu cầu của chủ thể dữ liệu")),
        (proof.unseen, _l("%(n)s phiếu của mẫu nay ở địa bàn khác")),
    ):
        if count:
            told.append(str(text) % {"n": number(count)})
    return told
