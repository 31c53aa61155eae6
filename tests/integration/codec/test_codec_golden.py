# SPDX-License-Identifier: Apache-2.0
"""The hand-made cases of tests/golden, each by itself and in batches. Its README.md has the form."""

import json
import re
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from rig.codec import (DATA_ERROR, OK, Members, Number, base64_line, parse_json, run, run_lines,
                       write_json)
from rig.settings import TOP

GOLDEN = TOP / "tests/golden"
ENCODE = sorted((GOLDEN / "encode").glob("*.json"))
DECODE = sorted((GOLDEN / "decode").glob("*.json"))

#: With fewer than these some were lost.
CASES_MIN = 800

_RESPONSE = "<methodResponse><params><param><value>%s</value></param></params></methodResponse>"


@dataclass
class Case:
    name: str
    options: str
    data: bytes
    error: list[str]
    pointer: str | None
    line: int | None
    out: object = None  # bytes of a document, or JSON of parse_json()


def _error(case) -> list[str]:
    error = case.get("error", [])
    return [error] if isinstance(error, str) else list(error)


def _encode_case(case, options) -> Case:
    if case.get("base64") is not None:
        data = b64decode(case.get("base64"))
    elif case.get("json") is not None:
        data = case.get("json").encode("utf-8")
    else:
        params = case.get("params")
        data = write_json([dict(case)["in"]] if params is None else params).encode("utf-8")
    out = case.get("xml")
    if out is None and case.get("out") is not None:
        out = f"<params><param><value>{case.get('out')}</value></param></params>\n"
    if out is not None:
        out = out.encode(case.get("charset", "utf-8"))
    assert (out is None) == bool(_error(case)), case
    return Case(case.get("name"), options, data, _error(case), case.get("pointer"), None, out)


def _decode_cases(case, options) -> list[Case]:
    if case.get("base64") is not None:
        data = b64decode(case.get("base64"))
    else:
        xml = case.get("xml")
        xml = _RESPONSE % case.get("in") if xml is None else xml
        data = xml.encode(case.get("charset", "utf-8"))
    members = dict(case)
    line = int(members["line"].text) if "line" in members else None
    if _error(case):
        assert "out" not in members and "document" not in members, case
        return [Case(case.get("name"), options, data, _error(case), None, line)]
    out = members["document"] if "document" in members else Members([("params", [members["out"]])])
    cases = [Case(case.get("name"), options, data, [], None, None, out)]
    for more, value in members.get("with", ()):
        cases.append(Case(f"{case.get('name')} with {more}", f"{options} {more}".strip(), data, [],
                          None, None, Members([("params", [value])])))
    return cases


@cache
def load(path: Path) -> list[Case]:
    """The cases of a file."""
    content = parse_json(path.read_text("utf-8"))
    cases = []
    for case in content.get("cases"):
        options = case.get("options", "")
        if path.parent.name == "encode":
            cases.append(_encode_case(case, options))
        else:
            cases.extend(_decode_cases(case, options))
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), f"a name twice in {path.name}"
    return cases


def check_message(case: Case, message: str):
    """The message has what the case asks for, and the place."""
    for part in case.error:
        assert part.lower() in message.lower(), f"{part!r} is not in: {message}"
    assert "\n" not in message.strip("\n")


def check_place(case: Case, message: str):
    """A refused document's message names a line and column that the document has."""
    if "limits." in message:
        return
    found = re.search(r"line (\d+), column (\d+)", message)
    assert found, f"no line and column in: {message}"
    line, column = int(found[1]), int(found[2])
    if case.line is not None:
        assert line == case.line, message
    assert 1 <= line <= case.data.count(b"\n") + 1, message
    assert 1 <= column <= max(map(len, case.data.split(b"\n"))) + 2, message


def _stderr_is_one_line(err: str):
    assert err.startswith("rpcgate: standard input: "), err
    assert err.endswith("\n") and err.count("\n") == 1, err


def _check_alone(case: Case, command: str):
    done = run(command, case.options, case.data)
    if case.error:
        assert done.status == DATA_ERROR, done
        assert done.out == b"", f"stdout of a refused document: {done.out[:200]!r}"
        _stderr_is_one_line(done.err)
        check_message(case, done.err)
        if command == "decode":
            check_place(case, done.err)
        if case.pointer is not None:
            assert f'"{case.pointer}"' in done.err, done.err
        return
    assert (done.status, done.err) == (OK, ""), done
    if command == "encode":
        assert done.out.rstrip(b"\n") == case.out.rstrip(b"\n")
    else:
        assert parse_json(done.out.decode("utf-8")) == case.out


def _failures(cases, check) -> list[str]:
    failures = []
    for case, outcome in zip(cases, check, strict=True):
        if outcome is not None:
            failures.append(f"{case.name}: {outcome}")
    return failures


def _try(function, *arguments) -> str | None:
    try:
        function(*arguments)
    except AssertionError as failure:
        return str(failure)
    return None


def _report(failures: list[str]):
    if failures:
        pytest.fail(f"{len(failures)} cases:\n" + "\n".join(failures), pytrace=False)


@pytest.mark.parametrize("path", ENCODE + DECODE, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_each_alone(path):
    """One run of the tool for each case: exit status, stdout, one line on stderr."""
    cases = load(path)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda c: _try(_check_alone, c, path.parent.name), cases))
    _report(_failures(cases, outcomes))


def _answer_of_encode(answer) -> bytes | None:
    if answer.get("xml") is not None:
        return answer.get("xml").encode("utf-8")
    return b64decode(answer.get("base64")) if answer.get("base64") is not None else None


def _check_line_of_encode(case: Case, answer):
    if case.error:
        assert answer.get("error") is not None, answer
        check_message(case, answer.get("error"))
        if case.pointer is not None:
            assert answer.get("pointer") == case.pointer, answer
        return
    assert answer.get("error") is None, answer
    assert _answer_of_encode(answer) == case.out, answer


def _check_line_of_decode(case: Case, answer):
    if case.error:
        assert [name for name, _ in answer] == ["error"], answer
        check_message(case, answer.get("error"))
        check_place(case, answer.get("error"))
        return
    assert answer == case.out


def _by_options(cases):
    groups = {}
    for case in cases:
        groups.setdefault(case.options, []).append(case)
    return groups.items()


@pytest.mark.parametrize("path", ENCODE, ids=lambda p: p.stem)
def test_encode_lines(path):
    """The same cases as lines of batches; those that hold a line's end cannot be."""
    for options, cases in _by_options(c for c in load(path) if b"\n" not in c.data):
        answers = run_lines("encode", [case.data for case in cases], options)
        _report(_failures(cases, (_try(_check_line_of_encode, c, a)
                                  for c, a in zip(cases, answers, strict=True))))


@pytest.mark.parametrize("path", DECODE, ids=lambda p: p.stem)
@pytest.mark.parametrize("form", ["base64", "xml"])
def test_decode_lines(path, form):
    """The same cases as lines of batches."""
    cases = load(path)
    if form == "xml":
        cases = [case for case in cases if _is_text(case.data)]
    for options, group in _by_options(cases):
        if form == "xml":
            lines = [json.dumps({"xml": case.data.decode("utf-8")}) for case in group]
        else:
            lines = [base64_line(case.data) for case in group]
        answers = run_lines("decode", lines, options)
        _report(_failures(group, (_try(_check_line_of_decode, c, a)
                                  for c, a in zip(group, answers, strict=True))))


@pytest.mark.parametrize("line", ['{}', '{"xml":"<params/>","base64":"PHBhcmFtcy8+"}', '{"xml":1}',
                                  '{"base64":"PHBhcmFtcy8+","xml":"<params/>"}', '["xml"]'])
def test_lines_that_are_not_one_document(line):
    (answer,) = run_lines("decode", [line])
    assert "Each line is" in str(answer.get("error"))


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("path", ENCODE, ids=lambda p: p.stem)
def test_what_encode_writes_is_read_back(path):
    """Each expected document is one that decode takes, whatever the case is about."""
    cases = [case for case in load(path) if not case.error]
    answers = run_lines("decode", [base64_line(case.out) for case in cases])
    bad = [f"{c.name}: {a.get('error')}" for c, a in zip(cases, answers, strict=True)
           if a.get("error") is not None]
    _report(bad)


def test_there_are_enough():
    """Nobody has lost cases on the way."""
    assert sum(len(load(path)) for path in ENCODE + DECODE) >= CASES_MIN


def test_numbers_are_compared_by_text():
    """The rig itself: 1.10 is not 1.1, and 20 is not 20.0."""
    assert parse_json("[1.10]") != parse_json("[1.1]")
    assert parse_json("20") != parse_json("20.0")
    assert parse_json('{"a":1,"b":2}') != parse_json('{"b":2,"a":1}')
    assert parse_json("5") == Number("5") != parse_json('"5"')
    assert parse_json("{}") != parse_json("[]")
    assert parse_json("[[]]") != parse_json("[{}]")
