import logging
import sys

logging.basicConfig(stream=sys.stderr)


class OrderError(Exception):
    pass


def price(item):
    return item["price"]


def load():
    try:
        return price({})
    except KeyError as err:
        raise OrderError("订单 17 无价格") from err


logging.info("started")
try:
    load()
except OrderError:
    logging.exception("could not load")
print("between", file=sys.stderr)
try:
    price({})
except KeyError:
    logging.exception("no price")
load()
