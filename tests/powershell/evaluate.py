"""evaluate.py - runs functions of our PowerShell scripts without PowerShell: the part of the language that they use, by tree-sitter's
grammar. Exists because no Windows is at hand: decisions (what netsh said, which value is refused, what is put back) are tested as they
stand in the scripts. It is no PowerShell: what it does not know ends in an error, never in a guess, and .NET is what a test gives it.
"""
import re

import tree_sitter
import tree_sitter_powershell

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


class Table(dict):
    """A hashtable: keys in any case, in the order they came."""

    def _key(self, key):
        if isinstance(key, str):
            for k in dict.keys(self):
                if isinstance(k, str) and k.lower() == key.lower():
                    return k
        return key

    def __getitem__(self, key):
        return dict.get(self, self._key(key))

    def __setitem__(self, key, value):
        dict.__setitem__(self, self._key(key), value)

    def has(self, key):
        return dict.__contains__(self, self._key(key))


class Raised(Exception):
    """What PowerShell threw. kind is Data['kind']."""

    def __init__(self, text, kind="InvalidOperationException"):
        super().__init__(text)
        self.type, self.data = kind, Table()

    @property
    def kind(self):
        return self.data["kind"]


class _Return(Exception):
    pass


class _Continue(Exception):
    pass


class _Break(Exception):
    pass


def core(n):
    """Past nodes that only wrap one other."""
    while n.child_count == 1 and n.named_child_count == 1 and n.type != "expandable_string_literal":
        n = n.named_children[0]
    return n


def truth(v):
    if isinstance(v, list):
        return truth(v[0]) if len(v) == 1 else len(v) > 0
    return bool(v)


def text_of(v):
    if v is None:
        return ""
    if isinstance(v, bool):
        return "True" if v else "False"
    if isinstance(v, list):
        return " ".join(text_of(x) for x in v)
    return str(v)


def regex(pattern, case):
    return re.compile(text_of(pattern).replace(r"\z", r"\Z"), 0 if case else re.IGNORECASE)


def same(a, b, case=False):
    if a is None or b is None:
        return a is b
    if isinstance(a, str):
        b = text_of(b)
        return a == b if case else a.lower() == b.lower()
    if isinstance(a, bool):
        return a == truth(b)
    if isinstance(a, int) and isinstance(b, str):
        return str(a) == b
    return a == b


class Shell:
    def __init__(self, *files):
        self.functions, self.given, self.commands = {}, {}, []
        self.scopes = [{}]
        for f in files:
            self.load(open(f, "rb").read())

    def load(self, text):
        """Functions, and values that stand at the top of a file and need nothing else."""
        tree = PARSER.parse(text)
        assert not tree.root_node.has_error, "no PowerShell"
        self._find(tree.root_node)

    def _find(self, n):
        for c in n.named_children:
            c = core(c)
            if c.type == "function_statement":
                self.functions[c.named_children[0].text.decode().lower()] = c
            elif c.type in ("program", "statement_list"):
                self._find(c)

    def set(self, name, value):
        self.scopes[0][name.lower()] = value

    def give(self, name, function):
        """A command of the test's own: function(*positional, **named)."""
        self.given[name.lower()] = function

    # ---- names ----

    def _get(self, name):
        name = name.lower()
        if name in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name]
        if name.startswith("script:"):
            return self.scopes[0].get(name[7:])
        for s in reversed(self.scopes):
            if name in s:
                return s[name]
        raise Raised(f"the variable ${name} has not been set")

    def _put(self, name, value):
        name = name.lower()
        if name == "null":
            return
        if name.startswith("script:"):
            self.scopes[0][name[7:]] = value
        else:
            self.scopes[-1][name] = value

    # ---- running ----

    def call(self, name, *positional, **named):
        """Runs a function; its output as PowerShell would assign it: nothing None, one thing that thing, else a list."""
        out = self._invoke(name, list(positional), named)
        return out[0] if len(out) == 1 else (None if not out else out)

    def list(self, name, *positional, **named):
        return self._invoke(name, list(positional), named)

    def _invoke(self, name, positional, named):
        low = name.lower()
        if low in self.given:
            r = self.given[low](*positional, **named)
            return [] if r is None else r if isinstance(r, list) else [r]
        if low not in self.functions:
            raise NotImplementedError(f"the command {name}")
        f = self.functions[low]
        scope, body, parameters = {}, None, []
        for c in f.named_children[1:]:
            if c.type == "function_parameter_declaration":
                parameters = [p for p in self._all(c, "script_parameter")]
            else:
                body = c
        for i, p in enumerate(parameters):
            variable = [v for v in self._all(p, "variable")][0].text.decode()[1:]
            kind = p.text.decode()
            value = named[variable.lower()] if variable.lower() in named else (positional[i] if i < len(positional) else None)
            scope[variable.lower()] = self._typed(kind, value)
        if len(positional) > len(parameters):
            raise Raised(f"{name}: a positional parameter cannot be found")
        self.scopes.append(scope)
        out = []
        try:
            if body is not None:
                self._block(body, out)
        except _Return:
            pass
        finally:
            self.scopes.pop()
        return out

    @staticmethod
    def _typed(kind, value):
        low = kind.lower()
        if low.startswith("[string[]]"):
            return [text_of(x) for x in (value if isinstance(value, list) else [value])] if value is not None else None
        if low.startswith("[string]"):
            return text_of(value)
        if low.startswith(("[int]", "[int64]")):
            return int(value) if value not in (None, "") else 0
        return value

    def _all(self, n, kind):
        if n.type == kind:
            yield n
            return
        for c in n.named_children:
            yield from self._all(c, kind)

    def _block(self, n, out):
        """Statements, one after the other; what they say goes to out."""
        n = core(n) if n.type not in ("statement_block",) else n
        if n.type in ("statement_block", "statement_list", "script_block", "script_block_body"):
            for c in n.named_children:
                if c.type != "comment":
                    self._block(c, out)
            return
        self._statement(n, out)

    def _statement(self, n, out):
        kind = n.type
        if kind == "empty_statement":
            return
        if kind == "if_statement":
            self._if(n, out)
        elif kind in ("foreach_statement", "for_statement", "while_statement", "do_statement"):
            self._loop(n, out)
        elif kind == "try_statement":
            self._try(n, out)
        elif kind == "switch_statement":
            self._switch(n, out)
        elif kind == "flow_control_statement":
            self._flow(n, out)
        elif kind == "assignment_expression":
            self._assign(n)
        elif kind.startswith("post_") or kind.startswith("pre_"):
            self._value(n)
        else:
            self._emit(n, out)

    def _emit(self, n, out):
        n = core(n)
        if n.type in ("command", "command_name", "pipeline_chain"):
            out.extend(self._pipeline(n))
            return
        v = self._value(n)
        if v is None and n.type == "invokation_expression":
            return
        out.extend(v) if isinstance(v, list) else out.append(v)

    def _if(self, n, out):
        c = n.named_children
        if truth(self._value(c[0])):
            return self._block(c[1], out)
        for x in c[2:]:
            x = x if x.type in ("elseif_clauses", "elseif_clause", "else_clause") else core(x)
            for y in (x.named_children if x.type == "elseif_clauses" else [x]):
                if y.type == "elseif_clause":
                    if truth(self._value(y.named_children[0])):
                        return self._block(y.named_children[1], out)
                elif y.type == "else_clause":
                    return self._block(y.named_children[0], out)
        return None

    def _turn(self, block, out):
        try:
            self._block(block, out)
        except _Continue:
            pass
        except _Break:
            return False
        return True

    def _loop(self, n, out):
        c = n.named_children
        if n.type == "foreach_statement":
            what = self._value(c[1])
            for item in what if isinstance(what, list) else [] if what is None else [what]:
                self._put(c[0].text.decode()[1:], item)
                if not self._turn(c[2], out):
                    break
        elif n.type == "for_statement":
            self._statement(core(c[0]), [])
            while truth(self._value(c[1])) and self._turn(c[3], out):
                self._statement(core(c[2]), [])
        elif n.type == "while_statement":
            while truth(self._value(c[0])) and self._turn(c[1], out):
                pass
        else:
            while self._turn(c[0], out) and truth(self._value(c[1])):
                pass

    def _try(self, n, out):
        c = n.named_children
        final = [x for x in c if x.type == "finally_clause"]
        catches = [y for x in c if x.type in ("catch_clauses", "catch_clause")
                   for y in (x.named_children if x.type == "catch_clauses" else [x])]
        depth = len(self.scopes)
        try:
            try:
                self._block(c[0], out)
            except Raised as x:
                del self.scopes[depth:]
                if not catches:
                    raise
                fits = [c for c in catches if self._catches(c, x)]
                if not fits:
                    raise
                self._put("_", Table(Exception=x))
                self._block(fits[0].named_children[-1], out)
        finally:
            if final:
                self._block(final[0].named_children[0], out)

    def _catches(self, clause, x):
        kinds = [t.text.decode().strip("[]").split(".")[-1] for t in self._all(clause.named_children[0], "type_literal")]
        return clause.named_children[0].type != "catch_type_list" or x.type.split(".")[-1] in kinds

    def _switch(self, n, out):
        subject = self._value([c for c in n.named_children if c.type == "switch_condition"][0].named_children[0])
        for clause in self._all(n, "switch_clause"):
            condition = clause.named_children[0]
            if same(subject, self._value(condition) if condition.named_child_count else condition.text.decode().strip("'")):
                try:
                    self._block(clause.named_children[1], out)
                except _Break:
                    return

    def _flow(self, n, out):
        word = n.text.decode().split()[0].lower()
        if word == "continue":
            raise _Continue
        if word == "break":
            raise _Break
        if word == "return":
            if n.named_children:
                self._emit(n.named_children[0], out)
            raise _Return
        if not n.named_children:
            raise self._get("_")["Exception"]
        what = self._value(n.named_children[0])
        raise what if isinstance(what, Raised) else Raised(text_of(what))

    def _assign(self, n):
        target, operator, value = core(n.named_children[0]), n.named_children[1].text.decode(), n.named_children[2]
        new = self._value(value)
        if operator == "+=":
            old = self._value(target)
            new = old + (new if isinstance(new, list) else [new]) if isinstance(old, list) else self._plus(old, new)
        elif operator != "=":
            raise NotImplementedError(operator)
        if target.type == "variable":
            self._put(target.text.decode()[1:], new)
        elif target.type == "member_access":
            self._value(target.named_children[0])[target.named_children[1].text.decode()] = new
        elif target.type == "element_access":
            place = self._value(target.named_children[0])
            place[self._value(target.named_children[1])] = new
        else:
            raise NotImplementedError(target.type)

    @staticmethod
    def _plus(a, b):
        if isinstance(a, str):
            return a + text_of(b)
        if isinstance(a, list):
            return a + (b if isinstance(b, list) else [b])
        return (a or 0) + b

    # ---- pipelines and commands ----

    def _pipeline(self, n):
        stages = n.named_children if n.type == "pipeline_chain" else [n]
        data = None
        for s in stages:
            s = core(s)
            if data is None and s.type not in ("command", "command_name"):
                data = []
                self._emit(s, data)
            else:
                data = self._command(s, data)
        return data

    def _words(self, n):
        positional, named, waiting = [], {}, None
        for c in [x for e in n.named_children[1:] for x in e.named_children] if n.type == "command" else []:
            if c.type == "command_argument_sep":
                continue
            if c.type == "command_parameter":
                if waiting:
                    named[waiting] = True
                waiting = c.text.decode()[1:].lower()
                continue
            v = c.text.decode() if c.type == "generic_token" else self._value(c)
            if waiting:
                named[waiting] = v
                waiting = None
            else:
                positional.append(v)
        if waiting:
            named[waiting] = True
        return positional, named

    def _run_block(self, block):
        """& $block: it sees the variables of whoever calls it."""
        out = []
        self.scopes.append({})
        try:
            if block is not None:
                self._block(block, out)
        except _Return:
            pass
        finally:
            self.scopes.pop()
        return out

    def _command(self, n, piped):
        if n.named_children and n.named_children[0].type == "command_invokation_operator":
            return self._run_block(self._value(n.named_children[1]))
        name = (n if n.type == "command_name" else n.named_children[0]).text.decode()
        positional, named = self._words(n)
        self.commands.append((name, positional, named))
        low = name.lower()
        if low in ("foreach-object", "where-object"):
            out = []
            for item in piped:
                said = []
                self._put("_", item)
                self._block(positional[0], said)
                if low == "foreach-object":
                    out.extend(said)
                elif truth(said):
                    out.append(item)
            return out
        if low == "select-object" and named == {"unique": True}:
            return list(dict.fromkeys(piped))
        if low == "new-object" and positional and positional[0].endswith("Exception"):
            return [Raised(text_of(positional[1]), positional[0])]
        if low == "get-date" and not positional:
            return [self.given["get-date"]()]
        return self._invoke(name, positional, named)

    # ---- expressions ----

    def _value(self, n):
        n = core(n)
        method = getattr(self, "_v_" + n.type.replace("_argument_expression", "_expression"), None)
        if method is None:
            raise NotImplementedError(f"{n.type}: {n.text.decode()[:60]}")
        return method(n)

    def _one(self, out):
        return out[0] if len(out) == 1 else (None if not out else out)

    def _v_command(self, n):
        return self._one(self._pipeline(n))

    _v_command_name = _v_pipeline_chain = _v_command

    def _v_variable(self, n):
        return self._get(n.text.decode()[1:])

    def _v_braced_variable(self, n):
        return self._get(n.text.decode()[2:-1])

    def _v_decimal_integer_literal(self, n):
        return int(n.text)

    _v_hexadecimal_integer_literal = lambda self, n: int(n.text, 16)

    def _v_verbatim_string_characters(self, n):
        return n.text.decode()[1:-1].replace("''", "'")

    def _v_expandable_string_literal(self, n):
        raw, base, out, at = n.text.decode(), n.start_byte, "", 1
        for c in n.named_children:
            out += self._unescape(raw[at:c.start_byte - base])
            out += text_of(self._value(c))
            at = c.end_byte - base
        return out + self._unescape(raw[at:-1])

    @staticmethod
    def _unescape(s):
        s = s.replace('""', '"')
        return re.sub("`(.)", lambda m: {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}.get(m.group(1), m.group(1)), s)

    def _v_array_expression(self, n):
        out = []
        for c in n.named_children:
            self._block(c, out)
        return out

    def _v_sub_expression(self, n):
        return self._one(self._v_array_expression(n))

    def _v_parenthesized_expression(self, n):
        c = core(n.named_children[0])
        if c.type in ("command", "command_name", "pipeline_chain"):
            return self._one(self._pipeline(c))
        return self._value(c)

    def _v_array_literal_expression(self, n):
        return [self._value(c) for c in n.named_children]

    def _v_hash_literal_expression(self, n):
        to = Table()
        for entry in self._all(n, "hash_entry"):
            key = core(entry.named_children[0])
            to[key.text.decode() if key.type == "simple_name" else self._value(key)] = self._value(entry.named_children[1])
        return to

    def _v_script_block_expression(self, n):
        return n.named_children[0] if n.named_children else None

    def _v_cast_expression(self, n):
        kind = n.named_children[0].text.decode().lower()
        if kind == "[ref]":
            name = core(n.named_children[1]).text.decode()[1:]
            return lambda v: self._put(name, v)
        value = self._value(n.named_children[1])
        if kind == "[ordered]":
            return value
        if kind in ("[int]", "[int64]"):
            return int(value or 0)
        if kind == "[bool]":
            return truth(value)
        if kind == "[string]":
            return text_of(value)
        if kind in ("[string[]]", "[byte[]]"):
            return value if isinstance(value, list) else [value]
        raise NotImplementedError(kind)

    def _v_member_access(self, n):
        name = n.named_children[1].text.decode()
        if n.children[1].text == b"::":
            return self.given[n.named_children[0].text.decode().lower() + "::" + name.lower()]()
        what = self._value(n.named_children[0])
        if isinstance(what, Raised):
            return {"message": str(what), "data": what.data, "exception": what}[name.lower()]
        if isinstance(what, Table):
            if name.lower() == "count":
                return len(what)
            if name.lower() == "keys":
                return list(what)
            if not what.has(name):
                raise Raised(f"the property '{name}' cannot be found on this object")
            return what[name]
        if name.lower() in ("count", "length"):
            return len(what) if isinstance(what, (list, str)) else 1
        return getattr(what, name)

    def _v_element_access(self, n):
        what, at = self._value(n.named_children[0]), self._value(n.named_children[1])
        if isinstance(what, Table):
            return what[at]
        if what is None:
            raise Raised("cannot index into a null array")
        return what[at] if -len(what) <= at < len(what) else None

    def _v_invokation_expression(self, n):
        name = n.named_children[1].text.decode()
        arguments = []
        for c in n.named_children[2].named_children:
            c = core(c)
            if c.type == "argument_expression_list":
                arguments += [self._value(x) for x in c.named_children]
            else:
                arguments.append(self._value(c))
        if n.children[1].text == b"::":
            return self.given[n.named_children[0].text.decode().lower() + "::" + name.lower()](*arguments)
        what = self._value(n.named_children[0])
        simple = {
            "contains": lambda x: what.has(x) if isinstance(what, Table) else x in what, "containskey": lambda x: what.has(x),
            "tolowerinvariant": lambda: what.lower(), "toupperinvariant": lambda: what.upper(), "trim": lambda: what.strip(),
            "remove": lambda x: what.pop(what._key(x), None), "substring": lambda a, k: what[a:a + k],
            "add": lambda x: what.append(x), "toarray": lambda: list(what),
        }
        if name.lower() in simple and isinstance(what, (str, list, Table)):
            return simple[name.lower()](*arguments)
        return getattr(what, name)(*arguments)

    def _v_logical_expression(self, n):
        word = n.children[1].text.decode().lower()
        left = truth(self._value(n.named_children[0]))
        if word == "-and":
            return left and truth(self._value(n.named_children[1]))
        if word == "-or":
            return left or truth(self._value(n.named_children[1]))
        raise NotImplementedError(word)

    def _v_expression_with_unary_operator(self, n):
        word = n.children[0].text.decode().lower()
        value = self._value(n.named_children[-1])
        if word in ("-not", "!"):
            return not truth(value)
        if word == ",":
            return [value]
        if word == "-join":
            return "".join(text_of(x) for x in value)
        if word == "-bnot":
            return ~value
        if word == "-":
            return -value
        raise NotImplementedError(word)

    def _v_bitwise_expression(self, n):
        a, b = (self._value(c) for c in n.named_children)
        return a & b if n.children[1].text.lower() == b"-band" else a | b

    def _v_type_literal(self, n):
        return n.text.decode().lower()

    def _v_additive_expression(self, n):
        a, b = (self._value(c) for c in n.named_children)
        return self._plus(a, b) if n.children[1].text == b"+" else a - b

    def _v_multiplicative_expression(self, n):
        a, b = (self._value(c) for c in n.named_children)
        return a * b if n.children[1].text == b"*" else a / b

    def _v_post_increment_expression(self, n):
        name = n.named_children[0].text.decode()[1:]
        self._put(name, self._get(name) + 1)

    def _v_comparison_expression(self, n):
        word = n.named_children[1].text.decode().lower()
        left, right = self._value(n.named_children[0]), self._value(n.named_children[2])
        case = word.startswith("-c") and word not in ("-contains",)
        plain = "-" + word[2:] if case else word
        if plain in ("-eq", "-ne", "-match", "-notmatch", "-like") and isinstance(left, list):
            return [x for x in left if self._compare(plain, x, right, case)]
        return self._compare(plain, left, right, case)

    def _compare(self, word, left, right, case):
        if word in ("-eq", "-ne"):
            return same(left, right, case) == (word == "-eq")
        if word in ("-lt", "-le", "-gt", "-ge"):
            left = left or 0
            return {"-lt": left < right, "-le": left <= right, "-gt": left > right, "-ge": left >= right}[word]
        if word in ("-match", "-notmatch"):
            m = regex(right, case).search(text_of(left))
            if m and word == "-match":
                self._put("matches", [m.group(i) for i in range(len(m.groups()) + 1)])
            elif m:
                self._put("matches", [m.group(i) for i in range(len(m.groups()) + 1)])
            return bool(m) == (word == "-match")
        if word in ("-contains", "-notcontains"):
            found = any(same(x, right, case) for x in (left if isinstance(left, list) else [left]))
            return found == (word == "-contains")
        if word == "-replace":
            pattern, to = right if isinstance(right, list) else (right, "")
            return regex(pattern, case).sub(re.sub(r"\$(\d)", r"\\\1", to), text_of(left))
        if word == "-split":
            return regex(right[0], case).split(left, right[1] - 1) if isinstance(right, list) else regex(right, case).split(left)
        if word == "-join":
            return text_of(right).join(text_of(x) for x in (left if isinstance(left, list) else [left]))
        if word == "-like":
            return bool(re.fullmatch(re.escape(right).replace(r"\*", ".*"), text_of(left), re.IGNORECASE))
        if word in ("-is", "-isnot"):
            kinds = {"[string]": str, "[int]": int, "[int64]": int}
            found = right in kinds and isinstance(left, kinds[right]) and not isinstance(left, bool)
            found = found or getattr(left, "net", None) == right.strip("[]").split(".")[-1]
            return found == (word == "-is")
        raise NotImplementedError(word)
