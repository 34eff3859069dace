"""Start lists as spreadsheets and timing programs write them."""

from __future__ import annotations

import pytest

from fotofinish.errors import InvalidValue
from fotofinish.events.startlist_files import (
    MAX_BYTES,
    Reading,
    decode_text,
    find_columns,
    read_rows,
    take_entries,
)


def read(text: str) -> Reading:
    rows = read_rows(text)
    return take_entries(rows, find_columns(rows))


def people(text: str) -> list[tuple[str, str | None]]:
    return [(entry.bib, entry.name) for entry in read(text).entries]


THOUSANDS = [("999", "Ann"), ("1000", "Bob"), ("1001", "Cid")]
AS_PRINTED = [("1-234", None), ("12 345", None), ("1.23", None), ("0.123", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bib,Name\n12,Ann\n", [("12", "Ann")]),
        ("bib number;full name\n12;Ann\n", [("12", "Ann")]),
        ("Startnr.;Vorname;Name;Jahrgang\n12;Ann;Lee;1990\n", [("12", "Ann Lee")]),
        ("Dossard\tNom\tPrénom\n12\tLee\tAnn\n", [("12", "Ann Lee")]),
        ("Rank|Age|Bib No.|Athlete\n1|30|99|Ann\n", [("99", "Ann")]),
        ("Nr.;Startnr.;Name;Vorname\n1;99;Lee;Ann\n", [("99", "Ann Lee")]),
        ("No,Bib,Name\n1,99,Ann\n", [("99", "Ann")]),
        ("Nummer;Startnummer;Name\n1;99;Ann\n", [("99", "Ann")]),
        ("Rank;No.;Name\n1;99;Ann\n", [("99", "Ann")]),
        ("#,Club\n12,Harriers\n", [("12", None)]),
        ("4711,Ann\n12,Bob\n", [("4711", "Ann"), ("12", "Bob")]),
        ("Ann;30;4711\nBob;30;12\nCid;31;13\n", [("4711", "Ann"), ("12", "Bob"), ("13", "Cid")]),
        ("who,what\nAnn,12\nBob,13\n", [("12", "Ann"), ("13", "Bob")]),
        ("Lee, Ann;12\nRay, Bob;13\n", [("12", "Lee, Ann"), ("13", "Ray, Bob")]),
        ('Bib,Name\n12,"Lee, Ann"\n', [("12", "Lee, Ann")]),
        ('Bib,Name\n12,"Ann\nLee"\n', [("12", "Ann Lee")]),
        ("sep=;\r\nBib;Name\r\n12;Ann\r\n", [("12", "Ann")]),
        ("sep=;\rBib;Name\r12;Ann\r", [("12", "Ann")]),
        ("Bib,Name\r12,Ann\r13,Bob", [("12", "Ann"), ("13", "Bob")]),
        ("Bib,Full Name,First Name\n12,Ann Lee,Ann\n13,Ray,\n", [("12", "Ann Lee"), ("13", "Ray")]),
        ("Bib,Full Name,Last Name\n12,Ann Lee,Lee\n", [("12", "Ann Lee")]),
        ("Bib,Name,Surname\n12,Ann,Lee\n", [("12", "Ann Lee")]),
        ("Bib,First,Last\n12,Ann,Lee\n", [("12", "Ann Lee")]),
        ('Bib;Address\n12;"1 Quay\n""Old"" Harbour\nLeith"\n', [("12", None)]),
        ('="007";Ann\n8.0;Bob\n', [("007", "Ann"), ("8", "Bob")]),
        ("Startnr.;Name\n999;Ann\n1.000;Bob\n1.001;Cid\n", THOUSANDS),
        ('Bib,Name\n999,Ann\n"1,000",Bob\n"1,001.00",Cid\n', THOUSANDS),
        ("Dossard;Nom\n999;Ann\n1\u202f000;Bob\n1\u00a0001;Cid\n", THOUSANDS),
        ("Startnr.;Name\n999,00;Ann\n1'000;Bob\n1’001;Cid\n", THOUSANDS),
        ("999;Ann\n1.000;Bob\n1.001;Cid\n", THOUSANDS),
        ("Bib;Name\n1.234.567;Ann\n1234.000;Bob\n", [("1234567", "Ann"), ("1234", "Bob")]),
        ("Bib\n1-234\n12 345\n1.23\n0.123\n", AS_PRINTED),
        ("12\n13\n", [("12", None), ("13", None)]),
        ("b 12 ,Ann\n", [("B 12", "Ann")]),
        ("Bib;Name\n\n12;Ann\n\n12;Ann\n", [("12", "Ann")]),
        ("1234 Ada Lovelace\n7 Bob\n", [("1234", "Ada Lovelace"), ("7", "Bob")]),
        ("B 12\nB 13\n", [("B 12", None), ("B 13", None)]),
        ('Bib,Name\n12,Ann "The Fast" Lee\n', [("12", 'Ann "The Fast" Lee')]),
        ("Bib,Name\n１２,Ann\n", [("12", "Ann")]),
        ("Bib,Name\nADA,Ada\nA-12/3,Bob\n", [("ADA", "Ada"), ("A-12/3", "Bob")]),
    ],
)
def test_columns_are_found(text: str, expected: list[tuple[str, str | None]]) -> None:
    reading = read(text)
    assert [(entry.bib, entry.name) for entry in reading.entries] == expected
    assert reading.faults == []


def test_a_title_above_the_header_is_passed_over_but_no_participant() -> None:
    titled = "Citylauf 2026;;\n\n10 km;17.5.2026;\nStartnummer;Name;Ort\n12;Ann;Kiel\n;Bob;Kiel\n"
    assert people(titled) == [("12", "Ann")]
    assert [fault.row for fault in read(titled).faults] == [6]
    assert people("City run\nName,No.\nAnn,12\n") == [("12", "Ann")]
    assert people("1;Ann\n2;Bob\nBib;Name\n3;Cid\n")[:2] == [("1", "Ann"), ("2", "Bob")]


def test_each_row_that_does_not_fit_is_named_as_a_spreadsheet_counts() -> None:
    reading = read(
        f"Bib;Name\n7;Ann\n\n;Nobody\n7;Somebody else\n{'9' * 21};Long\n8;Bob\n"
        "<b>1</b>;Tag\n55 , 66;Two\n1 Ada Lee;Line\n"
    )
    assert [entry.bib for entry in reading.entries] == ["7", "8"]
    assert [(fault.row, fault.reason) for fault in reading.faults] == [
        (4, "has no bib number"),
        (5, "repeats bib 7 of row 2"),
        (6, "has a bib of more than 20 signs"),
        (8, "has “<b>1</b>”, which is no bib number"),
        (9, "has “55 , 66”, which is no bib number"),
        (10, "has “1 Ada Lee”, which is no bib number"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_as_programs_write_it(encoding: str) -> None:
    assert people(decode_text("Bib;Name\n12;Zoë Müller\n".encode(encoding))) == [
        ("12", "Zoë Müller")
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 a workbook", "Save it as CSV"),
        (b"\x89PNG\r\n\0\0", "no text file"),
        (b"1" * (MAX_BYTES + 1), "at most 4 MB"),
    ],
)
def test_what_is_no_list_is_said(data: bytes, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        decode_text(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n;;\n", "empty"),
        ("1\n" * 100_001, "at most 100,000 rows"),
        ("," * 100, "empty"),
        ("1" + ",x" * 100, "more than 60 columns"),
        ("x" * 200_000, "no CSV"),
        ('Bib;Name\n1;"Al\n' + "2;Bo\n" * 50_000, "Row 2 opens a quotation mark"),
        ('Bib,Name\n"1,A\n2,B\n3,C', "Row 2 opens a quotation mark"),
        ('Bib;Name\n1;"Bo" Lee\n2;"Al\n3;Cy\n', "Row 3 opens a quotation mark"),
        ('Bib;Name\n1;"Al;X\n2;Bo;Y\n3;"Cy;Z\n4;Di;X\n', "Row 2 opens a quotation mark"),
        ('Bib,Name\n1,"Al\n2,Bo\n3,Cy\n4,"Di\n5,Ed\n', "Row 2 opens a quotation mark"),
    ],
)
def test_hostile_lists_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        read_rows(text)


@pytest.mark.parametrize("text", ["Name,Club\nAda,Runners\nEmil,Harriers\n", "Ada\nEmil\n"])
def test_a_list_without_bibs_is_said_to_have_none(text: str) -> None:
    with pytest.raises(InvalidValue, match="No column of this list holds bib numbers"):
        find_columns(read_rows(text))
