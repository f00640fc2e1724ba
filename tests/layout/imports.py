"""Which module of a source tree imports which, read from the source: type-only and late imports count too."""

import ast

from tests.layout.sources import tree_of


def modules_of(root):
    """{dotted name: path} of the modules below `root`, the folder that holds the package."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(root):
    """{module: the modules of the tree that it imports}. A package's own name stands for its `__init__`."""
    modules = modules_of(root)
    return {name: _imported(path, modules) - {name} for name, path in modules.items()}


def _imported(path, modules):
    out = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names} & set(modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                out |= {full if full in modules else node.module} & set(modules)
    return out


def circles(graph):
    """The groups of nodes that reach one another (Tarjan), each sorted; empty where there is no circle."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found
