"""`pytest -p tests.toy.plugin`: the zoo with the toy in it."""

from tests.toy.toy_house import enter

enter()
