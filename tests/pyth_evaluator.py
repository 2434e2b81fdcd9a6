"""An evaluator for the part of Pyth (2016-01-22) that cascade programs are written in, from the language's reference.

Prefix notation: every token has an arity and takes that many expressions. ``run(program)`` gives what ``.w`` would
have written as an image: a matrix of pixels. Shares nothing with the package it is there to test.
"""

import ast
import copy
import math
import warnings

MAP_VARIABLES = "dkb"  # of nested maps, outermost first
TRIGONOMETRY = {0: math.sin, 1: math.cos, 2: math.tan, 10: math.tanh}


def run(program, only=None):
    """The matrix that the program writes. ``only``: {n: indices}, what a map over the number n visits of range(n)."""
    text = program.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    return Machine(text, only or {}).run()


class Machine:
    def __init__(self, text, only):
        self.text, self.at, self.only = text, 0, only
        self.depth = 0  # of maps around the expression that is being parsed
        self.assigned = set()  # J and K after their first appearance
        self.variables = {"Z": 0, "T": 10, "N": '"', "Y": [], "G": "abcdefghijklmnopqrstuvwxyz", "H": {}}
        self.variables |= {"d": " ", "k": "", "b": "\n"}
        self.written = None

    def run(self):
        while self.at < len(self.text):
            self.expression()()
        return self.written

    # -- parsing: every method returns a function without arguments -------------------------------------------------

    def expression(self):
        token = self.token()
        if token[0].isdigit() or (token[0] == "." and token[1].isdigit()):
            value = float(token) if "." in token else int(token)
            return lambda: value
        if token == '"':
            value = self.string()
            return lambda: value
        if token in "JK" and token not in self.assigned:
            self.assigned.add(token)
            return self.assignment(token, self.expression())
        if token in "JKZTNYGHdkb":
            return lambda: self.variables[token]
        if token in ARITY and self.peek() in ("M", "L", "R"):
            return self.sugar(token)
        if token in SPECIAL:
            return SPECIAL[token](self)
        if token in FUNCTIONS:
            return self.call(token)
        raise SyntaxError(f"{token!r} is not known to this evaluator, at {self.at}")

    def peek(self):
        return self.text[self.at : self.at + 1]

    def token(self):
        first = self.text[self.at]
        self.at += 1
        if first == "0":
            return first
        if first == "." and not self.peek().isdigit():
            self.at += 1
            return first + self.text[self.at - 1]
        if first.isdigit() or first == ".":
            begin = self.at - 1
            while self.peek().isdigit() or (
                self.peek() == "." and "." not in self.text[begin : self.at] and self.text[self.at + 1].isdigit()
            ):
                self.at += 1
            return self.text[begin : self.at]
        return first

    def string(self):
        literal = ""
        while self.peek() != '"':
            step = 2 if self.peek() == "\\" else 1
            literal += self.text[self.at : self.at + step]
            self.at += step
        self.at += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash that escapes nothing is meant to stay
            return ast.literal_eval('"' + literal.replace("\n", "\\n").replace("\0", "\\0") + '"')

    def call(self, token):
        arguments = [self.expression() for _ in range(ARITY[token])]
        return lambda: FUNCTIONS[token](*[argument() for argument in arguments])

    def assignment(self, name, value):
        def assign():
            self.variables[name] = copy.deepcopy(value())
            return self.variables[name]

        return assign

    def sugar(self, token):
        """``fM s``: f of every element. ``fL a s``: f of a, evaluated anew for every element, and the element.
        ``fR a s``: f of the element and a."""
        kind, variable = self.peek(), MAP_VARIABLES[self.depth]
        self.at += 1
        first, last = [], []
        if kind in ("L", "R"):
            self.depth += 1
            (first if kind == "L" else last).append(self.expression())
            self.depth -= 1
        sequence = self.expression()
        return self.mapping(
            lambda: FUNCTIONS[token](*[f() for f in first], self.variables[variable], *[f() for f in last]),
            variable,
            sequence,
        )

    def mapping(self, body, variable, sequence):
        def mapped():
            over = sequence()
            if isinstance(over, int):
                over = self.only.get(over, range(over))
            return [self.bound({variable: item}, body) for item in over]

        return mapped

    def bound(self, values, body):
        saved = {name: self.variables[name] for name in values}
        self.variables |= values
        result = body()
        self.variables |= saved
        return result

    # -- tokens with rules of their own -----------------------------------------------------------------------------

    def map(self):
        variable = MAP_VARIABLES[self.depth]
        self.depth += 1
        body = self.expression()
        self.depth -= 1
        return self.mapping(body, variable, self.expression())

    def loop(self):
        condition, body, start = self.expression(), self.expression(), self.expression()

        def looped():
            value = start()
            while self.bound({"H": value}, condition):
                value = self.bound({"Z": value}, body)
            return value

        return looped

    def reduce(self):
        body, count, start = self.expression(), self.expression(), self.expression()

        def reduced():
            value = start()
            for element in range(count()):
                value = self.bound({"G": value, "H": element}, body)
            return value

        return reduced

    def ternary(self):
        condition, yes, no = self.expression(), self.expression(), self.expression()
        return lambda: yes() if condition() else no()

    def equals(self):
        return self.assignment(self.token(), self.expression())

    def both(self):
        first, second = self.expression(), self.expression()
        return lambda: first() and second()

    def listing(self):
        items = []
        while self.peek() not in (")", ""):
            items.append(self.expression())
        self.at += 1
        return lambda: [item() for item in items]

    def write(self):
        matrix = self.expression()

        def written():
            self.written = [[pixel if isinstance(pixel, list) else [pixel] * 3 for pixel in row] for row in matrix()]
            self.written = [[[min(max(v, 0), 255) for v in pixel] for pixel in row] for row in self.written]

        return written


def plus(a, b):
    if isinstance(a, list) or isinstance(b, list):
        return (a if isinstance(a, list) else [a]) + (b if isinstance(b, list) else [b])
    return a + b


def base_digits(number, base):
    digits = []
    while number:
        number, digit = divmod(number, base)
        digits.append(digit)
    return digits[::-1] or [0]


def number(digits, base):
    """Of a sequence of digits. In base 1, its length."""
    if abs(base) == 1:
        return len(digits)
    result = 0
    for digit in digits:
        result = result * base + digit
    return result


def total(value):
    if not isinstance(value, list):
        return int(value)
    result = value[0]
    for item in value[1:]:
        result = plus(result, item)
    return result


def greater(a, b):
    return b[-a:] if isinstance(b, list) else a > b


def append(a, b):
    a.append(b)
    return a


FUNCTIONS = {
    " ": lambda a: a,
    "*": lambda a, b: a * b,
    "%": lambda a, b: a % b,
    "+": plus,
    ",": lambda a, b: [a, b],
    "-": lambda a, b: a - b,
    "/": lambda a, b: int(a // b),
    "<": lambda a, b: a < b,
    ">": greater,
    "C": lambda a: int.from_bytes(a.encode("latin-1"), "big"),
    "^": lambda a, b: pow(a, b),
    "_": lambda a: -a,
    "a": append,
    "c": lambda a, b: a / b,
    "e": lambda a: a[-1],
    "h": lambda a: a + 1,
    "i": number,
    "j": base_digits,
    "l": lambda a: math.log(a, 2),
    "s": total,
    "x": lambda a, b: a ^ b,
    "y": lambda a: a * 2,
    ".D": divmod,
    ".)": lambda a: a.pop(),
    ".t": lambda a, b: TRIGONOMETRY[b](a),
}
ARITY = {token: 1 if token in (" ", "C", "_", "e", "h", "l", "s", "y", ".)") else 2 for token in FUNCTIONS}
SPECIAL = {
    "m": Machine.map,
    ".W": Machine.loop,
    "u": Machine.reduce,
    "?": Machine.ternary,
    "=": Machine.equals,
    "&": Machine.both,
    "[": Machine.listing,
    ".w": Machine.write,
}
