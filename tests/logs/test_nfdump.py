"""nfdump's CSV of three versions: the same flows give the same table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.errors import CaptureError
from traffic_siamese.logs.nfdump import read_nfdump
from traffic_siamese.logs.options import ReadOptions
from traffic_siamese.logs.reading import read_log

OLD_HEADER = (
    "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,sas,das,smk,dmk,dtos,dir,nh,"
    "nhb,svln,dvln,ismc,odmc,idmc,osmc,mpls1,mpls2,mpls3,mpls4,mpls5,mpls6,mpls7,mpls8,mpls9,"
    "mpls10,cl,sl,al,ra,eng,exid,tr"
)
REST = ",0" * (OLD_HEADER.count(",") - 14)
OLD = (
    f"{OLD_HEADER}\n"
    f"2023-11-14 22:13:20,2023-11-14 22:13:24,4.000,10.0.0.1,10.0.0.9,40000,80,TCP,.AP.SF,0,0,8,400"
    f",0,0{REST}\n"
    f"2023-11-14 22:13:22,2023-11-14 22:13:22,0.000,10.0.0.2,10.0.0.9,40001,80,TCP,....S.,0,0,1,40"
    f",0,0{REST}\n"
    "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n2,440,9,880,2,48\n"
)
NEW = (
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes,flows\n"
    "2023-11-14 22:13:20.000,00:00:04.000,TCP,10.0.0.1,40000,10.0.0.9,80,...AP.SF,8,400,1\n"
    "2023-11-14 22:13:22.000,00:00:00.000,6,10.0.0.2,40001,10.0.0.9,80,......S.,1,40,1\n"
)
FAST = (
    "cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,"
    "flags,srcTos,packets,bytes\n"
    "1,2,1700000000000,1700000004000,6,10.0.0.1,40000,10.0.0.9,80,0,0,1,2,...AP.SF,0,8,400\n"
    "2,2,1700000002000,1700000002000,6,10.0.0.2,40001,10.0.0.9,80,0,0,1,2,......S.,0,1,40\n"
)


@pytest.mark.parametrize("text", [OLD, NEW, FAST], ids=["old", "new", "fast"])
def test_all_versions_tell_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(text)
    series = read_log(path).series[0]
    found = dict(zip(series.feature_names, series.values.T.tolist(), strict=True))
    assert series.start_ns == 1_700_000_000 * 10**9
    assert found["bytes"] == [100, 100, 140, 100]
    assert found["packets"] == [2, 2, 3, 2]
    assert found["flows"] == found["flows_tcp"] == [1, 0, 1, 0]
    assert found["flows_syn_only"] == [0, 0, 1, 0]
    assert found["flows_reset"] == [0, 0, 0, 0]
    assert found["targets"] == [1, 0, 1, 0]


def test_local_times_are_of_the_zone_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flows.csv"
    path.write_text(NEW)
    series = read_log(path, options=ReadOptions(timezone="Europe/Berlin")).series[0]
    assert series.start_ns == (1_700_000_000 - 3600) * 10**9


def test_scaled_counts_and_days_are_understood() -> None:
    text = "firstSeen,duration,packets,bytes\n2023-11-14 22:13:20.5,1 days 00:00:01.5,2,1.5 M\n"
    flows, _ = read_nfdump("x", text.encode())
    assert flows.amounts["bytes"].tolist() == [1.5e6]
    assert np.diff([flows.start_ns[0], flows.end_ns[0]]) == 86_401_500_000_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NEW.partition("\n")[0] + "\n", "holds no flow"),
        (NEW.replace("2023-11-14 22:13:22.000", "2023-99-14"), "column firstSeen"),
        (NEW.partition("\n")[0] + "\n1,2\n", "has 2 values, the header names 11"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str, told: str) -> None:
    with pytest.raises(CaptureError, match=told) as caught:
        read_nfdump("x.csv", text.encode())
    assert "\n" not in str(caught.value)
