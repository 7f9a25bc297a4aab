"""The words of audit reports, in Vietnamese and English."""

from collections.abc import Mapping
from typing import Any

from geo.rules import FAMILIES, RULES
from geo.terms import VERDICT_TERMS, Term

_WORDS: dict[str, Term] = {
    "title": ("Báo cáo kiểm tra vị trí khảo sát", "Audit report on survey locations"),
    "front": ("Báo cáo", "Report"),
    "area": ("Địa bàn", "Area"),
    "period": ("Kỳ báo cáo", "Period"),
    "whole": ("toàn bộ dữ liệu đến nay", "all data until now"),
    "from": ("từ ngày {day}", "from {day}"),
    "to": ("đến hết ngày {day}", "until {day}"),
    "made": ("Lập lúc", "Made at"),
    "by": ("Người lập", "Made by"),
    "boundaries": ("Ranh giới dùng để kết luận", "Boundaries used"),
    "boundary": (
        "phiên bản {version}: {source}, sai số khoảng {accuracy}, nạp lúc {loaded}, {communes} xã",
        "version {version}: {source}, accurate to about {accuracy}, loaded {loaded}, "
        "{communes} communes",
    ),
    "sketch": (
        "phác thảo từ điểm của các xã trong vietnamadminunits, không dùng để kết luận chính thức",
        "sketched from the commune points of vietnamadminunits, not for official findings",
    ),
    "no_boundaries": ("chưa có ranh giới", "no boundaries are loaded"),
    "outdated": (
        "{n} phiếu và nhà còn kết luận theo ranh giới cũ",
        "{n} surveys and houses were still judged with former boundaries",
    ),
    "data": ("Dữ liệu", "Data"),
    "data_told": (
        "{surveys} phiếu, phiếu mới nhất nhận lúc {last}; mã dữ liệu (SHA-256) {digest}",
        "{surveys} surveys, the latest received {last}; data code (SHA-256) {digest}",
    ),
    "waiting": (
        "{n} thay đổi đang chờ được kiểm tra, chưa có trong báo cáo này",
        "{n} changes still wait for the rules and are not in this report",
    ),
    "settings": ("Ngưỡng và thiết lập", "Thresholds and settings"),
    "settings_told": (
        "mặc định: {default}; đặt khác mặc định: {other}",
        "default: {default}; set otherwise: {other}",
    ),
    "none": ("không có", "none"),
    "personal": (
        "Báo cáo có dữ liệu cá nhân; chỉ dùng cho công việc kiểm tra, không phổ biến.",
        "This report holds personal data; use it for the audit only and do not pass it on.",
    ),
    "houses": (
        "Báo cáo theo kỳ chỉ tính phiếu khảo sát; nhà không có ngày khảo sát nên chỉ có trong báo "
        "cáo không giới hạn kỳ.",
        "A report of a period counts surveys only; houses have no day of survey and are in reports "
        "without days.",
    ),
    # tables
    "verdicts": ("Kết luận vị trí", "Verdicts"),
    "verdict": ("Kết luận", "Verdict"),
    "surveys": ("Phiếu", "Surveys"),
    "sites": ("Nhà", "Houses"),
    "share": ("Tỷ lệ phiếu", "Share of surveys"),
    "total": ("Tổng số", "Total"),
    "verdicts_note": (
        "“Chưa chắc chắn” là điểm quá gần ranh giới so với sai số, không phải là sai.",
        "“Uncertain” is a point too close to the border for its accuracy; it is no fault.",
    ),
    "findings": ("Cảnh báo theo loại", "Findings by rule"),
    "rule": ("Loại cảnh báo", "Rule"),
    "family": ("Nhóm", "Family"),
    "severity": ("Mức", "Severity"),
    "open": ("Chưa kết luận", "Not decided"),
    "blameless": ("Không tính cho ai", "Held against nobody"),
    "findings_note": (
        "Cảnh báo là điều cần kiểm tra, chưa phải là kết luận. “Không tính cho ai”: chỉ do thay "
        "đổi ranh giới, hoặc đã được giải trình hay sửa.",
        "A finding is something to check, not a conclusion. “Held against nobody”: only new "
        "boundaries caused it, or it is explained or repaired.",
    ),
    "no_findings": ("Không có cảnh báo nào.", "There are no findings."),
    "states": ("Tình trạng xử lý", "State of the work"),
    "state": ("Tình trạng", "State"),
    "rows": ("Phiếu và nhà", "Surveys and houses"),
    "cases_told": (
        "{cases} trường hợp gồm {items} phiếu và nhà có cảnh báo.",
        "{cases} cases of {items} surveys and houses with findings.",
    ),
    "cases": ("Trường hợp đáng ngờ nhất", "Worst cases"),
    "case": ("Mã", "Id"),
    "number": ("STT", "No."),
    "household": ("Mã hộ", "Household"),
    "head": ("Chủ hộ", "Head"),
    "commune": ("Xã", "Commune"),
    "village": ("Thôn", "Hamlet"),
    "risk": ("Rủi ro", "Risk"),
    "distance": ("Cách ranh giới", "To the border"),
    "enumerator": ("Điều tra viên", "Enumerator"),
    "device": ("Thiết bị", "Device"),
    "when": ("Thời điểm", "When"),
    "size": ("Số dòng", "Rows"),
    "why": ("Vì sao", "Why"),
    "cases_note": (
        "Rủi ro từ 0 đến 100. Khoảng cách âm: điểm ở ngoài địa bàn ghi nhận. Mỗi trường hợp nêu "
        "dòng rủi ro cao nhất.",
        "Risk is 0 to 100. A negative distance is outside the recorded area. Each case is told by "
        "its worst row.",
    ),
    "no_cases": ("Không có trường hợp nào.", "There are no cases."),
    "profiles_enumerator": ("Điều tra viên so với người khác", "Enumerators against the others"),
    "profiles_device_id": ("Thiết bị so với thiết bị khác", "Devices against the others"),
    "doubted": ("Phiếu bị nghi", "Doubted"),
    "rate": ("Tỷ lệ", "Rate"),
    "low": ("Từ (95 %)", "From (95 %)"),
    "high": ("Đến (95 %)", "To (95 %)"),
    "peers": ("Người khác", "Others"),
    "adjusted": ("p đã điều chỉnh", "Adjusted p"),
    "stands_out": ("Nổi bật", "Stands out"),
    "yes": ("có", "yes"),
    "profiles_note": (
        "Nổi bật nghĩa là khác người khác nhiều hơn ngẫu nhiên; đó là lý do để xem lại, không phải "
        "bằng chứng vi phạm. Địa bàn khó, sóng yếu hay máy cũ cũng làm tỷ lệ cao. Dưới {least} "
        "phiếu thì không nói gì.",
        "To stand out is to differ from the others by more than chance: a reason to look, no proof "
        "of wrongdoing. Hard terrain, weak signal or old phones raise rates, too. Of fewer than "
        "{least} surveys nothing is said.",
    ),
    "nobody": ("Không ai nổi bật so với người khác.", "Nobody stands out."),
    "samples": ("Mẫu kiểm chứng", "Verification samples"),
    "drawn": ("Rút lúc", "Drawn at"),
    "drawn_by": ("Người rút", "Drawn by"),
    "method": ("Cách rút", "Method"),
    "sample_size": ("Cỡ mẫu", "Size"),
    "frame": ("Trong số", "Out of"),
    "checked": ("Đã kiểm tra", "Checked"),
    "mismatches": ("Không khớp", "Mismatches"),
    "estimate": ("Tỷ lệ ước lượng", "Estimated rate"),
    "seed": ("Hạt giống", "Seed"),
    "samples_note": (
        "Tỷ lệ không khớp ước lượng cho mọi phiếu lúc rút, với khoảng tin cậy 95 %. Khi còn phiếu "
        "chưa kiểm tra thì đó là kết quả tạm tính.",
        "The estimated rate of mismatches among all surveys at the draw, with its 95 % interval. "
        "While visits are missing it is provisional.",
    ),
    "no_samples": ("Chưa rút mẫu nào trong kỳ.", "No sample was drawn in the period."),
    "decisions": ("Kết luận của người kiểm tra", "Decisions taken"),
    "decision": ("Kết luận", "Decision"),
    "decided_at": ("Lúc", "When"),
    "decided_by": ("Người kết luận", "Decided by"),
    "reason": ("Lý do", "Reason"),
    "subject": ("Phiếu, nhà", "Survey, house"),
    "command": ("dòng lệnh", "command line"),
    "no_decisions": ("Chưa có kết luận nào trong kỳ.", "Nothing was decided in the period."),
    "decisions_told": ("{n} kết luận trong kỳ.", "{n} decisions in the period."),
    "revisits": ("Khảo sát lại", "Visits asked for again"),
    "asked_at": ("Yêu cầu lúc", "Asked at"),
    "asked_by": ("Người yêu cầu", "Asked by"),
    "due": ("Hạn", "Due"),
    "done": ("Làm xong lúc", "Done at"),
    "revisits_told": (
        "{all} lần được yêu cầu trong kỳ: {done} đã làm, {open} chưa làm.",
        "{all} asked for in the period: {done} done, {open} open.",
    ),
    "no_revisits": ("Không có yêu cầu khảo sát lại.", "No visit was asked for."),
    "changes": ("Kết luận thay đổi", "Verdicts that changed"),
    "cause": ("Do", "Because of"),
    "was": ("Trước", "Before"),
    "now": ("Sau", "After"),
    "version": ("Ranh giới", "Boundaries"),
    "count": ("Số lượng", "Number"),
    "last": ("Lần cuối", "Last"),
    "no_changes": ("Không có kết luận nào thay đổi.", "No verdict changed."),
    "changes_note": (
        "Cảnh báo chỉ do thay đổi ranh giới thì không tính cho ai; kết luận cũ được giữ lại.",
        "What only new boundaries caused is held against nobody; former verdicts are kept.",
    ),
    "setting": ("Thiết lập", "Setting"),
    "value": ("Giá trị", "Value"),
    "default": ("Mặc định", "Default"),
    "shown": (
        "{n} trên {all} dòng; tất cả có trong bản XLSX.",
        "{n} of {all} rows; the XLSX has all.",
    ),
    "page": ("Trang {n}/{{nb}}", "Page {n}/{{nb}}"),
    "place_day": ("………………, ngày …… tháng …… năm ……", "………………, date ………………"),
    "signs": ("NGƯỜI LẬP BÁO CÁO", "PREPARED BY"),
    "checks": ("NGƯỜI KIỂM TRA", "CHECKED BY"),
    "heads": ("THỦ TRƯỞNG ĐƠN VỊ", "HEAD OF THE OFFICE"),
    "sign": ("(Ký, ghi rõ họ tên)", "(Signature, full name)"),
    "stamp": ("(Ký, ghi rõ họ tên, đóng dấu)", "(Signature, full name, stamp)"),
}  # fmt: skip
STATES: dict[str, Term] = {
    "open": ("Chưa kết luận", "Not decided"),
    "confirmed": ("Xác nhận sai lệch", "Confirmed"),
    "explained": ("Có giải trình", "Explained"),
    "repaired": ("Đã sửa toạ độ", "Point repaired"),
    "revisit": ("Yêu cầu khảo sát lại", "Revisit asked"),
    "reopened": ("Mở lại", "Reopened"),
}
SEVERITIES: dict[int, Term] = {3: ("nặng", "grave"), 2: ("vừa", "medium"), 1: ("nhẹ", "light")}
CAUSES: dict[str, Term] = {
    "boundary": ("ranh giới thay đổi", "new boundaries"),
    "address": ("địa chỉ thay đổi", "another address"),
    "point": ("sửa toạ độ", "a corrected point"),
    "settings": ("ngưỡng thay đổi", "other settings"),
}
METHODS: dict[str, Term] = {
    "random": ("Ngẫu nhiên đơn giản", "Simple random"),
    "stratified": ("Phân tầng theo điều tra viên", "Stratified by enumerator"),
    "weighted": ("Theo mức rủi ro", "Weighted by risk"),
}


class Words:
    """Words of one language: `vi` or `en`."""

    def __init__(self, language: str):
        self.language = "en" if language == "en" else "vi"
        self._place = 1 if language == "en" else 0

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values."""
        text = _WORDS[key][self._place]
        return text.format(**values) if values else text

    def of(self, terms: Mapping[Any, Term], code: object) -> str:
        """The term of a code, the code itself where it has none."""
        return terms[code][self._place] if code in terms else str(code or "")

    def verdict(self, code: object) -> str:
        """A verdict's term."""
        return self.of(VERDICT_TERMS, code)

    def family(self, code: str) -> str:
        """A family of rules by name."""
        return self.of(FAMILIES, code)

    def rule(self, code: str) -> str:
        """A rule by name."""
        found = RULES.get(code)
        return str(getattr(found, self.language)) if found else code
