//! Prints values that were read in their binary form as the type's output function prints them,
//! with the settings that both connections are opened with (`datestyle=ISO`, `timezone=UTC`,
//! `extra_float_digits=1`, `bytea_output=hex`). Pure; called by `batch`. Postgres itself is asked in
//! the tests whether it prints the same.
//!
//! It saves the server the printing of every cell, which costs it more than reading the row.

use std::fmt::Write;

/// What is not the binary form of the type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit;

type Printed = Result<(), Misfit>;

const DAY: i64 = 86_400_000_000;
/// Days from the beginning of the Gregorian calendar's era (0000-03-01) to 2000-01-01.
const EPOCH: i64 = 730_425;

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Misfit> {
    bytes.try_into().map_err(|_| Misfit)
}

/// Appends what is printed. Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

/// `uuid`: its 16 bytes.
pub(super) fn uuid(bytes: &[u8], out: &mut String) -> Printed {
    let bytes: [u8; 16] = fixed(bytes)?;
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        push_hex(byte, out);
    }
    Ok(())
}

/// `bytea`: its bytes.
pub(super) fn bytea(bytes: &[u8], out: &mut String) {
    out.reserve(2 + 2 * bytes.len());
    out.push_str("\\x");
    for &byte in bytes {
        push_hex(byte, out);
    }
}

fn push_hex(byte: u8, out: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

/// `jsonb`: a version, then the text.
pub(super) fn jsonb(bytes: &[u8]) -> Result<&[u8], Misfit> {
    match bytes {
        [1, text @ ..] => Ok(text),
        _ => Err(Misfit),
    }
}

/// `date`: days since 2000-01-01; the extreme ones are the infinities.
pub(super) fn date(bytes: &[u8], out: &mut String) -> Printed {
    match i32::from_be_bytes(fixed(bytes)?) {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days => {
            let after_christ = push_date(days.into(), out);
            out.push_str(era(after_christ));
        }
    }
    Ok(())
}

/// `time`: microseconds since midnight.
pub(super) fn time(bytes: &[u8], out: &mut String) -> Printed {
    let time = i64::from_be_bytes(fixed(bytes)?);
    if !(0..=DAY).contains(&time) {
        return Err(Misfit);
    }
    push_time(time, out);
    Ok(())
}

/// `timestamp`, and `timestamptz` in UTC with `zone` `+00`: microseconds since 2000-01-01; the
/// extreme ones are the infinities.
pub(super) fn timestamp(bytes: &[u8], zone: &str, out: &mut String) -> Printed {
    match i64::from_be_bytes(fixed(bytes)?) {
        i64::MAX => out.push_str("infinity"),
        i64::MIN => out.push_str("-infinity"),
        time => {
            let after_christ = push_date(time.div_euclid(DAY), out);
            out.push(' ');
            push_time(time.rem_euclid(DAY), out);
            out.push_str(zone);
            out.push_str(era(after_christ));
        }
    }
    Ok(())
}

fn era(after_christ: bool) -> &'static str {
    if after_christ { "" } else { " BC" }
}

/// Appends year, month and day; gives whether the year is one after Christ. The year before 1 is 1
/// before Christ.
fn push_date(days: i64, out: &mut String) -> bool {
    // Howard Hinnant's `civil_from_days`: eras of 400 years, years from March.
    let days = days + EPOCH;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let after_christ = year > 0;
    let printed = if after_christ { year } else { 1 - year };
    if printed < 10_000 {
        push_two(printed / 100, out);
        push_two(printed % 100, out);
    } else {
        push(out, format_args!("{printed}"));
    }
    out.push('-');
    push_two(month, out);
    out.push('-');
    push_two(day, out);
    after_christ
}

fn push_time(microseconds: i64, out: &mut String) {
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    push_two(seconds / 3_600, out);
    out.push(':');
    push_two(seconds / 60 % 60, out);
    out.push(':');
    push_two(seconds % 60, out);
    if fraction > 0 {
        out.push('.');
        push_two(fraction / 10_000, out);
        push_two(fraction / 100 % 100, out);
        push_two(fraction % 100, out);
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Appends a number below 100 as two digits.
fn push_two(number: i64, out: &mut String) {
    for digit in [number / 10 % 10, number % 10] {
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

/// `numeric`: the number of its digits of base 10,000, the weight of the first, sign, digits after
/// the point, and the digits.
pub(super) fn numeric(bytes: &[u8], out: &mut String) -> Printed {
    let (head, digits) = bytes.split_at_checked(8).ok_or(Misfit)?;
    let part = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (count, sign, scale) = (usize::from(part(0)), part(4), usize::from(part(6)));
    let weight = i32::from(i16::from_be_bytes([head[2], head[3]]));
    match sign {
        0 => {}
        0x4000 => out.push('-'),
        0xC000 => {
            out.push_str("NaN");
            return Ok(());
        }
        0xD000 => {
            out.push_str("Infinity");
            return Ok(());
        }
        0xF000 => {
            out.push_str("-Infinity");
            return Ok(());
        }
        _ => return Err(Misfit),
    }
    if digits.len() != 2 * count {
        return Err(Misfit);
    }
    // The digit of 10,000 to the power of this, zero beyond those that are sent.
    let digit = |power: i32| {
        let at = usize::try_from(weight - power).ok();
        at.and_then(|at| digits.get(2 * at..2 * at + 2))
            .map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
    };
    if weight < 0 {
        out.push('0');
    } else {
        push(out, format_args!("{}", digit(weight)));
        for power in (0..weight).rev() {
            push(out, format_args!("{:04}", digit(power)));
        }
    }
    if scale > 0 {
        out.push('.');
        let end = out.len() + scale;
        let mut power = -1;
        while out.len() < end {
            push(out, format_args!("{:04}", digit(power)));
            power -= 1;
        }
        out.truncate(end);
    }
    Ok(())
}

/// `float4`.
pub(super) fn float4(bytes: &[u8], out: &mut String) -> Printed {
    let number = f32::from_be_bytes(fixed(bytes)?);
    let bits = number.to_bits();
    let float = Float {
        mantissa: u64::from(bits & 0x7F_FFFF),
        exponent: ((bits >> 23) & 0xFF).try_into().map_err(|_| Misfit)?,
        mantissa_bits: 23,
        bias: 127,
    };
    let digits = |precision| match precision {
        None => format!("{number:e}"),
        Some(precision) => format!("{number:.precision$e}"),
    };
    let reads_back = |text: &str| text.parse() == Ok(number);
    push_float(f64::from(number), float, 6, out, digits, reads_back);
    Ok(())
}

/// `float8`.
pub(super) fn float8(bytes: &[u8], out: &mut String) -> Printed {
    let number = f64::from_be_bytes(fixed(bytes)?);
    let bits = number.to_bits();
    let float = Float {
        mantissa: bits & 0xF_FFFF_FFFF_FFFF,
        exponent: ((bits >> 52) & 0x7FF).try_into().map_err(|_| Misfit)?,
        mantissa_bits: 52,
        bias: 1023,
    };
    let digits = |precision| match precision {
        None => format!("{number:e}"),
        Some(precision) => format!("{number:.precision$e}"),
    };
    let reads_back = |text: &str| text.parse() == Ok(number);
    push_float(number, float, 15, out, digits, reads_back);
    Ok(())
}

/// The parts of a floating point number (IEEE 754).
#[derive(Clone, Copy)]
struct Float {
    mantissa: u64,
    exponent: i32,
    mantissa_bits: i32,
    bias: i32,
}

/// Appends a number as the shortest decimal that reads back as it, as Postgres prints it: without an
/// exponent if that is at least -4 and below `fixed`. `digits` gives Rust's digits in scientific
/// form, the shortest or with this many after the point; `reads_back` whether digits are the number.
fn push_float(
    number: f64,
    float: Float,
    fixed: i32,
    out: &mut String,
    digits: impl Fn(Option<usize>) -> String,
    reads_back: impl Fn(&str) -> bool,
) {
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_infinite() {
        return out.push_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
    }
    if number == 0.0 {
        return out.push_str(if number.is_sign_negative() { "-0" } else { "0" });
    }
    let mut shortest = digits(None);
    let written = shortest.split('e').next().unwrap_or_default();
    let length = written.bytes().filter(u8::is_ascii_digit).count();
    if float.is_halfway(&shortest) {
        // Rust takes a decimal that is just as near to the next number, Postgres does not.
        for precision in length.saturating_sub(1)..=17 {
            let longer = digits(Some(precision));
            if reads_back(&longer) && !float.is_halfway(&longer) {
                shortest = longer;
                break;
            }
        }
    } else if matches!(
        written.bytes().last(),
        Some(b'1' | b'3' | b'5' | b'7' | b'9')
    ) {
        // Of two decimals that are as near to the number Postgres takes the even one.
        let even = digits(Some(length.saturating_sub(1)));
        if even != shortest && reads_back(&even) {
            shortest = even;
        }
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let mantissa = match mantissa.strip_prefix('-') {
        Some(positive) => {
            out.push('-');
            positive
        }
        None => mantissa,
    };
    if !(-4..fixed).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return push(out, format_args!("{mantissa}e{sign}{:02}", exponent.abs()));
    }
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(whole) = usize::try_from(exponent) else {
        out.push_str("0.");
        out.extend((1..-exponent).map(|_| '0'));
        out.push_str(first);
        out.push_str(rest);
        return;
    };
    out.push_str(first);
    match rest.split_at_checked(whole) {
        Some((before, after)) => {
            out.push_str(before);
            if !after.is_empty() {
                out.push('.');
                out.push_str(after);
            }
        }
        None => {
            out.push_str(rest);
            out.extend((rest.len()..whole).map(|_| '0'));
        }
    }
}

impl Float {
    /// Whether a decimal in scientific form lies exactly between this number and the next one up or
    /// down. Such a decimal has few digits only if it is about a whole number.
    fn is_halfway(self, decimal: &str) -> bool {
        let Some((mantissa, exponent)) = decimal.trim_start_matches('-').split_once('e') else {
            return false;
        };
        let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (Ok(digits), Ok(exponent)) =
            (format!("{first}{rest}").parse(), exponent.parse::<i32>())
        else {
            return false;
        };
        let ten = exponent - i32::try_from(rest.len()).unwrap_or_default();
        // The number is `mantissa * 2^two`. Half of the way up are two quarters of a `2^two`, and
        // down as well; below a power of two the next number is half as far.
        let (mantissa, two) = match self.exponent {
            0 => (self.mantissa, 1 - self.bias - self.mantissa_bits),
            exponent => (
                self.mantissa | 1 << self.mantissa_bits,
                exponent - self.bias - self.mantissa_bits,
            ),
        };
        let quarters = u128::from(mantissa) * 4;
        let down = if self.mantissa == 0 && self.exponent > 1 {
            1
        } else {
            2
        };
        let decimal = (digits, ten);
        equal((quarters + 2, two - 2), decimal) || equal((quarters - down, two - 2), decimal)
    }
}

/// Whether `binary.0 * 2^binary.1` is `decimal.0 * 10^decimal.1`. Both factors are not 0 and far
/// below 2^64.
fn equal(binary: (u128, i32), decimal: (u128, i32)) -> bool {
    let (mut odd, mut two) = binary;
    let (mut digits, ten) = decimal;
    if odd == 0 || digits == 0 {
        return odd == digits;
    }
    // Fives to one side, twos to the other.
    let (five_times, five_of) = if ten < 0 {
        (&mut odd, ten.unsigned_abs())
    } else {
        (&mut digits, ten.unsigned_abs())
    };
    if five_of > 27 {
        return false;
    }
    *five_times *= 5_u128.pow(five_of);
    two -= ten;
    two += i32::try_from(odd.trailing_zeros()).unwrap_or_default();
    odd >>= odd.trailing_zeros();
    let twos = i32::try_from(digits.trailing_zeros()).unwrap_or_default();
    digits >>= digits.trailing_zeros();
    odd == digits && two == twos
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn printed(print: impl FnOnce(&mut String) -> Printed) -> String {
        let mut out = String::new();
        print(&mut out).unwrap();
        out
    }

    #[test]
    fn floats_print_as_postgres_prints_them() {
        let rows: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (1e14, "100000000000000"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1e+15"),
            (1_234_567_890_123_456.0, "1.234567890123456e+15"),
            (1e23, "9.999999999999999e+22"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, text) in rows {
            assert_eq!(printed(|out| float8(&number.to_be_bytes(), out)), *text);
        }
        let rows: &[(f32, &str)] = &[
            (0.1, "0.1"),
            (2_f32.powi(-12), "0.00024414062"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (1e-45, "1e-45"),
            (f32::MAX, "3.4028235e+38"),
        ];
        for (number, text) in rows {
            assert_eq!(printed(|out| float4(&number.to_be_bytes(), out)), *text);
        }
    }

    #[test]
    fn dates_and_times_print_as_postgres_prints_them() {
        let day = |days: i32| printed(|out| date(&days.to_be_bytes(), out));
        assert_eq!(day(0), "2000-01-01");
        assert_eq!(day(59), "2000-02-29");
        assert_eq!(day(-730_119), "0001-01-01");
        assert_eq!(day(-730_120), "0001-12-31 BC");
        assert_eq!(day(i32::MAX), "infinity");
        assert_eq!(day(i32::MIN), "-infinity");
        let at = |time: i64| printed(|out| timestamp(&time.to_be_bytes(), "+00", out));
        assert_eq!(at(-1), "1999-12-31 23:59:59.999999+00");
        assert_eq!(at(1_500_000), "2000-01-01 00:00:01.5+00");
        assert_eq!(at(-730_120 * DAY), "0001-12-31 00:00:00+00 BC");
        assert_eq!(at(i64::MIN), "-infinity");
        assert_eq!(printed(|out| time(&DAY.to_be_bytes(), out)), "24:00:00");
    }

    #[test]
    fn other_bytes_are_no_values() {
        let mut out = String::new();
        for bytes in [&[][..], &[0; 3], &[0; 17], &[9; 8]] {
            assert_eq!(uuid(bytes, &mut out), Err(Misfit));
            assert!(numeric(bytes, &mut out).is_err());
            assert_eq!(jsonb(bytes), Err(Misfit));
        }
        assert_eq!(time(&(-1_i64).to_be_bytes(), &mut out), Err(Misfit));
    }
}
