# SPDX-License-Identifier: Apache-2.0
"""Logins at upstreams: nginx with Basic, lighttpd with Digest, tokens, cookies; and requests that
are sent compressed."""

import gzip
import random
import threading
import time
import xmlrpc.client
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.check import assert_failed, assert_problem
from rig.servers import Lighttpd, Nginx
from rig.upstream import fault_document, http_response, response_document

USER, PASSWORD, WRONG = "walter", "pass-of-the-server", "wrong-of-the-server"


@pytest.fixture(scope="module")
def shared_backend(start_shared):
    return start_shared.upstream()


@pytest.fixture
def backend(shared_backend):
    shared_backend.exchanges.clear()
    shared_backend.executed.clear()
    return shared_backend


@pytest.fixture(scope="module")
def basic(folder, shared_backend):
    users = folder / "users.basic"
    users.write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    server = Nginx(folder, f"http://127.0.0.1:{shared_backend.port}",
                   {"basic": f'auth_basic "test"; auth_basic_user_file {users};'})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def digest(folder, shared_backend):
    server = Lighttpd(folder, shared_backend.port, USER, PASSWORD)
    yield server
    server.stop()


@pytest.fixture
def gateway(start):
    def make(url, **settings):
        return start.gateway({"anonymous": {"allow": ["*/*"]}, "log": {"level": "debug"},
                              "upstreams": {"up": {"url": url, **settings}}})
    return make


def login(scheme, password):
    return {"scheme": scheme, "username": USER, "password": password}


def assert_no_login(gateway, answer, backend):
    document = assert_problem(answer, "protocol-error", 502, "no")
    assert document["protocol"]["status"] == 401
    assert backend.exchanges == []
    for secret in (PASSWORD, WRONG):
        assert secret.encode() not in answer.body
        assert secret not in gateway.stderr


def test_basic(gateway, basic, backend):
    running = gateway(f"http://127.0.0.1:{basic.port}", auth=login("basic", PASSWORD))
    assert running.call("up", "echo", ["a"]).result == "a"
    assert len(backend.exchanges) == 1


def test_basic_in_the_url(gateway, basic):
    running = gateway(f"http://{USER}:{PASSWORD}@127.0.0.1:{basic.port}")
    assert running.call("up", "echo", ["a"]).result == "a"


@pytest.mark.parametrize("settings", [{}, {"auth": login("basic", WRONG)}])
def test_basic_without_the_right_login(gateway, basic, backend, settings):
    running = gateway(f"http://127.0.0.1:{basic.port}", **settings)
    assert_no_login(running, running.call("up", "echo", ["a"]), backend)


def test_digest(gateway, digest, backend):
    running = gateway(f"http://127.0.0.1:{digest.port}", auth=login("digest", PASSWORD))
    for number in range(5):
        assert running.call("up", "echo", [f"call {number}"]).result == f"call {number}"
    assert backend.executed == {f"call {number}": 1 for number in range(5)}
    assert all(x.body for x in backend.exchanges), "a request without a document got through"


def test_digest_with_the_url_s_login(gateway, digest):
    running = gateway(f"http://{USER}:{PASSWORD}@127.0.0.1:{digest.port}",
                      auth={"scheme": "digest"})
    assert running.call("up", "echo", ["a"]).result == "a"


def test_digest_of_many_at_once(gateway, digest, backend):
    running = gateway(f"http://127.0.0.1:{digest.port}", auth=login("digest", PASSWORD))
    results = {}

    def work(number):
        for turn in range(5):
            nonce = f"{number}.{turn}" + "x" * (20000 * (turn % 2))
            results[nonce] = running.call("up", "echo", [nonce]).result
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40 and all(sent == got for sent, got in results.items())
    assert backend.executed == {nonce: 1 for nonce in results}


def test_digest_without_the_right_login(gateway, digest, backend):
    running = gateway(f"http://127.0.0.1:{digest.port}", auth=login("digest", WRONG))
    for _ in range(3):
        assert_no_login(running, running.call("up", "echo", ["a"]), backend)


#: What answers a request for a nonce in place of a challenge: status, body, and the problem of it.
REFUSALS = {
    "a fault": ("500 Broken", fault_document(23, "no"), "fault", 500),
    "no such method": ("500 Broken", fault_document(-32601, "no"), "fault", 404),
    "an error": ("500 Broken", b"no", "protocol-error", 502),
    "a result": ("500 Broken", response_document("no"), "protocol-error", 502),
    "a redirect": ("302 Elsewhere", b"", "protocol-error", 502),
    "too much": ("500 Broken", response_document("x" * 5000), "response-too-large", 502),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_in_place_of_a_challenge(up, kind):
    """What asks for a nonce has no document: nothing of the call was sent yet."""
    http_status, body, name, status = REFUSALS[kind]

    async def refuse(x):
        await x.respond(body, http_status)
    gateway, upstream = up(refuse, auth={"scheme": "digest", "username": "u",
                                         "password": "a password"},
                           limits={"response": "1K"}, multicall="always")
    assert_problem(gateway.call("up", "m", ["n"]), name, status, "no")
    for result in gateway.batch("up", ("m", "n"), ("m", "n")):
        assert_failed(result, name, status, "no")
    assert not upstream.executed and not any(x.body for x in upstream.exchanges)


async def fold_second_leg(x):
    """Asks for a login; the answer to that has a folded line before all others."""
    if not x.body:
        challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"', "X-Last": "x"}
        return await x.respond(b"", "401 Unauthorized", challenge)
    answer = http_response(response_document("answer"))
    await x.send(answer.replace(b"\r\n", b"\r\n x: y\r\n", 1))


def test_a_folded_line_behind_a_login(up):
    """Nothing of the first answer is left where the second one begins."""
    gateway, upstream = up(fold_second_leg, auth={"scheme": "digest", "username": "u",
                                                  "password": "a password"})
    for number in range(3):
        answer = gateway.call("up", "m", [f"n{number}"])
        assert_problem(answer, "bad-response", 502, "unknown")
    assert upstream.executed == {"n0": 1, "n1": 1, "n2": 1}


def test_bearer(gateway, backend):
    running = gateway(backend.url, auth={"scheme": "bearer", "token": "abc.def-123"})
    assert running.call("up", "echo", ["a"]).result == "a"
    assert backend.exchanges[0].header("Authorization") == "Bearer abc.def-123"


async def cookie_monster(x):
    """Gives a cookie to who has none, and tells who has one."""
    headers = {"Set-Cookie": "session=of-the-test; Path=/"}
    await x.send(http_response(response_document(x.header("Cookie") or ""), headers=headers))


@pytest.mark.parametrize("kept", [True, False])
def test_cookies(start, kept):
    backend = start.upstream(cookie_monster)
    running = start.simple(backend, workers=1,
                           upstreams={"up": {"url": backend.url, "cookies": kept},
                                      "next": {"url": backend.url, "cookies": kept}})
    expected = "session=of-the-test" if kept else ""
    assert running.call("up", "echo", []).result == ""
    assert running.call("up", "echo", []).result == expected
    # Another upstream does not see it, though it is the same server.
    assert running.call("next", "echo", []).result == ""


async def session(x):
    """A login sets a cookie, `change` another value, `logout` deletes it."""
    method = xmlrpc.client.loads(x.body)[1]
    values = {"login": "s1", "change": "s2", "logout": "; Max-Age=0"}
    headers = {"Set-Cookie": f"session={values[method]}; Path=/"} if method in values else {}
    await x.send(http_response(response_document(x.header("Cookie") or ""), headers=headers))


def test_cookies_of_all_workers(start):
    """Each call comes on a connection of its own, so that it is any worker's."""
    backend = start.upstream(session)
    settings = {"workers": 8, "anonymous": {"allow": ["*/*"]},
                "upstreams": {"up": {"url": backend.url, "cookies": True}}}
    running = start.gateway(settings)

    def seen():
        return {running.call("up", "echo", []).result for _ in range(40)}
    assert seen() == {""}
    running.call("up", "login", [])
    assert seen() == {"session=s1"}
    running.call("up", "change", [])
    assert seen() == {"session=s2"}
    # What does not concern the upstream leaves its cookies alone.
    running.reload(settings | {"limits": {"body": "3M"}})
    assert seen() == {"session=s2"}
    running.call("up", "logout", [])
    assert seen() == {""}


async def cookie_behind_the_body(x):
    """A trailer may hold only what its definition allows there (RFC 9110 section 6.5.1), and that of
    Set-Cookie does not."""
    body = response_document(x.header("Cookie") or "")
    await x.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n"
                 b"Trailer: Set-Cookie\r\nSet-Cookie: head=taken\r\n\r\n"
                 + f"{len(body):x}\r\n".encode() + body
                 + b"\r\n0\r\nSet-Cookie: trailer=taken\r\n\r\n")


def test_cookies_in_trailers_are_none(start):
    backend = start.upstream(cookie_behind_the_body)
    running = start.simple(backend, workers=1, upstreams={"up": {"url": backend.url, "cookies": True}})
    assert [running.call("up", "echo", []).result for _ in range(3)] == ["", "head=taken",
                                                                         "head=taken"]
    assert backend.connections == 1


def test_cookies_are_bounded(start):
    """A new one with each answer; and secrets of them are not in the log."""
    number = iter(range(1000))

    async def many(x):
        headers = {"Set-Cookie": f"n{next(number)}=secret-of-the-test; Path=/"}
        await x.send(http_response(response_document(len(x.header("Cookie") or "")),
                                   headers=headers))
    backend = start.upstream(many)
    running = start.simple(backend, upstreams={
        "up": {"url": backend.url, "cookies": True, "verbose": True}})
    lengths = [running.call("up", "echo", []).result for _ in range(200)]
    assert lengths[:2] == [0, 21] and len(set(lengths[170:])) == 1, lengths
    assert "Set-Cookie: ***" in running.stderr and "Cookie: ***" in running.stderr
    assert "secret-of-the-test" not in running.stderr


async def unpack(x):
    x.packed = x.header("Content-Encoding")
    body = gzip.decompress(x.body) if x.packed == "gzip" else x.body
    await x.answer([x.packed or "", xmlrpc.client.loads(body)[0][0]])


def test_compressed_requests(start):
    backend = start.upstream(unpack)
    running = start.simple(backend, upstreams={
        "up": {"url": backend.url, "compression": {"request_over": "1K"}}})
    assert running.call("up", "echo", ["small"]).result == ["", "small"]
    for size in (1024, 100000, 3000000):
        text = "".join(chr(97 + i * i % 23) for i in range(size))
        assert running.call("up", "echo", [text]).result == ["gzip", text]
        assert len(backend.exchanges[-1].body) < size


@pytest.mark.parametrize("batch", [False, True])
def test_others_have_their_turn_while_a_request_is_compressed(start, batch):
    """Not one waits as long as it takes to compress the document in one go."""
    arrived = threading.Event()

    async def behave(x):
        if x.header("Content-Encoding") == "gzip":
            arrived.set()
            await x.respond(response_document([[2]] if batch else 2))
        else:
            await x.respond(response_document(1))
    backend = start.upstream(behave)
    running = start.simple(backend, workers=1, limits={"body": "64M"}, upstreams={
        "up": {"url": backend.url, "multicall": "always",
               "compression": {"request_over": "1M"}}})
    text = random.Random(1).randbytes(6_000_000).hex()
    begin = time.monotonic()
    zlib.compress(text.encode(), 1)
    in_one_go, worst = time.monotonic() - begin, 0.0
    with ThreadPoolExecutor(1) as pool:
        large = pool.submit(running.batch, "up", ("echo", text)) if batch else \
            pool.submit(running.call, "up", "echo", [text])
        while not arrived.is_set():
            begin = time.monotonic()
            assert running.call("up", "echo", ["small"]).result == 1
            worst = max(worst, time.monotonic() - begin)
        result = large.result()
    assert result == [{"result": 2}] if batch else result.result == 2
    packed = next(x for x in backend.exchanges if x.header("Content-Encoding"))
    assert text.encode() in gzip.decompress(packed.body)
    assert worst < in_one_go, (worst, in_one_go)


def test_the_next_attempt_is_compressed_too(start):
    bodies = []

    async def behave(x):
        bodies.append((x.header("Content-Encoding"), x.body))
        if len(bodies) == 1:
            x.reset()
        else:
            await unpack(x)
    backend = start.upstream(behave)
    running = start.simple(backend, upstreams={
        "up": {"url": backend.url, "compression": {"request_over": "1K"},
               "methods": [{"match": "echo", "safe": True}], "retry": {"backoff": "1ms"}}})
    assert running.call("up", "echo", ["x" * 3_000_000]).result == ["gzip", "x" * 3_000_000]
    assert len(bodies) == 2 and bodies[0] == bodies[1]


def test_no_compressed_answers(start, backend):
    running = start.simple(backend, upstreams={
        "up": {"url": backend.url, "compression": {"accept": False}}})
    assert running.call("up", "echo", ["a"]).result == "a"
    assert backend.exchanges[0].header("Accept-Encoding") is None
