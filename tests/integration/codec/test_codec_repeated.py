# SPDX-License-Identifier: Apache-2.0
"""Structs that have a name twice, within one another and of any size: the last value counts and
stands in the first one's place, as in a dict of Python's; and long strings that become base64."""

from base64 import b64encode
from xml.sax.saxutils import escape

import pytest

from rig import generate
from rig.codec import Members, base64_line, run_lines

DOCUMENTS = 250 * generate.MORE
NAMES = ["a", "$a", "$b", "größe", "a<b", ""] + [f"n{i}" for i in range(40)]
BAD = b"\x01\xff\x0c"


class Made:
    """A document made at random, and what it means in both forms."""

    def __init__(self, rng, bad: bool):
        self.rng, self.bad = rng, bad

    def text(self) -> tuple[bytes, str]:
        """XML and what comes of it."""
        size = self.rng.choice((0, 1, 5, 50, 5000, 70_000 if self.rng.random() < 0.2 else 9))
        text = "".join(self.rng.choice('ab"\\é\n<&€') for _ in range(size % 997))
        text = (text * (size // 997 + 1))[:size]
        if not self.bad or self.rng.random() < 0.5:
            return escape(text).encode(), text
        at, byte = self.rng.randint(0, len(text)), bytes([self.rng.choice(BAD)])
        parts = text[:at], text[at:]
        return (byte.join(escape(part).encode() for part in parts),
                b64encode(byte.join(part.encode() for part in parts)).decode())

    def value(self, depth: int) -> tuple[bytes, object, object]:
        """XML, and the plain and the tagged value."""
        kind = self.rng.random()
        if depth > 0 and kind < 0.5:
            return self.struct(depth - 1)
        if depth > 0 and kind < 0.6:
            items = [self.value(depth - 1) for _ in range(self.rng.randint(0, 3))]
            xml = b"".join(item[0] for item in items)
            return (b"<value><array><data>" + xml + b"</data></array></value>",
                    [item[1] for item in items], [item[2] for item in items])
        xml, text = self.text()
        return b"<value>" + xml + b"</value>", text, text

    def struct(self, depth: int) -> tuple[bytes, object, object]:
        n = self.rng.choice((0, 1, 2, 3, 5, 17, 18, 40))
        names = self.rng.sample(NAMES, self.rng.choice((1, 2, 8, 30)))
        xml, plain, tagged = [], {}, {}
        for _ in range(n):
            name = self.rng.choice(names)
            value, plain[name], tagged[name] = self.value(depth if n < 10 else 0)
            xml.append(b"<member><name>%s</name>%s</member>" % (escape(name).encode(), value))
        tagged = Members(tagged.items())
        if len(tagged) == 1 and tagged[0][0].startswith("$"):
            tagged = Members([("$struct", tagged)])
        return (b"<value><struct>" + b"".join(xml) + b"</struct></value>",
                Members(plain.items()), tagged)

    def document(self) -> tuple[bytes, object, object]:
        xml, plain, tagged = self.struct(self.rng.randint(0, 6))
        return b"<params><param>" + xml + b"</param></params>", plain, tagged


@pytest.mark.parametrize("text", ["reject", "replace", "base64"])
@pytest.mark.parametrize("types", ["plain", "tagged"])
def test_the_last_value_stands_in_the_first_ones_place(types, text):
    rng = generate.generator("repeated", types, text)
    made = [Made(rng, text == "base64").document() for _ in range(DOCUMENTS)]
    answers = run_lines("decode", [base64_line(xml) for xml, *_ in made],
                        f"--types {types} --text {text}")
    for (xml, plain, tagged), answer in zip(made, answers, strict=True):
        assert answer.get("params") == [plain if types == "plain" else tagged], \
            f"{xml[:2000]!r} gave {str(answer)[:2000]} {generate.again()}"


def test_structs_within_structs():
    """Each of 100 levels has its name twice, and a megabyte in it."""
    inner = Members([("a", "x" * 2**20)])
    xml = f"<value><struct><member><name>a</name><value>{'x' * 2**20}</value></member></struct></value>"
    for level in range(100):
        inner = Members([("a", inner), ("b", str(level))])
        xml = ("<value><struct><member><name>a</name><value>1</value></member><member><name>b</name>"
               f"<value>{level}</value></member><member><name>a</name>{xml}</member></struct>"
               "</value>")
    answer, = run_lines("decode", [base64_line(f"<params><param>{xml}</param></params>".encode())])
    assert answer.get("params") == [inner]


def test_a_fault_that_becomes_base64():
    text = b"x" * 10_000 + b"\x01"
    xml = (b"<methodResponse><fault><value><struct><member><name>faultCode</name><int>4</int>"
           b"</member><member><name>faultString</name><value>" + text +
           b"</value></member></struct></value></fault></methodResponse>")
    answer, = run_lines("decode", [base64_line(xml)], "--text base64")
    assert answer.get("fault").get("string") == b64encode(text).decode()
