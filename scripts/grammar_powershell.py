"""grammar_powershell.py - where a file is no PowerShell, by tree-sitter's grammar: one line a place, nothing when all is well.

usage: grammar_powershell.py FILE...      needs tree-sitter and tree-sitter-powershell (PyPI)
"""
import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def walk(path, text, node):
    if node.type == "ERROR" or node.is_missing:
        line, column = node.start_point
        near = text[node.start_byte:node.start_byte + 40].decode("ascii", "replace").splitlines() or [""]
        print(f"{path}:{line + 1}:{column + 1}: no PowerShell: {near[0]}")
    elif node.has_error:
        for child in node.children:
            walk(path, text, child)


for name in sys.argv[1:]:
    content = open(name, "rb").read()
    walk(name, content, parser.parse(content).root_node)
