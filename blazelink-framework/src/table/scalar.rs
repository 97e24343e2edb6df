//! The scalars that fields take and give: every Rust type that SeaORM has for a column. Each prints
//! as a column of its type prints, so that a value looks the same whether it is stored or computed.

use std::borrow::Cow;
use std::fmt::Write;

use async_graphql_value::{ConstValue, Number};
use chrono::{DateTime, Datelike, TimeZone, Timelike, Utc};
use sea_orm::prelude::{
    ChronoDate, ChronoDateTime, ChronoDateTimeUtc, ChronoDateTimeWithTimeZone, ChronoTime, Decimal,
    Uuid,
};

use super::argument::{ArgumentType, InputType};
use super::field_type::{FieldType, Output, Scalar, ValueType};

macro_rules! gives {
    ($($ty:ty, $scalar:ident, $value:ident => $output:expr;)*) => {$(
        impl FieldType for $ty {
            fn value_type() -> ValueType {
                ValueType::Scalar(Scalar::$scalar)
            }

            fn into_output(self) -> Output {
                let $value = self;
                $output
            }
        }
    )*};
}

gives! {
    bool, Boolean, value => Output::Boolean(value);
    i8, Int, value => Output::Integer(value.into());
    i16, Int, value => Output::Integer(value.into());
    u16, Int, value => Output::Integer(value.into());
    i32, Int, value => Output::Integer(value.into());
    u32, BigInt, value => Output::Integer(value.into());
    i64, BigInt, value => Output::Integer(value);
    u64, BigInt, value => match i64::try_from(value) {
        Ok(number) => Output::Integer(number),
        Err(_) => Output::Text(value.to_string()),
    };
    f32, Float, value => Output::Float(widened(value));
    f64, Float, value => Output::Float(value);
    String, String, value => Output::Text(value);
    &str, String, value => Output::Text(value.to_owned());
    Cow<'_, str>, String, value => Output::Text(value.into_owned());
    char, String, value => Output::Text(value.to_string());
    serde_json::Value, Json, value => Output::Json(value);
    Uuid, String, value => Output::Text(value.to_string());
    Decimal, String, value => Output::Text(value.to_string());
    ChronoDate, String, value => Output::Text(date(value, ""));
    ChronoTime, String, value => Output::Text(time(value));
    ChronoDateTime, String, value => Output::Text(timestamp(value, ""));
}

/// As `timestamptz` prints in UTC.
impl<Z: TimeZone> FieldType for DateTime<Z> {
    fn value_type() -> ValueType {
        ValueType::Scalar(Scalar::String)
    }

    fn into_output(self) -> Output {
        Output::Text(timestamp(self.naive_utc(), "+00"))
    }
}

/// A list of these is `bytea`.
impl FieldType for u8 {
    fn value_type() -> ValueType {
        ValueType::Scalar(Scalar::Int)
    }

    fn into_output(self) -> Output {
        Output::Integer(self.into())
    }

    fn list_type() -> ValueType {
        ValueType::Scalar(Scalar::String)
    }

    fn list_output(values: Vec<u8>) -> Output {
        Output::Text(hex(&values))
    }
}

macro_rules! takes {
    ($($ty:ty, $scalar:ident, $value:ident => $from:expr, $own:ident => $to:expr;)*) => {$(
        impl ArgumentType for $ty {
            fn input_type() -> InputType {
                InputType::Scalar(Scalar::$scalar)
            }

            fn from_value($value: &ConstValue) -> Option<Self> {
                $from
            }

            fn to_value(&self) -> ConstValue {
                let $own = self;
                $to
            }
        }
    )*};
}

takes! {
    bool, Boolean, value => match value {
        ConstValue::Boolean(truth) => Some(*truth),
        _ => None,
    }, own => ConstValue::Boolean(*own);
    i8, Int, value => integer(value), own => ConstValue::Number((*own).into());
    i16, Int, value => integer(value), own => ConstValue::Number((*own).into());
    u16, Int, value => integer(value), own => ConstValue::Number((*own).into());
    i32, Int, value => integer(value), own => ConstValue::Number((*own).into());
    u32, BigInt, value => integer(value), own => ConstValue::Number((*own).into());
    i64, BigInt, value => integer(value), own => ConstValue::Number((*own).into());
    u64, BigInt, value => integer(value), own => ConstValue::Number((*own).into());
    f32, Float, value => {
        let ConstValue::Number(number) = value else { return None };
        // What is too large for it would become infinite.
        #[allow(clippy::cast_possible_truncation)]
        number.as_f64().map(|number| number as f32).filter(|number| number.is_finite())
    }, own => real(widened(*own));
    f64, Float, value => match value {
        ConstValue::Number(number) => number.as_f64(),
        _ => None,
    }, own => real(*own);
    String, String, value => text(value).map(str::to_owned), own => string(own);
    char, String, value => {
        let mut chars = text(value)?.chars();
        chars.next().filter(|_| chars.next().is_none())
    }, own => string(own);
    serde_json::Value, Json, value => value.clone().into_json().ok(),
        own => ConstValue::from_json(own.clone()).unwrap_or_default();
    Uuid, String, value => text(value)?.parse().ok(), own => string(own);
    Decimal, String, value => text(value)?.parse().ok(), own => string(own);
    ChronoDate, String, value => text(value)?.parse().ok(), own => string(&date(*own, ""));
    ChronoTime, String, value => text(value)?.parse().ok(), own => string(&time(*own));
    ChronoDateTime, String, value => text(value)?.replacen(' ', "T", 1).parse().ok(),
        own => string(&timestamp(*own, ""));
    ChronoDateTimeWithTimeZone, String, value => instant(text(value)?),
        own => string(&timestamp(own.naive_utc(), "+00"));
    ChronoDateTimeUtc, String, value => instant(text(value)?).map(|at| at.with_timezone(&Utc)),
        own => string(&timestamp(own.naive_utc(), "+00"));
}

impl ArgumentType for u8 {
    fn input_type() -> InputType {
        InputType::Scalar(Scalar::Int)
    }

    fn from_value(value: &ConstValue) -> Option<Self> {
        integer(value)
    }

    fn to_value(&self) -> ConstValue {
        ConstValue::Number((*self).into())
    }

    fn list_type() -> InputType {
        InputType::Scalar(Scalar::String)
    }

    fn list_from_value(value: &ConstValue) -> Option<Vec<Self>> {
        let digits = text(value)?.strip_prefix("\\x")?.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16)
                .ok()
                .filter(|_| !pair.starts_with('+'))
        });
        pairs.collect()
    }

    fn list_to_value(values: &[Self]) -> ConstValue {
        string(&hex(values))
    }
}

fn text(value: &ConstValue) -> Option<&str> {
    match value {
        ConstValue::String(text) => Some(text),
        _ => None,
    }
}

fn string(value: &(impl ToString + ?Sized)) -> ConstValue {
    ConstValue::String(value.to_string())
}

/// Beyond what JSON's readers hold exactly, an integer comes as a string.
fn integer<T: TryFrom<i128>>(value: &ConstValue) -> Option<T> {
    let number = match value {
        ConstValue::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into(),
            (None, number) => number?.into(),
        },
        ConstValue::String(text) => text.parse::<i128>().ok()?,
        _ => return None,
    };
    T::try_from(number).ok()
}

fn real(number: f64) -> ConstValue {
    Number::from_f64(number).map_or(ConstValue::Null, ConstValue::Number)
}

/// The double that prints like the float: Postgres prints `0.1`, not what its bits are.
fn widened(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| number.into())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("\\x");
    for byte in bytes {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    text
}

/// As Postgres prints it (`datestyle=ISO`): years have four digits at least, and those before the
/// first are counted from 1 BC.
fn date(date: ChronoDate, between: &str) -> String {
    let (year, era) = match date.year() {
        year @ 1.. => (year, ""),
        year => (1 - year, " BC"),
    };
    format!(
        "{year:04}-{:02}-{:02}{between}{era}",
        date.month(),
        date.day()
    )
}

fn time(time: ChronoTime) -> String {
    let micros = time.nanosecond() / 1_000 % 1_000_000;
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    );
    if micros > 0 {
        let digits = format!("{micros:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text
}

fn timestamp(at: ChronoDateTime, zone: &str) -> String {
    date(at.date(), &format!(" {}{zone}", time(at.time())))
}

/// As Postgres prints it, `2024-02-29 13:14:15+00`, or as RFC 3339 does.
fn instant(text: &str) -> Option<ChronoDateTimeWithTimeZone> {
    let (day, rest) = text.split_once([' ', 'T'])?;
    let zone = rest.rfind(['+', '-', 'Z', 'z'])?;
    let (time, zone) = rest.split_at(zone);
    let zone = match zone.len() {
        3 => format!("{zone}:00"),
        _ => zone.to_owned(),
    };
    DateTime::parse_from_rfc3339(&format!("{day}T{time}{zone}")).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn printed(value: impl FieldType) -> Output {
        value.into_output()
    }

    fn output(text: &str) -> Output {
        Output::Text(text.to_owned())
    }

    #[test]
    fn values_print_as_columns_of_their_types() {
        let day = ChronoDate::from_ymd_opt(2024, 2, 29).unwrap();
        let at = day.and_hms_micro_opt(13, 14, 15, 123_400).unwrap();
        assert_eq!(printed(day), output("2024-02-29"));
        assert_eq!(printed(at), output("2024-02-29 13:14:15.1234"));
        assert_eq!(printed(at.and_utc()), output("2024-02-29 13:14:15.1234+00"));
        assert_eq!(printed(at.time()), output("13:14:15.1234"));
        let before = ChronoDate::from_ymd_opt(-43, 3, 15).unwrap();
        assert_eq!(printed(before), output("0044-03-15 BC"));
        let before = before.and_hms_opt(1, 2, 3).unwrap().and_utc();
        assert_eq!(printed(before), output("0044-03-15 01:02:03+00 BC"));
        assert_eq!(printed(0.1_f32), Output::Float(0.1));
        assert_eq!(printed(u64::MAX), output("18446744073709551615"));
        assert_eq!(printed(vec![0xDE_u8, 0xAD]), output("\\xdead"));
        let price: Decimal = "12.500".parse().unwrap();
        assert_eq!(printed(price), output("12.500"));
    }

    fn again<T: ArgumentType + PartialEq + std::fmt::Debug>(value: T) {
        let written = value.to_value();
        assert_eq!(T::from_value(&written), Some(value), "{written}");
    }

    #[test]
    fn arguments_are_read_as_they_are_written() {
        again(true);
        again(-128_i8);
        again(u64::MAX);
        again(i64::MIN);
        again(0.1_f32);
        again('ß');
        again(vec![1_u8, 255]);
        again(vec![Some(1), None]);
        again(serde_json::json!({"a": [1, null, "x"]}));
        again(
            "67e55044-10b1-426f-9247-bb680e5fe0c8"
                .parse::<Uuid>()
                .unwrap(),
        );
        again("0.10".parse::<Decimal>().unwrap());
        let at = ChronoDate::from_ymd_opt(2024, 2, 29).unwrap();
        again(at);
        let at = at.and_hms_micro_opt(13, 14, 15, 5).unwrap();
        again(at);
        again(at.time());
        again(at.and_utc());
        again(at.and_utc().fixed_offset());
    }

    #[test]
    fn instants_are_read_in_either_spelling() {
        for text in [
            "2024-02-29T13:14:15Z",
            "2024-02-29 13:14:15+00",
            "2024-02-29 14:44:15+01:30",
        ] {
            let at = ChronoDateTimeUtc::from_value(&string(text)).unwrap();
            assert_eq!(printed(at), output("2024-02-29 13:14:15+00"), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(i8::from_value(&ConstValue::from(128)), None);
        assert_eq!(f32::from_value(&real(1e300)), None);
        assert_eq!(char::from_value(&string("ab")), None);
        assert_eq!(Vec::<u8>::from_value(&string("\\xd")), None);
        assert_eq!(Vec::<u8>::from_value(&string("\\x+1")), None);
        assert_eq!(ChronoDate::from_value(&string("2024-02-30")), None);
        assert_eq!(ChronoDateTimeUtc::from_value(&string("2024-02-29")), None);
    }
}
