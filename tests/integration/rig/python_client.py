# SPDX-License-Identifier: Apache-2.0
"""What xmlrpc.client makes of a document, whether our JSON says the same, and where it may not."""

import pyexpat
import re
import xmlrpc.client
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from xml.parsers import expat

from .codec import Members, Number


class I8(int):
    """An integer that came as i8."""


class BigInteger(int):
    """An integer that came as biginteger."""


class Typed(xmlrpc.client.Unmarshaller):
    """The real one, but it remembers the integers' types."""

    dispatch = dict(xmlrpc.client.Unmarshaller.dispatch)

    def _end_i8(self, data):
        self.end_int(data)
        self.append(I8(self._stack.pop()))

    def _end_biginteger(self, data):
        self.end_int(data)
        self.append(BigInteger(self._stack.pop()))

    dispatch["i8"] = _end_i8
    dispatch["biginteger"] = _end_biginteger


class Refused(Exception):
    """xmlrpc.client does not take the document."""


#: What the parser and the unmarshaller raise for documents that they do not take.
_REFUSALS = (expat.ExpatError, xmlrpc.client.ResponseError, TypeError, ValueError, IndexError,
             KeyError, LookupError, ArithmeticError, AttributeError)


def read(document: bytes):
    """(params, method name) or Fault; Refused."""
    target = Typed()
    parser = xmlrpc.client.ExpatParser(target)
    try:
        parser.feed(document)
        parser.close()
        return target.close(), target.getmethodname()
    except xmlrpc.client.Fault as fault:
        return fault
    except _REFUSALS as refusal:
        raise Refused(f"{type(refusal).__name__}: {refusal}") from refusal


def loads(document: bytes, builtin: bool):
    """The same of xmlrpc.client.loads() itself."""
    try:
        return xmlrpc.client.loads(document, use_builtin_types=builtin)
    except xmlrpc.client.Fault as fault:
        return fault
    except _REFUSALS as refusal:
        raise Refused(f"{type(refusal).__name__}: {refusal}") from refusal


# Is our JSON the same value?

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BASIC_DATE = re.compile(r"[0-9]{8}T[0-9]{2}:[0-9]{2}:[0-9]{2}")


@dataclass
class Form:
    """The options of decoding."""

    types: str = "plain"
    integers: str = "number"

    @property
    def options(self) -> str:
        return f"--types {self.types} --integers {self.integers}"


def _tagged(tag, value):
    return Members([(tag, value)])


def _holds(value) -> bool:
    """A double holds it exactly."""
    try:
        return float(value) == value
    except OverflowError:
        return False


def _integer(value: int, form: Form):
    kind = {I8: "$i8", BigInteger: "$biginteger"}.get(type(value))
    text = str(int(value))
    if kind and form.types == "tagged":
        return _tagged(kind, text)
    if (form.integers == "safe" and not _holds(int(value))) or (form.integers == "string" and kind):
        return text
    return Number(text)


def _float(value: float, form: Form):
    if value - value == 0:
        return Number(repr(value))
    word = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return _tagged("$double", word) if form.types == "tagged" else word


def _date(text: str, form: Form):
    if form.types == "tagged":
        return _tagged("$dateTime", text)
    if _BASIC_DATE.fullmatch(text):
        try:
            datetime.strptime(text, "%Y%m%dT%H:%M:%S")
        except ValueError:
            return text
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return text


def _same_decimal(value: Decimal, json, form: Form) -> bool:
    if form.types == "tagged":
        if not isinstance(json, Members) or [name for name, _ in json] != ["$bigdecimal"]:
            return False
        json = json[0][1]
    if not value.is_finite():
        return isinstance(json, str) and Decimal(json).compare_total(value) == 0
    quoted = (form.types == "tagged" or form.integers == "string" or
              (form.integers == "safe" and not _holds(value)))
    if not isinstance(json, str if quoted else Number):
        return False
    text = json if quoted else json.text
    return bool(_NUMBER.fullmatch(text)) and Decimal(text).as_tuple() == value.as_tuple()


def _same_bytes(data: bytes, json, form: Form) -> bool:
    if form.types == "tagged":
        if not isinstance(json, Members) or [name for name, _ in json] != ["$base64"]:
            return False
        json = json[0][1]
    return isinstance(json, str) and b64decode(json, validate=True) == data


def _same_struct(value: dict, json, form: Form) -> bool:
    names = list(value)
    if form.types == "tagged" and len(names) == 1 and names[0].startswith("$"):
        if not isinstance(json, Members) or [name for name, _ in json] != ["$struct"]:
            return False
        json = json[0][1]
    return (isinstance(json, Members) and [name for name, _ in json] == names and
            all(same(value[name], item, form) for name, item in json))


def same(value, json, form: Form) -> bool:
    """Is the JSON what the tables of values say about this value of Python's?"""
    if value is None or isinstance(value, (bool, str)):
        return type(json) is type(value) and json == value
    if isinstance(value, int):
        return json == _integer(value, form)
    if isinstance(value, float):
        return json == _float(value, form)
    if isinstance(value, Decimal):
        return _same_decimal(value, json, form)
    if isinstance(value, xmlrpc.client.DateTime):
        return json == _date(value.value, form)
    if isinstance(value, datetime):
        return json == _date(xmlrpc.client.DateTime(value).value, form)
    if isinstance(value, (bytes, xmlrpc.client.Binary)):
        return _same_bytes(getattr(value, "data", value), json, form)
    if isinstance(value, dict):
        return _same_struct(value, json, form)
    return (type(json) is list and len(json) == len(value) and
            all(same(a, b, form) for a, b in zip(value, json, strict=True)))


def _same_fault(fault, json) -> bool:
    code, string = fault.faultCode, fault.faultString
    told = json.get("fault")
    if not isinstance(told, Members):
        return False
    if isinstance(string, (list, dict)) or isinstance(code, Decimal):
        return True  # nobody asks for the text of such a thing
    if isinstance(string, str) or string is None:
        if told.get("string") != string:
            return False
    integer = re.fullmatch(r"[ \t\r\n]*([+-]?[0-9]+)[ \t\r\n]*", str(code))
    if not isinstance(code, bool) and integer:
        number = int(integer[1])
        if -2**63 <= number < 2**63:
            return told.get("code") == Number(str(number))
    return told.get("code") == Number("0")


def same_document(result, json, form: Form) -> bool:
    """The same for all that read() gives."""
    if json.get("error") is not None:
        return False
    if isinstance(result, xmlrpc.client.Fault):
        return _same_fault(result, json)
    params, method = result
    return (json.get("fault") is None and json.get("method") == method and
            same(list(params), json.get("params"), form))


# Where it may differ.


@dataclass
class Element:
    """An element; its name is what stands behind the last colon."""

    name: str
    full_name: str
    children: list = field(default_factory=list)
    text: str = ""

    def all(self):
        """It, and all in it."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(element.children)


_TYPES = {"int", "i1", "i2", "i4", "i8", "biginteger", "double", "float", "bigdecimal", "string",
          "boolean", "dateTime.iso8601", "base64", "nil", "array", "struct"}
_VALUES = _TYPES | {"value"}


def _fits(element: Element) -> bool:
    """Do the children stand where the grammar of docs/values.md has them?"""
    names = [child.name for child in element.children]
    values = all(name in _VALUES for name in names)
    match element.name:
        case "methodCall":
            return bool(names) and sorted(names) in (["methodName"], ["params"],
                                                     ["methodName", "params"])
        case "methodResponse":
            return names in (["params"], ["fault"])
        case "params":
            return all(name == "param" or name in _VALUES for name in names)
        case "param":
            return len(names) == 1 and values
        case "fault":
            return names in (["value"], ["struct"]) and _fault_value(element) is not None
        case "value":
            return len(names) <= 1 and all(name in _TYPES for name in names)
        case "array":
            return names == ["data"] or values
        case "data":
            return values
        case "struct":
            return all(name == "member" for name in names)
        case "member":
            return len(names) == 2 and names[0] == "name" and names[1] in _VALUES
        case _:
            return not names


def _fault_value(fault: Element):
    inner = fault.children[0]
    if inner.name == "value":
        inner = inner.children[0] if inner.children else inner
    return inner if inner.name == "struct" else None


class Facts:
    """What can be said about a document without asking ours."""

    def __init__(self, document: bytes):
        self.document = document

    @cached_property
    def head(self) -> str:
        return self.document[:200].decode("latin-1")

    @cached_property
    def declared(self) -> str:
        found = re.match(r"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""", self.head)
        return found[1].lower() if found else ""

    @cached_property
    def root(self) -> Element | None:
        """The tree; None where it is not well-formed."""
        top = Element("", "")
        stack = [top]

        def start(name, _):
            element = Element(name.split(":")[-1], name)
            stack[-1].children.append(element)
            stack.append(element)

        def text(data):
            stack[-1].text += data

        data = self.document
        try:
            if self.declared:
                data = data.decode("utf-8" if "ascii" in self.declared else self.declared).encode()
            parser = expat.ParserCreate("utf-8" if self.declared else None)
            parser.StartElementHandler = start
            parser.EndElementHandler = lambda _: stack.pop()
            parser.CharacterDataHandler = text
            parser.Parse(data, True)
        except (expat.ExpatError, UnicodeError, LookupError):
            return None
        return top.children[0]

    def texts(self, *names) -> list[str]:
        """What stands in the elements of these names."""
        return [e.text for e in self.root.all() if e.name in names] if self.root else []

    @cached_property
    def depth(self) -> int:
        """Nesting of arrays and structs."""
        deepest, waiting = 0, [(self.root, 0)] if self.root else []
        while waiting:
            element, depth = waiting.pop()
            depth += element.name in ("array", "struct")
            deepest = max(deepest, depth)
            waiting.extend((child, depth) for child in element.children)
        return deepest

    @cached_property
    def grammatical(self) -> bool:
        return (self.root is not None and
                self.root.name in ("methodCall", "methodResponse", "params", "fault") and
                all(map(_fits, self.root.all())))


_SPACE = "[ \t\r\n]*"
_INTEGER = re.compile(_SPACE + r"[+-]?[0-9]+" + _SPACE)
_EXPONENT = re.compile(_SPACE + r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+" + _SPACE)
_DECIMAL = re.compile(
    _SPACE + r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|inf(inity)?)" + _SPACE, re.I)
_INTEGERS = ("int", "i1", "i2", "i4", "i8", "biginteger")


def _all_match(pattern, texts) -> bool:
    return all(pattern.fullmatch(text) for text in texts)


def _odd_base64(text: str) -> bool:
    text = re.sub("[ \t\r\n]", "", text)
    return not re.fullmatch("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text)


def _long_tag(facts: Facts) -> bool:
    return bool(re.search(rb"<[A-Za-z][^<>]{1022}", facts.document))


def _fault_misshapen(facts: Facts) -> bool:
    for element in facts.root.all() if facts.root else ():
        struct = element.name == "fault" and element.children and _fault_value(element)
        if struct:
            names = {member.children[0].text for member in struct.children if member.children}
            if not {"faultCode", "faultString"} <= names or "self" in names:
                return True
    return False


def _odd_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%dT%H:%M:%S")
    except ValueError:
        return True
    return not _BASIC_DATE.fullmatch(text)


@dataclass
class Difference:
    """A deliberate one: a row of docs/values.md, when it applies, and documents that show it."""

    row: str
    ours: str  # takes, refuses, reads otherwise
    applies: object
    examples: list[bytes]
    may_be_gone: bool = False  # Python reads it as we do with an expat newer than Debian 12's


def _value(xml: str) -> bytes:
    return f"<params><param><value>{xml}</value></param></params>".encode()


DIFFERENCES = [
    Difference("Document types", "refuses", lambda f: b"<!DOCTYPE" in f.document,
               [b"<!DOCTYPE params><params/>",
                b"<!DOCTYPE params [<!ENTITY a 'x'>]><params><param><value>&a;</value></param>"
                b"</params>"]),
    Difference("Elements out of their place", "refuses", lambda f: f.root and not f.grammatical,
               [b"<answer><params/></answer>", b"<methodResponse><x/><params/></methodResponse>",
                b"<methodResponse><params/><params/></methodResponse>",
                b"<params><param/></params>", _value("<int>1</int><int>2</int>"),
                _value("<string>a<b/>c</string>"),
                _value("<struct><member><value>1</value><name>a</name></member></struct>"),
                _value("<array><data/><data/></array>")]),
    Difference("Numbers as only Python writes them", "refuses",
               lambda f: not _all_match(_INTEGER, f.texts(*_INTEGERS)) or
               not _all_match(_DECIMAL, f.texts("double", "float", "bigdecimal")),
               [_value("<int>1_000</int>"), _value("<int>１２</int>"),
                _value("<int>&#160;5</int>"), _value("<double>1_0.5</double>"),
                _value("<bigdecimal>NaN123</bigdecimal>"),
                _value("<bigdecimal>sNaN</bigdecimal>")]),
    Difference("Base64 with junk", "refuses", lambda f: any(map(_odd_base64, f.texts("base64"))),
               [_value("<base64>AQ!ID</base64>"), _value("<base64>AQ==AQ==</base64>")]),
    Difference("Nesting beyond 1000", "refuses", lambda f: f.depth > 1000,
               [_value("<array><data><value>" * 1001 + "</value></data></array>" * 1001)]),
    Difference("Start tags over 1 KiB", "refuses", _long_tag,
               [_value(f"<int a='{'x' * 2000}'>5</int>")]),
    Difference("Numbers, dates and method names over 1 MiB, names of members over 64 KiB",
               "refuses",
               lambda f: f.root and any(len(e.text) > 2**20 for e in f.root.all())
               or any(len(name) > 2**16 for name in f.texts("name")),
               [_value(f"<double>{'0' * 2**20}1</double>"),
                _value(f"<dateTime.iso8601>{'x' * 2**20}x</dateTime.iso8601>"),
                _value(f"<struct><member><name>{'x' * 2**16}x</name><value/></member></struct>")]),
    Difference("XML versions that are none", "refuses",
               lambda f: re.match(r"""<\?xml\s+version\s*=\s*["'](?!1\.[0-9]+["'])""", f.head),
               [b"<?xml version='10'?><params/>"], may_be_gone=pyexpat.version_info > (2, 5, 0)),
    Difference("Booleans as words", "takes",
               lambda f: {"true", "false"} & set(f.texts("boolean")),
               [_value("<boolean>true</boolean>"), _value("<boolean>false</boolean>")]),
    Difference("Whole numbers with an exponent in integers", "takes",
               lambda f: any(map(_EXPONENT.fullmatch, f.texts(*_INTEGERS))),
               [_value("<int>1e3</int>"), _value("<i8>1.5E+1</i8>")]),
    Difference("Integers of more than 4300 digits", "takes",
               lambda f: any(len(text) > 4300 for text in f.texts(*_INTEGERS)),
               [_value(f"<biginteger>{'9' * 5000}</biginteger>")]),
    Difference("Faults without a code or string", "takes", _fault_misshapen,
               [b"<fault><value><struct/></value></fault>",
                b"<fault><value><struct><member><name>faultString</name><value>x</value></member>"
                b"</struct></value></fault>"]),
    Difference("US-ASCII that holds UTF-8", "takes", lambda f: "ascii" in f.declared,
               ["<?xml version='1.0' encoding='US-ASCII'?><params><param><value>é</value></param>"
                "</params>".encode()]),
    Difference("Encodings of several bytes", "takes",
               lambda f: f.declared in ("shift_jis", "euc-jp", "gb18030", "big5", "euc-kr"),
               ["<?xml version='1.0' encoding='EUC-JP'?><params><param><value>日本</value></param>"
                "</params>".encode("euc-jp")]),
    Difference("A byte order mark against the declaration", "reads otherwise",
               lambda f: f.document.startswith(b"\xef\xbb\xbf"),
               ["\ufeff<?xml version='1.0' encoding='ISO-8859-1'?><params><param><value>é</value>"
                "</param></params>".encode()]),
    Difference("What stands before the document", "takes",
               lambda f: re.match(rb"(\xef\xbb\xbf|[ \t\r\n])+(<|$)", f.document),
               [b"\n<?xml version='1.0'?><params/>", b" \t\r\n<?xml version='1.0'?><params/>",
                "\ufeff\ufeff<params/>".encode(), "\n\ufeff \ufeff<params/>".encode()]),
    Difference("Dates with white space of other scripts", "reads otherwise",
               lambda f: any(text.strip() != text.strip(" \t\r\n")
                             for text in f.texts("dateTime.iso8601")),
               [_value("<dateTime.iso8601>&#160;19980717T14:08:55</dateTime.iso8601>")]),
]


def explain(document: bytes, ours: str) -> list[str]:
    """The rows that allow that: ours takes, refuses, or reads otherwise."""
    facts = Facts(document)
    return [d.row for d in DIFFERENCES if d.ours == ours and d.applies(facts)]


def builtin_dates_differ(document: bytes) -> bool:
    """With use_builtin_types Python takes only dates of one form."""
    return any(map(_odd_date, Facts(document).texts("dateTime.iso8601")))
