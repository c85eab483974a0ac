//! Queries with what the CLI's own implementation finds or says.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;

use super::Query;

const DATA: &str = r#"{"S":[{"n":"b","s":3,"t":["x","y"],"o":{"k":1}},{"n":"a","s":1.5,"t":[],"o":null},{"n":"c","s":2,"t":["z"],"o":{"k":0}}],"z":{"b":1,"a":2},"e":[],"n":null,"f":false,"str":"héllo","num":[3,1,2],"mix":[1,"a"],"nest":[[1,[2]],[3],4]}"#;

/// Query and what it finds, as compact JSON.
const FOUND: &[(&str, &str)] = &[
    ("S", r#"[{"n":"b","s":3,"t":["x","y"],"o":{"k":1}},{"n":"a","s":1.5,"t":[],"o":null},{"n":"c","s":2,"t":["z"],"o":{"k":0}}]"#),
    ("S[0]", r#"{"n":"b","s":3,"t":["x","y"],"o":{"k":1}}"#),
    ("S[-1].n", r#""c""#),
    ("S[5]", "null"),
    ("S[].n", r#"["b","a","c"]"#),
    ("S[*].n", r#"["b","a","c"]"#),
    ("S[*].t", r#"[["x","y"],[],["z"]]"#),
    ("S[*].t[]", r#"["x","y","z"]"#),
    ("S[].t[0]", r#"["x","z"]"#),
    ("S[?s > `1`].n", r#"["b","a","c"]"#),
    ("S[?s>=`2`].{N:n,S:s}", r#"[{"N":"b","S":3},{"N":"c","S":2}]"#),
    ("S[?n=='a'] | [0]", r#"{"n":"a","s":1.5,"t":[],"o":null}"#),
    ("S[?n!='a'].[n,s]", r#"[["b",3],["c",2]]"#),
    ("S[?contains(t,'x')].n", r#"["b"]"#),
    ("S[?o.k].n", r#"["b","c"]"#),
    ("S[?!o].n", r#"["a"]"#),
    ("S[?o.k==`0`].n", r#"["c"]"#),
    ("S[?s<`2`||n=='b'].n", r#"["b","a"]"#),
    ("S[?s<`2`&&n=='b'].n", "[]"),
    ("S[0:2].n", r#"["b","a"]"#),
    ("S[::-1].n", r#"["c","a","b"]"#),
    ("S[:1].n", r#"["b"]"#),
    ("S[1:].n", r#"["a","c"]"#),
    ("S[::2].n", r#"["b","c"]"#),
    ("S[-2:].n", r#"["a","c"]"#),
    ("length(S)", "3"),
    ("length(str)", "5"),
    ("length(z)", "2"),
    ("keys(z)", r#"["b","a"]"#),
    ("values(z)", "[1,2]"),
    ("z.*", "[1,2]"),
    ("*.a", "[2]"),
    ("z", r#"{"b":1,"a":2}"#),
    ("sort(num)", "[1,2,3]"),
    ("sort_by(S,&n)[].n", r#"["a","b","c"]"#),
    ("sort_by(S,&s)[].n", r#"["a","c","b"]"#),
    ("max_by(S,&s).n", r#""b""#),
    ("min_by(S,&s).n", r#""a""#),
    ("max(num)", "3"),
    ("min(num)", "1"),
    ("sum(num)", "6"),
    ("sum(S[].s)", "6.5"),
    ("avg(num)", "2.0"),
    ("reverse(num)", "[2,1,3]"),
    ("reverse(str)", r#""olléh""#),
    ("join(',',S[].n)", r#""b,a,c""#),
    ("to_string(z)", r#""{\"b\":1,\"a\":2}""#),
    ("to_string(`1.50`)", r#""1.5""#),
    ("to_number('12')", "12"),
    ("to_number('1.5')", "1.5"),
    ("to_number('x')", "null"),
    ("to_array(str)", r#"["héllo"]"#),
    ("type(str)", r#""string""#),
    ("type(n)", r#""null""#),
    ("type(f)", r#""boolean""#),
    ("type(z)", r#""object""#),
    ("abs(`-3`)", "3"),
    ("ceil(`1.2`)", "2"),
    ("floor(`1.8`)", "1"),
    ("map(&n,S)", r#"["b","a","c"]"#),
    ("map(&o.k,S)", "[1,null,0]"),
    (r#"merge(z,`{"c":3,"a":9}`)"#, r#"{"b":1,"a":9,"c":3}"#),
    ("not_null(n,str)", r#""héllo""#),
    ("starts_with(str,'h')", "true"),
    ("ends_with(str,'o')", "true"),
    ("nest[]", "[1,[2],3,4]"),
    ("nest[][]", "[1,2,3,4]"),
    ("nest[*][0]", "[1,3]"),
    (
        "@",
        r#"{"S":[{"n":"b","s":3,"t":["x","y"],"o":{"k":1}},{"n":"a","s":1.5,"t":[],"o":null},{"n":"c","s":2,"t":["z"],"o":{"k":0}}],"z":{"b":1,"a":2},"e":[],"n":null,"f":false,"str":"héllo","num":[3,1,2],"mix":[1,"a"],"nest":[[1,[2]],[3],4]}"#,
    ),
    (r#""z""#, r#"{"b":1,"a":2}"#),
    (r#""z"."a""#, "2"),
    ("S[*].[n,o.k]", r#"[["b",1],["a",null],["c",0]]"#),
    (r#"S[*].{n:n,"q r":s}"#, r#"[{"n":"b","q r":3},{"n":"a","q r":1.5},{"n":"c","q r":2}]"#),
    ("`foo`", r#""foo""#),
    (r#"`"foo"`"#, r#""foo""#),
    ("`[1,2]`", "[1,2]"),
    (r"'it\'s'", r#""it's""#),
    ("f || str", r#""héllo""#),
    ("n && str", "null"),
    ("!f", "true"),
    ("z.a == `2`", "true"),
    ("z.a > `null`", "null"),
    ("mix", r#"[1,"a"]"#),
    (r#"{"a":S[0].n}"#, r#"{"a":"b"}"#),
    ("S.[n]", "[null]"),
    ("S.*", "null"),
    ("S[].o.k", "[1,0]"),
    (
        "*",
        r#"[[{"n":"b","s":3,"t":["x","y"],"o":{"k":1}},{"n":"a","s":1.5,"t":[],"o":null},{"n":"c","s":2,"t":["z"],"o":{"k":0}}],{"b":1,"a":2},[],false,"héllo",[3,1,2],[1,"a"],[[1,[2]],[3],4]]"#,
    ),
    ("[0]", "null"),
    ("[*]", "null"),
    ("[]", "null"),
    ("num[?@>`1`]", "[3,2]"),
    ("num[?@>`1`]|[0]", "3"),
    ("S[?t]", r#"[{"n":"b","s":3,"t":["x","y"],"o":{"k":1}},{"n":"c","s":2,"t":["z"],"o":{"k":0}}]"#),
    ("S[].t | [0]", r#"["x","y"]"#),
    ("S[].t[] | [0]", r#""x""#),
    ("(S)[0].n", r#""b""#),
    ("!`0`", "false"),
    ("`1`==`1.0`", "true"),
    ("`0`==`false`", "false"),
    (r#"to_string(`"x"`)"#, r#""x""#),
    ("e", "[]"),
    ("n.x", "null"),
    (r#""""#, "null"),
    ("S[0].o.*", "[1]"),
    (r#"z."a""#, "2"),
    ("z.{x:a}.x", "2"),
    ("@.z.a", "2"),
    ("not_null(n)", "null"),
    ("S[?s==`1.5`].n|[0]", r#""a""#),
    ("ceil(`1`)", "1"),
    ("`1`", "1"),
];

/// Queries that do not compile.
const FAULTY: &[(&str, &str)] = &[
    ("foo(", "Invalid jmespath expression: Incomplete expression:\n\"foo(\"\n     ^"),
    ("S[", "Invalid jmespath expression: Incomplete expression:\n\"S[\"\n   ^"),
    ("S[0", "Invalid jmespath expression: Incomplete expression:\n\"S[0\"\n    ^"),
    ("S]", "Unexpected token: ]: Parse error at column 1, token \"]\" (RBRACKET), for expression:\n\"S]\"\n  ^"),
    (
        "S.",
        "Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: eof: Parse error at column 2, token \"\" (EOF), for expression:\n\"S.\"\n   ^",
    ),
    (
        "S..n",
        "Expecting: ['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace'], got: dot: Parse error at column 2, token \".\" (DOT), for expression:\n\"S..n\"\n   ^",
    ),
    (".S", "invalid token: Parse error at column 0, token \".\" (DOT), for expression:\n\".S\"\n ^"),
    ("S[?", "Invalid jmespath expression: Incomplete expression:\n\"S[?\"\n    ^"),
    ("S[?n", "Invalid jmespath expression: Incomplete expression:\n\"S[?n\"\n     ^"),
    ("{a", "Invalid jmespath expression: Incomplete expression:\n\"{a\"\n   ^"),
    ("{a:", "Invalid jmespath expression: Incomplete expression:\n\"{a:\"\n    ^"),
    ("{a:n", "Invalid jmespath expression: Incomplete expression:\n\"{a:n\"\n     ^"),
    ("[S[0].n,", "Invalid jmespath expression: Incomplete expression:\n\"[S[0].n,\"\n         ^"),
    ("foo bar", "Unexpected token: bar: Parse error at column 4, token \"bar\" (UNQUOTED_IDENTIFIER), for expression:\n\"foo bar\"\n     ^"),
    ("foo=bar", "Bad jmespath expression: Unknown token '=':\nfoo=bar\n   ^"),
    ("foo ==", "Invalid jmespath expression: Incomplete expression:\n\"foo ==\"\n       ^"),
    ("foo - bar", "Bad jmespath expression: Unknown token '-':\nfoo - bar\n    ^"),
    ("$", "Bad jmespath expression: Unknown token $:\n$\n^"),
    (r#""abc"#, "Bad jmespath expression: Unclosed \" delimiter:\n\"abc\n^"),
    ("'abc", "Bad jmespath expression: Unclosed ' delimiter:\n'abc\n^"),
    ("`abc", "Bad jmespath expression: Unclosed ` delimiter:\n`abc\n^"),
    (
        "S[a]",
        "Expecting: star, got: unquoted_identifier: Parse error at column 2, token \"a\" (UNQUOTED_IDENTIFIER), for expression:\n\"S[a]\"\n   ^",
    ),
    ("S[1:2:3:4]", "syntax error: Parse error at column 7, token \":\" (COLON), for expression:\n\"S[1:2:3:4]\"\n        ^"),
    ("S[*", "Invalid jmespath expression: Incomplete expression:\n\"S[*\"\n    ^"),
    (
        r#""z"(a)"#,
        "Quoted identifier not allowed for function names.: Parse error at column 0, token \"(\" (LPAREN), for expression:\n\"\"z\"(a)\"\n ^",
    ),
];

/// Queries that compile and fail on the data.
const FAILING: &[(&str, &str)] = &[
    ("S[::0]", "slice step cannot be zero"),
    ("z.a > 'x'", "'>' not supported between instances of 'int' and 'str'"),
    ("max(mix)", r#"In function max(), invalid type for value: a, expected one of: ['array-number', 'array-string'], received: "str""#),
    ("sort(mix)", r#"In function sort(), invalid type for value: a, expected one of: ['array-string', 'array-number'], received: "str""#),
    ("avg(mix)", r#"In function avg(), invalid type for value: a, expected one of: ['array-number'], received: "str""#),
    ("join(',',num)", r#"In function join(), invalid type for value: 3, expected one of: ['array-string'], received: "int""#),
    ("length()", "Expected 1 argument for function length(), received 0"),
    ("length(a,b)", "Expected 1 argument for function length(), received 2"),
    ("length(num,num)", "Expected 1 argument for function length(), received 2"),
    ("nope(num)", "Unknown function: nope()"),
    ("abs('x')", r#"In function abs(), invalid type for value: x, expected one of: ['number'], received: "string""#),
    (
        "sort_by(S,&o)",
        r#"In function sort_by(), invalid type for value: {'n': 'b', 's': 3, 't': ['x', 'y'], 'o': {'k': 1}}, expected one of: ['string', 'number'], received: "object""#,
    ),
    (
        "sort_by(S,&nope)",
        r#"In function sort_by(), invalid type for value: {'n': 'b', 's': 3, 't': ['x', 'y'], 'o': {'k': 1}}, expected one of: ['string', 'number'], received: "null""#,
    ),
];

fn data() -> Value {
    serde_json::from_str(DATA).expect("JSON")
}

#[test]
fn queries_find_what_the_cli_finds() {
    for (text, wanted) in FOUND {
        let query = Query::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = query.search(&data()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found.to_string(), *wanted, "{text}");
    }
}

#[test]
fn faults_are_told_as_the_cli_tells_them() {
    for (text, wanted) in FAULTY {
        let error = Query::compile(text).expect_err(text);
        assert_eq!((error.exit_code, error.text), (252, format!("\nBad value for --query {text}: {wanted}")));
    }
    for (text, wanted) in FAILING {
        let error = Query::compile(text).expect(text).search(&data()).expect_err(text);
        assert_eq!((error.exit_code, error.text), (255, format!("\n{wanted}")));
    }
    assert_eq!(Query::compile("").expect_err("empty").text, "\nBad value for --query : Invalid JMESPath expression: cannot be empty.");
}

#[test]
fn depth_and_length_are_bounded() {
    for text in ["[".repeat(100_000), "(".repeat(100_000), "!".repeat(100_000), "a.".repeat(100_000), format!("a{}", "[0]".repeat(330))] {
        if let Ok(query) = Query::compile(&text) {
            assert!(query.search(&data()).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn compiling_and_searching_are_total(text in "[Szna.*\\[\\]{}()?:,|&!=<>@`'\"0-9 -]{0,14}") {
        if let Ok(query) = Query::compile(&text) {
            let _ = query.search(&data());
        }
    }

    #[test]
    fn function_calls_are_total(name in "(abs|avg|sum|max|sort|sort_by|map|merge|join|length|contains|to_number|not_null)", args in prop::collection::vec("(S|z|num|mix|str|&n|&s|`1`|'a'|n)", 0..4)) {
        let query = Query::compile(&format!("{name}({})", args.join(","))).expect("compiles");
        let _ = query.search(&data());
    }
}
