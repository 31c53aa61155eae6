# SPDX-License-Identifier: Apache-2.0
"""Long documents are the sum of their parts, wherever the reader cuts them; and repaired text,
of which every character is known here."""

import json
from base64 import b64encode

import pytest

from rig import generate
from rig.codec import OK, base64_line, parse_json, run, run_lines, write_json
from rig.python_client import Form
from rig.tool import tool

FORMS = [Form(), Form("tagged", "string"), Form("tagged", "safe")]

#: U+10FFFF is left out: it marks the repaired places, and becomes base64 as they do.
_GOOD = "abc <&>\"'\\]\n\té€日\ufffd\U0001f600"
_BAD = "\0\x01\x08\x0b\x0c\x0e\x1b\x1f\ufffe\uffff"


def _values(rng, n: int) -> list[str]:
    """Values that are taken by themselves."""
    values = [generate.value_xml(rng) for _ in range(n)]
    answers = run_lines("decode", [base64_line(_params([value])) for value in values])
    return [value for value, answer in zip(values, answers, strict=True)
            if answer.get("error") is None]


def _params(values: list[str]) -> bytes:
    return f"<params>{''.join(values)}</params>".encode()


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_long_documents_are_the_sum_of_their_parts(encoding, form):
    """Some hundred KB, which are read in pieces; each value must come out as it does alone."""
    rng = generate.generator("long", encoding, form)
    values = _values(rng, 1500 * generate.MORE)
    alone = run_lines("decode", [base64_line(_params([value])) for value in values], form.options)
    wanted = [answer.get("params")[0] for answer in alone]
    head = f"<?xml version='1.0' encoding='{encoding.upper()}'?>"
    document = (head + _params(values).decode()).encode(encoding)
    assert len(document) > 100_000
    done = run("decode", form.options, document)
    assert (done.status, done.err) == (OK, "")
    got = parse_json(done.out.decode("utf-8")).get("params")
    bad = [(value, a, b) for value, a, b in zip(values, wanted, got, strict=True) if a != b]
    assert not bad, f"{bad[:3]} {generate.again()}"


def _pieces(rng) -> list[tuple[str, bool]]:
    """Characters, and whether XML has them."""
    bad = rng.random() < 0.5
    return [(rng.choice(_BAD), False) if bad and rng.random() < 0.2 else
            (rng.choice(_GOOD), True) for _ in range(rng.randint(0, 30))]


def _written(rng, pieces) -> bytes:
    out = []
    for c, _ in pieces:
        if c in "<&>" or rng.random() < 0.1:
            out.append(f"&#{ord(c)};" if rng.random() < 0.5 else f"&#x{ord(c):X};")
        else:
            out.append(c)
    return "".join(out).encode("utf-8")


def _expected(policy: str, pieces) -> str:
    text = "".join(c for c, _ in pieces)
    if all(good for _, good in pieces):
        return text
    if policy == "base64":
        return b64encode(text.encode("utf-8")).decode()
    return "".join(c if good else "\ufffd" for c, good in pieces)


@pytest.mark.parametrize("policy", ["replace", "base64"])
def test_repaired_responses(policy):
    """Raw and by reference, in strings and names, over the borders of what is read at once."""
    rng = generate.generator("repair", policy)
    strings = [_pieces(rng) for _ in range(4000 * generate.MORE)]
    names = [[(c, True) for c in f"{i}:"] + _pieces(rng) for i in range(500)]
    document = b"<params><param><value><array><data>" + b"".join(
        rng.choice((b"<value>%s</value>", b"<value><string>%s</string></value>")) %
        _written(rng, pieces) for pieces in strings) + b"</data></array></value></param>" + \
        b"<param><value><struct>" + b"".join(
            b"<member><name>%s</name><value>x</value></member>" % _written(rng, pieces)
            for pieces in names) + b"</struct></value></param></params>"
    done = run("decode", f"--text {policy}", document)
    assert (done.status, done.err) == (OK, "")
    values, members = parse_json(done.out.decode("utf-8")).get("params")
    wrong = [(pieces, got) for pieces, got in zip(strings, values, strict=True)
             if got != _expected(policy, pieces)]
    wrong += [(pieces, got) for pieces, (got, _) in zip(names, members, strict=True)
              if got != _expected(policy, pieces)]
    assert not wrong, f"{wrong[:3]} {generate.again()}"


@pytest.mark.parametrize("policy", ["replace", "base64"])
def test_repaired_requests(policy):
    """The same on the way out."""
    rng = generate.generator("repair requests", policy)
    strings = [_pieces(rng) for _ in range(4000 * generate.MORE)]
    texts = ["".join(c for c, _ in pieces) for pieces in strings]
    sent = run("encode", f"--text {policy}", write_json([texts]).encode("utf-8"))
    assert (sent.status, sent.err) == (OK, "")
    read = run("decode", "", sent.out)
    assert (read.status, read.err) == (OK, "")
    values = parse_json(read.out.decode("utf-8")).get("params")[0]
    wrong = [(pieces, got) for pieces, got in zip(strings, values, strict=True)
             if got != _expected(policy, pieces)]
    assert not wrong, f"{wrong[:3]} {generate.again()}"


def test_bytes_that_are_no_text():
    """Each byte that UTF-8 cannot have becomes one U+FFFD; under base64 the bytes stay."""
    rng = generate.generator("bytes")
    strings = []
    for _ in range(3000):
        parts = [rng.choice((b"\xff", b"\xfe", b"\xc0", b"\xf8")) if rng.random() < 0.1 else
                 rng.choice(("a", "é", "€", "\U0001f600", " ")).encode()
                 for _ in range(rng.randint(0, 30))]
        strings.append(parts)
    document = b"<params>" + b"".join(
        b"<value>%s</value>" % b"".join(parts) for parts in strings) + b"</params>"
    for policy in ("replace", "base64"):
        done = run("decode", f"--text {policy}", document)
        assert (done.status, done.err) == (OK, "")
        got = parse_json(done.out.decode("utf-8")).get("params")
        for parts, value in zip(strings, got, strict=True):
            whole = b"".join(parts)
            good = not any(part[0] >= 0xf8 or part == b"\xc0" for part in parts)
            if good or policy == "replace":
                wanted = "".join("\ufffd" if part[0] >= 0xf8 or part == b"\xc0" else part.decode()
                                 for part in parts)
            else:
                wanted = b64encode(whole).decode()
            assert value == wanted, (parts, generate.again())


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_073])
def test_files_are_read_to_their_last_byte(tmp_path, size):
    """The tool reads pieces of 64 KiB, and one byte may be left for the last."""
    before, after = "<params><param><value>", "</value></param></params>"
    text = "x" * (size - len(before) - len(after))
    file = tmp_path / "document.xml"
    file.write_text(before + text + after)
    done = tool("decode", str(file))
    assert (done.status, done.err) == (OK, "")
    assert json.loads(done.out)["params"] == [text]
