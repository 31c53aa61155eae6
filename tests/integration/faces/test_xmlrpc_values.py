# SPDX-License-Identifier: Apache-2.0
"""Every document of tests/golden through /xmlrpc, in both directions: its values are the same, type
by type and digit by digit, as without the gateway's face between."""

import re
import sys
import xmlrpc.client
from functools import cache

import pytest

from rig.codec import base64_line, parse_json, run_lines
from rig.settings import TOP, up_settings
from rig.wire import request

sys.path.insert(0, str(TOP / "tests/integration/codec"))
from test_codec_golden import DECODE, ENCODE, load  # noqa: E402

EXTENSIONS = ["nil", "i8", "biginteger", "bigdecimal", "nonfinite"]
TAGGED = "--types tagged"


@cache
def documents() -> dict[str, bytes]:
    """All that can be read without further options, by name."""
    cases = {f"{path.stem}: {case.name}": case.data for path in DECODE for case in load(path)
             if not case.error and not set(case.options.split()) - {"--types", "tagged", "plain"}}
    cases |= {f"{path.stem}: {case.name}":
              b"<methodResponse>" + case.out + b"</methodResponse>"
              for path in ENCODE for case in load(path)
              if isinstance(case.out, bytes) and case.out.startswith(b"<params")
              and "--encoding" not in case.options}
    return cases


def meaning(document: bytes):
    return run_lines("decode", [base64_line(document)], TAGGED)[0]


def read(documents: list[bytes]) -> list:
    return run_lines("decode", [base64_line(document) for document in documents], TAGGED)


@pytest.fixture(scope="module")
def gateway(start_shared, shared_upstream):
    return start_shared.gateway(up_settings(shared_upstream, extensions=EXTENSIONS,
                                            limits={"depth": 1000}) | {"limits": {"depth": 1000}})


def exchange(gateway, upstream, answers: list[bytes], calls: list[bytes]) -> list[bytes]:
    """The bodies of the replies to calls, of which each gets the next answer."""
    left = iter(answers)

    async def behave(x):
        await x.respond(next(left))
    upstream.behave = behave
    bodies = []
    with gateway.connect() as connection:
        for call in calls:
            answer = connection.ask("POST", "/xmlrpc/up", call, {"Content-Type": "text/xml"})
            assert answer.status == 200
            bodies.append(answer.body)
    return bodies


@pytest.fixture(scope="module")
def chosen(gateway, shared_upstream):
    """What a caller that speaks JSON gets of each: the documents that are answers, and their
    values."""
    answers = iter(documents().values())

    async def behave(x):
        await x.respond(next(answers))
    shared_upstream.behave = behave
    told = {name: gateway.call("up", "m", query="types=tagged") for name in documents()}
    good = {name: (documents()[name], parse_json(answer.body.decode()).get("result"))
            for name, answer in told.items() if answer.status == 200}
    assert len(good) > 380, len(good)
    return good


CALL = b"<methodCall><methodName>m</methodName></methodCall>"
ANSWER = (b"<methodResponse><params><param><value>ok</value></param></params></methodResponse>")


def same(expected: dict, got: list[bytes]):
    wrong = [(name, value, answer, body[:500])
             for (name, (_, value)), answer, body in zip(expected.items(), read(got), got)
             if answer.get("params") != [value]]
    assert not wrong, f"{len(wrong)} of {len(expected)}, the first: {wrong[0]}"


def test_answers(gateway, upstream, chosen):
    bodies = exchange(gateway, upstream, [text for text, _ in chosen.values()],
                      [CALL] * len(chosen))
    same(chosen, bodies)


def as_call(response: bytes) -> bytes | None:
    """The same document as a call, where that is a matter of its root; None elsewhere."""
    if response.count(b"<methodResponse>") != 1 or response.count(b"</methodResponse>") != 1:
        return None
    return (response.replace(b"<methodResponse>", b"<methodCall><methodName>m</methodName>")
            .replace(b"</methodResponse>", b"</methodCall>"))


def test_calls(gateway, upstream, chosen):
    calls = {name: (as_call(text), value) for name, (text, value) in chosen.items()
             if as_call(text) is not None and text.count(b"<param>") == 1}
    assert len(calls) > 350, len(calls)
    upstream.exchanges.clear()
    exchange(gateway, upstream, [ANSWER] * len(calls), [call for call, _ in calls.values()])
    same(calls, [x.body for x in upstream.exchanges])


def test_items_of_a_multicall(gateway, upstream, chosen):
    """As answers side by side: the upstream has no system.multicall."""
    names = list(chosen)[::7]
    by_method = {f"m{index}": chosen[name] for index, name in enumerate(names)}

    async def behave(x):
        if x.method == "system.multicall":
            return await x.answer_fault(-32601, "no such method")
        await x.respond(by_method[x.method][0])
    upstream.behave = behave
    items = "".join(f"<value><struct><member><name>methodName</name><value>{method}</value></member>"
                    "</struct></value>" for method in by_method)
    call = ("<methodCall><methodName>system.multicall</methodName><params><param><value><array><data>"
            f"{items}</data></array></value></param></params></methodCall>").encode()
    answer = gateway.raw(request("POST", "/xmlrpc/up", call, {"Content-Type": "text/xml"}))
    results = meaning(answer.body).get("params")[0]
    assert results == [[value] for _, value in by_method.values()]


def test_faults(gateway, upstream):
    cases = {f"{path.stem}: {case.name}": case.data for path in DECODE for case in load(path)
             if not case.error and not case.options and b"<fault>" in case.data
             and b"<methodResponse>" in case.data}
    told = dict(zip(cases, read(list(cases.values()))))
    faults = {name: told[name].get("fault") for name in cases if told[name].get("fault") is not None}
    assert len(faults) > 5
    bodies = exchange(gateway, upstream, [cases[name] for name in faults], [CALL] * len(faults))
    for (name, fault), got in zip(faults.items(), read(bodies)):
        kept = got.get("fault")
        assert kept is not None and kept.get("code") == fault.get("code"), (name, fault, kept)
        assert kept.get("string") == (fault.get("string") or ""), (name, fault, kept)


def shown(value) -> str:
    """All that there is to it: NaN is itself, and 1 is not 1.0."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def test_python_reads_the_same(gateway, upstream, chosen):
    """What its `loads` makes of an answer is the same with and without the face."""
    readable = {}
    for name, (text, _) in chosen.items():
        try:
            readable[name] = (text, xmlrpc.client.loads(text)[0])
        except Exception:  # what it cannot read is no matter here
            continue
    assert len(readable) > 200, len(readable)
    bodies = exchange(gateway, upstream, [text for text, _ in readable.values()],
                      [CALL] * len(readable))
    for (name, (_, value)), body in zip(readable.items(), bodies):
        got = xmlrpc.client.loads(body)[0]
        assert shown(got) == shown(value) or len(value) != 1, name
