"""The matrix of services and accounts: what it draws, and what it says it leaves out."""

import copy

from html_tree import by_resource, read, written


def each_its_own(report, number):
    """Return a report of findings that share neither service nor account."""
    pattern = by_resource(report, "arn:aws:s3:::payroll-archive")
    findings = [
        copy.copy(pattern)
        | {
            "id": f"{index:016}",
            "account": f"{index:012}",
            "service": f"s{index}",
            "service_name": f"Service {index}",
        }
        for index in range(number)
    ]
    return report | {"findings": findings}


def test_matrix_is_never_larger_than_a_page_can_be(report):
    """With thousands of services in thousands of accounts a part is drawn, and the rest counted, not multiplied."""
    page = read(written(each_its_own(report, 1000)))
    (matrix,) = page.all(class_="matrix")
    assert (len(matrix.all("tr")), len(matrix.all("tr")[1].children)) == (101, 202)
    assert page.all(class_="hint")[0].text() == (
        "Resources out of reach by service and account; a cell leads to its findings. 900 other services and 800 "
        "other accounts not drawn here: see the findings. Nothing is blocked or silent in 5 other accounts of this input."
    )
    assert len(page.all("details", class_="finding")) == 1000


def test_matrix_leaves_out_accounts_alone(report):
    """Where only accounts are too many, only those are said to be left out."""
    report = each_its_own(report, 250)
    for finding in report["findings"]:
        finding["service"] = "config.amazonaws.com"
    report["coverage"]["accounts"] = []
    assert read(written(report)).all(class_="hint")[0].text() == (
        "Resources out of reach by service and account; a cell leads to its findings. "
        "50 other accounts not drawn here: see the findings."
    )


def test_matrix_account_can_be_set_in_lines(report):
    """An account's number may be broken after every other digit, and is the same number when read or copied."""
    heads = read(written(report)).all(class_="matrix")[0].all("thead")[0].all("a")
    found = {head.text(): len(head.all("wbr")) for head in heads}
    assert found == {"111122223333": 5, "222233334444": 5, "333344445555": 5, "REMOVED": 0}
