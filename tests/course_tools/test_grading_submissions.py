"""Who handed in what: folders, zips and Moodle downloads, read without unpacking or trusting them."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from hostile_bank import escaping_zip

from course_tools.grading import submissions
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
        path.write_bytes(name.encode("utf-8", "replace"))
    assert len({job.student for job in collect(tmp_path, LESSONS)[0]}) == 3


@pytest.mark.parametrize("name", ["nowhere", "text.zip"])
def test_a_source_that_is_none_is_refused(tmp_path, name):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises((FileNotFoundError, ValueError), match=name):
        collect(tmp_path / name, LESSONS)


def put(folder, files):
    """Write notebooks below a folder, each with its path in it."""
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "replace"))
    return {job.student: job for job in collect(folder, LESSONS)[0]}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("meyeranna_12345_678910_07_small.ipynb", "meyeranna-12345"),
        ("meyeranna_LATE_12345_678910_07_small-1.ipynb", "meyeranna-12345"),
        ("Homework 1_ameyer_attempt_2025-01-31-23-59-59_07_small.ipynb", "ameyer"),
        ("Anna Meyer_12_assignsubmission_file_07_small.ipynb", "Anna-Meyer-12"),
        ("Anna Meyer_12_assignsubmission_file_/07_small.ipynb", "Anna-Meyer-12"),
        ("Anna Meyer_12_assignsubmission_file/mine/07_small.ipynb", "Anna-Meyer-12"),
        ("Anna_12_assignsubmission_file_Bert_13_assignsubmission_file_07_small.ipynb", "Anna-12"),
        ("download/anna/07_small.ipynb", "anna"),
        ("download/of monday/anna/07_small/07_small.ipynb", "anna"),
        ("07_small/anna/07_small.ipynb", "anna"),
        ("anna/course/notebooks/07_small/07_small.ipynb", "anna"),
        ("anna/notebooks/Anna_13_assignsubmission_file_07_small.ipynb", "anna"),
    ],
)
def test_the_owner_is_told_by_what_the_download_is_called(tmp_path, name, student):
    assert list(put(tmp_path, [name])) == [student]


def test_a_folder_around_all_is_no_learner_and_no_part_of_a_clone_is_one(tmp_path):
    clones = [
        f"all/hw-{name}/{place}/07_small/07_small.ipynb" for name in "ab" for place in ("sub", "solutions")
    ]
    found = put(tmp_path, [*clones, "all/07_small.ipynb", "grades.csv"])
    assert {name: job.content.decode() for name, job in found.items()} == {
        "hw-a": clones[0], "hw-b": clones[2],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["n" * 250, "ä" * 120, "a..", "@SUM(1)", "-x", "a b", "Di\u0301az", "\udcff"]
)
def test_every_folder_gives_a_name_that_can_be_written_and_shown(tmp_path, name):
    (student,) = put(tmp_path, [f"{name}/07_small.ipynb", "b/07_small.ipynb"]).keys() - {"b"}
    assert len(f"{student}.json".encode()) < 255 and student.isprintable() and student[0].isalnum()


def zip_of(written, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("07_small/07_small.ipynb", (written, 1, 1, 0, 0, 0)), content)
    return file.getvalue()


@pytest.mark.parametrize(
    "names", [("b.zip", "a.zip"), ("07_small.ipynb", "a.zip"), ("a.zip", "07_small.ipynb")]
)
def test_the_newest_by_the_systems_clock_counts_whatever_dates_stand_in_it(tmp_path, names):
    (tmp_path / "anna").mkdir()
    for age, (name, written) in enumerate(zip(names, (2040, 2000), strict=True)):
        path = tmp_path / "anna" / name
        path.write_bytes(zip_of(written, str(age)) if name.endswith("zip") else str(age).encode())
        os.utime(path, (1e9 + age, 1e9 + age))
    (job,), _ = collect(tmp_path, LESSONS)
    assert job.content == b"1" and f"{names[1]}" in job.remarks[0] and "newest and counts" in job.remarks[0]


def test_of_several_attempts_the_name_of_the_file_tells_the_last(tmp_path):
    late, early = (f"H_a_attempt_2025-0{month}-01-00-00-00_07_small.ipynb" for month in (2, 1))
    found = put(tmp_path, [late, early])
    assert found["a"].content.decode() == late


def test_of_several_notebooks_with_one_date_it_is_said_which_counts(tmp_path):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:
        for name in ("07_small.ipynb", "07_small-Copy1.ipynb"):
            archive.writestr(name, name)
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.zip").write_bytes(inside.getvalue())
    (job,), _ = collect(tmp_path, LESSONS)
    assert job.content == b"07_small.ipynb"
    assert job.remarks == (
        "handed in more than once: anna/a.zip/07_small.ipynb counts, of several with one date",
    )


@pytest.mark.parametrize(
    ("name", "text", "lesson"),
    [
        ("00_start_here", '"grade_id": "twice_answer", "grade_id":"twice_check"', "07_small"),
        ("00_start_here", '"grade_id": "a_check", "grade_id": "twice_check"', "00_start_here"),
        ("Kopie von 00-Start Here (2)", "{}", "00_start_here"),
        ("final", '"grade_id": "a_check"', "00_start_here"),
        ("scratch", '"grade_id": "other"', None),
    ],
)
def test_a_notebook_is_the_lesson_whose_exercises_it_holds(tmp_path, name, text, lesson):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / f"{name}.ipynb").write_text(text)
    assert [job.lesson for job in collect(tmp_path, LESSONS)[0]] == ([lesson] if lesson else [])


@pytest.mark.parametrize("name", ["submission.zip", "lesson 1.zip"])
def test_a_zip_that_is_nobodys_or_holds_several_learners_is_named(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("Anna_12_assignsubmission_file_/07_small.ipynb", "x")
    jobs, (problem,) = collect(tmp_path, LESSONS)
    assert jobs == [] and problem.startswith(name)


@pytest.mark.parametrize("inside", ["", "a/b", ".DS_Store", "solutions/07_small"])
def test_a_folder_with_nothing_in_it_is_a_learner_who_handed_in_nothing(tmp_path, inside):
    (tmp_path / "anna" / inside).mkdir(parents=True)
    assert "handed in nothing that can be graded: the folder (is empty)" in collect(tmp_path, LESSONS)[1][0]


def test_pipes_and_paths_that_are_too_long_are_named_and_stop_nobody(tmp_path, monkeypatch):
    for name in ("anna", "bert", "cleo/empty"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "anna" / "07_small.ipynb")
    (tmp_path / "cleo" / "07_small.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path / "bert")
    for _ in range(20):  # longer than any path may be
        Path("d" * 240).mkdir()
        monkeypatch.chdir("d" * 240)
    (job,), problems = collect(tmp_path, LESSONS)
    assert (job.student, job.remarks) == ("cleo", ())
    assert [problem.split(":")[0] for problem in problems] == ["anna", "bert"]
    assert "(is no file)" in problems[0] and "(cannot be read (File name too long))" in problems[1]


@pytest.mark.parametrize(
    ("others", "theft", "student"),
    [
        ("{}_2_22_07_small.ipynb", "eve_3_33_anna-2_attempt_2099-01-01-00-00-00_07_small.ipynb", "eve-3"),
        ("{}_2_22_07_small.ipynb", "eve_3_33_anna_2_assignsubmission_file_07_small.ipynb", "eve-3"),
        (
            "Ex_3_1_{}_attempt_2025-01-01-00-00-00_07_small.ipynb",
            "Ex_3_1_eve_attempt_2025-01-01-00-00-00_anna_5_assignsubmission_file_07_small.ipynb",
            "eve",
        ),
    ],
)
def test_a_file_that_is_named_as_by_another_system_stays_its_learners(tmp_path, others, theft, student):
    for name in (others.format("anna"), others.format("bert"), theft):
        (tmp_path / name).write_text("{}")
    jobs, problems = collect(tmp_path, LESSONS)
    assert student in {job.student for job in jobs} and len(jobs) == 3 and problems == []


def test_a_name_in_a_zip_takes_no_time(tmp_path):
    with zipfile.ZipFile(tmp_path / "eve.zip", "w") as archive:  # half a minute, if each start is tried
        archive.writestr(f"x_1_assignsubmission_{'a' * 60_000}\n.ipynb", "")
    assert "several handed in" in collect(tmp_path, LESSONS)[1][0]


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
def test_a_zip_that_holds_too_much_is_not_read_and_touches_nobody(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(submissions, limit, 1)
    for name, content in {"anna": zip_of(2000, "xx"), "bert": b"{}"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ("a.zip" if name == "anna" else "07_small.ipynb")).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "anna" / "a.zip", "a") as archive:
        archive.writestr("more", "x")
    (job,), (problem,) = collect(tmp_path, LESSONS)
    assert job.student == "bert" and problem.startswith("anna: handed in nothing") and "holds more" in problem
