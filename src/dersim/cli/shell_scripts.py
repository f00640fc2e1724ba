"""Completion scripts for bash, zsh and fish, made from a tree of commands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from dersim.cli.completion_tree import Flag, Node, Value

_ANY = Value()


def bash(root: Node) -> str:
    """For bash 3.2 and newer; needs no bash-completion."""
    paths = " | ".join(f"'{node.name}'" for node in root.walk() if node is not root)
    return "\n".join(
        [
            "# bash completion of dersim; made by `dersim completion bash`",
            "_dersim() {",
            '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
            "    local node=dersim words= path= i",
            "    for ((i = 1; i < COMP_CWORD; i++)); do",
            '        case "$node ${COMP_WORDS[i]}" in',
            f'            {paths}) node="$node ${{COMP_WORDS[i]}}" ;;',
            "            *) break ;;",
            "        esac",
            "    done",
            '    case "$node $before" in',
            *(f"        {line}" for node in root.walk() for line in _bash_values(node)),
            "        *)",
            '            case "$node" in',
            *(f"                {line}" for node in root.walk() for line in _bash_words(node)),
            "            esac",
            "            ;;",
            "    esac",
            "    COMPREPLY=()",
            '    if [[ -n "$words" ]]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi',
            '    if [[ -n "$path" ]]; then',
            "        local IFS=$'\\n'",
            '        COMPREPLY+=($(compgen -f -- "$word"))',
            "        compopt -o filenames 2>/dev/null",
            "    fi",
            "    return 0",
            "}",
            "complete -F _dersim dersim",
            "",
        ]
    )


def _bash_values(node: Node) -> Iterator[str]:
    """A case for each flag that takes a value: after it, only its value fits."""
    for flag in node.flags:
        if flag.value is not None:
            spelled = " | ".join(f"'{node.name} {each}'" for each in flag.spellings)
            yield f"{spelled}) {_bash_value(flag.value)} ;;"


def _bash_words(node: Node) -> Iterator[str]:
    """Flags for a word that begins with a hyphen, and for others what else fits, else flags too."""
    flags = " ".join(each for flag in node.flags for each in flag.spellings)
    children = Value(tuple(child.word for child in node.children))
    others = children if node.children else _all_of(node.arguments)
    words = f"words={shlex.quote(flags)}"
    yield f"'{node.name}') if [[ \"$word\" == -* ]]; then {words}"
    yield f"    else {words if others == _ANY else _bash_value(others)}; fi ;;"


def _bash_value(value: Value) -> str:
    words = f"words={shlex.quote(' '.join(value.choices))}"
    return f"{words}; path=yes" if value.path else words


def _all_of(values: tuple[Value, ...]) -> Value:
    """What any of several arguments takes: their places are not told apart."""
    return Value(
        tuple(dict.fromkeys(word for value in values for word in value.choices)),
        any(value.path for value in values),
    )


def zsh(root: Node) -> str:
    """For zsh 5 after `compinit`."""
    paths = "|".join(f"'{node.name}'" for node in root.walk() if node is not root)
    return "\n".join(
        [
            "#compdef dersim",
            "# zsh completion of dersim; made by `dersim completion zsh`",
            "_dersim() {",
            "    local node=dersim",
            "    while (( CURRENT > 2 )); do",
            '        case "$node $words[2]" in',
            f'            {paths}) node="$node $words[2]"; shift words; (( CURRENT-- )) ;;',
            "            *) break ;;",
            "        esac",
            "    done",
            '    case "$node" in',
            *(line for node in root.walk() for line in _zsh_case(node)),
            "    esac",
            "}",
            "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then",
            '    _dersim "$@"',
            "else",
            "    compdef _dersim dersim",
            "fi",
            "",
        ]
    )


def _zsh_case(node: Node) -> Iterator[str]:
    yield f"        '{node.name}')"
    if node.children:
        rows = " ".join(shlex.quote(f"{child.word}:{child.doc}") for child in node.children)
        yield f"            local -a commands=({rows})"
        yield "            _describe command commands"
    else:
        specs = [spec for flag in node.flags for spec in _zsh_flag(flag)]
        specs += [f"*:argument:{_zsh_value(_all_of(node.arguments))}"] if node.arguments else []
        yield "            _arguments \\"
        yield from (f"                {shlex.quote(spec)} \\" for spec in specs)
        yield "                && return"
    yield "            ;;"


def _zsh_flag(flag: Flag) -> Iterator[str]:
    """The spellings exclude one another."""
    doc = "".join(f"\\{char}" if char in "[]:\\" else char for char in flag.doc)
    value = "" if flag.value is None else f":value:{_zsh_value(flag.value)}"
    for each in flag.spellings:
        yield f"({' '.join(flag.spellings)}){each}[{doc}]{value}"


def _zsh_value(value: Value) -> str:
    if value.choices:
        return f"({' '.join(value.choices)})"
    return "_files" if value.path else " "


def fish(root: Node) -> str:
    """For fish 3."""
    paths = " ".join(f"'{node.name}'" for node in root.walk() if node is not root)
    return "\n".join(
        [
            "# fish completion of dersim; made by `dersim completion fish`",
            "function __dersim_node",
            "    set -l node dersim",
            "    for word in (commandline -opc)[2..-1]",
            '        contains -- "$node $word" ' + paths + "; or break",
            '        set node "$node $word"',
            "    end",
            '    test "$node" = "$argv"',
            "end",
            "complete -c dersim -e",
            "complete -c dersim -f",
            *(line for node in root.walk() for line in _fish_lines(node)),
            "",
        ]
    )


def _fish_lines(node: Node) -> Iterator[str]:
    start = f"complete -c dersim -n {_fish_quoted(f'__dersim_node {node.name}')}"
    for child in node.children:
        yield f"{start} -a {child.word} -d {_fish_quoted(child.doc)}"
    for flag in node.flags:
        spelled = " ".join(map(_fish_flag, flag.spellings))
        yield f"{start} {spelled}{_fish_value(flag.value)} -d {_fish_quoted(flag.doc)}"
    value = _all_of(node.arguments)
    if value != _ANY:
        yield f"{start}{_fish_value(value, required=False)}"


def _fish_flag(spelling: str) -> str:
    if spelling.startswith("--"):
        return f"-l {spelling[2:]}"
    return f"-s {spelling[1:]}" if len(spelling) == 2 else f"-o {spelling[1:]}"


def _fish_value(value: Value | None, *, required: bool = True) -> str:
    if value is None:
        return ""
    words = f" -a {_fish_quoted(' '.join(value.choices))}" if value.choices else ""
    return (" -r" if required else "") + (" -F" if value.path else " -f" if required else "") + words


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: dict[str, Callable[[Node], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
