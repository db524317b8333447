"""One tree of errors, drawn where it is declared, each with a sentence."""

import pickle

import pytest

from bot.core import errors
from bot.core.errors import DeputyError, Invalid, Refused, gathered, noted

TREE = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]


@pytest.mark.parametrize("error", TREE)
def test_every_error_is_deputys_and_drawn_in_the_tree(error: type[Exception]) -> None:
    assert issubclass(error, DeputyError)
    assert error is DeputyError or f"── {error.__name__} " in str(errors.__doc__)


def test_the_tree_draws_no_error_that_there_is_not() -> None:
    drawn = {line.split("── ")[1].split()[0] for line in str(errors.__doc__).splitlines() if "── " in line}
    assert drawn == {error.__name__ for error in TREE} - {"DeputyError"}


@pytest.mark.parametrize("error", TREE)
def test_an_error_reads_as_its_sentence(error: type[DeputyError]) -> None:
    raised = error("It is closed. Ask again tomorrow.")
    assert str(raised) == raised.sentence == "It is closed. Ask again tomorrow."


def test_an_invalid_thing_says_where() -> None:
    raised = Invalid("It is empty.", "roles.toml:3")
    assert (str(raised), raised.where) == ("roles.toml:3: It is empty.", "roles.toml:3")
    assert Invalid("It is empty.").where == ""


def test_of_several_faults_the_first_is_raised_and_knows_all_others() -> None:
    one, two, three = Invalid("One."), Invalid("Two."), Invalid("Three.")
    with pytest.raises(Invalid) as outer, gathered() as faults:
        with noted(faults):
            raise one
        with noted(faults), gathered() as inner:
            inner += (two, three)
    assert outer.value is one
    assert one.others == (two, three)
    assert (two.others, three.others) == ((), ())


def test_where_no_fault_is_found_none_is_raised() -> None:
    with gathered() as faults, noted(faults):
        pass
    assert faults == []


def test_a_refusal_says_every_reason() -> None:
    raised = Refused("You may not.", "Ask Max.")
    assert (str(raised), raised.reasons) == ("You may not. Ask Max.", ("You may not.", "Ask Max."))


@pytest.mark.parametrize("error", [Invalid("It is empty.", "roles.toml:3"), Refused("You may not.", "Ask Max.")])
def test_an_error_comes_back_from_another_process_as_it_went(error: DeputyError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
