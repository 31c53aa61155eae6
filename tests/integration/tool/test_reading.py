# SPDX-License-Identifier: Apache-2.0
"""How an upstream's answers are read: whose word counts for the encoding, and for the types."""

import pytest

ENCODINGS = {
    "HTTP's charset": ("latin-1", "text/xml; charset=ISO-8859-1", "", {}),
    "the declaration before it": ("latin-1", "text/xml; charset=utf-8",
                                  "<?xml version='1.0' encoding='iso-8859-1'?>", {}),
    "the setting before both": ("latin-1", "text/xml; charset=utf-8",
                                "<?xml version='1.0' encoding='utf-8'?>",
                                {"response_encoding": "ISO-8859-1"}),
}


@pytest.mark.parametrize("encoding, kind, declaration, settings", ENCODINGS.values(), ids=ENCODINGS)
def test_encoding(start, encoding, kind, declaration, settings):
    async def behave(x):
        text = (declaration + "<methodResponse><params><param><value>café</value></param></params>"
                "</methodResponse>")
        await x.respond(text.encode(encoding), headers={"Content-Type": kind})
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "up": {"url": start.upstream(behave).url, **settings}}})
    assert gateway.call("up", "m").result == "café"


def test_forms_by_setting_and_query(start):
    async def behave(x):
        await x.answer_xml("<i8>9007199254740993</i8>")
    url = start.upstream(behave).url
    gateway = start.gateway({"anonymous": {"allow": ["*/*"]}, "upstreams": {
        "tagged": {"url": url, "types": "tagged"}, "safe": {"url": url, "integers": "safe"}}})
    assert gateway.call("tagged", "m").result == {"$i8": "9007199254740993"}
    assert gateway.call("safe", "m").result == "9007199254740993"
    assert gateway.call("tagged", "m", query="types=plain").result == 9007199254740993
    assert gateway.call("safe", "m", query="integers=number").result == 9007199254740993
