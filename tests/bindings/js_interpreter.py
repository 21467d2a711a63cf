"""A small interpreter of JavaScript: the inputs of the JavaScript-level observations run by it, on our objects.

It knows what those inputs use, and nothing else. Values are JavaScript's as `pytest_workflows.javascript` has them. All
of it is generators: where code awaits, they yield what is awaited, to whoever drives the function.
"""

import inspect

import tree_sitter_javascript
from tree_sitter import Language, Parser

from durable_engine import JsBigInt, JsException, JsNull, JsProxy, jsnull
from pytest_workflows.javascript.convert import is_true
from pytest_workflows.javascript.objects import JsArray, JsFunction, JsPlain, JsPromise, from_python, js_text

_PARSER = Parser(Language(tree_sitter_javascript.language()))


class Thrown(JsException):
    """What `throw` throws: any value."""

    def __init__(self, value):
        super().__init__(str(getattr(value, "name", "Error")), str(getattr(value, "message", js_text(value))))
        self.value = value


class _Return(Exception):
    def __init__(self, value):
        self.value = value


class _Break(Exception):
    pass


class _Yield:
    def __init__(self, value):
        self.value = value


class Scope:
    """The variables of a block."""

    def __init__(self, outer=None, **names):
        self.outer = outer
        self.names = names

    def holder(self, name):
        scope = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        if scope is None:
            raise JsException("ReferenceError", f"{name} is not defined")
        return scope.names


class Generator(JsProxy):
    """An iterator of what a generator function yielded."""

    _js_class = "Generator"

    def __init__(self, values):
        self._values = values

    def __iter__(self):
        return iter(self._values)


def js_function(function, name=""):
    """A function of JavaScript, from one of Python that takes and gives JavaScript's values."""
    return JsFunction(function, name)


class Interpreter:
    """Runs JavaScript.

    Args:
        world: The global names.
        members: Gives the members of values that are no objects of ours: `members(value, name)`, or `...` for none.
    """

    def __init__(self, world, members):
        self._world = Scope(**world)
        self._members = members
        self._awaited = set()

    def function(self, source):
        """The function that a source is."""
        text = source.strip()
        if text.startswith(("async(", "async (")):
            head, _, rest = text.partition("(")
            if "=>" not in text[: text.index("{", text.index(")"))]:
                text = f"{head.strip()} function({rest}"
        tree = _PARSER.parse(f"({text})".encode())
        assert not tree.root_node.has_error, source
        expression = tree.root_node.named_children[0].named_children[0]
        return run_now(self._eval(expression, self._world))

    # -- functions -------------------------------------------------------------------------------------------------

    def _function(self, node, scope):
        is_async = any(child.type == "async" for child in node.children)
        parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        targets = parameters.named_children if parameters.type == "formal_parameters" else [parameters]
        body = node.child_by_field_name("body")

        def run(values):
            inner = Scope(scope)
            for index, target in enumerate(targets):
                if target.type == "rest_pattern":
                    rest = JsArray(list(values[index:]))
                    yield from self._declare(target.named_children[0], rest, inner)
                else:
                    yield from self._declare(target, values[index] if index < len(values) else None, inner)
            if body.type != "statement_block":
                return (yield from self._eval(body, inner))
            try:
                yield from self._block(body, inner)
            except _Return as done:
                return done.value
            return None

        def call(*values):
            if node.type == "generator_function":
                return Generator([one.value for one in run(values)])
            return start(run(values)) if is_async else run_now(run(values))

        name = node.child_by_field_name("name")
        return js_function(call, "" if name is None else name.text.decode())

    def _declare(self, target, value, scope):
        match target.type:
            case "identifier" | "shorthand_property_identifier_pattern":
                scope.names[target.text.decode()] = value
            case "assignment_pattern":
                if value is None:
                    value = yield from self._eval(target.child_by_field_name("right"), scope)
                yield from self._declare(target.child_by_field_name("left"), value, scope)
            case "object_pattern":
                for part in target.named_children:
                    if part.type == "pair_pattern":
                        key = part.child_by_field_name("key").text.decode()
                        yield from self._declare(part.child_by_field_name("value"), self.get(value, key), scope)
                    else:
                        yield from self._declare(part, self.get(value, part.text.decode()), scope)
            case "array_pattern":
                values = self.items(value)
                for index, part in enumerate(target.named_children):
                    yield from self._declare(part, values[index] if index < len(values) else None, scope)
            case unknown:
                raise NotImplementedError(unknown)

    # -- statements ------------------------------------------------------------------------------------------------

    def _block(self, node, scope):
        for statement in node.named_children:
            yield from self._statement(statement, scope)

    def _statement(self, node, scope):
        match node.type:
            case "expression_statement":
                yield from self._eval(node.named_children[0], scope)
            case "lexical_declaration" | "using_declaration" | "variable_declaration":
                for declarator in node.named_children:
                    value = declarator.child_by_field_name("value")
                    given = None if value is None else (yield from self._eval(value, scope))
                    yield from self._declare(declarator.child_by_field_name("name"), given, scope)
            case "return_statement":
                raise _Return((yield from self._eval(node.named_children[0], scope)) if node.named_children else None)
            case "throw_statement":
                raise thrown((yield from self._eval(node.named_children[0], scope)))
            case "statement_block":
                yield from self._block(node, Scope(scope))
            case "if_statement":
                branch = node.child_by_field_name("consequence")
                if not is_true((yield from self._eval(node.child_by_field_name("condition"), scope))):
                    branch = node.child_by_field_name("alternative")
                    branch = None if branch is None else branch.named_children[0]
                if branch is not None:
                    yield from self._statement(branch, Scope(scope))
            case "break_statement":
                raise _Break
            case "for_in_statement":
                yield from self._for_of(node, scope)
            case "for_statement":
                yield from self._for(node, scope)
            case "do_statement":
                yield from self._do(node, scope)
            case "try_statement":
                yield from self._try(node, scope)
            case "empty_statement" | "comment":
                pass
            case unknown:
                raise NotImplementedError(unknown)

    def _for_of(self, node, scope):
        for value in self.items((yield from self._eval(node.child_by_field_name("right"), scope))):
            inner = Scope(scope)
            yield from self._declare(node.child_by_field_name("left"), value, inner)
            try:
                yield from self._statement(node.child_by_field_name("body"), inner)
            except _Break:
                return

    def _for(self, node, scope):
        inner = Scope(scope)
        yield from self._statement(node.child_by_field_name("initializer"), inner)
        condition, increment = node.child_by_field_name("condition"), node.child_by_field_name("increment")
        condition = condition.named_children[0] if condition.type == "expression_statement" else condition
        while is_true((yield from self._eval(condition, inner))):
            try:
                yield from self._statement(node.child_by_field_name("body"), Scope(inner))
            except _Break:
                return
            yield from self._eval(increment, inner)

    def _do(self, node, scope):
        while True:
            yield from self._statement(node.child_by_field_name("body"), Scope(scope))
            if not is_true((yield from self._eval(node.child_by_field_name("condition"), scope))):
                return

    def _try(self, node, scope):
        try:
            yield from self._block(node.child_by_field_name("body"), Scope(scope))
        except (_Return, _Break):
            raise
        except Exception as error:
            handler = node.child_by_field_name("handler")
            inner = Scope(scope)
            parameter = handler.child_by_field_name("parameter")
            if parameter is not None:
                yield from self._declare(parameter, caught(error), inner)
            yield from self._block(handler.child_by_field_name("body"), inner)

    # -- expressions -----------------------------------------------------------------------------------------------

    def _eval(self, node, scope):
        value = getattr(self, f"_{node.type}", None)
        if value is None:
            raise NotImplementedError(f"{node.type}: {node.text.decode()}")
        first = _first(node)
        if not _is_await(first) or first.id in self._awaited:
            return (yield from value(node, scope))
        # The parser takes `await (f)().x` for a call of a function `await`: what is awaited is the whole.
        self._awaited.add(first.id)
        result = yield from value(node, scope)
        self._awaited.discard(first.id)
        return (yield result) if inspect.isawaitable(result) else result

    def _simple(value_of):
        def evaluate(self, node, scope):
            return value_of(node, scope)
            yield

        return evaluate

    _identifier = _simple(lambda node, scope: scope.holder(node.text.decode())[node.text.decode()])
    _undefined = _simple(lambda node, scope: None)
    _null = _simple(lambda node, scope: jsnull)
    _true = _simple(lambda node, scope: True)
    _false = _simple(lambda node, scope: False)
    _number = _simple(lambda node, scope: number_literal(node.text.decode()))
    _string = _simple(lambda node, scope: string_literal(node.text.decode()))

    def _function_of(self, node, scope):
        return self._function(node, scope)
        yield

    _arrow_function = _function_expression = _generator_function = _function_of

    def _regex(self, node, scope):
        flags = node.child_by_field_name("flags")
        make = self._world.names["RegExp"]
        return make(node.child_by_field_name("pattern").text.decode(), "" if flags is None else flags.text.decode())
        yield

    def _class(self, node, scope):
        """A class without a constructor: its fields are what an object of it has."""
        name = node.child_by_field_name("name").text.decode()
        make = self._world.names["instance"]

        def construct(*_):
            entries = {}
            for field in node.child_by_field_name("body").named_children:
                key = field.child_by_field_name("property").text.decode()
                entries[key] = run_now(self._eval(field.child_by_field_name("value"), scope))
            return make(name, entries)

        construct.construct = construct
        return construct
        yield

    def _parenthesized_expression(self, node, scope):
        return (yield from self._eval(node.named_children[0], scope))

    def _sequence_expression(self, node, scope):
        value = None
        for part in node.named_children:
            value = yield from self._eval(part, scope)
        return value

    def _await_expression(self, node, scope):
        value = yield from self._eval(node.named_children[0], scope)
        return (yield value) if inspect.isawaitable(value) else value

    def _yield_expression(self, node, scope):
        return (yield _Yield((yield from self._eval(node.named_children[0], scope))))

    def _template_string(self, node, scope):
        parts = []
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append(js_text((yield from self._eval(child.named_children[0], scope))))
            else:
                parts.append(string_literal(f'"{child.text.decode()}"'))
        return "".join(parts)

    def _array(self, node, scope):
        values = []
        for child in node.named_children:
            if child.type == "spread_element":
                values += self.items((yield from self._eval(child.named_children[0], scope)))
            else:
                values.append((yield from self._eval(child, scope)))
        return JsArray(values)

    def _object(self, node, scope):
        entries = {}
        for child in node.named_children:
            match child.type:
                case "pair":
                    key = child.child_by_field_name("key")
                    name = yield from self._key(key, scope)
                    entries[name] = yield from self._eval(child.child_by_field_name("value"), scope)
                case "shorthand_property_identifier":
                    name = child.text.decode()
                    entries[name] = scope.holder(name)[name]
                case "method_definition":
                    entries[child.child_by_field_name("name").text.decode()] = self._function(child, scope)
                case "spread_element":
                    entries |= (yield from self._eval(child.named_children[0], scope))._entries
                case unknown:
                    raise NotImplementedError(unknown)
        return JsPlain(entries)

    def _key(self, key, scope):
        if key.type == "computed_property_name":
            return js_text((yield from self._eval(key.named_children[0], scope)))
        if key.type == "string":
            return string_literal(key.text.decode())
        return js_text(number_literal(key.text.decode())) if key.type == "number" else key.text.decode()

    def _member_expression(self, node, scope):
        _, value = yield from self._reference(node, scope)
        return value

    _subscript_expression = _member_expression

    def _reference(self, node, scope):
        """An object and the value of one of its members."""
        if node.type not in ("member_expression", "subscript_expression"):
            return None, (yield from self._eval(node, scope))
        of = yield from self._eval(node.child_by_field_name("object"), scope)
        if of is None and any(child.type == "optional_chain" for child in node.children):
            return None, None
        key = yield from self._member_key(node, scope)
        return of, self.get(of, key)

    def _member_key(self, node, scope):
        if node.type == "member_expression":
            return node.child_by_field_name("property").text.decode()
        return (yield from self._eval(node.child_by_field_name("index"), scope))

    def _call_expression(self, node, scope):
        callee = node.child_by_field_name("function")
        if _is_await(node):
            return (yield from self._eval(node.child_by_field_name("arguments").named_children[0], scope))
        _, function = yield from self._reference(callee, scope)
        if function is None and (_has_chain(node) or _has_chain(callee)):
            return None
        values = yield from self._arguments(node, scope)
        if function is None:
            raise JsException("TypeError", f"{callee.text.decode()} is not a function")
        return call(function, values)

    def _arguments(self, node, scope):
        arguments = node.child_by_field_name("arguments")
        return [] if arguments is None else (yield from self._array(arguments, scope))._items

    def _new_expression(self, node, scope):
        constructor = yield from self._eval(node.child_by_field_name("constructor"), scope)
        values = yield from self._arguments(node, scope)
        construct = getattr(constructor, "construct", None)
        return constructor._class._construct(*values) if construct is None else construct(*values)

    def _assignment_expression(self, node, scope):
        target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        return (yield from self._assign(target, (yield from self._eval(value, scope)), scope))

    def _assign(self, target, value, scope):
        if target.type == "identifier":
            name = target.text.decode()
            scope.holder(name)[name] = value
        else:
            of = yield from self._eval(target.child_by_field_name("object"), scope)
            self.set(of, (yield from self._member_key(target, scope)), value)
        return value

    def _update_expression(self, node, scope):
        target = node.child_by_field_name("argument")
        before = yield from self._eval(target, scope)
        yield from self._assign(
            target, before + (1 if node.child_by_field_name("operator").type == "++" else -1), scope
        )
        return before

    def _ternary_expression(self, node, scope):
        condition = is_true((yield from self._eval(node.child_by_field_name("condition"), scope)))
        branch = "consequence" if condition else "alternative"
        return (yield from self._eval(node.child_by_field_name(branch), scope))

    def _unary_expression(self, node, scope):
        operator, argument = node.child_by_field_name("operator").type, node.child_by_field_name("argument")
        value = yield from self._eval(argument, scope)
        match operator:
            case "!":
                return not is_true(value)
            case "-":
                return -0.0 if value == 0 and not isinstance(value, JsBigInt) else -value
            case "typeof":
                return typeof(value)
        raise NotImplementedError(operator)

    def _binary_expression(self, node, scope):
        operator = node.child_by_field_name("operator").type
        left = yield from self._eval(node.child_by_field_name("left"), scope)
        if operator in ("&&", "||", "??"):
            keeps = {"&&": not is_true(left), "||": is_true(left), "??": left is not None and left is not jsnull}
            if keeps[operator]:
                return left
        right = yield from self._eval(node.child_by_field_name("right"), scope)
        return right if operator in ("&&", "||", "??") else self._binary(operator, left, right)

    def _binary(self, operator, left, right):
        match operator:
            case "+" if isinstance(left, str) or isinstance(right, str):
                return js_text(left) + js_text(right)
            case "===" | "==":
                return same(left, right)
            case "!==" | "!=":
                return not same(left, right)
            case "in":
                return self.get(right, left) is not None or left in dir(right)
            case "instanceof":
                return self._world.names["instance_of"](left, right)
            case "/":
                return from_python(left / right)
            case "**":
                return JsBigInt(left**right) if isinstance(left, JsBigInt) else left**right
        left, right = numeric(left), numeric(right)
        operations = {"+": "__add__", "-": "__sub__", "*": "__mul__", "%": "__mod__", "<": "__lt__", ">": "__gt__"}
        operations |= {"<=": "__le__", ">=": "__ge__"}
        left, right = (
            (float(left), float(right)) if isinstance(left, float) or isinstance(right, float) else (left, right)
        )
        return from_python(getattr(left, operations[operator])(right))

    # -- members ---------------------------------------------------------------------------------------------------

    def get(self, of, key):
        """A member of a value; undefined where there is none."""
        if of is None or of is jsnull:
            word = "undefined" if of is None else "null"
            raise JsException("TypeError", f"Cannot read properties of {word} (reading '{js_text(key)}')")
        if key == "Symbol.iterator":
            return js_function(lambda: of) if hasattr(of, "__iter__") else None
        found = self._members(of, key)
        if found is not ...:
            return found
        if isinstance(of, JsArray) and not isinstance(key, str):
            return of._items[int(key)] if 0 <= int(key) < len(of._items) else None
        if isinstance(of, JsPlain):
            return of._entries.get(js_text(key))
        if not isinstance(key, str):
            try:
                return from_python(of[key])
            except IndexError:
                return None
        return from_python(getattr(of, key, None))

    def set(self, of, key, value):
        """Set a member."""
        if isinstance(of, JsPlain):
            of._entries[js_text(key)] = value
        elif isinstance(of, JsArray) and key == "length":
            del of._items[int(value) :]
        else:
            setattr(of, key, value)

    def items(self, value):
        """The items of an iterable."""
        if isinstance(value, JsArray):
            return list(value._items)
        if isinstance(value, str):
            return list(value)
        entries = getattr(value, "entries", None)
        if getattr(value, "_js_class", None) == "Map" and entries is not None:
            return self.items(entries())
        return [from_python(item) for item in value]


# -- values ------------------------------------------------------------------------------------------------------------


def call(function, values):
    """Call a function with values of JavaScript."""
    result = function.call_js(list(values)) if isinstance(function, JsFunction) else function(*values)
    return from_python(result)


def run_now(generator):
    """The result of a function that awaits nothing."""
    try:
        awaited = next(generator)
    except StopIteration as done:
        return done.value
    raise AssertionError(f"await {awaited!r} in a function that is not async")


def start(generator):
    """Run an async function up to its first await, and the rest as a task."""
    try:
        awaited = next(generator)
    except StopIteration as done:
        return done.value if isinstance(done.value, JsPromise) else JsPromise.resolved(done.value)
    except Exception as error:
        return JsPromise.rejected(error)
    return JsPromise.running(_rest(generator, awaited))


async def _rest(generator, awaited):
    while True:
        try:
            try:
                value = from_python(await awaited)
            except Exception as error:
                awaited = generator.throw(error)
            else:
                awaited = generator.send(value)
        except StopIteration as done:
            return from_python(await done.value) if isinstance(done.value, JsPromise) else done.value


def thrown(value):
    """The exception that throws a value."""
    return value if isinstance(value, JsException) else Thrown(value)


def caught(error):
    """The value that a `catch` gets."""
    return error.value if isinstance(error, Thrown) else error


def _is_scalar(value):
    return isinstance(value, str | int | float) or value is None or isinstance(value, JsNull)


def same(left, right):
    """JavaScript's `===`."""
    if _is_scalar(left) or _is_scalar(right):
        return _is_scalar(left) and _is_scalar(right) and typeof(left) == typeof(right) and left == right
    return left is right


def typeof(value):
    """JavaScript's `typeof value`."""
    if value is None:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, JsBigInt):
        return "bigint"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return getattr(value, "typeof", "function" if callable(value) else "object")


def numeric(value):
    """A number for arithmetic: of a date its time."""
    time = getattr(value, "getTime", None)
    return value if time is None else time()


def number_literal(text):
    """The value of a number in a source."""
    text = text.replace("_", "")
    if text.endswith("n"):
        return JsBigInt(int(text[:-1], 0))
    return from_python(float(text)) if not text.startswith("0x") else int(text, 16)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def string_literal(text):
    """The value of a string in a source."""
    inner, out, index = text[1:-1], [], 0
    while index < len(inner):
        if inner[index] != "\\":
            out.append(inner[index])
        elif inner[index + 1] == "u":
            out.append(chr(int(inner[index + 2 : index + 6], 16)))
            index += 5
        else:
            out.append(_ESCAPES.get(inner[index + 1], inner[index + 1]))
            index += 1
        index += 1
    return "".join(out)


def _first(node):
    """The node that a chain of members and calls begins with."""
    while not _is_await(node):
        inner = node.child_by_field_name("function") or node.child_by_field_name("object")
        if node.type not in ("call_expression", "member_expression", "subscript_expression") or inner is None:
            return node
        node = inner
    return node


def _is_await(node):
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return function is not None and function.text == b"await"


def _has_chain(node):
    return any(child.type == "optional_chain" for child in node.children)
