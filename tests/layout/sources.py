"""The syntax tree of a source file, made once for all checks."""

import ast
from functools import cache


def tree_of(path):
    """The tree of a Python file."""
    stat = path.stat()
    return _tree(path, stat.st_mtime_ns, stat.st_size)


@cache
def _tree(path, _changed_ns, _size):
    return ast.parse(path.read_text(encoding="utf-8"))
