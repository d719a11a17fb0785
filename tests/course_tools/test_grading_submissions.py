"""Who handed in what: folders, zips and Moodle downloads, read without unpacking or trusting them."""

import io
import zipfile

import pytest
from hostile_bank import escaping_zip

from course_tools.grading.submissions import collect

LESSONS = {"00_start_here": {"a_check"}, "07_small": {"twice_answer", "twice_check"}}


def test_folders_zips_and_moodle_downloads_are_understood(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("07_small/07_small.ipynb", "inner")
    outer = tmp_path / "download.zip"
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("anna/07_small/07_small.ipynb", "anna")
        archive.writestr("bert/00_start_here/00_start_here (1).ipynb", "bert")
        archive.writestr("Carla Díaz_123_assignsubmission_file_/submission.zip", inner.getvalue())
        archive.writestr("Dan_124_assignsubmission_file_07_small.ipynb", "dan")
        archive.writestr("anna/07_small/weights.pkl", "payload")
        archive.writestr("emil/homework.ipynb", "emil")
        archive.writestr("07_small.ipynb", "nobody")
        archive.writestr("__MACOSX/anna/._07_small.ipynb", "rubbish")
    jobs, problems = collect(outer, LESSONS)
    assert {(job.student, job.lesson): job.content.decode() for job in jobs} == {
        ("anna", "07_small"): "anna", ("bert", "00_start_here"): "bert",
        ("Carla-Díaz-123", "07_small"): "inner", ("Dan-124", "07_small"): "dan",
    }  # fmt: skip
    assert {job.student for job in jobs if "weights.pkl" in str(job.remarks)} == {"anna"}
    assert len(problems) == 2 and "homework.ipynb" in problems[1]


def test_names_that_lead_out_of_a_zip_and_links_are_refused_one_by_one(tmp_path):
    path = tmp_path / "in" / "evil.zip"
    path.parent.mkdir()
    path.write_bytes(escaping_zip({"anna/07_small/07_small.ipynb": b"anna"}))
    jobs, problems = collect(path, LESSONS)
    assert [job.content for job in jobs] == [b"anna"] and len(problems) == 4
    assert not list(tmp_path.rglob("escaped*"))
    folder = tmp_path / "folder" / "bert" / "07_small"
    folder.mkdir(parents=True)
    (folder / "07_small.ipynb").symlink_to("/etc/passwd")
    (linked,), _ = collect(tmp_path / "folder", LESSONS)
    assert linked.content == b"" and "link" in linked.error


def test_a_zip_that_claims_to_be_small_is_not_read_to_its_end(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("anna/07_small/07_small.ipynb", bytes(40 << 20))
    assert "more than 32 MB" in collect(tmp_path / "bomb.zip", LESSONS)[0][0].error


def test_students_whose_names_look_alike_stay_apart(tmp_path):
    for name in ("anna b", "anna-b", "anna/b"):
        path = tmp_path / name / "07_small" / "07_small.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(name)
    assert len({job.student for job in collect(tmp_path, LESSONS)[0]}) == 3


@pytest.mark.parametrize("name", ["nowhere", "text.zip"])
def test_a_source_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises((FileNotFoundError, ValueError), match=name):
        collect(tmp_path / name, LESSONS)
