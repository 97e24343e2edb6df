//! A column of every type that SeaORM has in Postgres.

use sea_orm::entity::prelude::*;

use super::enums::{Level, Mood, Word};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "kinds")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub tiny: i8,
    pub small: i16,
    pub int: i32,
    pub big: i64,
    pub tiny_unsigned: u8,
    pub small_unsigned: u16,
    pub unsigned: u32,
    pub real: f32,
    pub double: f64,
    pub plain_decimal: Decimal,
    #[sea_orm(column_type = "Decimal(Some((30, 10)))")]
    pub decimal: Decimal,
    #[sea_orm(column_type = "Money(None)")]
    pub money: Decimal,
    pub boolean: bool,
    #[sea_orm(column_type = "Char(Some(5))")]
    pub chars: String,
    pub string: String,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub short_string: String,
    #[sea_orm(column_type = "Text")]
    pub text: String,
    pub bytes: Vec<u8>,
    #[sea_orm(column_type = "Blob")]
    pub blob: Vec<u8>,
    #[sea_orm(column_type = "VarBinary(StringLen::N(8))")]
    pub var_binary: Vec<u8>,
    #[sea_orm(column_type = "Bit(Some(3))")]
    pub bit: String,
    #[sea_orm(column_type = "VarBit(9)")]
    pub var_bit: String,
    pub date: Date,
    pub time: Time,
    pub date_time: DateTime,
    #[sea_orm(column_type = "Timestamp")]
    pub timestamp: DateTime,
    pub timestamp_tz: DateTimeWithTimeZone,
    pub utc: DateTimeUtc,
    #[sea_orm(column_type = "Interval(None, None)")]
    pub interval: String,
    pub uuid: Uuid,
    #[sea_orm(column_type = "Json")]
    pub json: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub jsonb: Json,
    #[sea_orm(column_type = "Inet")]
    pub inet: IpNetwork,
    #[sea_orm(column_type = "Cidr")]
    pub cidr: IpNetwork,
    #[sea_orm(column_type = "MacAddr")]
    pub mac: String,
    #[sea_orm(column_type = "LTree")]
    pub ltree: String,
    #[sea_orm(column_type = "custom(\"citext\")")]
    pub citext: String,
    #[sea_orm(column_type = "custom(\"xml\")")]
    pub xml: String,
    #[sea_orm(column_type = "custom(\"point\")")]
    pub point: String,
    #[sea_orm(column_type = "custom(\"int4range\")")]
    pub range: String,
    pub mood: Mood,
    pub level: Level,
    pub word: Word,
}

impl ActiveModelBehavior for ActiveModel {}
