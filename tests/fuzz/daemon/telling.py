# SPDX-License-Identifier: Apache-2.0
"""Upstreams that fail in words: faults, error pages, logins, redirects. They tell the credentials
that they were sent wherever there is room for text, so that those must be taken out."""

import documents
from behaviours import behaviour
from exchange import CLOSE, KEEP, response
from ledger import REFUSING_FAULTS


@behaviour
def fault(x):
    code = x.rng.choice([1, 0, -1, 42, 2 ** 31 - 1, -32000, *REFUSING_FAULTS])
    return response(x.fault(code, "as asked")), KEEP


@behaviour
def fault_with_secrets(x):
    told = x.rng.choice(["", "&", "x" * 190, "y" * 65_500, "\U0001f600" * 16_370]) + x.echoed
    return response(x.fault(x.rng.choice([1, -32602]), told * x.rng.choice([1, 3, 200]))), KEEP


@behaviour
def cut_fault(x):
    """A secret at the end, where what is shown of the text may end."""
    told = x.echoed
    return response(x.fault(1, "z" *
                            (x.rng.choice([200, 512, 960, 1024, 65_536]) -
                             x.rng.randrange(60)) +
                            told)), KEEP


@behaviour
def long_fault(x):
    return response(x.fault(1, ("\x7f\x85<>&\"\\" + x.echoed) * x.rng.choice([100, 4000]))), KEEP


@behaviour
def number_with_secrets(x):
    """A value that is no number, and is shown as such."""
    return response(documents.around(
        f"<int>{'1' * x.rng.choice([0, 30, 60])}{x.echoed}</int>")), KEEP


@behaviour
def tag_with_secrets(x):
    name = x.echoed.replace(" ", "-").replace("=", "").replace("/", "") or "x"
    return response(documents.around(f"<{name}>1</{name}>")), KEEP


@behaviour
def page(x):
    """HTML, of any status."""
    status = x.rng.choice(["200 OK", "404 Not Found", "500 Oops",
                          "502 Bad", "400 Bad", "418 Teapot"])
    text = f"<html><body>{'p' * x.rng.choice([0, 470, 500, 5000])}{x.echoed}</body></html>"
    return response(text.encode(), status, "Content-Type: text/html; charset=latin-1"), KEEP


@behaviour
def told_in_head(x):
    """In the header lines that a problem shows, and in the reason."""
    status = x.rng.choice(["500 ", "302 ", "405 ", "401 "]) + x.echoed
    lines = [f"{name}: {x.rng.choice(['', 'v' * 500])}{x.echoed}" for name in (
        "Server", "Allow", "Location", "Date", "WWW-Authenticate", "Retry-After", "X-Other")]
    return response(b"no", status, *lines), KEEP


@behaviour
def redirect(x):
    status = x.rng.choice(["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
    where = x.rng.choice([x.server.address, "http://127.0.0.1:1/",
                         "file:///etc/passwd", "gopher://127.0.0.1/", "//x", ""])
    return response(b"", status, f"Location: {where}"), KEEP


@behaviour
def busy(x):
    after = x.rng.choice(["1", "-5", "x", "99999999999999999999",
                         "Fri, 31 Dec 1999 23:59:59 GMT", "", "1, 2"])
    status = x.rng.choice(["503 Busy", "429 Too Many"])
    return response(
        b"", status, f"Retry-After: {after}",
        f"Date: {x.rng.choice(['x', 'Fri, 31 Dec 1999 23:59:50 GMT'])}"), KEEP


@behaviour
def login(x):
    """A digest's nonce that changes each time, Basic, others, broken ones."""
    nonce = f'nonce="{x.rng.random()}"'
    asked = x.rng.choice(
        [
            f'Digest realm="r", {nonce}',
            f'Digest realm="r", {nonce}, stale=true, qop="auth"',
            f'Digest realm="r", {nonce}, algorithm=SHA-256, qop="auth,auth-int"',
            'Basic realm="r"',
            f"Digest {nonce * 200}",
            "Digest realm=",
            "Negotiate",
            "Bearer",
            'Digest realm="' + "r" * 3000,
            f'Digest realm="r", {nonce}, algorithm=NONE',
            "NTLM"])
    return response(b"log in", "401 Unauthorized", f"WWW-Authenticate: {asked}"), KEEP


@behaviour
def odd_cookies(x):
    values = [
        "a=b; Domain=.example; Path=/x",
        "=",
        ";",
        "a" * 5000 + "=b",
        "a=" + "b" * 5000,
        "x=\x01",
        "a=b; Max-Age=-1",
        "a=b; Expires=x",
        "__Host-a=b",
        "a=b; Domain=127.0.0.1; Secure",
        "a\tb=c"]
    lines = [f"Set-Cookie: {x.rng.choice(values)}" for _ in range(x.rng.choice([1, 10, 90]))]
    lines += [f"Set-Cookie: n{x.rng.random()}=v" for _ in range(x.rng.choice([0, 80]))]
    return response(x.document(), "200 OK", *lines), KEEP


@behaviour
def fault_of_status(x):
    """A fault in the body of another status than 200, and a result in one."""
    status = x.rng.choice(["500 Oops", "400 Bad", "404 Not Found"])
    return response(x.fault(3, "within") if x.rng.random() <
                    0.5 else x.document(), status), x.rng.choice([KEEP, CLOSE])
