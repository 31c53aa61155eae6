# SPDX-License-Identifier: Apache-2.0
"""XML that upstreams answer with: good documents, hostile ones, those cut or altered by chance."""

import random
import xmlrpc.client
from xml.sax.saxutils import escape

HEAD = "<?xml version='1.0'?><methodResponse><params><param><value>"
TAIL = "</value></param></params></methodResponse>"


def response(value) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def around(xml: str) -> bytes:
    """A response around the XML of one value."""
    return f"{HEAD}{xml}{TAIL}".encode()


def text_of(text: str) -> bytes:
    return around(f"<string>{escape(text)}</string>")


def fault(code: int, text: str) -> bytes:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text)).encode()


def _entities(_) -> bytes:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return (f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}]>'
            f"<methodResponse><params><param><value>&e11;{TAIL}").encode()


def _external_entity(_) -> bytes:
    return (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
            b"<methodResponse><params><param><value>&f;</value></param></params></methodResponse>")


def _deep(rng) -> bytes:
    depth = rng.choice([100, 127, 128, 129, 1000, 100_000])
    kind = rng.randrange(3)
    if kind == 0:
        return around("<array><data><value>" * depth + "1" + "</value></data></array>" * depth)
    if kind == 1:
        return around("<struct><member><name>a</name><value>" * depth + "1"
                      + "</value></member></struct>" * depth)
    return f"<?xml version='1.0'?>{'<a>' * depth}".encode()


def _huge_name(rng) -> bytes:
    name = "n" * rng.choice([1000, 1024, 60_000, 2_000_000])
    if rng.random() < 0.5:
        return around(f"<struct><member><name>{name}</name><value>1</value></member></struct>")
    return around(f"<{name}>1</{name}>")


def _many_names(rng) -> bytes:
    count = rng.choice([1100, 20_000])
    if rng.random() < 0.5:
        return around("".join(f"<t{n}/>" for n in range(count)))
    members = "".join(f"<member><name>m{n}</name><value>{n}</value></member>" for n in range(count))
    return around(f"<struct>{members}</struct>")


def _attributes(rng) -> bytes:
    count = rng.choice([10, 50, 5000])
    attributes = " ".join(f'a{n}="&lt;{n}"' for n in range(count))
    return around(f"<string {attributes}>x</string>")


def _twice_nested(rng) -> bytes:
    """Names that come twice, in each other."""
    levels = rng.choice([2, 8, 60])
    text = "<i4>1</i4>" + "x" * 0
    for _ in range(levels):
        text = (f"<struct><member><name>a</name><value>{text}</value></member>"
                "<member><name>a</name><value><i4>2</i4></value></member></struct>")
    return around(text)


def _references(rng) -> bytes:
    size = rng.choice([10, 70, 20_000, 300_000])
    return around(rng.choice([f"<string>&#{'0' * size}65;</string>", f"<string>&{'a' * size}",
                              f"<string>&#x{'f' * size};</string>", "<string>&unknown;</string>",
                              "<string>&#0;&#1;&#xD800;&#x110000;</string>", "<string>&amp"]))


def _bad_bytes(rng) -> bytes:
    bad = rng.choice([b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\0",
                     b"\x0b", b"\xf5\x80\x80\x80", b"\xef\xbf\xbe", b"\xc3"])
    return HEAD.encode() + b"<string>" + bad + b"</string>" + TAIL.encode()


def _encodings(rng) -> bytes:
    name = rng.choice(["UTF-16", "UTF-16LE", "UTF-32", "ISO-8859-1", "US-ASCII",
                      "EBCDIC-US", "KOI8-R", "Shift_JIS", "nonsense", "x" * 300, "UTF-7", "utf8"])
    body = f"<?xml version='1.0' encoding='{name}'?>{HEAD[21:]}<string>gr\xfc\xdfe</string>{TAIL}"
    coding = rng.choice([name, "utf-8", "utf-16", "latin-1"])
    try:
        return body.encode(coding)
    except (LookupError, UnicodeError):
        return body.encode("latin-1")


def _marks(rng) -> bytes:
    """Byte order marks and blanks before the document."""
    mark = rng.choice([b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf",
                      b"\xff\xfe", b"\r\n \t", b"\0\0\xfe\xff", b"\n" * 50_000])
    return mark + text_of("x")


def _numbers(rng) -> bytes:
    kind = rng.choice(["int", "i4", "i8", "double", "boolean", "bigdecimal", "biginteger", "i1"])
    value = rng.choice(["",
                        " 1 ",
                        "+5",
                        "007",
                        "1e400",
                        "1e-400",
                        "nan",
                        "-inf",
                        "9" * 5000,
                        "1.5.5",
                        "0x10",
                        "-",
                        "true",
                        "1e5",
                        "-0",
                        "0." + "0" * 4000 + "1",
                        "9223372036854775808"])
    return around(f"<{kind}>{value}</{kind}>")


def _base64(rng) -> bytes:
    text = rng.choice(["====", "a", "ab=c", "YQ==" * 50_000, "Y Q\n=\r=", "\u00e9", "YQ", "-_-_"])
    return around(f"<base64>{text}</base64>")


def _shapes(rng) -> bytes:
    return rng.choice([
        b"", b"<", b"<methodResponse/>", b"<methodResponse><params/></methodResponse>",
        b"<?xml version='1.0'?><methodCall><methodName>x</methodName></methodCall>",
        b"<methodResponse><fault/></methodResponse>", around("<struct><member/></struct>"),
        around("<struct><member><value>1</value></member></struct>"), around("<array/>"),
        around("<nil/>"),
        around("<array><data><value/><value>x</value></data></array>"),
        around("<int>1</int><int>2</int>"),
        around("<string>a<b/>c</string>"), around("<![CDATA[<&]]]]>]]>"),
        around("<?x " + "y" * 70_000 + "?>"),
        around("<!-- " + "-" * 70_000), around("</value>"), HEAD.encode(), text_of("x")[:-9],
        text_of("x").replace(b"</param>", b"</param><param><value>2</value></param>"),
        fault(1, "x").replace(b"<int>1</int>", b"<string>text-code</string>"),
        fault(1, "x").replace(b"faultString", b"faultstring"), b"<a xmlns:b='c'><b:d/></a>"])


def _much(rng) -> bytes:
    """More than limits.response."""
    return around("<array><data>" + "<value><i4>1</i4></value>" * rng.choice([50_000, 150_000])
                  + "</data></array>")


HOSTILE = [_entities, _external_entity, _deep, _huge_name, _many_names, _attributes, _twice_nested,
           _references, _bad_bytes, _encodings, _marks, _numbers, _base64, _shapes, _much]


def hostile(rng: random.Random) -> bytes:
    return rng.choice(HOSTILE)(rng)


def mutated(data: bytes, rng: random.Random, most: int = 4) -> bytes:
    """A few bytes are changed, dropped, repeated, or come from elsewhere in it."""
    text = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if not text:
            break
        at = rng.randrange(len(text))
        size = rng.choice([1, 1, 2, 8, 64])
        kind = rng.randrange(6)
        if kind == 0:
            text[at] = rng.randrange(256)
        elif kind == 1:
            del text[at:at + size]
        elif kind == 2:
            text[at:at] = text[at:at + size]
        elif kind == 3:
            other = rng.randrange(len(text))
            text[at:at] = text[other:other + size]
        elif kind == 4:
            text[at:at] = rng.choice([b"\0",
                                      b"\r\n",
                                      b"\n",
                                      b" ",
                                      b"\t",
                                      b":",
                                      b",",
                                      b"<",
                                      b"&",
                                      b'"',
                                      b"\xff",
                                      b"\r\n\r\n",
                                      b"0\r\n\r\n",
                                      b"\r\n x: y\r\n",
                                      b"%00",
                                      b"-1"])
        else:
            del text[at:]
    return bytes(text)
