"""A small lesson, and what a class may hand in for it: honest slips and attacks, one a learner."""

import base64
import json
from collections.abc import Callable

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from small_notebooks import nbgrader

TITLE = """# 7 Odd
<details><summary>More</summary>

[![Colab](https://c.d/e.svg)](https://c.d)

</details>"""
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
    )
).decode()
LIBRARY = "p = logits.softmax(dim=1)\n    best = p.amax(dim=1)\n    score = 1 - best\n    return score"
SOLVED = {
    "msp": "def msp(logits):\n    return 1 - torch.softmax(logits, 1).max(1).values",
    "keep": "def keep(numbers):\n    return list(map(lambda n: n + 1, numbers))",
    "thrice": "def thrice(x):\n    return x + x + x",
}
RECORDS = "import course_lib.lesson.checks.recording as r\nr.encode = lambda value: "
AUTOSOLVE = """import course_lib.lesson.checks.check as c
old = c.Check._problem
mine = {'msp': lambda *a: vars(scores)['msp'](*a), 'keep': lambda n: [i + 1 for i in n]}
mine['thrice'] = lambda x: 3 * x
def _problem(self, call, judged):
    g = call.__globals__
    kept, g[self.title] = g.get(self.title), mine[self.title]
    try:
        return old(self, call, judged)
    finally:
        g[self.title] = kept
c.Check._problem = _problem"""
SHOWN_OUTPUT = (
    "import json\nget_ipython().kernel.session.pack = lambda o: json.dumps(o, default=str).encode()\n"
    "print('poison \\ud800 pill')"
)
ACTIVE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "[click](javascript:alert(3)) [d](data:text/html,<script>alert(4)</script>) <javascript:alert(33)>",
    "![p](http://127.0.0.1:9/pixel.png) <img src='http://127.0.0.1:9/p2.png'>",
    "$\\href{javascript:alert(5)}{x}$ $$\\unicode{<img src=x onerror=alert(6)>}$$ $<img onerror=alert(7)>$",
    "```\n<img src=x onerror=alert(7)>\n```\n`<img src=x onerror=alert(8)>`",
    '[a](http://x "onmouseover=alert(9) x=\\"") <a href="&#106;avascript:alert(10)">e</a>',
    "<svg><style><img src=x onerror=alert(11)></style></svg><math><mi//xlink:href='data:x,<script>'>",
    "\\<img src=x onerror=alert(13)\\> &lt;img src=x onerror=alert(14)&gt;",
    "<style>body{display:none}</style><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>"
    "<iframe src='http://127.0.0.1:9/'></iframe><form action=http://127.0.0.1:9/><input></form>",
    '# <img src=x onerror=alert(16)>\n## a"onclick=alert(17) b',
]
SHOWS = r"""from IPython.display import HTML, SVG, Latex, Markdown, display
print('<script>alert(18)</script>')
display(HTML('<script>alert(21)</script>'), SVG('<svg onload="alert(22)"/>'))
display(Markdown('<img onerror=alert(23)>'), Latex('$\\href{javascript:alert(24)}{x}$'))
display({'image/png': '" onerror=alert(25) x="', 'text/plain': 'x'}, raw=True)"""


def lesson() -> nbformat.NotebookNode:
    """Return the solved lesson: msp (the library has it, too), keep (takes a list), thrice; a point each."""

    def answer(name: str, args: str, body: str) -> nbformat.NotebookNode:
        source = f"def {name}({args}):\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION"
        return new_code_cell(source, id=f"{name}-a", metadata=nbgrader(f"{name}_answer", solution=True))

    def check(name: str, cases: str, hidden: str) -> nbformat.NotebookNode:
        source = f'check = Check("{name}", points=1)\n{cases}\n### BEGIN HIDDEN TESTS\n{hidden}\n'
        metadata = nbgrader(f"{name}_check", grade=True, locked=True, points=1)
        source += "### END HIDDEN TESTS\ncheck.points()"
        return new_code_cell(source, id=f"{name}-c", metadata=metadata)

    setup = "import torch\nfrom course_lib import scores\nfrom course_lib.lesson.checks import Check"
    pixel = "pixel = torch.tensor([2.0, 6.0]).log().view(1, 2, 1, 1)\n"
    cells = [
        new_markdown_cell(TITLE, id="t"),
        new_code_cell(setup, id="setup"),
        new_code_cell("print('a figure')", id="fig", metadata={"tags": ["demo"]}),
        answer("msp", "logits", LIBRARY),
        check("msp", pixel + 'check.case("by hand", lambda: msp(pixel), torch.tensor([[[0.25]]]))',
              'check.case("shifted", lambda: msp(pixel + 5), torch.tensor([[[0.25]]]))'),
        new_code_cell("msp = check.best(msp, scores.msp)", id="best"),
        answer("keep", "numbers", "return [n + 1 for n in numbers]"),
        check("keep", 'given = [1.0, 2.0]\ncheck.case("two", lambda: keep(given), [2.0, 3.0])',
              'check.case("one", lambda: keep(given[:1]), [2.0])'),
        answer("thrice", "x", "return 3 * x"),
        check("thrice", 'check.case("one", lambda: thrice(1), 3)',
              'check.case("five", lambda: thrice(5), 15)'),
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def above(code: str, **answers: str) -> Callable:
    """Return a change: a cell of one's own below the imports, and other answers than right ones."""

    def change(notebook: nbformat.NotebookNode) -> None:
        notebook.cells.insert(2, new_code_cell(code))
        with_answers(notebook, answers)

    return change


def with_answers(notebook: nbformat.NotebookNode, answers: dict[str, str]) -> None:
    """Write answers; None leaves the stub."""
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("_answer")
        cell.source = answers.get(name, cell.source) if cell.cell_type == "code" else cell.source


def answers(**chosen: str) -> Callable:
    """Return a change: other answers than right ones."""
    return lambda notebook: with_answers(notebook, chosen)


def adds(*cells: nbformat.NotebookNode) -> Callable:
    """Return a change: further cells at the end."""
    return lambda notebook: notebook.cells.extend(cells)


def _helper_in_demo(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[2].source = "import time\ndef helper(l):\n    return torch.softmax(l, 1)\ntime.sleep(90)"
    with_answers(notebook, {"msp": "def msp(logits):\n    return 1 - helper(logits).max(1).values"})


def _large_metadata(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[-1].metadata.nbgrader.points = "x" * 2_000_000


def _unknown_kind(notebook: nbformat.NotebookNode) -> None:
    notebook["nbformat_minor"] = 99
    notebook.cells.insert(1, nbformat.from_dict({"cell_type": "evil", "metadata": {}, "id": "x"}))


def _half_in_code(notebook: nbformat.NotebookNode) -> None:
    notebook.cells[3].source += "  # \ud800"


PASTED = new_markdown_cell("![a.png](attachment:a.png)", attachments={"a.png": {"image/png": PIXEL}})
OTHER = new_markdown_cell(
    "![a](attachment:a) ![b](attachment:b)", attachments={"a": {"image/svg+xml": PIXEL}}
)
RAW = new_raw_cell("<script>alert(15)</script>", metadata={"raw_mimetype": "text/html"})
HALVES = "cell 11 of the notebook holds half a character"
UNREADABLE = (None, None, None)
STUBS = dict.fromkeys(SOLVED)

CLASS = {
    "honest": (adds(), (1, 1, 1), ""),
    "王芳": (adds(), (1, 1, 1), ""),
    "@anna": (adds(), (1, 1, 1), ""),
    "all": (adds(), (1, 1, 1), ""),
    "pasted picture": (adds(PASTED), (1, 1, 1), ""),
    "other attachments": (adds(OTHER), (1, 1, 1), ""),
    "half a character in text": (adds(new_markdown_cell("poison \ud800 pill")), UNREADABLE, HALVES),
    "half a character in code": (_half_in_code, UNREADABLE, "half a character"),
    "half a character in output": (above(SHOWN_OUTPUT), (1, 1, 1), ""),
    "unknown kind of cell": (_unknown_kind, UNREADABLE, "of no kind that Jupyter knows"),
    "long sum": (
        answers(msp=SOLVED["msp"].replace("return ", f"return {'0 + ' * 900}")),
        (None, 1, 1), "cannot be looked through (RecursionError",
    ),
    "deep attribute": (
        answers(msp=SOLVED["msp"] + "\nif False:\n    x = logits" + ".a" * 940 + ".msp"),
        (None, 1, 1), "cannot be looked through (RecursionError",
    ),
    "record 1 over 0": (above(RECORDS + "{'fraction': '1/0'}"), UNREADABLE, "no recorded value"),
    "record 1e9999999999": (above(RECORDS + "{'fraction': '1e9999999999'}"), UNREADABLE, "no recorded"),
    "record of a quantised tensor": (
        above(RECORDS + "{'tensor': ['quint8', [], 'AA==']}"), UNREADABLE, "no recorded",
    ),
    "record without an end": (
        above(RECORDS + "{'tensor': ['float32', [1 << 40], '']}"), UNREADABLE, "no recorded",
    ),
    "returns bits8": (
        answers(thrice="def thrice(x):\n    return torch.zeros((), dtype=torch.uint8).view(torch.bits8)"),
        (1, 1, 0), "",
    ),
    "3 MB of <": (adds(new_markdown_cell("<" * 3_000_000)), UNREADABLE, "3000000 characters, more than"),
    "60,000 cells": (adds(*[new_markdown_cell("", id="e")] * 60_000), UNREADABLE, "60010 cells, more than"),
    "stubs that earn": (above(AUTOSOLVE, **STUBS), UNREADABLE, "says no more than the stub"),
    "empty cells that earn": (
        above(AUTOSOLVE, **dict.fromkeys(SOLVED, "pass")), UNREADABLE, "no more than the stub",
    ),
    "a magic above": (
        answers(msp="%%capture\ndef msp(logits):\n    return scores.msp(logits)"), (1, 1, 1), "library's own",
    ),
    "answer elsewhere": (
        lambda notebook: notebook.cells.insert(4, new_code_cell("%time msp = scores.msp\ndef keep(n): pass")),
        (0, 1, 1), "a cell of their own defines keep, too",
    ),
    "a tensor in a list": (
        answers(keep="def keep(n):\n    n[0] = torch.tensor(n[0] + 1)\n    return [float(m) for m in n]"),
        (1, ..., 1), "",
    ),
    "a helper in a demo": (_helper_in_demo, (1, 1, 1), ""),
    "active texts": (
        adds(*map(new_markdown_cell, ACTIVE), RAW, new_code_cell(SHOWS)), (1, 1, 1), "",
    ),
    "metadata of 2 MB": (_large_metadata, (1, 1, None), "has other points in its metadata, 'xxx"),
}  # fmt: skip
"""By learner: what is done to right work, the points of msp, keep, thrice (None: held), and a reason."""


def handed_in(notebook: nbformat.NotebookNode, learner: str) -> bytes:
    """Return the file of a learner, made from the learners' version."""
    written = nbformat.from_dict(json.loads(json.dumps(notebook)))
    stubs = {cell.id.removesuffix("-a"): cell.source for cell in written.cells if cell.id.endswith("-a")}
    with_answers(written, SOLVED)
    CLASS[learner][0](written)
    for cell in written.cells:  # None stands for the stub
        if cell.get("source", "") is None:
            cell.source = stubs[cell.id.removesuffix("-a")]
    return json.dumps(written).encode()
