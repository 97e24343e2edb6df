//! Random values of a type of Postgres, written as somebody types them: extreme ones often.

use std::fmt::Write;

use rand::RngExt;
use rand::rngs::StdRng;

/// A value of the type, without its quotes.
pub fn literal(ty: &str, random: &mut StdRng) -> String {
    if let Some(element) = ty.strip_suffix("[]") {
        return array(element, random);
    }
    let extremes: &[&str] = match ty {
        "smallint" => &["0", "-32768", "32767"],
        "integer" => &["0", "-2147483648", "2147483647"],
        "bigint" => &[
            "-9223372036854775808",
            "9223372036854775807",
            "9007199254740991",
            "9007199254740992",
            "-9007199254740991",
            "-9007199254740992",
        ],
        "real" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "0",
            "-0",
            "1e-45",
            "3.4028235e38",
            "1e6",
            "999999",
            "0.0001",
            "16777216",
            "33554432",
            "8388608",
            "1e10",
            "1.1754944e-38",
        ],
        "double precision" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "5e-324",
            "1.7976931348623157e308",
            "1e23",
            "1e15",
            "1e14",
            "0.0001",
            "9007199254740992",
            "9007199254740993",
            "2e22",
            "8.5e22",
            "4.5e-5",
            "2.2250738585072014e-308",
            "18014398509481984",
        ],
        "numeric" => &[
            "NaN",
            "Infinity",
            "-Infinity",
            "0",
            "0.00",
            "-0.0000",
            "1.10",
            "10000",
            "100000000",
            "0.0001",
            "0.00001000",
            "1e-30",
            "1e50",
            "99999999.9999",
        ],
        "numeric(30,10)" => &["NaN", "0", "99999999999999999999.9999999999", "0.1"],
        "money" => &[
            "0",
            "-92233720368547758.08",
            "92233720368547758.07",
            "0.01",
            "-1234.5",
        ],
        "date" => &[
            "infinity",
            "-infinity",
            "4713-11-24 BC",
            "0001-01-01",
            "0001-12-31 BC",
            "5874897-12-31",
            "9999-12-31",
            "10000-01-01",
            "2000-02-29",
            "1900-02-28",
        ],
        "time without time zone" => &["00:00:00", "24:00:00", "23:59:59.999999", "12:30:00.1"],
        "timestamp without time zone" | "timestamp with time zone" => &[
            "infinity",
            "-infinity",
            "4713-11-24 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "0001-12-31 23:59:59.9 BC",
            "0001-01-01 00:00:00",
            "2000-01-01 00:00:00",
            "1999-12-31 23:59:59.999999",
            "epoch",
            "10000-01-01 00:00:00.000001",
        ],
        "interval" => &[
            "0",
            "178000000 years",
            "-178000000 years",
            "-1 day +02:03:04.000005",
            "1 mon -1 day",
            "2562047788:00:54.775807",
            "-0.000001 seconds",
        ],
        "json" => &[
            "null",
            "{}",
            "[]",
            "\"\"",
            "1e400",
            "123456789012345678901234567890.10",
            "{\"a\":1,\"a\":2}",
            " { \"a\" : [ 1.10 , -0 ] } ",
            "\"\\u00e9\\ud83d\\ude00\"",
            "-0.0",
            "[[[[1]]]]",
            "true",
        ],
        "jsonb" => &[
            "null",
            "{}",
            "[]",
            "\"\"",
            "1e40",
            "123456789012345678901234567890.10",
            "{\"b\":1,\"a\":2,\"b\":3}",
            "[1.10, -0]",
            "\"\\u00e9\\\\\"",
            "false",
        ],
        "inet" => &[
            "10.0.0.1",
            "10.0.0.1/24",
            "::1",
            "::ffff:1.2.3.4/96",
            "0.0.0.0/0",
        ],
        "cidr" => &["10.0.0.0/8", "10.1.2.3/32", "::/0", "2001:db8::/32"],
        "macaddr" => &["08:00:2b:01:02:03", "FF-FF-FF-FF-FF-FF"],
        "ltree" => &["", "a", "a.b.c", "Top.Science_1"],
        "xml" => &["<a/>", "<a b=\"c\">d &amp; e</a>", "text"],
        "point" => &["(0,0)", "(1e300,-1e-300)", "(NaN,Infinity)", "(0.1,-0)"],
        "int4range" => &["empty", "[1,5)", "(,)", "[2147483646,)", "(,7]"],
        "bit(3)" => &["000", "111", "101"],
        "bit varying(9)" => &["", "1", "010101010"],
        "uuid" => &[
            "00000000-0000-0000-0000-000000000000",
            "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
        ],
        "bytea" => &["\\x", "\\x00", "\\xdeadbeef", "\\000a\\\\"],
        "mood" => &["sad", "very happy"],
        "boolean" => &["t", "f"],
        "character varying(1)" => &["Y", "N"],
        "character(5)" => &["", "ab", "  x", "x   ", "éé", "\"'\\"],
        _ => &[
            "",
            " ",
            "NULL",
            "null",
            "{a}",
            "\"",
            "\\",
            "a'b",
            "\u{1}\u{7f}\u{85}\u{2028}",
            "é😀",
        ],
    };
    if random.random_bool(0.3) && !extremes.is_empty() {
        return extremes[random.random_range(0..extremes.len())].to_owned();
    }
    any(ty, random).unwrap_or_else(|| extremes[random.random_range(0..extremes.len())].to_owned())
}

/// A value from all over the type; nothing where the extremes are all that is tried.
fn any(ty: &str, random: &mut StdRng) -> Option<String> {
    Some(match ty {
        "smallint" => random.random::<i16>().to_string(),
        "integer" => random.random::<i32>().to_string(),
        "bigint" => (random.random::<i64>() >> random.random_range(0..64)).to_string(),
        "real" => {
            let number = match random.random_range(0..3) {
                0 => f32::from_bits(random.random()),
                1 => 2_f32.powi(random.random_range(-149..128)),
                _ => random.random_range(-1e8_f32..1e8).round(),
            };
            format!("{number:e}")
        }
        "double precision" => {
            let number = match random.random_range(0..5) {
                0 => f64::from_bits(random.random()),
                1 => 2_f64.powi(random.random_range(-1074..1024)),
                2 => {
                    10_f64.powi(random.random_range(-30..40))
                        * f64::from(random.random_range(1..1000))
                }
                3 => random.random_range(-1e17_f64..1e17).round(),
                _ => random.random_range(-1000_f64..1000.0),
            };
            format!("{number:e}")
        }
        "numeric" => numeric(random, 100, 60),
        "numeric(30,10)" => numeric(random, 20, 10),
        "money" => format!(
            "{}.{:02}",
            random.random::<i32>(),
            random.random_range(0..100)
        ),
        "date" => {
            let days = match random.random_bool(0.5) {
                true => random.random_range(-2_451_507_i64..2_145_031_949),
                false => random.random_range(-800_000..4_000_000),
            };
            return Some(format!("J{}", days + 2_451_545));
        }
        "time without time zone" => clock(random.random_range(0..86_400_000_000)),
        "timestamp without time zone" => timestamp(random),
        "timestamp with time zone" => {
            let zones = ["", "+00", "+05:30", "-12", "+14:00:00"];
            format!(
                "{}{}",
                timestamp(random),
                zones[random.random_range(0..zones.len())]
            )
        }
        "interval" => format!(
            "{} months {} days {} hours {}.{:06} seconds",
            random.random_range(-5000..5000),
            random.random::<i16>(),
            random.random::<i16>(),
            random.random_range(-9999..9999),
            random.random_range(0..1_000_000),
        ),
        "uuid" => format!("{:032X}", random.random::<u128>()),
        "bytea" => {
            let bytes: Vec<u8> = many(random, 40, |random| random.random());
            bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            })
        }
        "json" | "jsonb" => json(random, 3),
        "text" | "character varying" | "citext" => text(random, 30),
        "character varying(20)" => text(random, 20),
        "character(5)" => text(random, 5),
        _ => return None,
    })
}

fn many<T>(random: &mut StdRng, most: usize, mut one: impl FnMut(&mut StdRng) -> T) -> Vec<T> {
    let count = random.random_range(0..=most);
    (0..count).map(|_| one(random)).collect()
}

fn numeric(random: &mut StdRng, before: usize, after: usize) -> String {
    let digit = |random: &mut StdRng| {
        // Runs of zeros are where digits of base 10,000 are left out.
        let zero = random.random_bool(0.4);
        char::from(b'0' + if zero { 0 } else { random.random_range(0..10) })
    };
    let whole: String = many(random, before, digit).into_iter().collect();
    let rest: String = many(random, after, digit).into_iter().collect();
    let sign = if random.random() { "-" } else { "" };
    format!("{sign}0{whole}.{rest}0")
        .trim_end_matches('.')
        .to_owned()
}

fn clock(microseconds: i64) -> String {
    let seconds = microseconds / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        microseconds % 1_000_000,
    )
}

fn timestamp(random: &mut StdRng) -> String {
    let years = if random.random() { 1..294_276 } else { 1..3000 };
    let before_christ = random.random_bool(0.2);
    let year = match before_christ {
        true => random.random_range(1..4713),
        false => random.random_range(years),
    };
    let (month, day) = (random.random_range(1..=12), random.random_range(1..=28));
    let mut time = clock(random.random_range(0..86_400_000_000));
    if random.random() {
        time.truncate(8 + random.random_range(0..=7_usize));
    }
    let era = if before_christ { " BC" } else { "" };
    format!(
        "{year:04}-{month:02}-{day:02} {}{era}",
        time.trim_end_matches('.')
    )
}

fn text(random: &mut StdRng, most: usize) -> String {
    let special = [
        '"', '\\', '\'', '{', '}', ',', ' ', '\n', '\t', '\u{1}', '\u{7f}', 'é', '😀',
    ];
    let letters = many(random, most, |random| match random.random_bool(0.4) {
        true => special[random.random_range(0..special.len())],
        false => char::from(random.random_range(b' '..=b'~')),
    });
    letters.into_iter().collect()
}

fn json(random: &mut StdRng, depth: usize) -> String {
    let blank = |random: &mut StdRng| [" ", "", "\n"][random.random_range(0..3)];
    match random.random_range(0..if depth > 0 { 6 } else { 4 }) {
        0 => "null".to_owned(),
        1 => numeric(random, 30, 10)
            .replace("-0", "-1")
            .replacen('0', "1", 1),
        2 => format!("{}", random.random::<bool>()),
        3 => serde_json::Value::String(text(random, 8)).to_string(),
        4 => {
            let items = many(random, 4, |random| json(random, depth - 1));
            format!("[{}{}]", blank(random), items.join(","))
        }
        _ => {
            let keys = ["\"a\"", "\"b\"", "\"a b\"", "\"\\u0061\""];
            let items = many(random, 4, |random| {
                let key = keys[random.random_range(0..keys.len())];
                format!("{key}{}:{}", blank(random), json(random, depth - 1))
            });
            format!("{{{}{}}}", items.join(","), blank(random))
        }
    }
}

/// An array of up to three dimensions, perhaps with bounds of its own.
fn array(element: &str, random: &mut StdRng) -> String {
    let depth = [0, 1, 1, 1, 2, 3][random.random_range(0..6)];
    if depth == 0 {
        return "{}".to_owned();
    }
    let lengths: Vec<usize> = (0..depth).map(|_| random.random_range(1..4)).collect();
    let mut out = String::new();
    if random.random_bool(0.2) {
        for length in &lengths {
            let from = random.random_range(-3..4_i64);
            write!(out, "[{from}:{}]", from + *length as i64 - 1).unwrap();
        }
        out.push('=');
    }
    elements(element, &lengths, random, &mut out);
    out
}

fn elements(element: &str, lengths: &[usize], random: &mut StdRng, out: &mut String) {
    let Some((length, inner)) = lengths.split_first() else {
        if random.random_bool(0.2) {
            return out.push_str("NULL");
        }
        let text = literal(element, random);
        return write!(
            out,
            "\"{}\"",
            text.replace('\\', "\\\\").replace('"', "\\\"")
        )
        .unwrap();
    };
    out.push('{');
    for at in 0..*length {
        if at > 0 {
            out.push(',');
        }
        elements(element, inner, random, out);
    }
    out.push('}');
}
