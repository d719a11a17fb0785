"""A list of who takes the course is held against the names of folders."""

import pytest

from course_tools.grading.roster import Person, absent, read_roster, recognised

PEOPLE = [
    Person("Anna Meyer", "anna.meyer@uni.example", "123"),
    Person("Bert van der Ott", "bert@uni.example", "7"),
    Person("Chen Li", "li@uni.example", "chen-li"),
    Person("Chen Li", "li2@uni.example", "99"),
]


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("Anna-Meyer-4711", 0),  # Moodle: the number is its own
        ("meyeranna-123", 0),  # Canvas
        ("anna.meyer", 0),
        ("123", 0),
        ("Anna-Meyer-3f9a2b", 0),  # a folder with a blank in its name
        ("vanderottbert-8", 1),
        ("hw-chen-li", 2),  # GitHub
        ("Dora-123", None),  # somebody else's number in Moodle
        ("Chen-Li-5", None),  # two of that name
        ("zoe", None),
    ],
)
def test_a_learner_is_recognised_by_name_address_or_id_and_nobody_else_is(student, expected):
    assert recognised([student], PEOPLE).get(student) == (None if expected is None else PEOPLE[expected])


@pytest.mark.parametrize(
    "content",
    [
        "name,e-mail,id\nZoë,z@x,1\n".encode("utf-8-sig"),
        "ID;Name;Email\n1;Zoë;z@x\n".encode("cp1252"),
        "name\te-mail\tid\nZoë\tz@x\t1\n".encode("utf-16"),  # Excel's "Unicode text"
        "name,e-mail,id\nZoë,z@x,1,\n,,,\n".encode(),  # a column and a row that are empty
        "name,e-mail,E-Mail,id\nZoë,z@x,,1\nZoë,z@x,,1\n".encode(),
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path, content):
    (tmp_path / "roster.csv").write_bytes(content)
    assert read_roster(tmp_path / "roster.csv") == [Person("Zoë", "z@x", "1")]


def test_a_roster_without_a_column_is_refused(tmp_path):
    (tmp_path / "roster.csv").write_text("name,id\nAnna,1\n")
    with pytest.raises(ValueError, match="must be name, e-mail, id; no email in name, id"):
        read_roster(tmp_path / "roster.csv")


@pytest.mark.parametrize("content", ["", 'name,e-mail,id\n"Anna,a,1\n', "name,e-mail,id\na,b,c\n1,2,3,4,5\n"])
def test_what_is_no_table_is_refused_by_its_name(tmp_path, content):
    (tmp_path / "roster.csv").write_text(content)
    with pytest.raises(ValueError, match=r"roster\.csv is no table .*; save it as CSV again"):
        read_roster(tmp_path / "roster.csv")


def test_who_is_missing_is_said_lesson_by_lesson():
    missing = absent(PEOPLE[:2], {("123", "01"), ("bert", "01"), ("bert", "02"), ("zoe", "02")})
    assert missing[["lesson", "name"]].to_numpy().tolist() == [["02", "Anna Meyer"]]
