# SPDX-License-Identifier: Apache-2.0
"""Against the real thing: dumps() and loads() of xmlrpc.client, for values and documents made at
random. Where both differ, a row of docs/values.md must say so."""

import xmlrpc.client
from base64 import b64decode, b64encode
from collections import Counter
from datetime import datetime
from decimal import Decimal

import pytest

from rig import generate, python_client
from rig.codec import Number, base64_line, parse_json, run_lines, write_json
from rig.python_client import DIFFERENCES, Form, Refused, explain, same, same_document
from rig.settings import TOP

PARTS = range(4)
VALUES = 400 * generate.MORE
DOCUMENTS = 1200 * generate.MORE
DOUBLES = 5000 * generate.MORE

FORMS = [Form(types, integers) for types in ("plain", "tagged")
         for integers in ("number", "string", "safe")]
ALL_EXTENSIONS = "nil,i8,biginteger,bigdecimal,nonfinite"

PAGE = TOP / "docs/values.md"


def report(failures: list[str]):
    if failures:
        pytest.fail(f"{len(failures)} {generate.again()}:\n" + "\n".join(failures[:8]),
                    pytrace=False)


def decode_all(documents: list[bytes], form: Form):
    return run_lines("decode", [base64_line(document) for document in documents], form.options)


# dumps() -> decode


@pytest.mark.parametrize("part", PARTS)
def test_what_dumps_writes_is_read(part):
    """Every value of Python's comes out as the tables say, in all forms."""
    rng = generate.generator("dumps", part)
    values = [tuple(generate.value(rng) for _ in range(rng.choice((0, 1, 1, 2))))
              for _ in range(VALUES)]
    documents = [_dumps(rng, params) for params in values]
    failures = []
    for form in FORMS:
        answers = decode_all(documents, form)
        failures += [f"{form}: {document!r} gave {answer!r}"
                     for params, document, answer in zip(values, documents, answers, strict=True)
                     if not same(list(params), answer.get("params"), form)]
    report(failures)


def _dumps(rng, params: tuple) -> bytes:
    encoding = rng.choice((None, None, "utf-16", "iso-8859-1"))
    method = rng.choice((None, "demo.echo"))
    response = method is None and len(params) == 1
    if not (method or response):
        encoding = None  # bare params have no declaration
    while True:
        xml = xmlrpc.client.dumps(params, method, response, encoding, allow_none=True)
        # dumps() writes CR as it is; a reader would take it for a line's end.
        xml = xml.replace("\r", "&#13;")
        try:
            return xml.encode(encoding or "utf-8")
        except UnicodeEncodeError:
            encoding = None


def test_faults_of_dumps_are_read():
    """Faults with integers and words as codes."""
    rng = generate.generator("faults")
    faults = [xmlrpc.client.Fault(rng.choice((0, 4, -32601, 2**31 - 1, "5", "Client", "")),
                                  generate.text(rng)) for _ in range(200)]
    documents = [xmlrpc.client.dumps(f).replace("\r", "&#13;").encode() for f in faults]
    report([f"{fault!r} gave {answer!r}" for fault, answer in
            zip(faults, decode_all(documents, Form()), strict=True)
            if not same_document(fault, answer, Form())])


# JSON -> encode -> loads()


def _meaning(rng, depth=4):
    while True:
        value = generate.exact(rng, depth)
        if _encodes(value):
            return value


def _encodes(value) -> bool:
    """DateTime objects of odd text have no JSON form, nor has what no double holds."""
    if isinstance(value, list):
        return all(map(_encodes, value))
    if isinstance(value, dict):
        return all(map(_encodes, value.values()))
    return not isinstance(value, xmlrpc.client.DateTime)


def _identical(a, b) -> bool:
    """Equal, of one type, zeros with one sign, members in one order."""
    if isinstance(a, xmlrpc.client.Binary):
        a = a.data
    if isinstance(a, xmlrpc.client.DateTime) and isinstance(b, datetime):
        return a.value == xmlrpc.client.DateTime(b).value
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_identical, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_identical(a[name], b[name]) for name in a)
    if isinstance(a, (float, Decimal)):
        return repr(a) == repr(b)
    return a == b


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("encoding", ["UTF-8", "US-ASCII", "ISO-8859-1", "UTF-16"])
def test_loads_reads_what_encode_writes(part, encoding):
    """Every JSON value arrives in Python as what it says."""
    rng = generate.generator("encode", encoding, part)
    meanings = [[_meaning(rng) for _ in range(rng.choice((0, 1, 1, 2)))]
                for _ in range(VALUES // 2)]
    lines = [write_json(generate.json_of(rng, meaning)) for meaning in meanings]
    kind = "" if encoding == "UTF-16" else "-m demo.größe"
    answers = run_lines("encode", lines, f"{kind} --encoding {encoding} -x {ALL_EXTENSIONS}")
    failures = []
    for meaning, line, answer in zip(meanings, lines, answers, strict=True):
        document = xml_of(answer)
        for builtin in (False, True):
            try:
                params, method = python_client.loads(document, builtin)
            except Refused as refusal:
                failures.append(f"{line}: {refusal}: {answer!r}")
                continue
            if not _identical(list(params), meaning) or method not in (None, "demo.größe"):
                failures.append(f"{line} became {params!r}")
    report(failures)


def xml_of(answer) -> bytes:
    """The document in an answer of `encode --lines`."""
    xml = answer.get("xml")
    if xml is not None:
        return xml.encode("utf-8")
    return b64decode(answer.get("base64") or "")


# JSON -> encode -> decode -> JSON

EXTREMES = [
    "9007199254740993", "-9223372036854775808", "9223372036854775807", "2147483648",
    "1234567890123456789012345678901234567890", "-1234567890123456789012345678901234567890",
    '{"$bigdecimal":"1.10"}', '{"$bigdecimal":"-0.000000000000000000000000000001"}', "20.0", "20",
    "-0.0", "5e-324", "1.7976931348623157e+308", "0.1", "1e+16", "1e-05", '{"$double":"NaN"}',
    '{"$double":"Infinity"}', '{"$double":"-Infinity"}', "0", "-1", '"]]>"', '"\\r\\n\\t "', '""',
    "[]", "{}", "[[],{}]", '{"":""}', "null", '{"$struct":{"$i8":"5"}}', '{"$i8":"5"}',
    '{"$biginteger":"5"}', '{"$base64":""}', '{"$dateTime":"19980717T14:08:55"}', "true", "false",
    '"\\u0085\\u2028\\ufffd\\ue000"', '{"a/b":{"c~d":[1.5]}}',
]


def test_extremes_survive_the_round_trip():
    """Tagged output is input that means the same, digit for digit."""
    lines = [f"[{json}]" for json in EXTREMES]
    report(_round_trip(lines))


def _canonical(value):
    """What decoding with tags gives for a value of `exact`, and encoding takes."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        text = str(value)
        if -2**31 <= value < 2**31:
            return Number(text)
        return {"$i8" if -2**63 <= value < 2**63 else "$biginteger": text}
    if isinstance(value, float):
        return Number(repr(value))
    if isinstance(value, Decimal):
        return {"$bigdecimal": format(value, "f")}
    if isinstance(value, bytes):
        return {"$base64": b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$dateTime": xmlrpc.client.DateTime(value).value}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    members = {name: _canonical(item) for name, item in value.items()}
    wrapped = len(members) == 1 and next(iter(members)).startswith("$")
    return {"$struct": members} if wrapped else members


def _round_trip(lines: list[str]) -> list[str]:
    """JSON must come back as it was, but for integers that tags name."""
    documents = [xml_of(a) for a in run_lines("encode", lines, f"-x {ALL_EXTENSIONS}")]
    once = decode_all(documents, Form("tagged"))
    again = [xml_of(a) for a in run_lines(
        "encode", [write_json(answer.get("params") or []) for answer in once],
        f"-x {ALL_EXTENSIONS}")]
    failures = [f"{line}: {a!r} became {b!r}"
                for line, a, b in zip(lines, documents, again, strict=True) if a != b]
    plain = decode_all(documents, Form("plain"))
    for line, tagged, untagged in zip(lines, once, plain, strict=True):
        wanted = parse_json(line)
        if wanted not in (tagged.get("params"), untagged.get("params")):
            failures.append(f"{line} became {tagged!r} and {untagged!r}")
    return failures


@pytest.mark.parametrize("part", PARTS)
def test_json_survives_the_round_trip(part):
    """What decoding writes with tags is what encoding was given."""
    rng = generate.generator("round trip", part)
    lines = [write_json([_canonical(_meaning(rng))]) for _ in range(VALUES)]
    report(_round_trip(lines))


# Documents through both.


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["whole", "mutated"])
def test_documents_mean_the_same_to_both(kind, part):
    """Both take it, with one value, or both refuse it; or a row says why not."""
    rng = generate.generator("documents", kind, part)
    documents = []
    while len(documents) < DOCUMENTS:
        xml = generate.document(rng)
        documents.append(xml.encode() if kind == "whole" else generate.mutate(rng, xml))
    form = rng.choice(FORMS)
    answers = decode_all(documents, form)
    seen, failures = Counter(), []
    for document, answer in zip(documents, answers, strict=True):
        verdict, rows = _compare(document, answer, form)
        seen[verdict] += 1
        seen.update(rows)
        if verdict != "same" and not rows:
            failures.append(f"{verdict}: {document!r} {form} gave {answer!r}")
    report(failures)
    # The generator must go on making both kinds.
    assert seen["same"] >= DOCUMENTS // 3, seen


def _compare(document: bytes, answer, form: Form):
    """How ours differs from Python, and the rows that allow it."""
    try:
        result = python_client.read(document)
    except Refused as refusal:
        if answer.get("error") is not None:
            return "same", []
        return f"takes ({refusal})", explain(document, "takes")
    if answer.get("error") is not None:
        return "refuses", explain(document, "refuses")
    failure = _loads_agrees(document, result)
    if failure:
        return failure, []
    if same_document(result, answer, form):
        return "same", []
    return "reads otherwise", explain(document, "reads otherwise")


def _loads_agrees(document: bytes, result) -> str | None:
    """The oracle itself: loads() says the same, in both settings, but for dates."""
    for builtin in (False, True):
        try:
            other = python_client.loads(document, builtin)
        except Refused:
            if builtin and python_client.builtin_dates_differ(document):
                continue
            return "the oracle is wrong"
        if not isinstance(result, xmlrpc.client.Fault) and \
                not _alike(list(other[0]), list(result[0])):
            return "the oracle is wrong"
    return None


def _alike(a, b) -> bool:
    """The same but for the classes of dates and bytes."""
    if isinstance(b, xmlrpc.client.Binary):
        return getattr(a, "data", a) == b.data
    if isinstance(b, xmlrpc.client.DateTime):
        return isinstance(a, datetime) or a.value == b.value
    if isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(b, dict):
        return list(a) == list(b) and all(_alike(a[name], b[name]) for name in b)
    return repr(a) == repr(b)


EXAMPLES = [(d, example) for d in DIFFERENCES for example in d.examples]


@pytest.mark.parametrize("difference, example", EXAMPLES,
                         ids=[f"{d.row}-{d.examples.index(e)}" for d, e in EXAMPLES])
def test_each_difference_is_one(difference, example):
    """A row that never applies would hide bugs: here is a document for each."""
    verdict, rows = _compare(example, decode_all([example], Form())[0], Form())
    if verdict == "same" and difference.may_be_gone:
        return
    assert verdict.startswith(difference.ours), verdict
    assert difference.row in rows


def test_the_page_has_each_difference():
    """docs/values.md is what users are told."""
    page = PAGE.read_text("utf-8")
    missing = [d.row for d in DIFFERENCES if f"| {d.row} |" not in page]
    assert not missing


# The fewest digits.


@pytest.mark.parametrize("part", PARTS)
def test_doubles_have_the_fewest_digits(part):
    """Both ways: what repr() writes, without an exponent on the way out."""
    rng = generate.generator("doubles", part)
    doubles = [generate.double(rng) for _ in range(DOUBLES)]
    texts = [write_json(generate.json_of(rng, d) if rng.random() < 0.5 else Number(repr(d)))
             for d in doubles]
    size = 500
    failures = []
    documents = [xml_of(a) for a in run_lines(
        "encode", [f"[{','.join(texts[i:i + size])}]" for i in range(0, DOUBLES, size)])]
    for i, document in enumerate(documents):
        written = [v.text for v in python_client.Facts(document).root.all() if v.name == "double"]
        wanted = [_plain(d) for d in doubles[i * size:(i + 1) * size]]
        failures += [f"{b} became {a}" for a, b in zip(reversed(written), wanted, strict=True)
                     if a != b]
    sent = [f"<value><double>{_written(rng, d)}</double></value>" for d in doubles]
    answers = decode_all(["<params>{}</params>".format("".join(sent[i:i + size])).encode()
                          for i in range(0, DOUBLES, size)], Form())
    for i, answer in enumerate(answers):
        wanted = [Number(repr(d)) for d in doubles[i * size:(i + 1) * size]]
        failures += [f"{b} was read as {a}"
                     for a, b in zip(answer.get("params") or [], wanted, strict=True) if a != b]
    report(failures)


def _plain(value: float) -> str:
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else text + ".0"


def _written(rng, value: float) -> str:
    """A text of which the double is the nearest."""
    return rng.choice((repr(value), f"{value:.16e}", f"{value:.17g}", f"{value:.30e}",
                       _plain(value), format(Decimal(value), "f")))
