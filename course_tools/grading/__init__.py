"""Grade submissions: in a sandbox, by the values that answers return, into nbgrader's gradebook.

``submissions`` finds who handed in what, ``lesson`` knows what is right, ``batch`` grades many submissions,
``grading`` one: ``integrity`` restores its checks, ``launch`` starts a ``worker`` that runs it in the
``sandbox``, ``points`` judges what came out, ``sanitize`` makes it harmless. ``proof`` tries the sandbox,
``results`` keeps what was found, ``gradebook`` enters it. Nothing is imported here: a worker needs little.
"""

import sys

# jsonschema, which nbformat brings, would build a grammar of web addresses: seconds, and of no use here
sys.modules.setdefault("rfc3987_syntax", None)
