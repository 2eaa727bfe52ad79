"""Items of DynamoDB are those of moto, although they are measured once and converted faster."""

from __future__ import annotations

from typing import Any

import pytest
from moto.dynamodb import responses
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.utilities import dynamo_to_dict

from kaizen_tasks.localcloud.moto.items import MAX_ITEM_BYTES
from kaizen_tasks.localcloud.moto.patches import patch_moto

pytestmark = pytest.mark.unit

ATTRIBUTES: dict[str, Any] = {
    "text": {"S": "é"},
    "number": {"N": "1.50"},
    "bytes": {"B": "AAE="},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "blobs": {"BS": ["AAE=", "Ag=="]},
    "list": {"L": [{"S": "a"}, {"L": [{"N": "1"}]}, {"M": {"b": {"B": "AAE="}}}]},
    "map": {"M": {"a": {"S": "b"}, "c": {"M": {"d": {"N": "1"}, "e": {"L": []}}}}},
}


@pytest.fixture(autouse=True)
def _patched() -> None:
    patch_moto()


def item(attributes: dict[str, Any]) -> Item:
    return Item(DynamoType({"S": "key"}), None, attributes)


def test_responses_are_converted_as_by_moto() -> None:
    created = item(ATTRIBUTES)
    response = {"Responses": {"app": [created.attrs, created]}, "Count": 1, "More": None}

    convert = vars(responses)["dynamo_to_dict"]
    assert convert is not dynamo_to_dict
    assert convert(response) == dynamo_to_dict(response)


def test_item_has_the_limit_of_moto() -> None:
    expected = item({})
    for name, value in ATTRIBUTES.items():
        expected.attrs[name] = DynamoType(value)  # which measures the item again
    assert item(ATTRIBUTES) == expected

    largest = {"a": {"S": "x"}, "b": {"S": "x" * (MAX_ITEM_BYTES - 3)}}
    assert item(largest).size() == MAX_ITEM_BYTES
    created = item({"a": {"S": "xy"}})
    with pytest.raises(ItemSizeTooLarge):
        created.attrs["b"] = DynamoType(largest["b"])
    with pytest.raises(ItemSizeTooLarge):
        item({**largest, "a": {"S": "xy"}})
