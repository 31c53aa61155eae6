# SPDX-License-Identifier: Apache-2.0
"""Values and documents made at random, the same for the same seed."""

import math
import os
import random
import re
import struct
from base64 import b64encode, encodebytes
from datetime import datetime, timedelta
from decimal import Decimal
from xmlrpc.client import Binary, DateTime
from xml.sax.saxutils import escape

from .codec import Number

#: RPCGATE_SEED repeats a run, RPCGATE_MORE makes it so many times as long.
SEED = os.environ.get("RPCGATE_SEED", "1998")
MORE = int(os.environ.get("RPCGATE_MORE", "1"))


def generator(*part) -> random.Random:
    """One for each part of a test, so that parts can run alone."""
    return random.Random(":".join([SEED, *map(str, part)]))


def again() -> str:
    """What to say with a failure."""
    return f"(RPCGATE_SEED={SEED} repeats it)"


_LETTERS = "abcXYZ019 _.:/<>&\"'\\]]>\t\n\r\u0085\u00a0éßя€日\u2028\ufffd\U0001f600\U0010ffff$"


def text(rng, most: int = 12) -> str:
    """Characters that XML has."""
    if rng.random() < 0.1:
        return ""
    if rng.random() < 0.3:
        return "".join(_any_character(rng) for _ in range(rng.randint(1, most)))
    return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, most)))


def _any_character(rng) -> str:
    while True:
        c = rng.choice((rng.randint(0x20, 0x7f), rng.randint(0x80, 0xffff),
                        rng.randint(0x10000, 0x10ffff)))
        if not (0xd800 <= c <= 0xdfff or c in (0xfffe, 0xffff)):
            return chr(c)


def double(rng) -> float:
    """Any double that is a number: bit patterns, short decimals, powers."""
    kind = rng.random()
    if kind < 0.4:
        while True:
            value = struct.unpack("<d", rng.randbytes(8))[0]
            if math.isfinite(value):
                return value
    if kind < 0.6:
        return round(rng.uniform(-1000, 1000), rng.randint(0, 6))
    if kind < 0.7:
        return float(rng.choice((0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1e22, 1e23, 0.1,
                                 1.7976931348623157e308, 9007199254740992.0, 20.0)))
    if kind < 0.8:
        return math.ldexp(rng.choice((1, 3, -1)), rng.randint(-1074, 1020))
    if kind < 0.9:
        return float(f"{rng.randint(1, 99)}e{rng.randint(-330, 306)}")
    return float(rng.randint(-10**17, 10**17))


def integer(rng, bits: int) -> int:
    edge = 2 ** (bits - 1)
    if rng.random() < 0.2:
        return rng.choice((0, 1, -1, edge - 1, -edge))
    return rng.randint(-edge, edge - 1) >> rng.randint(0, bits - 1)


def date(rng) -> datetime:
    return datetime(1, 1, 1) + timedelta(seconds=rng.randint(0, 315537897599))


def blob(rng) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 2, 3, 56, 57, 58, rng.randint(0, 300))))


def value(rng, depth: int = 4):
    """What dumps() takes, with allow_none."""
    kind = rng.randint(0, 10 if depth > 0 else 7)
    if kind >= 8:
        n = rng.choice((0, 1, 1, 2, 3, 5))
        if kind == 8:
            return [value(rng, depth - 1) for _ in range(n)]
        names = [rng.choice(("", "$", "$i8", "$a")) + text(rng, 6) for _ in range(n)]
        return {name: value(rng, depth - 1) for name in names}
    return (lambda: None, lambda: rng.random() < 0.5, lambda: integer(rng, 32),
            lambda: double(rng), lambda: text(rng), lambda: blob(rng), lambda: date(rng),
            lambda: DateTime(rng.choice(("", "19980717T14:08:55", "19980717T14:08:55Z", "never",
                                         "19990229T00:00:00", "2024-02-29T12:34:56.000Z"))))[kind]()


def exact(rng, depth: int = 4):
    """The same, and integers of any size and decimals."""
    kind = rng.randint(0, 9)
    if kind == 0:
        return integer(rng, 64)
    if kind == 1:
        return integer(rng, 130)
    if kind == 2:
        return Decimal(f"{rng.randint(-10**25, 10**25)}e-{rng.randint(0, 30)}")
    if kind >= 6 and depth > 0:
        n = rng.choice((0, 1, 1, 2, 3))
        if kind < 8:
            return [exact(rng, depth - 1) for _ in range(n)]
        return {rng.choice(("", "$", "$i8")) + text(rng, 6): exact(rng, depth - 1)
                for _ in range(n)}
    return value(rng, 0)


# Documents, from types and texts.

_NUMBERS = ("0", "1", "-1", "+5", "007", " 5\n", "2147483648", "9007199254740993", "1e3", "1.5e1",
            "15e-1", "1_000", "１２", "5.", ".5", "-.5", "1e999", "nan", "-INF", "Infinity", "-0",
            "", "-", "0x1", "1,5", "1.10", "20.0", "9" * 40, "true", "1e", "\u00a05", "1 2",
            "4.35", "0.1", "1e-7", "NaN1", "1E5")
_DATES = ("19980717T14:08:55", " 19980717T14:08:55\n", "19980717T14:08:55Z", "20240229T12:34:56",
          "20230229T00:00:00", "1998-07-17T14:08:55", "19980717T24:00:00", "19980717T14:08:60", "",
          "x", "0001-01-01", "00010101T00:00:00", "00000101T00:00:00", "1998717T1:2:3")
_BASE64 = ("", "AQID", "AQ==", "AQI=", "\nAQ\nID\n", "A", "AQ", "AQ=", "AQ!ID", "AQ==AQ==", "-_-_",
           "AQID=", "AR==", "é", "====", " ")
_INT_TYPES = ("int", "i4", "i1", "i2", "i8", "biginteger")


def _marked(rng, data: str) -> str:
    """Text as XML in one of its ways."""
    way = rng.random()
    if way < 0.75:
        return escape(data).replace("\r", "&#13;")
    if way < 0.85 and "]]>" not in data and "\r" not in data:
        return f"<![CDATA[{data}]]>"
    if way < 0.92:
        cut = rng.randint(0, len(data))
        return _marked(rng, data[:cut]) + "<!-- & -->" + _marked(rng, data[cut:])
    return "".join(f"&#{ord(c)};" if rng.random() < 0.5 else f"&#x{ord(c):x};" for c in data)


def _element(rng, name: str, inside: str) -> str:
    prefix = rng.choice(("ex:", "a:")) if rng.random() < 0.03 else ""
    attribute = rng.choice((" a='1'", "\n", " xml:space=\"preserve\"")) \
        if rng.random() < 0.03 else ""
    if inside == "" and rng.random() < 0.5:
        return f"<{prefix}{name}{attribute}/>"
    return f"<{prefix}{name}{attribute}>{inside}</{prefix}{name}>"


def _space(rng) -> str:
    return rng.choice(("", "", "", "", " ", "\n  ", "\r\n", "\t"))


def _scalar(rng) -> str:
    kind = rng.randint(0, 9)
    odd = rng.random() < 0.1
    if kind == 0:
        word = rng.choice("01") if not odd else rng.choice(("true", "false", "2", "", " 1", "True"))
        return _element(rng, "boolean", _marked(rng, word))
    if kind in (1, 2):
        number = rng.choice(_NUMBERS) if odd else str(integer(rng, rng.choice((8, 32, 64, 130))))
        return _element(rng, rng.choice(_INT_TYPES), _marked(rng, number))
    if kind in (3, 4):
        number = rng.choice(_NUMBERS) if odd else repr(double(rng))
        return _element(rng, rng.choice(("double", "double", "float", "bigdecimal")),
                        _marked(rng, number))
    if kind == 5:
        when = rng.choice(_DATES) if odd else DateTime(date(rng)).value
        return _element(rng, "dateTime.iso8601", _marked(rng, when))
    if kind == 6:
        data = rng.choice(_BASE64) if odd else encodebytes(blob(rng)).decode()
        return _element(rng, "base64", _marked(rng, data))
    if kind == 7:
        return _element(rng, "nil", "")
    return _element(rng, "string", _marked(rng, text(rng)))


def _value_xml(rng, depth: int) -> str:
    kind = rng.random()
    if kind < 0.1:
        return _element(rng, "value", _marked(rng, text(rng)))
    if kind > 0.7 and depth > 0:
        inside = _array(rng, depth) if kind < 0.85 else _struct(rng, depth)
    else:
        inside = _scalar(rng)
    if rng.random() < 0.03:
        return inside
    return _element(rng, "value", _space(rng) + inside + _space(rng))


def value_xml(rng) -> str:
    """A value alone; some are odd and refused."""
    return _value_xml(rng, 3)


def _array(rng, depth: int) -> str:
    values = "".join(_value_xml(rng, depth - 1) + _space(rng) for _ in range(rng.randint(0, 3)))
    return _element(rng, "array", values if rng.random() < 0.03 else _element(rng, "data", values))


def _struct(rng, depth: int) -> str:
    members = []
    for _ in range(rng.randint(0, 3)):
        name = rng.choice((text(rng, 4), "a", "b", "$a", "faultCode"))
        members.append(_element(rng, "member", _space(rng) + _element(
            rng, "name", _marked(rng, name)) + _space(rng) + _value_xml(rng, depth - 1)))
    return _element(rng, "struct", _space(rng).join(members))


def _fault(rng) -> str:
    code = rng.choice(("<int>4</int>", "<i4>-32601</i4>", "<string>4</string>", "Client", "<nil/>"))
    members = [("faultCode", f"<value>{code}</value>"),
               ("faultString", _element(rng, "value", _element(rng, "string",
                                                               _marked(rng, text(rng)))))]
    if rng.random() < 0.2:
        members.append((rng.choice(("more", "faultCode")), _value_xml(rng, 1)))
    if rng.random() < 0.1:
        members.pop(rng.randrange(len(members)))
    rng.shuffle(members)
    inside = "".join(f"<member><name>{name}</name>{_space(rng)}{xml}</member>"
                     for name, xml in members)
    struct_xml = _element(rng, "struct", inside)
    value_xml = f"<value>{_space(rng)}{struct_xml}{_space(rng)}</value>"
    return _element(rng, "fault", _space(rng) + rng.choice((struct_xml, value_xml, value_xml)))


def document(rng) -> str:
    """One that is valid, but for some odd scalars."""
    n = rng.choice((1, 1, 1, 0, 2))
    params = [_element(rng, "param", _space(rng) + _value_xml(rng, 3)) for _ in range(n)]
    inside = _element(rng, "params", _space(rng).join(params))
    kind = rng.random()
    if kind < 0.5:
        root = _element(rng, "methodResponse", _space(rng) + inside + _space(rng))
    elif kind < 0.7:
        root = _element(rng, "methodCall", _element(rng, "methodName", _marked(rng, text(rng))) +
                        (inside if rng.random() < 0.9 else ""))
    elif kind < 0.9:
        root = _element(rng, "methodResponse", _fault(rng))
    else:
        root = inside
    head = rng.choice(("", "<?xml version='1.0'?>\n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                       "<!-- x -->", "<?p?>\n"))
    return head + root + _space(rng)


_INSERTS = (" ", "x", "&amp;", "&lt;", "&#0;", "]]>", "<!-- c -->", "<![CDATA[x]]>", "<?p i?>",
            "<nil/>", "<x/>", "&foo;", "\x01", "\x00", "\ufffe", "<value>", "</value>", "<int>5</int>",
            "<value>1</value>", "<string>s</string>", "<", ">", "&", "<data/>", "<member>",
            "&#xD800;", "<!DOCTYPE x>", "\r", "<params/>", "<name>n</name>", "\u00a0")
_NAMES = (*_INT_TYPES, "double", "string", "boolean", "nil", "array", "data", "struct", "member",
          "name", "value", "param", "params", "fault", "methodName", "methodResponse", "base64",
          "dateTime.iso8601", "bigdecimal", "unknown", "ex:nil", "Value", "b:c:int")


def _cut(rng, tokens: list[str]):
    whole = "".join(tokens)
    tokens[:] = [whole[:rng.randrange(len(whole))]]


def _rename(rng, tokens: list[str]):
    """Another name for an element, its end tag included where that is the next of the kind."""
    i = rng.choice([i for i, token in enumerate(tokens) if re.match("<[A-Za-z]", token)] or [0])
    found = re.match(r"<([A-Za-z0-9.:]+)", tokens[i])
    if not found:
        return
    name = rng.choice(_NAMES)
    tokens[i] = f"<{name}{tokens[i][found.end():]}"
    for j in range(i + 1, len(tokens)):
        if tokens[j] == f"</{found[1]}>":
            tokens[j] = f"</{name}>"
            return


def mutate(rng, xml: str) -> bytes:
    """The document with one to three changes: few are taken, and those are odd."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tokens = re.findall(r"<[^>]*>|[^<]+|<", xml) or ["x"]
        i = rng.randrange(len(tokens))
        change = rng.randint(0, 9)
        if change <= 2:
            _rename(rng, tokens)
        elif change == 3:
            del tokens[i]
        elif change == 4:
            tokens.insert(i, tokens[i])
        elif change == 5:
            j = rng.randrange(len(tokens))
            tokens[i], tokens[j] = tokens[j], tokens[i]
        elif change in (6, 7):
            tokens.insert(i, rng.choice(_INSERTS))
        elif change == 8:
            _cut(rng, tokens)
        else:
            texts = [i for i, token in enumerate(tokens) if not token.startswith("<")]
            if texts:
                tokens[rng.choice(texts)] = escape(rng.choice(
                    (*_NUMBERS, *_DATES, *_BASE64, "true", "false")))
        xml = "".join(tokens)
    data = xml.encode("utf-8")
    if rng.random() < 0.05 and data:
        i = rng.randrange(len(data))
        data = data[:i] + bytes([rng.randrange(256)]) + data[i + 1:]
    return data


# JSON for encode, with what it means.


def json_of(rng, meaning) -> object:
    """A JSON form of Python's value, as rig.codec.write_json() takes it; tags where needed."""
    if isinstance(meaning, bool):
        return meaning if rng.random() < 0.8 else {"$boolean": meaning}
    if meaning is None:
        return None if rng.random() < 0.8 else {"$nil": True}
    if isinstance(meaning, int):
        return _json_integer(rng, meaning)
    if isinstance(meaning, float):
        return _json_double(rng, meaning)
    if isinstance(meaning, Decimal):
        plain = format(meaning, "f")
        return {"$bigdecimal": plain if rng.random() < 0.5 else Number(plain)}
    if isinstance(meaning, str):
        return meaning if rng.random() < 0.9 else {"$string": meaning}
    if isinstance(meaning, (bytes, Binary)):
        digits = b64encode(getattr(meaning, "data", meaning)).decode()
        if rng.random() < 0.3:
            digits = digits.replace("+", "-").replace("/", "_").rstrip("=")
        return {"$base64": digits}
    if isinstance(meaning, datetime):
        return {"$dateTime": _json_date(rng, meaning)}
    if isinstance(meaning, (list, tuple)):
        return [json_of(rng, item) for item in meaning]
    members = {name: json_of(rng, item) for name, item in meaning.items()}
    wrap = len(members) == 1 and next(iter(members)).startswith("$")
    return {"$struct": members} if wrap or rng.random() < 0.05 else members


def _json_integer(rng, meaning: int):
    number = Number(str(meaning))
    if rng.random() < 0.7:
        return number
    tag = "$int" if -2**31 <= meaning < 2**31 else \
        "$i8" if -2**63 <= meaning < 2**63 else "$biginteger"
    return {tag: rng.choice((number, str(meaning)))}


def _json_double(rng, meaning: float):
    if not math.isfinite(meaning):
        word = "NaN" if meaning != meaning else "Infinity" if meaning > 0 else "-Infinity"
        return {"$double": word}
    short = repr(meaning)
    forms = [short, short.upper(), f"{meaning:.17e}", f"{meaning:.25E}", format(Decimal(short), "f")]
    number = rng.choice([form for form in forms if re.search("[.eE]", form)])
    return Number(number) if rng.random() < 0.8 else {"$double": rng.choice((number,
                                                                            Number(number)))}


def _json_date(rng, meaning: datetime):
    form = rng.randint(0, 5)
    basic = DateTime(meaning).value
    extended = f"{basic[:4]}-{basic[4:6]}-{basic[6:]}"
    if form == 0:
        return basic
    if form == 1:
        return extended
    if form == 2:
        return extended + rng.choice(("Z", "z", "+00:00", ".5Z", ".123456789Z"))
    seconds = (meaning - datetime(1970, 1, 1)) // timedelta(seconds=1)
    if form == 3:
        # Below zero a fraction counts downwards.
        return Number(str(seconds) + rng.choice(("", ".0", ".75") if seconds >= 0 else ("", ".0")))
    minutes = rng.randint(-23 * 60 - 59, 23 * 60 + 59)
    try:
        local = meaning + timedelta(minutes=minutes)
    except OverflowError:
        return extended
    text_of = DateTime(local).value
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    return (f"{text_of[:4]}-{text_of[4:6]}-{text_of[6:]}"
            f"{sign}{hours:02}:{minutes:02}")
