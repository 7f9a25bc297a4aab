"""What a report says in one language: its head as facts, and its tables."""

from collections.abc import Callable

from geo import rules
from geo.audit_tables import STATES as STATE_CODES
from geo.config import settings
from geo.paging import Record
from geo.report.gather import Report
from geo.report.tables import NOTHING, Column, Table, written
from geo.report.words import CAUSES, METHODS, SEVERITIES, STATES, Words
from geo.rules.telling import Numbers
from geo.tables import VERDICTS

PRINTED_CASES = 50
PRINTED_DECISIONS = 50
PRINTED_VISITS = 30
PRINTED_PROFILES = 30


def title(report: Report, words: Words) -> str:
    """The report's name with its area."""
    return f"{words('title')}: {report.asked.area.full_name}"


def facts(report: Report, words: Words) -> list[tuple[str, str]]:
    """The head: which area and days, made when and by whom, on which ground."""
    numbers = Numbers(words.language)
    told = [
        (words("area"), f"{report.asked.area.full_name} ({report.asked.area.code})"),
        (words("period"), _period(report, words)),
        (words("made"), written(report.made_at, "moment", numbers)),
        (words("by"), report.by),
        (words("boundaries"), _boundaries(report, words, numbers)),
        (words("data"), _data(report, words, numbers)),
        (words("settings"), _settings(report, words, numbers)),
    ]
    return [*told, ("", words("personal"))]


def tables(report: Report, words: Words) -> list[Table]:
    """All tables in their order."""
    made: list[Callable[[Report, Words], Table]] = [_verdicts, _findings, _states, _cases]
    made += [_profiles_of("enumerator"), _profiles_of("device_id")]
    made += [_samples, _decisions, _revisits, _changes, _thresholds]
    return [make(report, words) for make in made]


def _period(report: Report, words: Words) -> str:
    asked = report.asked
    parts = [
        words(key, day=day.strftime("%d/%m/%Y"))
        for key, day in (("from", asked.since), ("to", asked.until))
        if day
    ]
    return f"{' '.join(parts)}. {words('houses')}" if parts else words("whole")


def _boundaries(report: Report, words: Words, numbers: Numbers) -> str:
    told = [
        words(
            "boundary",
            version=one["version"],
            source=words("sketch") if one["sketch"] else one["source"],
            accuracy=numbers.length(one["accuracy_m"]),
            loaded=written(one["loaded_at"], "moment", numbers),
            communes=numbers.plain(one["communes"]),
        )
        for one in report.boundaries
    ]
    if report.outdated:
        told.append(words("outdated", n=numbers.plain(report.outdated)))
    return "; ".join(told) or words("no_boundaries")


def _data(report: Report, words: Words, numbers: Numbers) -> str:
    data, waiting = report.data, report.totals["waiting"]
    told = words(
        "data_told",
        surveys=numbers.plain(data["surveys"]),
        last=written(data["last_at"], "moment", numbers),
        digest=data["digest"],
    )
    return told + (f"; {words('waiting', n=numbers.plain(waiting))}" if waiting else "")


def _settings(report: Report, words: Words, numbers: Numbers) -> str:
    same: list[str] = []
    other: list[str] = []
    for name, value in report.settings.items():
        told = f"{name} = {numbers.plain(value, 2)}"
        (same if value == report.defaults[name] else other).append(told)
    nothing = words("none")
    return words(
        "settings_told", default="; ".join(same) or nothing, other="; ".join(other) or nothing
    )


def _verdicts(report: Report, words: Words) -> Table:
    surveys, sites = report.verdicts["survey"], report.verdicts["site"]
    number = sum(surveys.values())

    def row(name: str, count: int, houses: int) -> tuple[object, ...]:
        return name, count, count / number if number else None, houses

    rows = [row(words.verdict(one), surveys.get(one, 0), sites.get(one, 0)) for one in VERDICTS]
    rows.append(row(words("total"), number, sum(sites.values())))
    columns = (
        Column(words("verdict"), width=3),
        Column(words("surveys"), "number"),
        Column(words("share"), "share"),
        Column(words("sites"), "number"),
    )
    name = words("verdicts")
    return Table(name, name, columns, rows, (words("verdicts_note"),))


def _findings(report: Report, words: Words) -> Table:
    def gravest(one: Record) -> tuple[int, int, str]:
        rule = rules.RULES.get(one["rule"])
        return -(rule.severity if rule else 0), -one["surveys"] - one["sites"], one["rule"]

    rows = []
    for one in sorted(report.rules, key=gravest):
        rule = rules.RULES.get(one["rule"])
        rows.append(
            (
                words.rule(one["rule"]),
                words.family(rule.family) if rule else "",
                words.of(SEVERITIES, rule.severity) if rule else "",
                *(one[name] for name in ("surveys", "sites", "open", "blameless")),
            )
        )
    columns = (
        Column(words("rule"), width=4),
        Column(words("family"), width=2.4),
        Column(words("severity"), width=0.8),
        *(Column(words(key), "number") for key in ("surveys", "sites", "open", "blameless")),
    )
    name = words("findings")
    return Table(name, name, columns, rows, (words("findings_note"),), empty=words("no_findings"))


def _states(report: Report, words: Words) -> Table:
    numbers, totals = Numbers(words.language), report.totals
    rows = [(words.of(STATES, state), totals["states"][state]) for state in STATE_CODES]
    told = words(
        "cases_told", cases=numbers.plain(totals["cases"]), items=numbers.plain(totals["items"])
    )
    columns = (Column(words("state"), width=3), Column(words("rows"), "number"))
    name = words("states")
    return Table(name, name, columns, rows, (told,))


def _cases(report: Report, words: Words) -> Table:
    rows = [
        (
            place,
            one["risk"],
            one["head_name"],
            one["household_code"],
            report.names.get(one["commune_code"], one["commune_code"]),
            one["village"],
            words.verdict(one["verdict"]),
            one["distance_m"],
            one["enumerator"],
            one["device_id"],
            one["happened_at"],
            words.of(STATES, one["state"]),
            one["size"],
            _why(one, words),
            one["subject_id"],
        )
        for place, one in enumerate(report.cases, start=1)
    ]
    columns = (
        Column(words("number"), "number", 0.5),
        Column(words("risk"), "points", 0.7),
        Column(words("head"), width=1.6),
        Column(words("household"), width=1.7),
        Column(words("commune"), width=1.5),
        Column(words("village"), width=0),
        Column(words("verdict"), width=1.3),
        Column(words("distance"), "metres", 0.9),
        Column(words("enumerator"), width=1.3),
        Column(words("device"), width=0),
        Column(words("when"), "moment", 1.2),
        Column(words("state"), width=1.2),
        Column(words("size"), "number", 0.6),
        Column(words("why"), width=5.5),
        Column(words("case"), width=0),
    )
    name = words("cases")
    return Table(
        name, name, columns, rows, (words("cases_note"),), words("no_cases"), PRINTED_CASES
    )


def _why(one: Record, words: Words) -> str:
    """What the rules say of a case's worst row, the gravest first; their names without evidence."""
    told = [
        rules.say(rules.RULES[found["rule"]], found["evidence"], words.language)
        for found in one["findings"]
        if found["rule"] in rules.RULES
    ]
    return " ".join(told) or "; ".join(words.rule(code) for code in one["rules"])


def _profiles_of(by: str) -> Callable[[Report, Words], Table]:
    def make(report: Report, words: Words) -> Table:
        found = report.profiles[by]
        rows = [
            (
                one["name"],
                one["surveys"],
                one["doubted"],
                *(one[name] for name in ("rate", "low", "high", "peers", "p_adjusted")),
                words("yes") if one["stands_out"] else "",
            )
            for one in found
        ]
        columns = (
            Column(words("enumerator" if by == "enumerator" else "device"), width=3),
            Column(words("surveys"), "number"),
            Column(words("doubted"), "number"),
            *(Column(words(key), "share") for key in ("rate", "low", "high", "peers")),
            Column(words("adjusted"), "chance"),
            Column(words("stands_out")),
        )
        out = sum(bool(one["stands_out"]) for one in found)
        name = words(f"profiles_{by}")
        return Table(
            name,
            name,
            columns,
            rows,
            (words("profiles_note", least=settings().profile_surveys),),
            empty=words("nobody"),
            printed=min(out, PRINTED_PROFILES),
        )

    return make


def _samples(report: Report, words: Words) -> Table:
    rows = []
    for one, found in report.samples:
        known = found.rate is not None
        rows.append(
            (
                one["drawn_at"],
                one["drawn_by_name"] or words("command"),
                words.of(METHODS, one["method"]),
                one["size"],
                one["frame_size"],
                found.checked,
                found.mismatches,
                found.rate,
                found.low if known else None,
                found.high if known else None,
                one["seed"],
            )
        )
    columns = (
        Column(words("drawn"), "moment", 1.4),
        Column(words("drawn_by"), width=1.6),
        Column(words("method"), width=2.2),
        *(
            Column(words(key), "number", 0.9)
            for key in ("sample_size", "frame", "checked", "mismatches")
        ),
        *(Column(words(key), "share", 0.9) for key in ("estimate", "low", "high")),
        Column(words("seed"), width=0),
    )
    name = words("samples")
    return Table(name, name, columns, rows, (words("samples_note"),), words("no_samples"))


def _decisions(report: Report, words: Words) -> Table:
    rows = [
        (
            one["decided_at"],
            one["decided_by_name"] or words("command"),
            words.of(STATES, one["decision"]),
            one["household_code"],
            report.names.get(one["commune_code"], one["commune_code"]),
            one["reason"],
            one["subject_id"],
        )
        for one in report.decisions
    ]
    columns = (
        Column(words("decided_at"), "moment", 1.2),
        Column(words("decided_by"), width=1.6),
        Column(words("decision"), width=1.6),
        Column(words("household"), width=1.4),
        Column(words("commune"), width=1.8),
        Column(words("reason"), width=4.5),
        Column(words("subject"), width=0),
    )
    name, number = words("decisions"), Numbers(words.language).plain(report.all_decisions)
    told = (words("decisions_told", n=number),) if rows else ()
    return Table(name, name, columns, rows, told, words("no_decisions"), PRINTED_DECISIONS)


def _revisits(report: Report, words: Words) -> Table:
    waiting = [one for one in report.revisits if one["done_at"] is None]
    ended = [one for one in report.revisits if one["done_at"] is not None]
    rows = [
        (
            one["asked_at"],
            one["asked_by_name"] or words("command"),
            one["household_code"],
            one["head_name"],
            report.names.get(one["commune_code"], one["commune_code"]),
            one["enumerator"],
            one["reason"],
            one["due_on"],
            one["done_at"],
        )
        for one in (*waiting, *ended)
    ]
    columns = (
        Column(words("asked_at"), "moment", 1.2),
        Column(words("asked_by"), width=1.4),
        Column(words("household"), width=1.3),
        Column(words("head"), width=1.5),
        Column(words("commune"), width=1.5),
        Column(words("enumerator"), width=1.3),
        Column(words("reason"), width=3),
        Column(words("due"), "day", 0.9),
        Column(words("done"), "moment", 1.2),
    )
    plain = Numbers(words.language).plain
    told = words(
        "revisits_told", all=plain(len(rows)), done=plain(len(ended)), open=plain(len(waiting))
    )
    name = words("revisits")
    notes = (told,) if rows else ()
    return Table(name, name, columns, rows, notes, words("no_revisits"), PRINTED_VISITS)


def _changes(report: Report, words: Words) -> Table:
    rows = [
        (
            words.of(CAUSES, one["reason"]) or NOTHING,
            words.verdict(one["verdict_before"]),
            words.verdict(one["verdict_after"]),
            one["version_after"],
            one["number"],
            one["last_at"],
        )
        for one in report.changes
    ]
    columns = (
        Column(words("cause"), width=2.5),
        Column(words("was"), width=1.6),
        Column(words("now"), width=1.6),
        Column(words("version"), "number"),
        Column(words("count"), "number"),
        Column(words("last"), "moment", 1.4),
    )
    name = words("changes")
    return Table(name, name, columns, rows, (words("changes_note"),), words("no_changes"))


def _thresholds(report: Report, words: Words) -> Table:
    rows = [
        (f"ANCU_{name.upper()}", str(value), str(report.defaults[name]))
        for name, value in report.settings.items()
    ]
    columns = (Column(words("setting"), width=3), Column(words("value")), Column(words("default")))
    name = words("settings")
    return Table(name, name, columns, rows, printed=0)
