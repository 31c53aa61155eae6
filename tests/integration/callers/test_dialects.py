# SPDX-License-Identifier: Apache-2.0
"""Servers with ways of their own: nothing for no result, dates in other forms, HTML's names."""

import html.entities
import json

import pytest

from rig.check import assert_problem
from rig.misbehave import head, responds, sends
from rig.tool import tool
from rig.upstream import fault_document, http_response, response_document

RULES = ({"match": "void.*", "empty": "null"}, {"match": "void.never", "empty": "null"},
         {"match": "m", "empty": "error"})


@pytest.mark.parametrize("behave", [
    responds(""), head(), responds(" \r\n"), responds(b"\xef\xbb\xbf\n"),
    responds(b" \0\r\0\n\0")],
    ids=["no byte", "until the end", "blanks", "mark", "wide blanks"])
def test_nothing_is_null(up, behave):
    gateway, upstream = up(behave, methods=RULES)
    assert gateway.call("up", "void.run").result is None
    assert_problem(gateway.call("up", "m"), "bad-response", 502, "unknown")
    assert_problem(gateway.call("up", "other"), "bad-response", 502, "unknown")
    reply = gateway.jsonrpc("up", {"jsonrpc": "2.0", "id": 1, "method": "void.run"})
    assert reply.json == {"jsonrpc": "2.0", "id": 1, "result": None}


@pytest.mark.parametrize("behave, problem", [
    (responds("", "204 No Content"), "protocol-error"), (responds("", "500 Oops"), "protocol-error"),
    (responds("-"), "bad-response"), (responds("<"), "bad-response"), (responds(b"\xef\xbb"), "bad-response"),
    (sends(""), "connection-lost"), (sends("HTTP/1.1 200 OK\r\n"), "connection-lost"),
    (head("Content-Length: 5"), "connection-lost"),
    (responds(fault_document(1, "x")), "fault")])
def test_what_is_not_nothing(up, behave, problem):
    gateway, _ = up(behave, methods=RULES)
    assert gateway.call("up", "void.run").json["type"].endswith(f":{problem}")


def test_nothing_in_a_batch(up):
    """Calls side by side are calls; one round trip has results, or it has none."""
    gateway, _ = up(responds(""), methods=({"match": "*", "empty": "null"},), multicall="never")
    calls = [{"method": "a"}, {"method": "b"}]
    assert gateway.batch("up", *calls) == [{"result": None}] * 2
    gateway, _ = up(responds(""), methods=({"match": "*", "empty": "null"},), multicall="always",
                    multicall_results="wrapped")
    results = gateway.batch("up", *calls)
    assert [result["problem"]["type"].split(":")[-1] for result in results] == ["bad-response"] * 2


DATES = {
    "basic": "19980717T14:08:55",
    "extended": "1998-07-17T14:08:55",
    "zulu": "19980717T14:08:55Z",
}


@pytest.mark.parametrize("form", DATES)
def test_dates(up, form):
    """A date that came tagged goes back as it came; all others go out in the same form."""
    seen = []

    async def behave(x):
        seen.append(x.body.decode())
        await x.send(http_response(response_document("@").replace(
            b"<string>@</string>", f"<dateTime.iso8601>{DATES[form]}</dateTime.iso8601>".encode())))
    gateway, _ = up(behave, dates=form, types="tagged")
    came = gateway.call("up", "m").result
    assert came == {"$dateTime": DATES[form]}
    for date in (came["$dateTime"], DATES["basic"], DATES["extended"], "1998-07-17T14:08:55Z",
                 "1998-07-17T16:08:55.25+02:00", 900684535):
        seen.clear()
        assert gateway.call("up", "m", [{"$dateTime": date}]).status == 200
        assert f"<dateTime.iso8601>{DATES[form]}</dateTime.iso8601>" in seen[0], date
    if form != "zulu":
        assert_problem(gateway.call("up", "m", [{"$dateTime": DATES["zulu"]}]), "unrepresentable",
                       422, "no", pointer="/0")


def test_dates_of_a_zone(up):
    seen = []

    async def behave(x):
        seen.append(x.body.decode())
        await x.send(http_response(response_document(1)))
    gateway, _ = up(behave, dates="extended", timezone="+02:00")
    gateway.call("up", "m", [{"$dateTime": "1998-07-17T14:08:55Z"}])
    assert "<dateTime.iso8601>1998-07-17T16:08:55</dateTime.iso8601>" in seen[0]


@pytest.mark.parametrize("form", DATES)
def test_dates_of_the_tool(form):
    """As the setting has it."""
    for date in ("1998-07-17T16:08:55+02:00", 900684535, DATES["basic"]):
        done = tool("encode", "--dates", form, data=json.dumps([{"$dateTime": date}]).encode())
        assert done.status == 0, done.err
        assert f"<dateTime.iso8601>{DATES[form]}</dateTime.iso8601>" in done.out
    done = tool("encode", "--dates", "iso", data=b"[]")
    assert done.status == 64 and "basic, extended, zulu" in done.err
    done = tool("encode", "--dates", form, "--timezone", "+02:00",
                data=b'[{"$dateTime": "1998-07-17T14:08:55Z"}]')
    if form == "zulu":
        assert done.status == 64 and "--timezone" in done.err
    else:
        assert done.status == 0 and "16:08:55" in done.out


def test_names_of_html(up):
    """All of HTML 4, each counted; XML's own are none, and what is no name stays an error."""
    names = {name: chr(code) for name, code in html.entities.name2codepoint.items()}
    text = "".join(f"&{name};" for name in names)
    document = response_document("@").replace(b"@", text.encode())
    gateway, upstream = up(responds(document), text="replace")
    answer = gateway.call("up", "m")
    assert answer.result == "".join(names.values())
    assert answer.header("X-Rpcgate-Repaired") == str(len(names) - len(["amp", "lt", "gt", "quot"]))
    for text in ("&nosuch;", "&NBSP;", "&nbsp", "&nbspx;", "&;", "&thetasymx;", "&nb-sp;"):
        upstream.behave = responds(response_document("@").replace(b"@", text.encode()))
        assert_problem(gateway.call("up", "m"), "bad-response", 502, "unknown")
    upstream.behave = responds(response_document("@").replace(b"@", b"<![CDATA[&nbsp;]]>"))
    assert gateway.call("up", "m").result == "&nbsp;"
    gateway, upstream = up(responds(document))
    problem = assert_problem(gateway.call("up", "m"), "bad-response", 502, "unknown")
    assert 'text = "replace"' in problem["detail"]
