"""3GPP measurement files: periods, lists, suspect values, objects; and what is refused."""

from __future__ import annotations

import math
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.pm_xml import duration_s, is_pm_xml, read_pm_xml
from traffic_siamese.logs.reading import read_logs
from traffic_siamese.times import parse_time

PUBLIC = Path(os.environ.get("TRAFFIC_SIAMESE_PUBLIC_FORMATS", "no-such-folder")) / "3gpp_pm"
HEAD = '<measCollecFile xmlns="http://www.3gpp.org/ftp/specs/archive/32_series/32.435#measCollec">'
INFO = (
    '<measInfo measInfoId="RRC"><granPeriod duration="PT900S" endTime="{end}"/>'
    '<measType p="1">RRC.ConnEstabAtt</measType><measType p="2">RRC.ConnMean</measType>'
    '<measType p="3">Delay.Bins</measType>{values}</measInfo>'
)
VALUE = (
    '<measValue measObjLdn="Cell={cell}"><r p="1">{a}</r><r p="2">{b}</r><r p="3">{c}</r>'
    "{end}</measValue>"
)


def classic(*infos: str) -> str:
    managed = "<managedElement localDn='ME=1'/>"
    return f"{HEAD}<measData>{managed}{''.join(infos)}</measData></measCollecFile>"


def info(end: str, *values: str) -> str:
    return INFO.format(end=end, values="".join(values))


def value(cell: int, a: str, b: str, c: str = "1,2", *, suspect: bool = False) -> str:
    end = "<suspect>true</suspect>" if suspect else ""
    return VALUE.format(cell=cell, a=a, b=b, c=c, end=end)


def test_a_value_is_of_the_period_that_ends_and_a_list_is_columns() -> None:
    first = info("2026-01-31T14:15:00+02:00", value(1, "10", "2.5"), value(2, "7", "1.0", "5"))
    second = info("2026-01-31T14:30:00+02:00", value(1, "30", "NIL", "3,4"))
    tables, warnings = read_pm_xml("x", [classic(first, second).encode()])
    assert not warnings
    one, two = tables
    assert (one.element, two.element) == ("Cell=1", "Cell=2")
    assert one.time_ns.tolist() == [parse_time(f"2026-01-31T12:{m}:00Z") for m in (15, 30)]
    assert one.granularity_s == 900
    assert one.columns["RRC.ConnEstabAtt"].tolist() == [10, 30]
    assert math.isnan(one.columns["RRC.ConnMean"][1])
    assert one.columns["Delay.Bins.0"].tolist() == [1, 3]
    assert one.columns["Delay.Bins.1"].tolist() == [2, 4]
    assert two.columns["Delay.Bins"].tolist() == [5]
    assert one.kinds["RRC.ConnEstabAtt"] == "delta"
    assert one.kinds["RRC.ConnMean"] == "gauge"


def test_suspect_values_are_missing_and_told() -> None:
    text = classic(
        info("2026-01-31T14:15:00Z", value(1, "1", "2"), value(2, "3", "4", suspect=True))
    )
    tables, warnings = read_pm_xml("x", [text.encode()])
    assert [table.element for table in tables] == ["Cell=1"]
    assert "4 of 8 values are suspect" in warnings[0]
    assert "left out: Cell=2" in warnings[1]
    every = classic(info("2026-01-31T14:15:00Z", value(2, "3", "4", suspect=True)))
    with pytest.raises(CaptureError, match="no value that counts: 4 of 4 are suspect"):
        read_pm_xml("x", [every.encode()])


def test_the_newer_format_names_lists() -> None:
    text = (
        '<measDataFile xmlns="http://www.3gpp.org/ftp/specs/archive/28_series/28.532#measData">'
        "<measData><measEntity localDn='gNB=1'/><measInfo measInfoId='a'>"
        "<granPeriod duration='PT5M' endTime='2026-01-31T14:15:00Z'/>"
        "<measTypes>A B</measTypes><measValue measObjLdn='Cell=1'>"
        "<measResults>5 6</measResults></measValue></measInfo></measData></measDataFile>"
    )
    assert is_pm_xml(text.encode())
    table = read_pm_xml("x", [text.encode()])[0][0]
    assert table.granularity_s == 300
    assert {name: column.tolist() for name, column in table.columns.items()} == {"A": [5], "B": [6]}


def test_bytes_may_come_in_any_pieces() -> None:
    data = classic(info("2026-01-31T14:15:00Z", value(1, "1", "2"))).encode()
    whole = read_pm_xml("x", [data])[0][0]
    by_one = read_pm_xml("x", [data[i : i + 1] for i in range(len(data))])[0][0]
    assert {n: c.tolist() for n, c in whole.columns.items()} == {
        n: c.tolist() for n, c in by_one.columns.items()
    }


LAUGHS = '<!DOCTYPE m [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{LAUGHS}]><measCollecFile>&j;</measCollecFile>", "document type or entities"),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd"><measCollecFile/>', "document type or entities"),
        (f"{HEAD}</measCollecFile>", "holds no measurement"),
        (f"{HEAD}<a></b>", "no well-formed XML"),
        (HEAD + "<a>" * 1000, "nested 33 deep"),
        (classic(info("soon", value(1, "1", "2"))), "ends at 'soon'"),
        (classic(info("2026-01-31T14:15:00Z", value(1, "1", "2")).replace("PT900S", "long")),
         "lasts 'long'"),
        (classic(info("2026-01-31T14:15:00Z", value(1, "1", "2")).replace('r p="3"', 'r p="9"')),
         "a value at place 9"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(CaptureError, match=told) as caught:
        read_pm_xml("x.xml", [text.encode()])
    assert "\n" not in str(caught.value)


def test_more_columns_than_anybody_reads_are_refused() -> None:
    many = classic(info("2026-01-31T14:15:00Z", value(1, "1", "2", "1," * 20_000)))
    with pytest.raises(CaptureError, match="expected at most"):
        read_pm_xml("x", [many.encode()])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT900S", 900), ("PT15M", 900), ("PT1H", 3600), ("P1D", 86_400), ("PT0S", None), ("P", None)],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.skipif(not PUBLIC.exists(), reason="public files are not here")
@pytest.mark.parametrize("path", sorted(PUBLIC.glob("*.xml")), ids=lambda path: path.name)
def test_public_files_hold_what_an_xml_library_finds(path: Path) -> None:
    """Sum of the plain numbers in each measValue that is not suspect, by ElementTree."""
    if path.name == "A_no_measdata.xml":
        with pytest.raises(CaptureError, match="no measurement"):
            read_logs(path)
        return
    expected: dict[str, float] = {}
    for node in ElementTree.parse(path).iter():
        if not node.tag.endswith("measValue"):
            continue
        texts = [child.text or "" for child in node if not child.tag.endswith("suspect")]
        is_suspect = any((child.text or "").strip() == "true" for child in node if
                         child.tag.endswith("suspect"))  # fmt: skip
        total = sum(float(w) for text in texts for w in text.replace(",", " ").split())
        name = node.attrib["measObjLdn"]
        expected[name] = expected.get(name, 0) + (0 if is_suspect else total)
    tables, _ = read_pm_xml(path.name, [path.read_bytes()])
    got: dict[str, float] = {}
    for table in tables:
        name = next(n for n in expected if table.element.endswith(n))
        total = sum(float(column[column == column].sum()) for column in table.columns.values())
        got[name] = got.get(name, 0) + total
    assert got == {name: total for name, total in expected.items() if total}
    assert read_logs(path)
