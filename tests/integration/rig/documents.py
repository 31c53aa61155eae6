# SPDX-License-Identifier: Apache-2.0
"""Documents that are meant to hurt, for whoever reads XML: the decoder by itself, and the gateway
where it takes documents of callers. Most begin with `<params>`, which as_call() makes a call of."""

import re
import socket
import threading

from .settings import DEADLINE

VALUE = "<params><param><value>%s</value></param></params>"


def value(xml: str) -> bytes:
    return (VALUE % xml).encode()


def as_call(document: bytes, method: str = "m") -> bytes:
    """The same within a `methodCall`: its root stands behind the method's name."""
    document = document.replace(b"<methodResponse>", b"").replace(b"</methodResponse>", b"")
    root = re.search(rb"<(?![!?])", document)
    at = root.start() if root else len(document)
    return (document[:at] + b"<methodCall><methodName>" + method.encode() + b"</methodName>"
            + document[at:] + b"</methodCall>")


# ---- Ends ---------------------------------------------------------------------------------------


SAMPLES = {
    "every type": """<?xml version="1.0" encoding="UTF-8"?>
<methodResponse><params><param><value><struct>
<member><name>a&amp;b</name><value><int>-12</int></value></member>
<member><name>größe</name><value><double>1.5e3</double></value></member>
<member><name>d</name><value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value></member>
<member><name>b</name><value><base64>AQIDBA==</base64></value></member>
<member><name>n</name><value><ex:nil xmlns:ex="urn:x"/></value></member>
<member><name>l</name><value><array><data><value>é€😀&#13;</value><value><boolean>1</boolean></value>
<value><string><![CDATA[<&]]></string></value><!-- c --><?p i?></data></array></value></member>
</struct></value></param></params></methodResponse>""",
    "a call": "<methodCall><methodName>m</methodName><params><param><value>x</value></param>"
              "</params></methodCall>",
    "a fault": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4"
               "</int></value></member><member><name>faultString</name><value>x</value></member>"
               "</struct></value></fault></methodResponse>",
}


def broken(whole: bytes) -> dict[str, tuple[bytes, str]]:
    """What else arrives in the place of that document, and a part of the reason."""
    return {
        "nothing": (b"", "empty"),
        "NULs": (b"\0" * 1000, "line 1"),
        "0xFF": (b"\xff" * 1000, "line "),
        "random bytes": (bytes(range(256)) * 10, "line "),
        "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03", "line 1"),
        "a PNG file": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "line "),
        "an HTTP head": (b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + whole, "line 1"),
        "two documents": (whole * 2, "line 1"),
        "trailing text": (whole + b"OK", "line 1"),
        "a trailing NUL": (whole + b"\0", "line 1"),
        "a trailing end tag": (whole + b"</params>", "line 1"),
        "a trailing ampersand": (whole + b"&amp;", "line 1"),
        "a trailing half character": (whole + b"\xe2\x82", "line 1"),
        "an open comment behind": (whole + b"<!-- ", "line 1"),
        "a CDATA section behind": (whole + b"<![CDATA[]]>", "line 1"),
        "UTF-16 within UTF-8": (whole + "y".encode("utf-16"), "line 1"),
    }


# ---- Document types and entities ----------------------------------------------------------------


def laughs(levels: int, width: int = 10) -> bytes:
    entities = ["<!ENTITY l0 'lol'>"]
    entities += [f"<!ENTITY l{i} '{f'&l{i - 1};' * width}'>" for i in range(1, levels)]
    return (f"<?xml version='1.0'?>\n<!DOCTYPE params [{''.join(entities)}]>\n" +
            VALUE % f"&l{levels - 1};").encode()


class Listener:
    """A server that wants no visitors."""

    def __init__(self):
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def check(self):
        """Nobody came but ourselves, to see that the listener works."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as visit:
            visit.settimeout(DEADLINE)
            assert visit.recv(1) == b""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(DEADLINE)
        assert self.visits == 1


EXTERNAL = [
    "<!DOCTYPE params [<!ENTITY a SYSTEM '%s'>]>" + VALUE % "&a;",
    "<!DOCTYPE params SYSTEM '%s'><params/>",
    "<!DOCTYPE params PUBLIC '-//x//y' '%s'><params/>",
    "<!DOCTYPE params [<!ENTITY %% a SYSTEM '%s'> %%a;]><params/>",
    "<!DOCTYPE params [<!NOTATION n SYSTEM '%s'><!ENTITY a SYSTEM '%s' NDATA n>]><params/>",
]


QUIET = [
    "<?xml-stylesheet href='%s' type='text/xsl'?><params/>",
    "<params xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
    "xsi:schemaLocation='urn:x %s'/>",
    "<params xml:base='%s'/>",
]


# ---- Size ---------------------------------------------------------------------------------------


def struct_of(n: int, name: str = "member%d") -> str:
    members = "".join(f"<member><name>{name % i if '%' in name else name}</name>"
                      f"<value>x</value></member>" for i in range(n))
    return f"<struct>{members}</struct>"


#: Documents that are n times as long as their smallest part, and cost no more than that.
GROWING = {
    "attributes": lambda n: ("<params " + " ".join(f"a{i}=''" for i in range(n)) + "/>").encode(),
    "attributes in many tags": lambda n: value(
        "<array><data>" + "".join(f"<value a{i % 999}=''>x</value>" for i in range(n)) +
        "</data></array>"),
    "one long attribute": lambda n: f"<params a='{'x' * 10 * n}'/>".encode(),
    "one long name": lambda n: f"<{'x' * 10 * n}/>".encode(),
    "an open tag": lambda n: b"<params " + b" " * 10 * n,
    "an open comment": lambda n: b"<params><!--" + b"x-" * 10 * n,
    "an open CDATA section": lambda n: b"<params><![CDATA[" + b"x]" * 10 * n,
    "an open processing instruction": lambda n: b"<params><?x " + b"x?" * 10 * n,
    "an open reference": lambda n: value("&" + "a" * 10 * n),
    "references": lambda n: value("&#13;&amp;" * n),
    "zeros": lambda n: value("<array><data>" + "<value><int>0</int></value>" * n +
                             "</data></array>"),
    "members": lambda n: value(struct_of(n)),
    "members of one name": lambda n: value(struct_of(n, "a")),
    "a long number": lambda n: value(f"<biginteger>{'9' * 10 * n}</biginteger>"),
    "a long double": lambda n: value(f"<double>0.{'0' * 10 * n}1</double>"),
    "blanks": lambda n: value(" " * 20 * n + "<int>5</int>"),
    "text in bits": lambda n: value("x<!---->" * n),
    "CDATA in bits": lambda n: value("<![CDATA[x]]>" * n),
    "base64": lambda n: value(f"<base64>{'AQID' * 5 * n}</base64>"),
}
