"""Which texts become bibs: the shape of the number, where it hangs, what the start list says."""

from __future__ import annotations

import numpy as np
import pytest

from fotofinish.bibs.listed import StartList
from fotofinish.bibs.plausibility import (
    bibs_from,
    doubtful_numbers,
    enough_scale,
    shorter_numbers,
    torsos_without_number,
    worn_numbers,
)
from fotofinish.vision.faces import FaceReading
from fotofinish.vision.text import TextReading

WIDTH, HEIGHT = 1000, 1500
FACE_BOX = (450.0, 200.0, 80.0, 100.0)


def a_face(
    box: tuple[float, float, float, float] = FACE_BOX, *, quality: float = 0.9, turned: float = 0.0
) -> FaceReading:
    nose = 0.5 + turned
    points = np.array([[0, 0], [1, 0], [nose, 1], [0, 2], [1, 2]], dtype=np.float32)
    return FaceReading(box, 0.9, points, quality, None)


# two people side by side, and where the second one's number is
TWO = (a_face(), a_face((750.0, 210.0, 80.0, 100.0)))
BESIDE = (790, 510)


def a_text(
    text: str,
    *,
    at: tuple[float, float] = (490, 500),
    high: float = 50,
    confidence: float = 0.99,
    confidences: tuple[float, ...] | None = None,
    paper: float | None = None,
    hidden: float | None = None,
    aspect: float = 0.55,
) -> TextReading:
    long = aspect * high * len(text)
    x, y = at[0] - long / 2, at[1] - high / 2
    quad = np.array([[x, y], [x + long, y], [x + long, y + high], [x, y + high]], dtype=np.float32)
    signs = confidences or (confidence,) * len(text)
    return TextReading(text, sum(signs) / len(signs), quad, signs, paper, hidden)


def read(
    *texts: TextReading,
    faces: tuple[FaceReading, ...] = (a_face(),),
    start_list: frozenset[str] | None = None,
) -> set[str]:
    listed = None if start_list is None else StartList(start_list)
    return {bib.bib for bib in bibs_from(texts, faces, WIDTH, HEIGHT, listed)}


@pytest.mark.parametrize(
    ("text", "bib"),
    [
        ("7", "7"),
        ("42", "42"),
        ("1234", "1234"),
        ("30483", "30483"),
        ("123456", "123456"),
        ("007", "007"),
        ("b 30483", "B 30483"),
        ("A123", "A123"),
        ("123W", "123W"),
        ("#512", "512"),
        (" 512 ", "512"),
    ],
)
def test_a_number_under_a_face_is_a_bib(text: str, bib: str) -> None:
    assert read(a_text(text)) == {bib}


@pytest.mark.parametrize(
    "text",
    [
        "12:34",
        "1:02:59",
        "24.11.2026",
        "12/05",
        "10,5",
        "42 KM",
        "5KM",
        "10K",
        "21 K",
        "NIKE",
        "KOVO2MAX",
        "TEAM 99",
        "1234567",
        "100%",
        "BDA-744-KJ",
        "-3",
        "1.99",
        "(12)",
    ],
)
def test_clocks_dates_distances_and_sponsors_are_no_bibs(text: str) -> None:
    assert read(a_text(text)) == set()


def test_a_number_that_was_hardly_read_is_no_bib() -> None:
    assert read(a_text("1234", confidence=0.6)) == set()


def test_a_number_with_one_sign_that_is_a_guess_is_no_bib() -> None:
    assert read(a_text("1234", confidences=(1.0, 1.0, 1.0, 0.3))) == set()


def test_a_letter_must_be_surer_than_a_digit() -> None:
    assert read(a_text("S1527", confidences=(0.9, 1.0, 1.0, 1.0, 1.0))) == set()


def test_short_numbers_must_be_surer_than_long_ones() -> None:
    assert read(a_text("4", confidence=0.88)) == set()
    assert read(a_text("33", confidence=0.88)) == {"33"}
    assert read(a_text("33", confidence=0.75)) == set()
    assert read(a_text("3333", confidence=0.75)) == {"3333"}


def test_a_single_digit_needs_a_person() -> None:
    assert read(a_text("4", at=(900, 100))) == set()
    assert read(a_text("4"), faces=()) == set()


def test_the_mark_of_a_kilometre_is_no_bib() -> None:
    assert read(a_text("30", at=(900, 100)), a_text("KM", at=(900, 160))) == set()


def test_somebody_seen_from_behind_is_found_by_a_sure_number() -> None:
    assert read(a_text("1234"), faces=()) == {"1234"}


def test_a_year_on_a_banner_is_no_bib_but_one_on_a_chest_may_be() -> None:
    assert read(a_text("2026", at=(900, 100))) == set()
    assert read(a_text("2026")) == {"2026"}


def test_a_number_inside_a_line_of_text_is_no_bib_without_a_face() -> None:
    number, word = a_text("1234", at=(800, 1200)), a_text("STREET", at=(970, 1200))
    assert read(number, word, faces=()) == set()


@pytest.mark.parametrize("where", [420, 580])
def test_a_name_printed_on_a_bib_makes_its_number_none_the_less(where: int) -> None:
    assert read(a_text("1234"), a_text("ANNA LEE", at=(490, where), high=35), faces=()) == {"1234"}


def test_a_clock_below_a_name_beside_somebody_is_no_bib() -> None:
    clock, name = a_text("21354", at=(850, 500)), a_text("4Sport", at=(850, 430), high=40)
    assert read(clock, name) == set()


def test_a_number_above_the_head_is_not_that_persons() -> None:
    assert read(a_text("4", at=(490, 100))) == set()


@pytest.mark.parametrize(
    ("across", "down", "high", "worn"),
    [
        (1.4, 2.5, 50, True),
        (1.6, 2.5, 50, False),
        (0, 1.1, 50, True),
        (0, 0.9, 50, False),
        (0, 5.4, 50, True),
        (0, 5.6, 50, False),
        (0, 2.5, 19, True),
        (0, 2.5, 17, False),
        (0, 2.5, 118, True),
        (0, 2.5, 122, False),
    ],
)
def test_a_number_belongs_to_a_face_within_the_proportions_of_a_body(
    across: float, down: float, high: float, worn: bool
) -> None:
    x, y, w, h = FACE_BOX
    at = (x + w / 2 + across * w, y + h / 2 + down * h)
    assert read(a_text("4", at=at, high=high)) == ({"4"} if worn else set())


@pytest.mark.parametrize(
    ("aspect", "is_number"), [(0.24, False), (0.26, True), (1.19, True), (1.21, False)]
)
def test_digits_are_neither_thin_nor_wide(aspect: float, is_number: bool) -> None:
    assert read(a_text("123", aspect=aspect)) == ({"123"} if is_number else set())


def test_the_year_printed_smaller_on_a_bib_is_not_its_number() -> None:
    assert read(a_text("30483"), a_text("2026", at=(490, 600), high=35)) == {"30483"}
    as_large = a_text("2026", at=(490, 600), high=37)
    assert read(a_text("30483"), as_large) == {"30483", "2026"}


def test_two_people_have_two_numbers() -> None:
    other = a_face((750.0, 210.0, 80.0, 100.0))
    texts = a_text("11"), a_text("222", at=(790, 510))
    assert read(*texts, faces=(a_face(), other)) == {"11", "222"}


@pytest.mark.parametrize(
    ("face_high", "number_high", "counts"), [(90, 45, False), (110, 45, True), (90, 55, True)]
)
def test_somebody_three_times_further_away_does_not_count(
    face_high: float, number_high: float, counts: bool
) -> None:
    near, far = (
        a_face((220 - 120.0, 100.0, 240.0, 300.0)),
        a_face((800.0, 345 - face_high / 2, face_high * 0.8, face_high)),
    )
    texts = (
        a_text("1234", at=(220, 1000), high=150),
        a_text("5678", at=(836, 570), high=number_high),
    )
    assert read(*texts, faces=(near, far)) == ({"1234", "5678"} if counts else {"1234"})


def test_how_large_a_photo_must_be_looked_at_follows_from_who_counts() -> None:
    smaller, too_small = (a_face((800.0, 300.0, 30.0, high)) for high in (34.0, 32.0))
    assert enough_scale((), HEIGHT) is None
    assert enough_scale((a_face(),), HEIGHT) == pytest.approx(0.64)
    assert enough_scale((a_face(), smaller), HEIGHT) == pytest.approx(64 / 34)
    assert enough_scale((a_face(), too_small), HEIGHT) == pytest.approx(0.64)


def test_a_large_face_whose_chest_is_outside_the_photo_makes_nobody_background() -> None:
    at_the_edge = a_face((0.0, HEIGHT - 500.0, 400.0, 500.0))
    faces = (a_face(), at_the_edge)
    assert enough_scale(faces, HEIGHT) == pytest.approx(0.64)
    assert len(torsos_without_number([], faces, WIDTH, HEIGHT)) == 1
    number, from_behind = a_text("1234", high=20), a_text("777", at=(900, 200), high=70)
    assert read(number, from_behind, faces=faces) == {"1234", "777"}


def test_a_small_number_under_a_face_that_is_not_far_away_counts() -> None:
    a_little_behind = a_face((800.0, 300.0, 32.0, 40.0))
    texts = a_text("1234"), a_text("5678", at=(816, 430), high=15)
    assert read(*texts, faces=(a_face(), a_little_behind)) == {"1234", "5678"}


def test_a_part_of_a_number_on_somebody_half_hidden_behind_is_no_bib() -> None:
    behind = a_face((750.0, 210.0, 50.0, 60.0))
    part = a_text("331", at=(775, 400), high=22)
    assert read(a_text("71652"), part, faces=(a_face(), behind)) == {"71652"}
    listed = frozenset({"71652", "331"})
    assert read(a_text("71652"), part, faces=(a_face(), behind), start_list=listed) == listed


def test_a_runner_hardly_recognisable_beside_a_much_larger_one_is_background() -> None:
    behind = a_face((800.0, 300.0, 22.0, 28.0))
    small = a_text("5678", at=(811, 380), high=18)
    assert read(a_text("1234", high=35), small, faces=(a_face(), behind)) == {"1234"}
    assert read(a_text("1234", high=25), small, faces=(a_face(), behind)) == {"1234"}
    assert read(small, faces=(behind,)) == {"5678"}
    as_large = a_text("1234", at=(490, 450), high=22)
    assert read(as_large, small, faces=(a_face(), behind)) == {"1234", "5678"}


@pytest.mark.parametrize(
    ("quality", "turned", "high", "counts"),
    [
        (0.24, 0.0, 36, False),
        (0.24, 0.0, 39, True),
        (0.26, 0.0, 30, True),
        (0.24, 0.31, 49, False),
        (0.24, -0.31, 49, False),
        (0.24, 0.29, 49, True),
        (0.26, 0.45, 30, True),
        (0.24, 0.31, 51, True),
    ],
)
def test_whose_face_nobody_would_recognise_is_not_whom_the_photo_is_of(
    quality: float, turned: float, high: float, counts: bool
) -> None:
    beside = a_face(TWO[1].box, quality=quality, turned=turned)
    texts = a_text("11111"), a_text("22222", at=BESIDE, high=high)
    assert ("22222" in read(*texts, faces=(a_face(), beside))) == counts
    assert read(texts[1], faces=(beside,)) == {"22222"}


def test_somebody_from_behind_beside_a_larger_number_is_not_whom_the_photo_is_of() -> None:
    behind = a_text("22222", at=BESIDE, high=40)
    assert read(a_text("11111", high=42), behind) == {"11111"}
    assert read(a_text("11111", high=38), behind) == {"11111", "22222"}


def test_in_a_photo_of_backs_everybody_counts() -> None:
    assert read(a_text("11111"), a_text("22222", at=BESIDE, high=40), faces=()) == {
        "11111",
        "22222",
    }


@pytest.mark.parametrize(
    ("text", "paper", "bibs"),
    [
        ("33", 0.0, {"71652"}),
        ("331", 0.1, {"71652"}),
        ("331", 0.14, {"71652", "331"}),
        ("33", 0.6, {"71652", "33"}),
        ("3316", 0.0, {"71652", "3316"}),
        ("016", 0.6, {"71652"}),
    ],
)
def test_a_short_number_beside_a_long_one_needs_the_paper_of_a_whole_one(
    text: str, paper: float, bibs: set[str]
) -> None:
    short = a_text(text, at=BESIDE, paper=paper)
    assert read(a_text("71652"), short, faces=TWO) == bibs


@pytest.mark.parametrize(
    ("text", "hidden", "bibs"),
    [
        ("1901", 0.99, {"71652"}),
        ("1901", 0.5, {"71652", "1901"}),
        ("19012", 0.99, {"71652", "19012"}),
    ],
)
def test_a_number_shorter_than_another_is_none_when_something_hides_its_end(
    text: str, hidden: float, bibs: set[str]
) -> None:
    beside = a_text(text, at=BESIDE, hidden=hidden)
    assert read(a_text("71652"), beside, faces=TWO) == bibs


def test_a_category_letter_makes_no_number_longer_than_another() -> None:
    beside = a_text("456", at=BESIDE, hidden=0.99)
    assert read(a_text("W123"), beside, faces=TWO) == {"W123", "456"}


def test_the_ends_are_looked_at_of_numbers_shorter_than_another_alone() -> None:
    texts = [a_text("1901", at=BESIDE), a_text("71652"), a_text("NIKE", at=(490, 400))]
    assert shorter_numbers(texts, TWO, WIDTH, HEIGHT) == [0]
    assert shorter_numbers(texts[1:], TWO, WIDTH, HEIGHT) == []


def test_a_number_alone_is_one_whatever_is_beside_it() -> None:
    assert read(a_text("1901", hidden=0.99)) == {"1901"}


def test_a_short_number_alone_needs_no_paper() -> None:
    assert read(a_text("33", paper=0.0)) == {"33"}
    assert read(a_text("016", paper=0.0)) == {"016"}


def test_two_unsure_looks_that_read_the_same_are_surer_than_one() -> None:
    look = a_text("3717", confidence=0.6)
    assert read(look) == set()
    assert read(look, a_text("3717", at=(492, 502), confidence=0.6)) == {"3717"}


def test_a_sign_that_one_look_guessed_and_another_saw_is_seen() -> None:
    guess = a_text("3717", confidences=(1.0, 1.0, 1.0, 0.4))
    assert read(guess) == set()
    assert read(guess, a_text("3717", at=(492, 502))) == {"3717"}


def test_of_looks_as_sure_as_each_other_the_widest_says_where_the_number_is() -> None:
    tight = a_text("3717", confidence=0.992, aspect=0.5)
    wide = a_text("3717", confidence=0.989, aspect=0.6)
    (bib,) = bibs_from([tight, wide], [a_face()], WIDTH, HEIGHT, None)
    assert bib.box == pytest.approx((430, 475, 120, 50))


def test_numbers_that_people_wear_are_to_be_looked_around() -> None:
    texts = [a_text("Finish"), a_text("4", at=(900, 100)), a_text("1234")]
    assert worn_numbers(texts, (a_face(),), WIDTH, HEIGHT) == [2]


def test_a_number_cut_by_the_photos_edge_is_no_bib() -> None:
    assert read(a_text("1234", at=(40, 700)), faces=()) == set()


def test_several_looks_at_one_number_are_voted() -> None:
    looks = a_text("1962"), a_text("1962", confidence=0.9), a_text("1952", confidence=0.95)
    assert read(*looks) == {"1962"}


def test_a_look_that_cut_off_an_end_does_not_win() -> None:
    assert read(a_text("962", at=(504, 500)), a_text("1962", confidence=0.98)) == {"1962"}


def test_what_one_look_of_many_sees_at_an_end_is_no_digit() -> None:
    edge = a_text("16761", confidences=(0.37, 0.37, 0.37, 0.37, 0.29))
    looks = [a_text("1676", at=(498 - shift, 500)) for shift in range(4)]
    assert read(edge, *looks) == {"1676"}
    assert read(edge, looks[0]) == set()


def test_a_mere_guess_at_an_end_is_no_digit() -> None:
    looks = [a_text("167", at=(490 - shift, 500)) for shift in range(2)]
    for guess, bibs in ((0.2, {"167"}), (0.3, set())):
        assert read(a_text("1676", confidences=(1.0, 1.0, 1.0, guess)), *looks) == bibs


def test_without_the_digit_that_is_half_hidden_a_number_is_not_whole() -> None:
    half = a_text("5526", confidences=(0.34, 0.5, 0.5, 0.5))
    assert read(half, a_text("526", at=(497, 500))) == set()
    mark = a_text("/526", confidences=(0.34, 0.5, 0.5, 0.5))
    assert read(mark, a_text("526", at=(497, 500))) == {"526"}


@pytest.mark.parametrize(
    ("text", "confidences", "doubtful"),
    [
        ("1234", (1.0, 1.0, 0.9, 1.0), True),
        ("1234", (1.0,) * 4, False),
        ("A123", (1.0,) * 4, False),
        ("42", (1.0,) * 2, True),
        ("B 42", (1.0,) * 4, True),
        ("12:34", (0.9,) * 5, False),
    ],
)
def test_unsure_and_short_numbers_need_a_second_opinion(
    text: str, confidences: tuple[float, ...], doubtful: bool
) -> None:
    worn = a_text(text, confidences=confidences)
    elsewhere = a_text("88", at=(900, 100), confidence=0.9)
    asked = doubtful_numbers([elsewhere, worn], (a_face(),), WIDTH, HEIGHT)
    assert asked == ([1] if doubtful else [])


def test_the_same_number_twice_is_one_bib() -> None:
    (bib,) = bibs_from(
        [a_text("1234"), a_text("1234", at=(490, 650))], [a_face()], WIDTH, HEIGHT, None
    )
    assert bib.bib == "1234"


def test_a_bib_has_the_box_of_its_text_and_its_confidence() -> None:
    (bib,) = bibs_from([a_text("1234", confidence=0.97)], [a_face()], WIDTH, HEIGHT, None)
    assert bib.box == pytest.approx((435, 475, 110, 50))
    assert bib.confidence == pytest.approx(0.97)


class TestWithAStartList:
    def test_only_listed_numbers_are_bibs(self) -> None:
        assert read(a_text("1234"), start_list=frozenset({"1234", "99"})) == {"1234"}
        assert read(a_text("1234"), start_list=frozenset({"5678"})) == set()

    def test_a_listed_number_may_be_read_less_surely(self) -> None:
        assert read(a_text("1234", confidence=0.6), start_list=frozenset({"1234"})) == {"1234"}

    def test_a_list_of_nearly_all_numbers_makes_nothing_surer(self) -> None:
        nearly_all = frozenset(str(number) for number in range(1, 9000))
        assert read(a_text("1234", confidence=0.6), start_list=nearly_all) == set()
        assert read(a_text("1234"), start_list=nearly_all) == {"1234"}

    def test_one_misread_digit_is_mended_when_one_bib_fits(self) -> None:
        misread = a_text("1284", confidences=(1.0, 1.0, 0.8, 1.0))
        assert read(misread, start_list=frozenset({"1234", "5678"})) == {"1234"}

    def test_a_number_that_was_read_well_is_not_mended(self) -> None:
        assert read(a_text("1284"), start_list=frozenset({"1234", "5678"})) == set()

    def test_a_digit_that_was_read_well_is_not_mended_for_another_that_was_not(self) -> None:
        misread = a_text("1284", confidences=(0.8, 1.0, 1.0, 1.0))
        assert read(misread, start_list=frozenset({"1234", "5678"})) == set()

    def test_nothing_is_mended_when_two_bibs_fit(self) -> None:
        misread = a_text("1284", confidences=(1.0, 1.0, 0.8, 1.0))
        assert read(misread, start_list=frozenset({"1234", "1294"})) == set()

    def test_leading_zeros_count(self) -> None:
        assert read(a_text("7"), start_list=frozenset({"007"})) == set()
        assert read(a_text("007"), start_list=frozenset({"007", "7"})) == {"007"}

    def test_a_list_that_lost_its_leading_zeros_has_the_bibs_all_the_same(self) -> None:
        listed = frozenset({"7", "42", "123"})
        assert read(a_text("007"), start_list=listed) == {"7"}
        assert read(a_text("042"), start_list=listed) == {"42"}
        assert (
            read(a_text("007"), start_list=listed | {"1234"}) == set()
        )  # 4 digits would be padded
        assert read(a_text("007"), start_list=listed | {"001"}) == set()  # it has its zeros

    @pytest.mark.parametrize(("sure", "mended"), [(0.94, True), (0.96, False)])
    def test_only_an_unsure_digit_is_mended(self, sure: float, mended: bool) -> None:
        misread = a_text("1284", confidences=(1.0, 1.0, sure, 1.0))
        assert read(misread, start_list=frozenset({"1234"})) == ({"1234"} if mended else set())

    @pytest.mark.parametrize(("confidence", "believed"), [(0.51, True), (0.49, False)])
    def test_being_listed_makes_up_for_confidence_to_a_point(
        self, confidence: float, believed: bool
    ) -> None:
        unsure = a_text("1234", confidence=confidence)
        assert read(unsure, start_list=frozenset({"1234"})) == ({"1234"} if believed else set())

    def test_the_lists_own_writing_comes_out(self) -> None:
        assert read(a_text("b 30483"), start_list=frozenset({"B30483"})) == {"B30483"}

    @pytest.mark.parametrize(
        ("text", "bib"),
        [
            ("A7", "A7"),
            ("101-2", "101-2"),
            ("101 2", "101-2"),
            ("1012", "101-2"),
            ("ELITE 4", "ELITE 4"),
            ("12AB", "12AB"),
            ("1234567", "1234567"),
            ("10K", "10K"),
            ("KEITANY", "KEITANY"),
        ],
    )
    def test_what_is_on_it_is_a_bib_of_whatever_shape(self, text: str, bib: str) -> None:
        assert read(a_text(text), start_list=frozenset({bib, "1234"})) == {bib}
        if text != "1012":
            assert read(a_text(text), start_list=frozenset({"1234"})) == set()
            assert read(a_text(text)) == set()

    @pytest.mark.parametrize("text", ["12-34", "1 234"])
    def test_parts_of_other_text_do_not_add_up_to_a_number_on_it(self, text: str) -> None:
        assert read(a_text(text), start_list=frozenset({"1234"})) == set()

    def test_a_number_that_may_be_either_of_two_bibs_is_none(self) -> None:
        listed = frozenset({"10-12", "101-2"})
        assert read(a_text("1012"), start_list=listed) == set()
        assert read(a_text("101-2"), start_list=listed) == {"101-2"}


def test_people_without_a_number_are_looked_at_closer() -> None:
    other = a_face((750.0, 210.0, 80.0, 100.0))
    ((x, y, w, h),) = torsos_without_number([a_text("1234")], (a_face(), other), WIDTH, HEIGHT)
    assert x < 750 < 830 < x + w
    assert 210 < y < 310 < 500 < y + h


def test_the_larger_people_without_a_number_are_looked_at_closer_still() -> None:
    small = a_face((700.0, 210.0, 32.0, 40.0))
    chests = torsos_without_number([], (a_face(), small), WIDTH, HEIGHT)
    assert len(chests) == 2
    (closer,) = torsos_without_number([], (a_face(), small), WIDTH, HEIGHT, closer=True)
    assert closer[0] + closer[2] / 2 == chests[0][0] + chests[0][2] / 2
    assert closer[1] == chests[0][1]
    assert closer[2] < 0.7 * chests[0][2]


def test_a_portrait_has_no_chest_to_look_at() -> None:
    assert torsos_without_number([], (a_face((200.0, 500.0, 700.0, 900.0)),), WIDTH, HEIGHT) == []
