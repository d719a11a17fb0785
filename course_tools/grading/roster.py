"""Who takes the course: the instructor's own list, held against what was handed in."""

import io
import re
import unicodedata
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Person:
    """A row of the list."""

    name: str
    email: str
    id: str


def read_roster(path: Path) -> list[Person]:
    """Read a table with the columns name, e-mail and id, as spreadsheets save it.

    Raises:
        ValueError: if it cannot be read, or a column is missing.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"no roster at {path} ({error.strerror})") from None
    try:
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # what Excel means by CSV
    separator = max(",;\t", key=text.partition("\n")[0].count)
    options = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
    try:
        with warnings.catch_warnings(action="ignore"):  # about separators at the ends of lines
            table = pd.read_csv(io.StringIO(text), **options)
    except ValueError as error:
        raise ValueError(f"{path} is no table ({str(error).strip()}); save it as CSV again") from None
    table.columns = [_plain(str(name)) for name in table.columns]
    table = table.loc[:, ~table.columns.duplicated()]
    if missing := {"name", "email", "id"} - set(table.columns):
        there = ", ".join(table.columns)
        raise ValueError(f"{path}: its columns must be name, e-mail, id; no {min(missing)} in {there}")
    rows = table[["name", "email", "id"]].itertuples(index=False)
    return list(dict.fromkeys(Person(*row) for row in rows if "".join(row).strip()))


def recognised(students: Iterable[str], people: Collection[Person]) -> dict[str, Person]:
    """Return who a learner is, by the name of the folder; left out is who could be nobody or several."""
    found = {}
    for student in students:
        for fits in (_by_name, _by_address, _by_ending):
            if len(fitting := [person for person in people if fits(student.casefold(), person)]) == 1:
                found[student] = fitting[0]
                break
    return found


def _by_name(student: str, person: Person) -> bool:
    """Tell whether a folder bears somebody's name, in any order, and at most a number behind it."""
    words = [_plain(word) for word in person.name.split()]
    orders = {"".join(words[at:] + words[:at]) for at in range(len(words))}
    return _plain(re.sub(r"-(\d+|[0-9a-f]{6})$", "", student)) in orders


def _by_address(student: str, person: Person) -> bool:
    """Tell whether a folder bears somebody's id or e-mail address, or what stands before its @."""
    return student in _addresses(person)


def _by_ending(student: str, person: Person) -> bool:
    """Tell whether it ends in them, as clones do; in a number only if part of the name is there."""
    endings = [key for key in _addresses(person) if student.endswith(f"-{key}")]
    has_name = any(_plain(word) in _plain(student) for word in person.name.split())
    return any(has_name or not key.isdigit() for key in endings)


def _addresses(person: Person) -> set[str]:
    """Return what may stand for a person's name."""
    given = (person.id, person.email, person.email.partition("@")[0])
    return {text.strip().casefold() for text in given} - {""}


def _plain(text: str) -> str:
    """Return the letters and digits of a text."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", text).casefold())


def absent(people: Iterable[Person], handed_in: Collection[tuple[str, str]]) -> pd.DataFrame:
    """Return who has not handed in which lesson, of those that anybody has.

    Args:
        people: of the roster.
        handed_in: learners and lessons.
    """
    people = list(people)
    known = recognised({student for student, _ in handed_in}, people)
    there = {(lesson, known.get(student)) for student, lesson in handed_in}
    rows = [
        {"lesson": lesson, "name": person.name, "e-mail": person.email, "id": person.id}
        for lesson in sorted({lesson for _, lesson in handed_in})
        for person in people
        if (lesson, person) not in there
    ]
    return pd.DataFrame(rows, columns=["lesson", "name", "e-mail", "id"])
