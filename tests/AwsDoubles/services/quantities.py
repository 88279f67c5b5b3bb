"""CloudFront's lists, which say how long they are."""

from wire.errors import AwsError


def counted(value, path):
    """Refuses a list that is not as long as it says."""
    if isinstance(value, dict):
        if "Quantity" in value and value["Quantity"] != len(value.get("Items", [])):
            raise AwsError("InconsistentQuantities", f"The value of Quantity and the size of Items don't match in {path}.")
        for name, inner in value.items():
            counted(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            counted(inner, path)


def tidy(value):
    """An empty list has no Items."""
    if isinstance(value, dict):
        return {k: tidy(v) for k, v in value.items() if not (k == "Items" and v == [] and "Quantity" in value)}
    return [tidy(v) for v in value] if isinstance(value, list) else value
