"""Prints tracebacks of many kinds, each below a line of its own."""
import json
import traceback


def show(name):
    print("===", name)
    print(traceback.format_exc(), end="")


def price(item):
    return item["price"] * 2


def total(items):
    return sum(price(i) for i in items)


class Cart:
    def add(self):
        return (lambda: total([{}]))()


try:
    Cart().add()
except KeyError:
    show("plain")

try:
    try:
        total([{}])
    except KeyError as err:
        raise ValueError("no price\nand a second line") from err
except ValueError:
    show("cause")

try:
    try:
        total([{}])
    except KeyError:
        raise RuntimeError("while handling")
except RuntimeError:
    show("context")

try:
    json.loads("{")
except ValueError:
    show("library")


def again(n):
    return again(n + 1)


try:
    again(0)
except RecursionError:
    show("recursion")

try:
    exec("a b")
except SyntaxError:
    show("syntax")

try:
    raise ExceptionGroup("many", [ValueError("一"), KeyError("b")])
except ExceptionGroup:
    show("group")
