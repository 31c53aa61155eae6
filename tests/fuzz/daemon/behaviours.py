# SPDX-License-Identifier: Apache-2.0
"""How upstreams answer, well and badly, at the level of HTTP. A behaviour gives the bytes that it
sends and what becomes of the connection, or does all of it by itself. Callers ask for one by the
method's name: `b.NAME`."""

import zlib

import documents
from exchange import CLOSE, KEEP, RESET, Exchange, chunked, response

BEHAVIOURS = {}

#: Those whose result must be the one that the call asked for, if there is a result.
GOOD = set()


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


def good(function):
    GOOD.add(function.__name__)
    return behaviour(function)


def _packed(data: bytes, window: int) -> bytes:
    """zlib's compression: 15 with its head, -15 without, 31 gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


def _bomb(document: bytes, megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    text = packer.compress(document[:documents.HEAD.__len__()])
    for _ in range(megabytes):
        text += packer.compress(b"x" * 1_000_000)
    return text + packer.flush()


# ---- Good ones -----------------------------------------------------------------------------------

@good
def plain(x: Exchange):
    return response(x.document()), KEEP


@good
def closing(x):
    return response(x.document(), "200 OK", "Connection: close"), CLOSE


@good
def until_the_end(x):
    return response(x.document(), length=False), CLOSE


@good
def in_chunks(x):
    return chunked(x.document(), x.rng.choice([1, 7, 100, 100_000])), KEEP


@good
def with_trailers(x):
    return chunked(x.document(), 50, end=b"0\r\nX-Trailer: x\r\nX-Other: y\r\n\r\n"), KEEP


@good
def packed(x):
    window, name = x.rng.choice([(31, "gzip"), (15, "deflate"), (-15, "deflate"), (31, "x-gzip")])
    return response(_packed(x.document(), window), "200 OK", f"Content-Encoding: {name}"), KEEP


@good
def packed_twice(x):
    data = _packed(_packed(x.document(), 31), 31)
    return response(data, "200 OK", "Content-Encoding: gzip, gzip"), KEEP


@good
def same_length_twice(x):
    body = x.document()
    return response(body, "200 OK", f"Content-Length: {len(body)}"), KEEP


@good
def closes_unannounced(x):
    """After an answer that promised to keep the connection."""
    return response(x.document()), CLOSE


@good
def resets_afterwards(x):
    return response(x.document()), RESET


@good
async def slowly(x):
    await x.drip(response(x.document()), 0.3)
    return KEEP


@good
async def later(x):
    """Long enough for other things to happen meanwhile."""
    await x.pause(x.rng.choice([0.05, 0.3, 0.8]))
    await x.send(response(x.document()))
    return KEEP


@good
async def early_hints(x):
    await x.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    await x.send(response(x.document()))
    return KEEP


@good
def with_cookies(x):
    cookies = [f"Set-Cookie: s{x.rng.randrange(1000)}={x.rng.random()}; Path=/"
               for _ in range(x.rng.choice([1, 3, 50]))]
    return response(x.document(), "200 OK", *cookies), KEEP


@good
def long_answer(x):
    """A result that fills the buffers on the way to a caller who does not read."""
    return response(x.document().replace(b"</string>", b" " * 400_000 + b"</string>", 1)), KEEP


# ---- Heads ---------------------------------------------------------------------------------------

@behaviour
def folded(x):
    """Before any other line: what it belongs to is of the answer before."""
    line = x.rng.choice([b" x: y", b"\tx: y", b" ", b"  " +
                        b"z" * x.rng.choice([10, 3000, 60_000])])
    data = response(x.document())
    return data.replace(b"\r\n", b"\r\n" + line + b"\r\n", x.rng.choice([1, 1, 3])), KEEP


@behaviour
def folded_within(x):
    return response(x.document(), "200 OK", "X-Folded: a", " b: c", "\td"), KEEP


@behaviour
def folded_trailer(x):
    return chunked(x.document(), 50, end=b"0\r\n x: y\r\nX: y\r\n z\r\n\r\n"), KEEP


@behaviour
def no_colon(x):
    return response(x.document(), "200 OK", "no colon here", ": nameless", "na me: x"), KEEP


@behaviour
def nul_in_head(x):
    return response(x.document(), "200 OK", "X-Nul: a\0b", "X-Ctl: \1\x1b[31m"), KEEP


@behaviour
def bare_line_feeds(x):
    return response(x.document()).replace(b"\r\n", b"\n"), KEEP


@behaviour
def many_lines(x):
    return response(x.document(), "200 OK", *["X-Much: y"] * x.rng.choice([90, 101, 20_000])), KEEP


@behaviour
def long_line(x):
    return response(x.document(), "200 OK", "X-Long: " + "y" *
                    x.rng.choice([60_000, 120_000, 900_000])), KEEP


@behaviour
def odd_status(x):
    status = x.rng.choice(["200",
                           "200 ",
                           "999 x",
                           "99 x",
                           "20 OK",
                           "2000 OK",
                           "-1 OK",
                           "abc OK",
                           "204 No",
                           "304 Not",
                           "206 Part",
                           "100 C",
                           "101 Switching",
                           "600 x",
                           "200 " + "y" * 5000])
    return response(x.document(), status), x.rng.choice([KEEP, CLOSE])


@behaviour
def odd_version(x):
    version = x.rng.choice([b"HTTP/0.9", b"HTTP/2", b"HTTP/1.2",
                           b"HTTP/3.0", b"http/1.1", b"ICY", b"HTTP/1.1.1"])
    return response(x.document()).replace(b"HTTP/1.1", version, 1), CLOSE


@behaviour
def http_09(x):
    return x.document(), CLOSE


@behaviour
def http2_preface(_):
    return b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff", CLOSE


@behaviour
def other_protocol(x):
    return x.rng.choice([b"220 smtp ready\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b"SSH-2.0-x\r\n",
                        b"\0" * 5000, b"HTTP/1.1 200 OK\r\r\n\n",
                        b"\r\n\r\n\r\n"]), x.rng.choice([CLOSE, KEEP])


@behaviour
async def interim_flood(x):
    """Many answers of 1xx, then a good one or none."""
    for _ in range(x.rng.choice([5, 200])):
        await x.send(b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" * 50)
    await x.send(response(x.document()) if x.rng.random() < 0.5 else b"")
    return x.rng.choice([KEEP, CLOSE])


# ---- Lengths and chunks --------------------------------------------------------------------------

@behaviour
def wrong_length(x):
    body = x.document()
    length = x.rng.choice([len(body) -
                           5, len(body) +
                           5, 0, -
                           1, "x", "1e3", 2 ** 63, 2 ** 64 +
                           len(body), "", f"{len(body)}, {len(body) + 1}", "+5", "0x10", len(body) *
                           1000])
    lines = [f"Content-Length: {length}"]
    return response(body, "200 OK", *lines, length=x.rng.random()
                    < 0.3), x.rng.choice([KEEP, CLOSE])


@behaviour
def length_and_chunks(x):
    return chunked(x.document(), 30, f"Content-Length: {x.rng.choice([5, 5000])}"), KEEP


@behaviour
def odd_coding(x):
    name = x.rng.choice(["gzip", "chunked, chunked", "gzip, chunked", "identity", "x" * 2000, ""])
    return response(x.document(), "200 OK", f"Transfer-Encoding: {name}", length=False), CLOSE


@behaviour
def bad_chunks(x):
    bad = x.rng.choice([b"zz\r\nx\r\n",
                        b"ffffffffffffffffff\r\nx",
                        b"5\r\nabc\r\n",
                        b"-1\r\nx\r\n",
                        b"5;" + b"e" * 90_000,
                        b"3\r\nabcdef\r\n0\r\n\r\n",
                        b"\r\n\r\n",
                        b"0",
                        b"0\r\n",
                        b"1" * 70_000,
                        b"0\r\nX: y"])
    whole = chunked(x.document(), 40, end=b"")
    return whole[:x.rng.choice([len(whole), len(whole) // 2])] + bad, x.rng.choice([KEEP, CLOSE])


@behaviour
def two_documents(x):
    return response(x.document() * 2), KEEP


@behaviour
def two_answers(x):
    """Nobody has asked for the second one, which comes with the first: it is no next call's."""
    return response(x.document()) * 2, KEEP


@behaviour
def more_than_it_says(x):
    return response(x.document()) + b"trailing" * x.rng.choice([1, 10_000]), KEEP


# ---- Compression ---------------------------------------------------------------------------------

@behaviour
def bomb(x):
    return response(_bomb(x.document(), x.rng.choice(
        [1, 5, 60])), "200 OK", "Content-Encoding: gzip"), KEEP


@behaviour
def bomb_in_bomb(x):
    data = _packed(_bomb(x.document(), 40), 31)
    return response(data, "200 OK", "Content-Encoding: gzip, gzip"), KEEP


@behaviour
def damaged_packing(x):
    data = documents.mutated(_packed(x.document(), 31), x.rng)
    return response(data, "200 OK", "Content-Encoding: gzip"), KEEP


@behaviour
def wrong_packing(x):
    name = x.rng.choice(["gzip", "deflate", "br", "zstd",
                        "identity, gzip", "gzip," * 6 + "gzip", "utf-8"])
    return response(x.document(), "200 OK", f"Content-Encoding: {name}"), KEEP


@behaviour
def more_behind_packing(x):
    data = _packed(x.document(), 31)
    return response(data + x.rng.choice([data, b"junk", b"\0" * 50_000]),
                    "200 OK", "Content-Encoding: gzip"), KEEP


# ---- Ends ----------------------------------------------------------------------------------------

@behaviour
def ends_before(x):
    return b"", x.rng.choice([CLOSE, RESET])


@behaviour
def ends_within(x):
    data = response(x.document())
    return data[:x.rng.randrange(len(data))], x.rng.choice([CLOSE, RESET])


@behaviour
async def no_answer(x):
    await x.gone()
    return CLOSE


@behaviour
async def half_an_answer(x):
    data = response(x.document())
    await x.send(data[:x.rng.randrange(len(data))])
    await x.gone()
    return CLOSE


@behaviour
async def dribble(x):
    await x.drip(response(x.document()), 30, x.rng.randrange(200))
    return CLOSE


@behaviour
async def pieces(x):
    """Cut at any place."""
    data = response(documents.hostile(x.rng))[:200_000]
    while data:
        size = x.rng.choice([1, 3, 50, 4000, 100_000])
        await x.send(data[:size])
        await x.pause(x.rng.choice([0, 0, 0.01]))
        data = data[size:]
    return KEEP


# ---- Documents -----------------------------------------------------------------------------------

@behaviour
def hostile(x):
    return response(documents.hostile(x.rng)), KEEP


@behaviour
def mutated_document(x):
    return response(documents.mutated(x.document(), x.rng)), KEEP


@behaviour
def mutated_answer(x):
    return documents.mutated(response(x.document()), x.rng), x.rng.choice([KEEP, CLOSE, RESET])


@behaviour
def nothing(_):
    return response(b""), KEEP
