"""What is written down about each source is well-formed, and says what is not known."""

import re

import pytest

from course_lib.data import BENCHMARKS, OFFICIAL
from course_tools import downloads
from course_tools.downloads.sources import NEVER

ALL = downloads.sources()
UNVERIFIED = ("bisenetv2_weights", "enet_weights")


@pytest.mark.parametrize("source", ALL.values(), ids=ALL)
def test_each_says_where_from_how_large_and_under_which_terms(source):
    assert source.licence and source.citation and source.homepage.startswith("https://") and source.gives
    for remote in source.files:
        assert remote.size > 0 and remote.disk >= remote.size
        assert remote.urls or source.account
        assert all(url.startswith(("https://", "http://")) for url in remote.urls)
        assert remote.verified == NEVER or remote.verified.startswith("20")
        assert not (remote.bytes and remote.about_bytes), "one size, exact or not"
        assert re.fullmatch(r"(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})?", remote.digest)
        assert remote.digest or remote.trees or source.name in UNVERIFIED, "nobody published one"


def test_every_public_benchmark_names_a_script_that_exists():
    for name, benchmark in BENCHMARKS.items():
        if not benchmark.generated:
            source = benchmark.script.removeprefix("fetch_").removesuffix(".py")
            assert source in ALL and (name in OFFICIAL) == (not ALL[source].notice)


def test_what_comes_over_http_has_a_strong_digest():
    for source in ALL.values():
        for remote in source.files:
            if any(url.startswith("http://") for url in remote.urls):
                assert remote.digest.startswith(("sha256:", "md5:")), remote.name


def test_an_unknown_source_is_named():
    with pytest.raises(ValueError, match=r"unknown source 'camvit'; .* did you mean camvid"):
        downloads.find_source("camvit")
