"""The pages' scripts keep the form of the rest: 110 columns, one statement a line, short functions."""

import re
from itertools import pairwise
from typing import NamedTuple

import pytest
from tests.interop.processes import ROOT

MAX_COLUMNS = 110
MAX_FUNCTION_LINES = 39
SCRIPTS = sorted(
    path
    for room in ("pages", "web", "lab", "utility/admin", "fleet_run", "conformance/live")
    for path in (ROOT / "src/dersim" / room / "static").rglob("*.js")
)
SCRIPTS += sorted(path for plugin in (ROOT / "plugins").iterdir() for path in (plugin / "src").rglob("*.js"))

# What has no say in the form: comments, texts, templates (but for code within them), regular expressions.
_OPAQUE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[(,=:!&|?])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n\[])+/""",
    re.DOTALL,
)
_NO_FUNCTION = re.compile(r"\b(?:if|for|while|switch|catch|with)\s*$")
_CLOSERS = {")": "(", "]": "[", "}": "{"}


class Finding(NamedTuple):
    line: int
    what: str


def findings(text):
    """What is wrong with the form of a script, by line."""
    long = [
        Finding(number, f"{len(line)} columns")
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > MAX_COLUMNS
    ]
    code = _OPAQUE.sub(lambda match: re.sub(r"[^\n]", "_", match[0]), text)
    pairs = _brackets(code)
    return [*long, *_crowded(code, pairs), *_long_functions(code, pairs)]


def _brackets(code):
    """The position of each closing bracket by that of its opening one."""
    opened, pairs = [], {}
    for match in re.finditer(r"[][(){}]", code):
        if match[0] in _CLOSERS:
            assert opened, f"line {_line(code, match.start())}: {match[0]} without an opening bracket"
            start = opened.pop()
            assert code[start] == _CLOSERS[match[0]], f"line {_line(code, match.start())}: {match[0]}"
            pairs[start] = match.start()
        else:
            opened.append(match.start())
    assert not opened
    return pairs


def _line(code, position):
    return code.count("\n", 0, position) + 1


def _crowded(code, pairs):
    """Lines with a second statement; the three parts of a `for` are none."""
    loops = [
        (start, pairs[start])
        for start in (m.end() - 1 for m in re.finditer(r"\bfor\s*(?:await\s*)?\(", code))
    ]
    return [
        Finding(_line(code, match.start()), "two statements on a line")
        for match in re.finditer(r";(?=[ \t]*[^\s_])", code)
        if not any(start < match.start() < end for start, end in loops)
    ]


def _long_functions(code, pairs):
    """Functions with too many lines of their own; a function within one is counted by itself."""
    functions = [(start, pairs[start]) for start in sorted(pairs) if _is_function(code, pairs, start)]
    for start, end in functions:
        within = [each for each in functions if start < each[0] and each[1] < end]
        outermost = [each for each in within if not any(a < each[0] and each[1] < b for a, b in within)]
        lines = 1 + code.count("\n", start, end) - sum(code.count("\n", *each) for each in outermost)
        if lines > MAX_FUNCTION_LINES:
            yield Finding(_line(code, start), f"a function of {lines} lines")


def _is_function(code, pairs, start):
    """Whether this bracket opens the body of a function, method or arrow function."""
    head = code[:start].rstrip()
    if code[start] != "{" or not head.endswith(")"):
        return code[start] == "{" and head.endswith("=>")
    parameters = next(opened for opened, closed in pairs.items() if closed == len(head) - 1)
    return not _NO_FUNCTION.search(code[:parameters])


def test_every_script_is_in_form():
    found = {str(path): findings(path.read_text()) for path in SCRIPTS}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


FUNCTION = "function f(a, b) {\n" + "  a();\n" * 37 + "}\n"
METHOD = "class C {\n  m(a) {\n" + "    a();\n" * 38 + "  }\n}\n"
NESTED = "const f = () => {\n  g(() => {\n" + "    a();\n" * 30 + "  });\n" + "  a();\n" * 30 + "};\n"
ARROW = "const f = (a) => {\n" + "  a();\n" * 38 + "};\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a();\n", []),
        (f"const a = '{'x' * 99}';\n", [Finding(1, "112 columns")]),
        ("a();\nb(); c();\n", [Finding(2, "two statements on a line")]),
        ("if (a) { b(); }\n", [Finding(1, "two statements on a line")]),
        ("for (let i = 0; i < 3; i++) a(i);\n", []),
        ('a("x; y"); // one; two\n', []),
        ("a(`x; ${y}; `);\n", []),
        (r"a(/[;/] x; y/.test(b));" + "\n", []),
        (FUNCTION, []),
        (FUNCTION.replace("  a();\n", "  a();\n  a();\n", 1), [Finding(1, "a function of 40 lines")]),
        (METHOD, [Finding(2, "a function of 40 lines")]),
        (ARROW, [Finding(1, "a function of 40 lines")]),
        (
            "const f = () => {\n"
            + "  g(() => {\n"
            + "    a();\n" * 30
            + "  });\n" * 1
            + "  a();\n" * 30
            + "};\n",
            [],
        ),
        ("if (a) {\n" + "  a();\n" * 50 + "}\n", []),
    ],
)
def test_planted_faults_of_form_are_found(text, expected):
    assert findings(text) == expected


def test_every_script_is_looked_at():
    assert len(SCRIPTS) > 20
    assert all(a != b for a, b in pairwise(SCRIPTS))


# What writes an instant. Elements show it by `stamp` and `instant` of dom.js, which say UTC on hovering;
# `clock` is for labels and pictures. The CSV of a plot has UTC alone.
_INSTANTS = re.compile(
    r"\b(?:utc|clockMs)\(|\.(?:toLocale\w*|get(?:UTC)?(?:Hours|Minutes|Seconds)|toISOString)\("
)
_WRITERS = {"format.js": None, "dom.js": None, "plot_table.js": 1}


def test_instants_are_written_in_one_place():
    for path in SCRIPTS:
        allowed = _WRITERS.get(path.name, 0)
        assert allowed is None or len(_INSTANTS.findall(path.read_text())) <= allowed, path
