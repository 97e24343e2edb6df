//! The same, each of which may be NULL.

use sea_orm::entity::prelude::*;

use super::enums::{Level, Mood, Word};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "nullable_kinds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub tiny: Option<i8>,
    pub small: Option<i16>,
    pub int: Option<i32>,
    pub big: Option<i64>,
    pub tiny_unsigned: Option<u8>,
    pub small_unsigned: Option<u16>,
    pub unsigned: Option<u32>,
    pub real: Option<f32>,
    pub double: Option<f64>,
    pub plain_decimal: Option<Decimal>,
    #[sea_orm(column_type = "Decimal(Some((30, 10)))", nullable)]
    pub decimal: Option<Decimal>,
    #[sea_orm(column_type = "Money(None)", nullable)]
    pub money: Option<Decimal>,
    pub boolean: Option<bool>,
    #[sea_orm(column_type = "Char(Some(5))", nullable)]
    pub chars: Option<String>,
    pub string: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(20))", nullable)]
    pub short_string: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub text: Option<String>,
    pub bytes: Option<Vec<u8>>,
    #[sea_orm(column_type = "Blob", nullable)]
    pub blob: Option<Vec<u8>>,
    #[sea_orm(column_type = "VarBinary(StringLen::N(8))", nullable)]
    pub var_binary: Option<Vec<u8>>,
    #[sea_orm(column_type = "Bit(Some(3))", nullable)]
    pub bit: Option<String>,
    #[sea_orm(column_type = "VarBit(9)", nullable)]
    pub var_bit: Option<String>,
    pub date: Option<Date>,
    pub time: Option<Time>,
    pub date_time: Option<DateTime>,
    #[sea_orm(column_type = "Timestamp", nullable)]
    pub timestamp: Option<DateTime>,
    pub timestamp_tz: Option<DateTimeWithTimeZone>,
    pub utc: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Interval(None, None)", nullable)]
    pub interval: Option<String>,
    pub uuid: Option<Uuid>,
    #[sea_orm(column_type = "Json", nullable)]
    pub json: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub jsonb: Option<Json>,
    #[sea_orm(column_type = "Inet", nullable)]
    pub inet: Option<IpNetwork>,
    #[sea_orm(column_type = "Cidr", nullable)]
    pub cidr: Option<IpNetwork>,
    #[sea_orm(column_type = "MacAddr", nullable)]
    pub mac: Option<String>,
    #[sea_orm(column_type = "LTree", nullable)]
    pub ltree: Option<String>,
    #[sea_orm(column_type = "custom(\"citext\")", nullable)]
    pub citext: Option<String>,
    #[sea_orm(column_type = "custom(\"xml\")", nullable)]
    pub xml: Option<String>,
    #[sea_orm(column_type = "custom(\"point\")", nullable)]
    pub point: Option<String>,
    #[sea_orm(column_type = "custom(\"int4range\")", nullable)]
    pub range: Option<String>,
    pub mood: Option<Mood>,
    pub level: Option<Level>,
    pub word: Option<Word>,
}

impl ActiveModelBehavior for ActiveModel {}
