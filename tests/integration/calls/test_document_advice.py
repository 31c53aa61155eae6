# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an upstream's document, and what to do about it: the table in docs/api.md, row by
row."""

import pytest

from rig.check import assert_failed, assert_problem
from rig.misbehave import responds
from rig.settings import TOP
from rig.upstream import response_document, value_document

GOOD = response_document("a")
NAMES = "".join(f"<member><name>a{c}</name><value/></member>" for c in "\1\2")
DATE = "<dateTime.iso8601>\1</dateTime.iso8601>"


def table() -> dict[str, str]:
    """What the upstream sent, and what to do."""
    text = (TOP / "docs" / "api.md").read_text(encoding="utf-8")
    part = text.partition("<!-- made from src/codec/xml/decode_reasons.h -->\n")[2]
    lines = part.partition("<!-- end -->")[0].splitlines()[2:]
    return dict(line.strip("| ").split(" | ") for line in lines)


TABLE = table()

#: What the upstream sends, for each row of the table in its order, and settings of it.
SENT = [
    (b"", {}),
    (b"<html><body>It works!</body></html>", {}),
    (b"<Envelope/>", {}),
    (b'{"result": 1}', {}),
    (b"<rss/>", {}),
    (GOOD[:-30], {}),
    (GOOD + b"Warning", {}),
    (b"<!DOCTYPE methodResponse [<!ENTITY a 'b'>]>" + GOOD, {}),
    (b"<?xml version='1.0' encoding='klingon'?><methodResponse/>", {}),
    (value_document("\xe4").replace("\xe4".encode(), b"\xe4"), {}),
    (value_document("a\0"), {}),
    (value_document("a&nbsp;b"), {}),
    (value_document("&nosuch;"), {}),
    (value_document("AT&T"), {}),
    (value_document("<string>a</value></string>"), {}),
    (value_document("<decimal>1</decimal>"), {}),
    (value_document("<struct><member/></struct>"), {}),
    (value_document("<int>1,5</int>"), {}),
    (value_document(DATE), {"text": "base64"}),
    (value_document("<base64>Y!</base64>"), {}),
    (value_document(f"<struct>{NAMES}</struct>"), {"text": "replace"}),
    (value_document("<int>" + "1" * 2_000_000 + "</int>"), {}),
    (value_document("1"), {"multicall": "always", "multicall_results": "wrapped"}),
    (value_document("a" * 2000), {"limits": {"response": "1K"}}),
    (value_document("<array><data>" * 9), {"limits": {"depth": 5}}),
]
#: What takes more than one upstream's answer.
SHARED = "more than finds room in `limits.memory`"


def test_the_table_is_complete():
    assert list(TABLE)[-1] == SHARED and len(TABLE) == len(SENT) + 1


@pytest.mark.parametrize("row", range(len(SENT)), ids=list(TABLE)[:-1])
def test_what_to_do(start, row):
    document, settings = SENT[row]
    upstream = start.upstream(responds(document))
    gateway = start.simple(upstream, upstreams={"up": {"url": upstream.url, **settings}})
    advice = list(TABLE.values())[row]
    limit = next(iter(settings.get("limits", ())), None)
    name = "response-too-large" if limit else "bad-response"
    if "multicall" in settings:
        results = gateway.batch("up", ("a", 1), ("b", 2))
        problems = [assert_failed(result, name, 502, "unknown") for result in results]
    else:
        problems = [assert_problem(gateway.call("up", "m"), name, 502, "unknown",
                                   setting=limit and f"limits.{limit}")]
    for problem in problems:
        detail = problem["detail"]
        assert detail.endswith((f". {advice}", f"? {advice}")), detail
