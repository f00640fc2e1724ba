"""How long modules, classes and functions are."""

import ast

from tests.layout.sources import tree_of

MODULE_LINES, CLASS_LINES, FUNCTION_LINES = 400, 250, 60


def too_long(path):
    """What in one file is too long, one line each."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    found = [f"{path}: {lines} lines, at most {MODULE_LINES}"] if lines > MODULE_LINES else []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            kind, most = "class", CLASS_LINES
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kind, most = "function", FUNCTION_LINES
        else:
            continue
        length = node.end_lineno - node.lineno + 1
        if length > most:
            found.append(f"{path}:{node.lineno}: {kind} {node.name} has {length} lines, at most {most}")
    return found
