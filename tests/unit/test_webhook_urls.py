"""Which URLs are read, and how; every other one is refused with what is wrong with it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from holdfast.notifier.domain.delivery import UrlRefused
from holdfast.notifier.infrastructure.receiver_urls import ReceiverUrl, parse

READ = [
    ("https://shop.example", ReceiverUrl("https", "shop.example", 443, "/")),
    ("https://shop.example/", ReceiverUrl("https", "shop.example", 443, "/")),
    ("HTTPS://Shop.EXAMPLE/Hook", ReceiverUrl("https", "shop.example", 443, "/Hook")),
    ("https://shop.example:8443/a/b", ReceiverUrl("https", "shop.example", 8443, "/a/b")),
    ("https://shop.example?a=1&b=?/@:", ReceiverUrl("https", "shop.example", 443, "/?a=1&b=?/@:")),
    ("https://shop.example/@/%2F..//x", ReceiverUrl("https", "shop.example", 443, "/@/%2F..//x")),
    ("http://receiver:80", ReceiverUrl("http", "receiver", 80, "/")),
    ("http://receiver", ReceiverUrl("http", "receiver", 80, "/")),
    ("https://xn--bcher-kva.example", ReceiverUrl("https", "xn--bcher-kva.example", 443, "/")),
    ("https://my_service.internal", ReceiverUrl("https", "my_service.internal", 443, "/")),
    ("https://1.2.3.4/x", ReceiverUrl("https", "1.2.3.4", 443, "/x")),
    ("https://[2606:4700:0:0::0001]:443/", ReceiverUrl("https", "2606:4700::1", 443, "/")),
    ("https://[::FFFF:10.0.0.1]", ReceiverUrl("https", "::ffff:a00:1", 443, "/")),
    ("https://4.example", ReceiverUrl("https", "4.example", 443, "/")),
    ("https://0x7f.example", ReceiverUrl("https", "0x7f.example", 443, "/")),
    (f"https://{63 * 'a'}.example", ReceiverUrl("https", f"{63 * 'a'}.example", 443, "/")),
]

REFUSED = {
    "begins with https://": """
        shop.example //shop.example ftp://shop.example file:///etc/passwd gopher://127.0.0.1:6379/_
        javascript:alert(1) https:/shop.example https:shop.example httpss://shop.example
        unix:///var/run/docker.sock data:text/plain,x ws://shop.example https//shop.example
    """,
    "has a host": "https:// https:///path https://?q https://:443",
    "a host, and after it": """
        https://shop.example: https://shop.example:443:80 https://shop.example:http
        https://shop.example:+443 https://shop.example:-1 https://shop.example:0x1bb
        https://[::1 https://::1/ https://[::1]x https://[[::1]] https://[]:443:1
        https://shop.example:443443 https://x[::1]
    """,
    "ports are 1 to 65535": "https://shop.example:0 https://shop.example:65536",
    "user or a password": """
        https://user@shop.example https://user:secret@shop.example https://@shop.example
        https://shop.example@127.0.0.1 https://shop.example:443@10.0.0.1 https://:@shop.example
        https://1.1.1.1&@2.2.2.2
    """,
    "fragment": "https://shop.example#x https://1.1.1.1#@127.0.0.1/ https://shop.example/#",
    "backslash": r"""
        https://shop.example\@127.0.0.1 https:\\shop.example https://shop.example/\x
    """,
    "printable ASCII": """
        https://b\u00fccher.example https://shop.example/\u00e9 https://127\u30020\u30020\u30021
        https://\u2460\u2461\u2466.0.0.1 https://shop\u200b.example https://ex\u00adample.com
        https://\uff11\uff12\uff17.0.0.1 https://shop.example\uff0f@x
    """.encode().decode("unicode_escape"),
    "four decimal numbers": """
        https://2130706433 https://0x7f000001 https://0x7f.1 https://127.1 https://127.0.1
        https://0177.0.0.1 https://010.0.0.1 https://127.0.0.01 https://1.2.3.4.5 https://256.1.1.1
        https://0 https://0x https://1.2.3 https://example.0x7f https://shop.example.1
        https://127.0.0.0x1 https://00000000000000000000000177.0.0.1
    """,
    "IPv6 address": """
        https://[] https://[127.0.0.1] https://[shop.example] https://[::1::] https://[:::1]
        https://[1:2:3:4:5:6:7:8:9] https://[v1.x] https://[::ffff:010.0.0.1] https://[12345::]
        https://[::1%]
    """,
    "with a zone": "https://[fe80::1%25eth0] https://[fe80::1%eth0]:443 https://[::1%1]",
    "dot at its end": "https://shop.example. https://localhost.:443 https://127.0.0.1.",
    "is no name": f"""
        https://-shop.example https://shop-.example https://shop..example https://.shop.example
        https://shop%2eexample https://127.0.0.1%00.example https://a,b.example https://*.example
        https://{64 * "a"}.example https://{63 * "a."}{127 * "b"} https://shop.example;x
        https://$host https://(x) https://sh!op.example https://%31%32%37.0.0.1.x https://a%00b
    """,
}


@pytest.mark.parametrize(("url", "expected"), READ)
def test_a_url_is_read(url: str, expected: ReceiverUrl) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(
    ("message", "url"),
    [(message, url) for message, urls in REFUSED.items() for url in urls.split()],
)
def test_a_url_is_refused_with_what_is_wrong(message: str, url: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        parse(url)

    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " https://shop.example",
        "https://shop.example ",
        "https://shop.example/a b",
        "https://shop.example\n",
        "https://shop.example/\r\nHost: other",
        "https://shop.example\t",
        "https://shop.example/\x00",
        "https://shop.example/\x7f",
    ],
)
def test_spaces_and_control_characters_are_refused(url: str) -> None:
    with pytest.raises(UrlRefused, match="printable ASCII"):
        parse(url)


def test_a_url_is_bounded() -> None:
    head = "https://shop.example/"

    assert parse(head + (2_000 - len(head)) * "x").target.endswith("x")
    with pytest.raises(UrlRefused, match="at most 2,000 characters, not 2,001"):
        parse(head + (2_001 - len(head)) * "x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example:443/x", "shop.example"),
        ("https://shop.example:8443/x", "shop.example:8443"),
        ("http://shop.example:443", "shop.example:443"),
        ("http://[::1]", "[::1]"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_host_header(url: str, expected: str) -> None:
    assert parse(url).host_header == expected


@example("https://" + 500 * "a-")
@example("https://" + 500 * "1.")
@given(st.one_of(st.text(), st.text("htps:/.[]@#?%\\0127axf-").map("https://".__add__)))
def test_whatever_is_read_is_read_the_same_again(text: str) -> None:
    try:
        url = parse(text)
    except UrlRefused:
        return

    assert parse(url.text) == url


@example("https://xn--bcher-kva.example/%2F..//x?a=%41&b")
@example("http://[::ffff:127.0.0.1]:443/[x]?a=b?c")
@example("https://0x7f.example:80")
@given(
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https"]),
        st.sampled_from([url.split("/")[2] for url, _ in READ]),
        st.sampled_from(["", ":80", ":443", ":8080"]),
        st.text("/?%20F.;:@&=[]{}'\"ax").map(lambda text: f"/{text}"),
    )
)
def test_who_sends_reads_a_url_as_the_guard_does(text: str) -> None:
    """Two readers that differ are how a check is got round."""
    try:
        ours = parse(text)
    except UrlRefused:
        return
    sent = URL(ours.text, encoded=True)
    path, _, query = ours.target.partition("?")

    assert (sent.scheme, sent.raw_host, sent.port) == ours[:3]
    assert sent.raw_path_qs == (f"{path}?{query}" if query else path)
