"""Which pair of cases shows a rule best."""

from kmslint.engine.examples import distance, pair


def test_nodes_that_differ_are_counted() -> None:
    assert distance({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 2]}) == 0
    assert distance({"a": 1}, {"a": 2}) == 1
    assert distance({"a": 1}, {"a": 1, "b": {"c": 1, "d": 2}}) == 1
    assert distance([1, 2, 3], [1, 3]) == 1
    assert distance([1, 2, 3], [1, 2, 4]) == 1
    assert distance([1, 2, 3], []) == 3
    assert distance(1, True) == 1
    assert distance(1, "1") == 1


def test_the_nearest_pair_is_chosen_and_the_first_among_equals() -> None:
    cases = {
        "fail-a": {"input": {"x": 1, "y": 1}, "expect": []},
        "fail-b": {"input": {"x": 1, "y": 2}, "expect": []},
        "pass-a": {"input": {"x": 9, "y": 9}, "expect": []},
        "pass-b": {"input": {"x": 1, "y": 3}, "expect": [1, 2, 3]},
        "undetermined-a": {"input": {"x": 1, "y": 1}},
    }
    assert pair(cases) == ("fail-a", "pass-b")


def test_without_one_kind_the_other_is_still_shown() -> None:
    assert pair({"fail-b": {}, "fail-a": {}}) == ("fail-a", None)
    assert pair({"pass-a": 1}) == (None, "pass-a")
    assert pair({}) == (None, None)
