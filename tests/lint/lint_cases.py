"""Patterns with what lint says of them: one row for each thing that a rule can say."""

from typing import Any, NamedTuple

ISSUER = "$.userIdentity.sessionContext.sessionIssuer.arn"


class Case(NamedTuple):
    """A pattern; the rules of the advice on it; the fix of the first one (... for "any"), and a message that tells old and new apart."""

    pattern: str
    rules: tuple[str, ...]
    fix: Any = ...
    message: str | None = None  # matched by the fix and not by the pattern, or the other way round
    by_fix: bool = True


def case(
    pattern: str, rules: str, fix: Any = ..., message: str | None = None, *, by_fix: bool = True
) -> Case:
    """Make a case of rules in one text."""
    return Case(pattern, tuple(rules.split()), fix, message, by_fix)


CASES = [
    # always-true
    case('{ $.eventName = "*" }', "always-true", None),
    case("{ $.eventID = * || $.errorCode = AccessDenied }", "always-true forgotten-codes", ...),
    case(
        "{ ($.eventSource = s3.amazonaws.com) || ($.eventSource != s3.amazonaws.com) }", "always-true", None
    ),
    case("{ ($.a = x) || ($.a != x) }", "missing-field", ...),
    case("{ $.a = * }", ""),
    *(case(text, "always-true", None) for text in ("[]", "[...]", "[line]", "%.*%", "%a*%")),
    *(case(text, "") for text in ("[..., last]", "%^a*$%", "%a+%", "[a, ...]")),
    # nearly-always-true
    case(
        '{ ($.eventName = ConsoleLogin) || ($.sourceIPAddress != "delivery.logs.amazonaws.com") || ($.eventName != "HeadBucket") }',
        "nearly-always-true",
        None,
    ),
    case(
        '{ ($.a = x) && ($.b != "y" || $.b != "z") }',
        "missing-field nearly-always-true",
        ...,
    ),
    case(
        '{ $.b = * && ($.b != "y" || $.b != "z") }',
        "nearly-always-true",
        '{ $.b = * && ($.b != "y" && $.b != "z") }',
        '{"b": "y"}',
        by_fix=False,
    ),
    case('{ $.b = * && ($.a = x || $.b != "y" || $.b != "z") }', "nearly-always-true", None),
    case('{ $.b = * && ($.b != "y*" || $.b != "yz") }', ""),
    case('{ $.b = * && ($.b != 1 || $.b != "1") }', ""),
    case('{ $.readOnly != "a" || $.readOnly != "b" }', "wrong-kind wrong-kind"),
    case('{ $.eventName = "ConsoleLogin" && ($.eventSource != "a" || $.sourceIPAddress != "10.0.0.1") }', ""),
    case('{ $.eventName != "ConsoleLogin" || $.sourceIPAddress != "10.0.0.1" }', ""),
    case('{ $.a = * && $.b = * && ($.a != "x" || $.b != "y") }', ""),
    case('{ $.userIdentity.type = * && ($.userIdentity.type != "Root" || $.eventName != "y") }', ""),
    case(
        '{ $.eventName != "A" || $.eventName != "B" }',
        "always-true",
        None,
    ),
    # never-true
    case('{ $.a = "x" && $.a = "y" }', "never-true", None),
    case("{ $.a > 5 && $.a < 3 }", "never-true", None),
    case('{ $.a = "Get*" && $.a = "Put*" }', "never-true", None),
    case("{ $.a IS TRUE && $.a = 1 }", "never-true", None),
    case("{ $.a = %^x% && $.a != %^x% }", "never-true", None),
    case("{ ($.errorCode NOT EXISTS) && ($.errorCode = Throttling*) }", "never-true", None),
    case(
        '{ ($.a = "x" && $.a = "y") || $.b = z }',
        "never-true",
        "{ $.b = z }",
    ),
    case('{ $.b = z || ($.a = "x" && $.a = "y") }', "never-true", "{ $.b = z }"),
    case("[ip, status > 500 && status < 400, ...]", "never-true", None),
    case("[a = 5*, b = 6 && b = 7, ...]", "never-true", None),
    case("ERROR -ERR", "never-true", None),
    case('{ $.a NOT EXISTS && $.a.b = "x" }', "never-true", None),
    case("{ $.a = y && $.a[0].b IS TRUE }", "never-true", None),
    case("{ $.a IS FALSE && $.a[*].b = x }", "never-true", None),
    case("{ $.a.b = x || ($.a.b IS NULL && $.a NOT EXISTS) }", "never-true", "{ $.a.b = x }"),
    case("{ $.a NOT EXISTS && $.a.b NOT EXISTS }", ""),
    case("{ $.a IS NULL && $.a[1] = x }", ""),
    case("{ $.a NOT EXISTS && $.ab.c = x }", ""),
    case("{ $.a = y && $.a[*].b != x }", ""),
    case("{ $.a[999999999] NOT EXISTS && $.a[999999999].b = x }", ""),
    case("{ $.a[*] NOT EXISTS && $.a[*].b != x }", ""),
    case("{ $.a > 5 && $.a < 6 }", ""),
    case('{ $.a = "4*" && $.a > 400 }', ""),
    case("{ $.a[*] = x && $.a[*] = y }", ""),
    case("[a = 4* && a > 40, ...]", ""),
    case('[a = 1 && a != "1", ...]', ""),
    case("ERR -ERROR", ""),
    # mixed-operators
    case("{ $.a = x || $.b = y && $.c = z }", "mixed-operators", "{ $.a = x || ($.b = y && $.c = z) }"),
    case("{ $.a = x || ($.b = y && $.c = z) }", ""),
    case("[a = 1 || a = 2 && a != 3, ...]", "mixed-operators", "[a = 1 || (a = 2 && a != 3), ...]"),
    # unknown-field
    case(
        '{ $.eventname = "ConsoleLogin" }',
        "unknown-field",
        '{ $.eventName = "ConsoleLogin" }',
        '{"eventName": "ConsoleLogin"}',
    ),
    case(
        '{ $.eventName = ConsoleLogin && $.userIdentity.sessionContext.sessionissuer.arn = "x" }',
        "unknown-field",
        '{ $.eventName = ConsoleLogin && $.userIdentity.sessionContext.sessionIssuer.arn = "x" }',
    ),
    case("{ $.eventName = ConsoleLogin && $.userIdentity.zzz = x }", "unknown-field", None),
    case("{ $.requestParameters.anything = x && $.eventName = y }", ""),
    case(
        '{ $.resources.ARN = "x" }',
        "unknown-field",
        '{ $.resources[*].ARN = "x" }',
        '{"resources": [{"ARN": "x"}]}',
    ),
    case(
        '{ $.resources[0].arn = "x" }',
        "unknown-field",
        '{ $.resources[0].ARN = "x" }',
        '{"resources": [{"ARN": "x"}]}',
    ),
    case("{ $.eventName = x && $.resources[*].typ = y }", "unknown-field", ...),
    case("{ $.eventName = x && $.['resources'].type = y }", "unknown-field", None),
    case("{ $.eventName = x && $.resources[1].accountId = y }", ""),
    case("{ $.resources.name = x }", ""),
    # wrong-kind
    case("{ $.readOnly = true }", "wrong-kind", "{ $.readOnly IS TRUE }", '{"readOnly": true}'),
    case("{ $.managementEvent != true }", "wrong-kind", ...),
    case(
        "{ $.userIdentity.sessionContext.attributes.mfaAuthenticated IS FALSE }",
        "wrong-kind",
        '{ $.userIdentity.sessionContext.attributes.mfaAuthenticated = "false" }',
        '{"userIdentity": {"sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}}',
    ),
    case("{ $.errorCode IS NULL }", "wrong-kind", "{ $.errorCode NOT EXISTS }", '{"eventName": "x"}'),
    case("{ $.errorCode >= 400 }", "wrong-kind", None),
    case("{ $.eventName NOT EXISTS }", "wrong-kind", None),
    case('{ $.requestParameters = "*bucket*" }', "wrong-kind", None),
    case('{ $.eventName = x && $.resources[0] = "*bucket*" }', "wrong-kind", None),
    case("{ $.readOnly > 1 }", "wrong-kind", None),
    # missing-field
    case(
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
        "missing-field",
        '{ ($.eventName = "ConsoleLogin") && (($.additionalEventData.MFAUsed NOT EXISTS) || ($.additionalEventData.MFAUsed != "Yes")) }',
        '{"eventName": "ConsoleLogin"}',
    ),
    case('{ $.errorCode != "*" }', "wrong-kind", "{ $.errorCode NOT EXISTS }", '{"eventName": "x"}'),
    case(
        '{ $.a != "x" && $.a != "y" }',
        "missing-field",
        '{ (($.a NOT EXISTS) || ($.a != "x")) && (($.a NOT EXISTS) || ($.a != "y")) }',
        "{}",
    ),
    case('{ $.a != "x" }', "missing-field", '{ (($.a NOT EXISTS) || ($.a != "x")) }', "{}"),
    case('{ ($.a NOT EXISTS) || ($.a != "x") }', ""),
    case('{ ($.a = "x*") && ($.a != "xy") }', ""),
    case('{ ($.eventName != "HeadBucket") && ($.sourceIPAddress != "x") }', ""),
    case("{ $.a[*] != x }", ""),
    # boolean-as-text
    case("{ $.ok = true }", "boolean-as-text", "{ (($.ok = true) || ($.ok IS TRUE)) }", '{"ok": true}'),
    case('{ $.ok = "x" || $.ok != "false" }', "boolean-as-text missing-field", ...),
    case("{ $.a[*] = false }", "boolean-as-text", None),
    # quoted-number
    case('{ $.status = "404" }', "quoted-number", "{ $.status = 404 }", '{"status": 404.0}'),
    case('{ $.status = "1.0" }', "quoted-number", "{ $.status = 1.0 }", '{"status": 1}'),
    case('{ $.account = "111122223333" }', ""),
    case('{ $.recipientAccountId = "1" && $.eventName = x }', ""),
    # fixed-partition
    case(
        f'{{ {ISSUER} = "arn:aws:iam::*:role/x" }}',
        "fixed-partition",
        f'{{ {ISSUER} = "arn:aws*:iam::*:role/x" }}',
        '{"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": "arn:aws-cn:iam::111122223333:role/x"}}}}',
    ),
    case(
        "{ $.role = %^arn:aws:iam::[0-9]+:role/x$% }",
        "fixed-partition",
        "{ $.role = %^arn:aws[a-z-]*:iam::[0-9]+:role/x$% }",
    ),
    case(f'{{ {ISSUER} = "arn:aws:iam::111122223333:role/x" }}', ""),
    # unanchored-regex
    case(
        "{ $.verb = %get% }", "unanchored-regex", "{ $.verb = %^get$% }", '{"verb": "forget"}', by_fix=False
    ),
    case(
        r"{ $.ip = %10.1.% }",
        "unanchored-regex",
        r"{ $.ip = %^10\.1\.% }",
        '{"ip": "1.10.1.7"}',
        by_fix=False,
    ),
    case("[ip = %10.1.%, ...]", "unanchored-regex", r"[ip = %^10\.1\.%, ...]", "10x1x2", by_fix=False),
    case("{ $.verb = %^Get% }", ""),
    case("%WARN%", ""),
    # split-word
    case("a-b", "split-word", '"a-b"', "a-b"),
    case("2026-03-01 ERROR", "split-word", '"2026-03-01" ERROR', "ERROR 2026-03-01"),
    case("a?b", "split-word", '"a?b"', "a", by_fix=False),
    case('-x-y "a-b"', "split-word", '-"x-y" "a-b"', "a-b x y"),
    case('a -b "c-d"', ""),
    # ignored-optional
    case("ERROR ?WARN", "ignored-optional", "?ERROR ?WARN", "WARN"),
    case("-DEBUG ?ERROR ?WARN", "ignored-optional", "-DEBUG"),
    case("?ERROR ?WARN", ""),
    # space-term
    case('" "', "space-term", "", "nospace"),
    case('" " -x', "space-term", "-x", "nospace"),
    # star-in-term
    case('"ERR*"', "star-in-term", '"ERR"', "ERROR"),
    case('"start*end"', "star-in-term", "%start.*end%", "start to end"),
    case('"a*b" c', "star-in-term", None),
    # rest-of-line
    case("[ip, status = 404]", "rest-of-line", "[ip, status = 404, ...]", "1.2.3.4 404 17"),
    case("[ip, ..., status = 404]", ""),
    case("[ip, request = GET*]", ""),
    case("[ip, request = %index%]", "unanchored-regex", ...),
    # session-arn
    case(
        '{ $.userIdentity.arn = "arn:aws*:iam::*:role/aws-service-role/*" }',
        "session-arn",
        f'{{ {ISSUER} = "arn:aws*:iam::*:role/aws-service-role/*" }}',
        '{"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/aws-service-role/x/y"}}}}',
    ),
    case('{ $.userIdentity.arn = "arn:aws*:sts::*:assumed-role/Admin/*" }', ""),
    # forgotten-codes
    case(
        "{ $.errorCode = AccessDenied }",
        "forgotten-codes",
        ...,
        '{"errorCode": "Client.UnauthorizedOperation"}',
    ),
    case(
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        "forgotten-codes",
        ...,
        '{"errorCode": "VpceAccessDenied"}',
    ),
    case(
        '{ $.errorCode = %Denied|Unauthorized% && $.eventName = "*" }',
        "forgotten-codes",
        ...,
        '{"errorCode": "ForbiddenException", "eventName": "x"}',
    ),
    case("{ $.errorCode = AccessDenied && $.eventSource = s3.amazonaws.com }", ""),
    case("{ $.errorCode = AccessDenied && $.eventName = AssumeRole }", ""),
    case('{ $.errorCode = "*" }', ""),
    case("{ $.errorCode = Throttling }", ""),
    case("{ $.errorCode NOT EXISTS }", ""),
    # narrow-event-name
    case(
        f'{{ $.eventName = Get* && $.errorCode = "*" && {ISSUER} = "arn:aws*:iam::*:role/aws-service-role/*" }}',
        "narrow-event-name",
        f'{{ $.errorCode = "*" && {ISSUER} = "arn:aws*:iam::*:role/aws-service-role/*" }}',
        '{"eventName": "HeadBucket", "errorCode": "AccessDenied", "userIdentity": {"sessionContext": {"sessionIssuer": '
        '{"arn": "arn:aws:iam::1:role/aws-service-role/x/y"}}}}',
    ),
    case(
        f'{{ {ISSUER} = "*:role/aws-service-role/*" && $.errorCode = "*" && ($.eventName = Get* || $.eventName = List*) }}',
        "narrow-event-name",
        f'{{ {ISSUER} = "*:role/aws-service-role/*" && $.errorCode = "*" }}',
    ),
    # nothing to say
    case(
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
        "",
    ),
    case("", ""),
    case("ERROR", ""),
    case("[ip, id, user, timestamp, request, status_code = 4*, size]", ""),
    case("[..., request = *.html*, status_code = 4*,]", ""),
    case('{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }', ""),
    case("{ $.latency = * }", ""),
]
